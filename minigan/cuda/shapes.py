"""How a kernel is launched: how many blocks of how many threads, and which of its types."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import KernelError

THREADS = 256
# Kernels go through longer work in strides of the grid; so many blocks fill any card.
MOST_BLOCKS = 4096


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


def flat(n: int, per_thread: int = 1) -> tuple[tuple[int], tuple[int]]:
    """Grid and block for n numbers, `per_thread` of them to a thread at a time."""
    return (min(ceil_div(n, THREADS * per_thread), MOST_BLOCKS),), (THREADS,)


def vectors(x: Array) -> tuple[tuple[int], tuple[int]]:
    """Grid and block for the numbers of x, 16 bytes of them to a thread at a time."""
    return flat(x.size, max(1, 16 // x.dtype.itemsize))


def suffix(x: Array) -> str:
    """The end of the kernel's name for arrays of x's dtype.

    Raises KernelError for another than float32 and float64.
    """
    if x.dtype == np.float32:
        return "_f32"
    if x.dtype == np.float64:
        return "_f64"
    raise KernelError(f"an array of {x.dtype}; kernels take float32 and float64")


def places(rows: int, line: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Grid and block for `rows` rows of `line` numbers each; see kernels/places.cuh."""
    x = min(THREADS, 1 << max(0, line - 1).bit_length())
    y = THREADS // x
    across = ceil_div(line, x)
    return (across, min(ceil_div(rows, y), max(1, MOST_BLOCKS // max(1, across)))), (x, y)
