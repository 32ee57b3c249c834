"""`bench roofline`: what this machine can do at best, and how near each operation comes.

The floor of an operation is the larger of two times: its matrix product's operations at the best
rate that any product reached here, and the bytes that it cannot avoid at the rate of a large copy.
A step's floor adds up the operations, and the bytes, of its parts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from bench.errors import Unavailable
from bench.measure import Session
from bench.remote import Worker
from bench.rows import Row
from bench.shapes import step_bytes, step_flops
from bench.timing import Timer
from bench.work import Work

PRODUCT_SIZES = (1024, 2048, 3072)
COPY_BYTES = 1 << 28  # of each of the two arrays: far above any cache
TRIES = 5


def measure_rates(side: str, threads: int) -> dict[str, float]:
    """Best operations and bytes per second with the libraries of one side; runs in its process."""
    if side == "ours":
        return {"flops": _best_product(_numpy_product), "bytes": _copy_rate(threads)}
    return {"flops": _best_product(_torch_product(threads)), "bytes": 0.0}


def best_rates(session: Session) -> dict[str, float]:
    """The better of NumPy's and PyTorch's product, and the copy."""
    rates = {"flops": 0.0, "bytes": 0.0}
    for side in ("ours", "torch"):
        try:
            with Worker(side, session.threads) as worker:
                found = worker.ask("rates")
        except Unavailable as reason:
            session.say(f"{side}: skipped: {reason}")
            continue
        rates = {name: max(rates[name], found[name]) for name in rates}
    session.say(
        f"this machine, {session.threads} threads: products {rates['flops'] / 1e9:.1f} Gflop/s, "
        f"copy {rates['bytes'] / 1e9:.1f} GB/s"
    )
    return rates


def floor_seconds(flops: float, moved: float, rates: dict[str, float]) -> tuple[float, str]:
    """The larger floor, and which of the two it is."""
    products, memory = flops / rates["flops"], moved / rates["bytes"]
    return (products, "products") if products >= memory else (memory, "memory")


def shares(rows: Iterable[Row], rates: dict[str, float]) -> list[Row]:
    """A roofline row for every ops and step row: ratio = time / floor, share = 1 / ratio."""
    timed = [r for r in rows if r.bench in ("ops", "step") and r.peer in ("torch", "none")]
    return [_share(row, rates) for row in timed]


def _share(row: Row, rates: dict[str, float]) -> Row:
    if row.bench == "ops":
        flops, moved = row.detail["flops"], row.detail["bytes"]
        what = {name: row.detail[name] for name in ("op", "pass", "kind")}
    else:
        work = Work.of(row.arch, row.size, row.width, row.batch)
        flops, moved = step_flops(work), step_bytes(work)
        what = {"op": "whole step", "pass": "all", "kind": "step"}
    floor, bound = floor_seconds(flops, moved, rates)
    assert row.ours_ms is not None
    seconds = row.ours_ms / 1e3
    return replace(
        row,
        bench="roofline",
        peer="floor",
        peer_ms=1e3 * floor,
        ratio=seconds / floor,
        detail={
            **what,
            "bound": bound,
            "share": floor / seconds,
            "product_share": flops / seconds / rates["flops"],
            "flops": flops,
            "bytes": moved,
            "rates": rates,
        },
    )


def _best_product(product: Callable[[int], Callable[[], object]]) -> float:
    timer, best = Timer(), 0.0
    for n in PRODUCT_SIZES:
        run = product(n)
        run()
        best = max(best, *(2 * n**3 / timer.seconds(run) for _ in range(TRIES)))
    return best


def _numpy_product(n: int) -> Callable[[], object]:
    a, b = np.ones((n, n), np.float32), np.ones((n, n), np.float32)
    out = np.empty_like(a)
    return lambda: np.matmul(a, b, out=out)


def _torch_product(threads: int) -> Callable[[int], Callable[[], object]]:
    import torch

    torch.set_num_threads(threads)

    def product(n: int) -> Callable[[], object]:
        a, b, out = torch.ones(n, n), torch.ones(n, n), torch.empty(n, n)
        return lambda: torch.mm(a, b, out=out)

    return product


def _copy_rate(threads: int) -> float:
    """Bytes read and written per second, each thread copying its part."""
    source = np.ones(COPY_BYTES // 4, np.float32)
    target = np.zeros_like(source)
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))

    def copy() -> None:
        workers = [threading.Thread(target=np.copyto, args=part) for part in parts[1:]]
        for worker in workers:
            worker.start()
        np.copyto(*parts[0])
        for worker in workers:
            worker.join()

    copy()
    return max(2 * COPY_BYTES / Timer().seconds(copy) for _ in range(TRIES))
