"""Work on the parts of an array by several threads, and scratch memory that stays in their caches.

NumPy lets other threads run while it computes, so a batch cut into one part per thread keeps every
core busy, in matrix products and in element-wise passes alike. The cut depends on the number of
threads alone, never on timing: results are the same to the bit from run to run.

Unless told, everything runs where it was called, and the BLAS library uses its own threads inside
each product. `use_threads(n)` turns that round: n threads here and one in each product, also for 1:
a run that was given one processor keeps to it. Where another program wanted the second one, BLAS's
two threads waited for each other in every small product: a step of SRGAN took 14 times as long.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from minigan.backend import Array, DTypeLike, on_cuda
from minigan.errors import OptionError

# Numbers touched, below which work stays on one core. Sharing work out takes 100 to 150 us where
# processors are virtual: waking a thread 40, the interpreter's lock as often. Of 2^19 to 2^21, 2^20
# was best for steps of DCGAN: 0.66 of the time that 2^19 takes at batch 4, the same at batch 64.
SMALL = 1 << 20
# Multiply-adds of a matrix product that count as one number touched.
MACS = 16

# Numbers of each array in a block. Smaller blocks stay in a second-level cache better, but two
# threads that call NumPy often wait for each other's interpreter lock: batch norm's passes took 1.4
# times as long with 2^16, twice with 2^15.
BLOCK = 1 << 18

_local = threading.local()


class _Pool:
    """The threads beside the calling one."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.executor = ThreadPoolExecutor(count - 1, "minigan") if count > 1 else None


_pool = _Pool(1)


def available_threads() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_threads(count: int | None = None) -> int:
    """Compute with `count` threads from now on, in this process; returns the number.

    None: as many as there are processors. BLAS is held to one thread in each product from then on.
    Raises OptionError for less than 1.
    """
    global _pool
    count = available_threads() if count is None else count
    if count < 1:
        raise OptionError(f"{count} threads: at least 1 is needed")
    threadpool_limits(1, user_api="blas")  # each time: others of the process may have freed it
    if count != _pool.count:
        if _pool.executor is not None:
            _pool.executor.shutdown()
        _pool = _Pool(count)
    return count


def thread_count() -> int:
    """The number that `use_threads` was given, 1 before."""
    return _pool.count


def over_parts(work: Callable[[int, int], None], n: int, size: int) -> None:
    """Call work(start, stop) for parts that cover range(n), one per thread, and wait for all.

    `size` is how many numbers the whole work touches; small work is done at once, in one part.
    An error in a part is raised here.
    """
    count = min(_pool.count, n) if size >= SMALL else 1
    if count <= 1 or _pool.executor is None or getattr(_local, "inside", False):
        work(0, n)
        return
    edges = [n * i // count for i in range(count + 1)]
    errors = np.geterr()
    others = [
        _pool.executor.submit(_inside, work, edges[i], edges[i + 1], errors)
        for i in range(1, count)
    ]
    try:
        _inside(work, edges[0], edges[1], errors)
    finally:
        for other in others:
            other.exception()  # waits
    for other in others:
        other.result()


def over_blocks(work: Callable[[int, int], None], n: int, row: int = 1) -> None:
    """Call work(start, stop) for blocks of range(n), in each part one after the other.

    `row` is how many numbers one index stands for. Several element-wise passes over a block find it
    in the cache, where the same passes over whole arrays would each go to memory.
    """
    step = max(1, BLOCK // row)

    def part(start: int, stop: int) -> None:
        for a in range(start, stop, step):
            work(a, min(a + step, stop))

    over_parts(part, n, n * row)


def sum_over_parts(work: Callable[[int, int], Array], n: int, size: int) -> Array:
    """The sum of the new arrays that work(start, stop) returns, added up in the parts' order."""
    found: dict[int, Array] = {}

    def part(start: int, stop: int) -> None:
        found[start] = work(start, stop)

    over_parts(part, n, size)
    total = found.pop(0)
    for start in sorted(found):
        total += found[start]
    return total


def sum_over_blocks(work: Callable[[int, int], Array], n: int, row: int = 1) -> Array:
    """The sum of work(start, stop) over blocks of range(n), in float64 and in a fixed order."""
    step = max(1, BLOCK // row)

    def part(start: int, stop: int) -> Array:
        total = work(start, min(start + step, stop)).astype(np.float64)
        for a in range(start + step, stop, step):
            total += work(a, min(a + step, stop))
        return total

    return sum_over_parts(part, n, n * row)


def elementwise(f: Callable[..., None], *arrays: Array) -> Array:
    """A new array of f, block by block: f(out, *blocks) writes a block of it.

    The arrays have one shape and dtype; f sees flat blocks and may use `out` as it goes.
    """
    flat = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    out = np.empty(arrays[0].shape, arrays[0].dtype)
    flat_out = out.reshape(-1)
    over_blocks(lambda a, b: f(flat_out[a:b], *(x[a:b] for x in flat)), flat_out.size)
    return out


def add_into(target: Array, value: Array) -> None:
    """target += value for contiguous arrays of one shape, block by block; on a card at once."""
    if on_cuda(target):
        target += value
        return
    total, flat = target.reshape(-1), value.reshape(-1)

    def block(a: int, b: int) -> None:
        total[a:b] += flat[a:b]

    over_blocks(block, total.size)


def _inside(work: Callable[[int, int], None], start: int, stop: int, errors: Any) -> None:
    outer = getattr(_local, "inside", False)
    _local.inside = True  # parts are not cut again
    try:
        with np.errstate(**errors):  # the caller's; a thread has its own
            work(start, stop)
    finally:
        _local.inside = outer


def scratch(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Uninitialised memory for the calling thread's use until it asks for `name` again."""
    buffers: dict[str, Array] = _local.__dict__.setdefault("buffers", {})
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    buffer = buffers.get(name)
    if buffer is None or buffer.size < size:
        buffer = buffers[name] = np.empty(size, np.uint8)
    return buffer[:size].view(dtype).reshape(shape)
