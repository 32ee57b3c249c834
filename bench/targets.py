"""What minigan means to reach against PyTorch, and whether stored rows say that it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from bench.memory import FLAT
from bench.ops import CONVOLUTIONS
from bench.rows import Row


class Verdict(NamedTuple):
    """One target against one peer; `met` is None where nothing was measured."""

    what: str
    peer: str
    limit: str
    measured: str
    met: bool | None

    @property
    def word(self) -> str:
        return {True: "met", False: "missed", None: "not measured yet"}[self.met]


STEP_TARGETS = (
    ("whole DCGAN step", ("dcgan", 64, 64, 64), 0.75),
    ("whole DCGAN step", ("dcgan", 32, 32, 64), 0.75),
    ("whole DCGAN step", ("dcgan", 64, 16, 64), 0.90),
    ("MLP pair", ("mlp", 28, 1200, 64), 0.70),
    ("MLP pair", ("mlp", 28, 1200, 512), 0.70),
)
CONVOLUTION_TARGET = 0.65
PRODUCT_SHARE_TARGET = 0.70
MEMORY_TARGET = 1.0


def verdicts(rows: Iterable[Row]) -> list[Verdict]:
    """Every target, against every peer that it was measured against, with the most threads."""
    rows = list(rows)
    most = max((r.threads for r in rows), default=1)
    rows = [r for r in rows if r.threads == most]
    found: list[Verdict] = []
    for what, (arch, size, width, batch), limit in STEP_TARGETS:
        name = f"{what}, size {size}, width {width}, batch {batch}"
        key = (arch, size, width, batch)
        matching = [r for r in rows if r.bench == "step" and _key(r) == key]
        found += _ratios(name, limit, matching, "torch")
    found += [_convolutions(rows), _product_share(rows)]
    memory = [r for r in rows if r.bench == "memory" and _is_standard(r)]
    found += _ratios(
        "a DCGAN step's peak memory, size 64, width 64", MEMORY_TARGET, memory, "torch"
    )
    return [*found, _flatness(rows)]


def convolution_sums(rows: Iterable[Row]) -> tuple[float, float] | None:
    """Milliseconds of all convolutions of the width-64 network, ours and the peer's."""
    chosen = [
        r
        for r in rows
        if r.bench == "ops"
        and r.peer == "torch"
        and _is_standard(r)
        and r.detail["kind"] in CONVOLUTIONS
    ]
    if not chosen:
        return None
    return sum(r.ours_ms or 0 for r in chosen), sum(r.peer_ms or 0 for r in chosen)


def _convolutions(rows: list[Row]) -> Verdict:
    name = "convolutions of the width-64 network (size 64): forward, dx and dw together"
    limit = f"≤ {CONVOLUTION_TARGET}"
    sums = convolution_sums(rows)
    if sums is None:
        return Verdict(name, "torch", limit, "", None)
    ratio = sums[0] / sums[1]
    return Verdict(name, "torch", limit, f"{ratio:.3f}", ratio <= CONVOLUTION_TARGET)


def _product_share(rows: list[Row]) -> Verdict:
    name = "share of the machine's matrix-product rate, whole step at width 64"
    limit = f"≥ {PRODUCT_SHARE_TARGET:.0%}"
    share = _last(
        rows,
        lambda r: r.bench == "roofline" and r.detail["kind"] == "step" and _is_standard(r),
        "product_share",
    )
    if share is None:
        return Verdict(name, "this machine", limit, "", None)
    return Verdict(name, "this machine", limit, f"{share:.0%}", share >= PRODUCT_SHARE_TARGET)


def _flatness(rows: list[Row]) -> Verdict:
    name, limit = "growth of the peak memory over 1,000 steps", f"≤ {FLAT:.0%}"
    growth = _last(
        rows, lambda r: r.bench == "memory" and r.detail.get("steps", 0) >= 1000, "ours_growth"
    )
    if growth is None:
        return Verdict(name, "itself", limit, "", None)
    return Verdict(name, "itself", limit, f"{growth:+.2%}", growth <= FLAT)


def _last(rows: list[Row], wanted: Callable[[Row], bool], name: str) -> float | None:
    values = [float(r.detail[name]) for r in rows if wanted(r)]
    return values[-1] if values else None


def _ratios(name: str, limit: float, rows: list[Row], usual: str) -> list[Verdict]:
    allowed = f"≤ {limit:.2f}"
    found = [
        Verdict(name, r.peer, allowed, f"{r.ratio:.3f}", r.ratio <= limit)
        for r in rows
        if r.ratio is not None
    ]
    return found or [Verdict(name, usual, allowed, "", None)]


def _key(row: Row) -> tuple[str, int, int, int]:
    return row.arch, row.size, row.width, row.batch


def _is_standard(row: Row) -> bool:
    return _key(row) == ("dcgan", 64, 64, 64)
