"""Work on the parts of an array by several threads, and scratch memory that stays in their caches.

NumPy lets other threads run while it computes, so a batch cut into one part per thread keeps every
core busy, in matrix products and in element-wise passes alike. The cut depends on the number of
threads alone, never on timing: results are the same to the bit from run to run.

With one thread (the default) everything runs where it was called, and the BLAS library uses its own
threads inside each product. `use_threads(n)` turns that round: n threads here, one in each product.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from minigan.backend import Array, DTypeLike
from minigan.errors import OptionError

SMALL = 1 << 15  # numbers: below, waking a thread costs more than it saves

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

    None: as many as there are processors. BLAS is set to one thread if count is above 1.
    """
    global _pool
    count = available_threads() if count is None else count
    if count < 1:
        raise OptionError(f"{count} threads: at least 1 is needed")
    if count > 1:
        threadpool_limits(1, user_api="blas")
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
    others = [_pool.executor.submit(_inside, work, edges[i], edges[i + 1]) for i in range(1, count)]
    try:
        work(edges[0], edges[1])
    finally:
        for other in others:
            other.exception()  # waits
    for other in others:
        other.result()


def _inside(work: Callable[[int, int], None], start: int, stop: int) -> None:
    _local.inside = True  # parts are not cut again
    work(start, stop)


def scratch(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Uninitialised memory for the calling thread's use until it asks for `name` again."""
    buffers: dict[str, Array] = _local.__dict__.setdefault("buffers", {})
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    buffer = buffers.get(name)
    if buffer is None or buffer.size < size:
        buffer = buffers[name] = np.empty(size, np.uint8)
    return buffer[:size].view(dtype).reshape(shape)
