"""`bench roofline`: what this machine can do at best, and how near each operation comes.

The floor of an operation is the larger of two times: its matrix product's operations at the best
rate that any product reached here, and the bytes that it cannot avoid at the rate of a large copy.
A step's floor adds up the operations, and the bytes, of its parts. On a card the products are
minigan's own and PyTorch's, which are cuBLAS's, in the precision that is measured.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from bench.errors import Unavailable
from bench.measure import Session
from bench.rows import Row
from bench.shapes import step_bytes, step_flops
from bench.timing import Timer, timer_for
from bench.where import CPU, Where
from bench.work import Array, Work

PRODUCT_SIZES = {"cpu": (1024, 2048, 3072), "cuda": (2048, 4096, 8192)}
COPY_BYTES = {"cpu": 1 << 28, "cuda": 1 << 30}  # of each of the two arrays: far above any cache
CALLS_ON_CARD = 10  # of one sample
TRIES = 5

Product = Callable[[int], Callable[[], object]]  # of an n to a product of matrices (n, n)


def measure_rates(side: str, threads: int, where: Where = CPU) -> dict[str, float]:
    """Best operations and bytes per second with the libraries of one side; runs in its process."""
    if where.on_card:
        make = _our_card if side == "ours" else _torch_card
        product, copy = make(threads, where)
        timer = timer_for(where, side)
        rate = _best_product(product, PRODUCT_SIZES["cuda"], timer, CALLS_ON_CARD)
        return {"flops": rate, "bytes": _best_copy(copy, timer)}
    if side == "ours":
        return {"flops": _on_cpu(_numpy_product), "bytes": _copy_rate(threads)}
    return {"flops": _on_cpu(_torch_product(threads)), "bytes": 0.0}


def best_rates(session: Session) -> dict[str, float]:
    """The better of our library's and PyTorch's product, and the copy; on a card each beside it."""
    each: dict[str, float] = {}
    rates = {"flops": 0.0, "bytes": 0.0}
    for side in ("ours", "torch"):
        try:
            with session.worker(side) as worker:
                found = worker.ask("rates")
        except Unavailable as reason:
            session.say(f"{side}: skipped: {reason}")
            continue
        rates = {name: max(rates[name], found[name]) for name in rates}
        each |= {f"{side}_{name}": rate for name, rate in found.items()}
    what = f"card, {session.where.precision}" if session.where.on_card else "machine"
    session.say(
        f"this {what}, {session.threads} threads: products {rates['flops'] / 1e9:.1f} Gflop/s, "
        f"copy {rates['bytes'] / 1e9:.1f} GB/s"
    )
    return rates | each if session.where.on_card else rates


def floor_seconds(flops: float, moved: float, rates: dict[str, float]) -> tuple[float, str]:
    """The larger floor, and which of the two it is."""
    products, memory = flops / rates["flops"], moved / rates["bytes"]
    return (products, "products") if products >= memory else (memory, "memory")


def shares(rows: Iterable[Row], rates: dict[str, float]) -> list[Row]:
    """A roofline row for every ops and step row: ratio = time / floor, share = 1 / ratio."""
    timed = [r for r in rows if r.bench in ("ops", "step") and r.peer in ("torch", "none")]
    timed = [r for r in timed if r.detail.get("form") != "eager"]
    return [_share(row, rates) for row in timed]


def _share(row: Row, rates: dict[str, float]) -> Row:
    if row.bench == "ops":
        flops, moved = row.detail["flops"], row.detail["bytes"]
        named = ("op", "pass", "kind", "streamed", "channels")
        what = {name: row.detail[name] for name in named if name in row.detail}
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
            "copy_share": what.pop("streamed", moved) / seconds / rates["bytes"],
            "flops": flops,
            "bytes": moved,
            "rates": rates,
        },
    )


def _on_cpu(product: Product) -> float:
    return _best_product(product, PRODUCT_SIZES["cpu"], Timer(), 1)


def _best_product(product: Product, sizes: Iterable[int], timer: Timer, calls: int) -> float:
    best = 0.0
    for n in sizes:
        run = product(n)
        run()
        best = max(best, *(2 * n**3 * calls / timer.seconds(run, calls) for _ in range(TRIES)))
    return best


def _best_copy(copy: Callable[[], object], timer: Timer) -> float:
    copy()
    moved = 2 * COPY_BYTES["cuda"] * CALLS_ON_CARD
    return max(moved / timer.seconds(copy, CALLS_ON_CARD) for _ in range(TRIES))


def _matrix(n: int) -> Array:
    """Random numbers: a card that multiplies ones draws less power, and is faster."""
    return np.random.default_rng(0).standard_normal((n, n), np.float32)


def _our_card(threads: int, where: Where) -> tuple[Product, Callable[[], object]]:
    """Our kernel for products, and CuPy's copy."""
    from bench.steps import prepare_process
    from minigan.backend import device_module
    from minigan.ops.linear import matmul

    prepare_process(threads, where)
    xp = device_module(where.device)

    def product(n: int) -> Callable[[], object]:
        a, b = (xp.asarray(_matrix(n)) for _ in range(2))
        return lambda: matmul(a, b)

    numbers = COPY_BYTES["cuda"] // 4
    source, target = xp.ones(numbers, np.float32), xp.zeros(numbers, np.float32)
    return product, lambda: xp.copyto(target, source)


def _torch_card(threads: int, where: Where) -> tuple[Product, Callable[[], object]]:
    """PyTorch's product and copy; in bf16 of arrays that are bf16 already."""
    import torch

    from bench.peers.card import set_precision

    set_precision(where)
    kind = torch.bfloat16 if where.precision == "bf16" else torch.float32

    def product(n: int) -> Callable[[], object]:
        a, b, out = (torch.from_numpy(_matrix(n)).to(where.device, kind) for _ in range(3))
        return lambda: torch.mm(a, b, out=out)

    source = torch.ones(COPY_BYTES["cuda"] // 4, device=where.device)
    target = torch.zeros_like(source)
    return product, lambda: target.copy_(source)


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
    source = np.ones(COPY_BYTES["cpu"] // 4, np.float32)
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
    return max(2 * COPY_BYTES["cpu"] / Timer().seconds(copy) for _ in range(TRIES))
