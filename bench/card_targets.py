"""What minigan means to reach on a card, and whether stored rows say that it does.

The numbers were set for an H200, in each precision alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bench.ops import CONVOLUTIONS
from bench.rows import Row
from bench.targets import Verdict


class StepTarget(NamedTuple):
    """A whole DCGAN step against a peer: size, width, batch, and the ratio that is allowed."""

    peer: str
    size: int
    width: int
    batch: int
    limit: float


STEP_TARGETS = (
    StepTarget("torch", 64, 64, 64, 0.5),
    StepTarget("torch", 32, 32, 64, 0.2),
    StepTarget("torch-graph", 64, 64, 64, 0.833),
    StepTarget("torch-graph", 32, 32, 64, 0.833),
)
COPY_SHARE_TARGET = 0.80
COPY_KINDS = {
    "normalisation with activation": ("norm_relu", "norm_leaky_relu"),
    "loss": ("loss",),
    "optimiser": ("adam",),
}
LARGE = 1 << 25  # bytes of an operation from which bandwidth decides
PRODUCT_SHARE_TARGET = 0.60
WIDE = 64  # channels, of input and output, of a wide convolution


def card_verdicts(rows: Iterable[Row]) -> list[Verdict]:
    """Every target, of rows of one card and one precision; none of them is met without rows."""
    rows = [r for r in rows if r.device != "cpu"]
    found = [_step(target, rows) for target in STEP_TARGETS]
    found += [_bandwidth(name, kinds, rows) for name, kinds in COPY_KINDS.items()]
    return [*found, _product_share(rows), _against_cudnn(rows)]


def _step(target: StepTarget, rows: list[Row]) -> Verdict:
    name = f"whole DCGAN step, size {target.size}, width {target.width}, batch {target.batch}"
    wanted = (target.size, target.width, target.batch)
    ratios = [
        r.ratio
        for r in rows
        if (r.bench, r.arch, r.peer) == ("step", "dcgan", target.peer)
        and (r.size, r.width, r.batch) == wanted
        and r.detail.get("form") == "graph"
        and r.ratio is not None
    ]
    limit = f"≤ {target.limit:g}"
    if not ratios:
        return Verdict(name, target.peer, limit, "", None)
    return Verdict(name, target.peer, limit, f"{ratios[-1]:.3f}", ratios[-1] <= target.limit)


def _bandwidth(what: str, kinds: tuple[str, ...], rows: list[Row]) -> Verdict:
    name = f"{what}: least share of the copy's rate, of at least {LARGE >> 20} MB"
    limit = f"≥ {COPY_SHARE_TARGET:.0%}"
    shares = [
        r.detail["copy_share"]
        for r in rows
        if r.bench == "roofline" and r.detail["kind"] in kinds and r.detail["bytes"] >= LARGE
    ]
    if not shares:
        return Verdict(name, "this card", limit, "", None)
    return Verdict(name, "this card", limit, f"{min(shares):.0%}", min(shares) >= COPY_SHARE_TARGET)


def _product_share(rows: list[Row]) -> Verdict:
    name = "wide convolutions together: share of the rate of products"
    limit = f"≥ {PRODUCT_SHARE_TARGET:.0%}"
    wide = [r for r in rows if r.bench == "roofline" and _is_wide(r)]
    if not wide:
        return Verdict(name, "this card", limit, "", None)
    # Of each the operations that the rate would do in its time, weighted with that time.
    spent = sum(r.ours_ms or 0 for r in wide)
    share = sum(r.detail["product_share"] * (r.ours_ms or 0) for r in wide) / spent
    return Verdict(name, "this card", limit, f"{share:.0%}", share >= PRODUCT_SHARE_TARGET)


def _against_cudnn(rows: list[Row]) -> Verdict:
    name, limit = "wide convolutions together, against cuDNN's", "≤ 1.00"
    wide = [r for r in rows if (r.bench, r.peer) == ("ops", "torch") and _is_wide(r)]
    if not wide:
        return Verdict(name, "torch", limit, "", None)
    ratio = sum(r.ours_ms or 0 for r in wide) / sum(r.peer_ms or 0 for r in wide)
    return Verdict(name, "torch", limit, f"{ratio:.3f}", ratio <= 1)


def _is_wide(row: Row) -> bool:
    return row.detail["kind"] in CONVOLUTIONS and row.detail["channels"] >= WIDE
