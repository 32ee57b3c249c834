"""`bench ops`: each operation of a DCGAN alone: forward, dx and dw apart, on every shape.

On a card both sides put an operation and its copies, which work on arrays of their own, into one
graph of their library's. The time is the card's for one of them: what a launch costs the processor
is in the times of whole steps.
"""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from bench import same
from bench.errors import BenchError, NotTheSame, TimeUp
from bench.measure import Session, line
from bench.remote import Worker
from bench.rows import Row
from bench.shapes import FLOAT, Product, networks, optimizer_bytes
from bench.timing import Pairs, interleave
from bench.where import Where
from bench.work import Array, Work

CONVOLUTIONS = ("conv", "conv_transpose")
PASSES = ("forward", "dx", "dw")
ROTATED_BYTES = 1 << 28  # above twice the L2 cache of any card so far
MOST_COPIES = 64
MANY_LOGITS = 1 << 24
MOST_COMPARED = 1 << 18  # numbers of an output that the check looks at


@dataclass(frozen=True, kw_only=True)
class Case:
    """One operation: op names it, `side` and `cin` are its input picture's."""

    op: str  # conv, conv_transpose, norm_relu, norm_leaky_relu, loss, adam
    direction: str  # forward, dx, dw; all: everything at once
    batch: int
    side: int = 1
    cin: int = 1
    cout: int = 1

    def __str__(self) -> str:
        if self.op in CONVOLUTIONS:
            return f"{self.op} {self.side}x{self.side}, {self.cin} to {self.cout}"
        if self.op == "adam":
            return f"{self.op} {self.cin} numbers"
        if self.op == "loss":
            return f"{self.op} {self.batch} logits"
        return f"{self.op} {self.side}x{self.side}x{self.cin}"

    def numbers(self, shape: tuple[int, ...], stream: int) -> Array:
        """Random numbers that both sides draw alike; nobody writes into them."""
        return _numbers(shape, stream)

    @property
    def x_shape(self) -> tuple[int, ...]:
        return self.batch, self.side, self.side, self.cin

    @property
    def y_shape(self) -> tuple[int, ...]:
        if self.op not in CONVOLUTIONS:
            return self.x_shape
        side = self.product.out_side
        return self.batch, side, side, self.cout

    @property
    def w_shape(self) -> tuple[int, ...]:
        """minigan's: (4, 4, in, out) of the convolution, which a transpose runs backwards."""
        ends = (self.cin, self.cout) if self.op == "conv" else (self.cout, self.cin)
        return (4, 4, *ends)

    @property
    def product(self) -> Product:
        return Product(self.op, self.cin, self.cout, self.side)

    @property
    def flops(self) -> int:
        """Operations of the matrix product, 0 where there is none."""
        return self.product.flops(self.batch) if self.op in CONVOLUTIONS else 0

    @property
    def bytes(self) -> int:
        """The least bytes: what is read and written, once each."""
        if self.op in CONVOLUTIONS:
            return self.product.bytes(self.batch)
        if self.op == "adam":
            return optimizer_bytes(Work.of("dcgan"), self.cin)
        arrays = {"forward": 2, "dx": 3, "dw": 2, "all": 6}[self.direction]
        return FLOAT * int(np.prod(self.x_shape)) * arrays

    @property
    def streamed(self) -> int:
        """`bytes` of arrays too large for a cache: a normalisation reads them for its sums first.

        Forward x, then x and y; dx from dy and x, then dy, x and dx.
        """
        if not self.op.startswith("norm") or self.direction == "dw":
            return self.bytes
        return FLOAT * int(np.prod(self.x_shape)) * {"forward": 3, "dx": 5}[self.direction]

    @property
    def copies(self) -> int:
        """How many of it take turns on a card, so that none finds its arrays in the cache."""
        return min(MOST_COPIES, max(1, math.ceil(ROTATED_BYTES / self.bytes)))


@lru_cache(maxsize=4)  # the copies of an operation ask for the same
def _numbers(shape: tuple[int, ...], stream: int) -> Array:
    return np.random.default_rng([stream, *shape]).standard_normal(shape, np.float32)


def cases(work: Work) -> Iterator[Case]:
    """Every convolution, normalisation, loss and update of the DCGAN of that size and width."""
    for net, activation in zip(networks(work), ("norm_relu", "norm_leaky_relu"), strict=True):
        for p in net.products:
            if p.kind in CONVOLUTIONS:
                for direction in PASSES:
                    yield Case(
                        op=p.kind,
                        direction=direction,
                        batch=work.batch,
                        side=p.side,
                        cin=p.cin,
                        cout=p.cout,
                    )
        for e in net.elementwise:
            if e.normed:
                side = round((e.numbers // e.channels) ** 0.5)
                for direction in PASSES:
                    yield Case(
                        op=activation,
                        direction=direction,
                        batch=work.batch,
                        side=side,
                        cin=e.channels,
                    )
        yield Case(op="adam", direction="all", batch=work.batch, cin=net.parameters)
    yield Case(op="loss", direction="all", batch=work.batch)


def cases_of(work: Work, where: Where) -> Iterator[Case]:
    """`cases`; on a card also the loss of so many logits that bandwidth decides."""
    yield from cases(work)
    if where.on_card:
        yield Case(op="loss", direction="all", batch=MANY_LOGITS)


def measure_ops(session: Session, works: Iterable[Work], peer: bool = True) -> list[Row]:
    """A row for each operation of each work, against eager PyTorch or alone.

    On a card an operation that cannot be measured is said and left out.
    """
    rows: list[Row] = []
    name = "torch" if peer else "none"
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        session.worker("ours") as ours,
        session.worker("torch" if peer else "ours") as other,
    ):
        for work in works:
            todo = list(cases_of(work, session.where))
            for side in (ours, other):
                with suppress(BenchError):  # met again where it is measured
                    side.ask("op", case=asdict(todo[0]))  # loads libraries, which would seem busy
            disturbed = session.busy()
            for case in todo:
                try:
                    row = _measure(session, work, case, ours, other if peer else None, Path(folder))
                except TimeUp as over:
                    session.say(f"{over}: {len(rows)} operations")
                    return rows
                except BenchError as error:
                    session.failed(f"{case} {case.direction}", error)
                    continue
                row.detail.update(disturbed)
                if peer:
                    session.say(line(row))
                rows.append(row)
    session.say(f"{len(rows)} operations, peer {name}")
    return rows


def _measure(
    session: Session, work: Work, case: Case, ours: Worker, other: Worker | None, folder: Path
) -> Row:
    detail = {
        "op": str(case),
        "pass": case.direction,
        "kind": case.op,
        "flops": case.flops,
        "bytes": case.bytes,
        "streamed": case.streamed,
        "channels": min(case.cin, case.cout),
    }
    how = {"warm": session.warm, "sample": session.sample}
    ours.ask("op", case=asdict(case))
    if other is None:
        calls, _ = ours.ask("calibrate", **how)
        times = [ours.seconds(calls) / calls for _ in range(session.repeats)]
        median = 1e3 * statistics.median(times)
        return session.row("ops", work, "none", ours_ms=median, detail=detail)
    its = other.ask("op", case=asdict(case))
    detail["deviation"] = _check(case, ours, other, folder, session.where.precision)
    calls, _ = ours.ask("calibrate", **how)
    its_calls, _ = other.ask("calibrate", **how)
    pairs: Pairs = interleave(ours, other, calls, its_calls, session.repeats, session.pause)
    return session.row(
        "ops",
        work,
        "torch",
        ours_ms=pairs.ours_ms,
        peer_ms=pairs.peer_ms,
        ratio=pairs.ratio,
        detail=detail | pairs.spread() | {"choices": its["choices"]},
    )


def _check(case: Case, ours: Worker, other: Worker, folder: Path, precision: str) -> float:
    files = folder / "ours.npz", folder / "peer.npz"
    for worker, file in zip((ours, other), files, strict=True):
        worker.ask("outputs", out=str(file))
    with np.load(files[0]) as a, np.load(files[1]) as b:
        try:
            return same.check_outputs(dict(a), dict(b), f"{case} {case.direction}", precision)
        except NotTheSame as error:
            raise NotTheSame(f"{error.message}; nothing was measured of it") from None


def thinned(outputs: dict[str, Array]) -> dict[str, Array]:
    """Evenly spread numbers of each output: a check need not write gigabytes."""
    return {k: a.reshape(-1)[:: max(1, a.size // MOST_COMPARED) | 1] for k, a in outputs.items()}
