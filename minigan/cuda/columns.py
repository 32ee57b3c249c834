"""Launching kernels that reduce the rows of (slices, rows, columns): see kernels/columns.cuh."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import MOST_BLOCKS, THREADS, ceil_div, flat, suffix
from minigan.errors import KernelError

WIDEST = 32  # threads beside one another along the columns
RUN = 8  # numbers that a thread adds up in their own type
ENOUGH_BLOCKS = 1024  # what slabs of rows are cut for
MOST_SLABS = 256
SLABS_WIDTH = 4  # columns of the second kernel's blocks: 64 threads to each, and many blocks
MOST_SLICES = 65535  # a grid's limit along y and z


@dataclass(frozen=True)
class Columns:
    """An array as (slices, rows, columns), and how its rows are shared out."""

    slices: int
    rows: int
    columns: int

    @property
    def width(self) -> int:
        """Threads along the columns: a power of 2."""
        return min(WIDEST, 1 << (self.columns - 1).bit_length()) if self.columns else 1

    @property
    def tiles(self) -> int:
        """Blocks along the columns."""
        return ceil_div(self.columns, self.width)

    @property
    def slabs(self) -> int:
        """Parts of the rows: as few as keep the card busy, with 4 runs to a thread at least."""
        useful = ceil_div(self.rows, 4 * RUN * THREADS // self.width)
        wanted = ceil_div(ENOUGH_BLOCKS, max(1, self.tiles * self.slices))
        return max(1, min(useful, wanted, MOST_SLABS))

    @property
    def size(self) -> int:
        """Numbers in a slice."""
        return self.rows * self.columns

    @property
    def statistics(self) -> int:
        """Sums, or means, that come of it."""
        return self.slices * self.columns

    def passes(self, dtype: np.dtype) -> tuple[tuple[int, int], tuple[int]]:
        """Grid and block of an element-wise pass that reads statistics."""
        (blocks,), block = flat(self.size, 16 // dtype.itemsize)
        most = max(1, MOST_BLOCKS // max(1, self.slices))
        return (min(blocks, most), min(self.slices, MOST_SLICES)), block


def columns_of(x: Array, axes: tuple[int, ...]) -> Columns:
    """x with the neighbouring `axes` as rows. Raises KernelError for axes that are not."""
    axes = tuple(sorted(a % x.ndim for a in axes))
    if not axes or axes != tuple(range(axes[0], axes[-1] + 1)):
        raise KernelError(f"reducing axes {axes} of {x.shape}: kernels reduce neighbouring axes")
    inner = x.shape[axes[-1] + 1 :]
    return Columns(
        math.prod(x.shape[: axes[0]]), math.prod(x.shape[a] for a in axes), math.prod(inner)
    )


def channels_of(x: Array) -> Columns:
    """x (..., C) with everything but the channels as rows."""
    return Columns(1, x.size // x.shape[-1] if x.size else 0, x.shape[-1])


def reduce_rows(
    c: Columns,
    kernel: str,
    slabs_kernel: str,
    inputs: tuple[Array | None, ...],
    outs: tuple[Array | None, ...],
    *,
    numbers: int,
    settings: tuple[Any, ...] = (),
    slabs_settings: tuple[Any, ...] = (),
) -> None:
    """Launch `kernel` and, where there are several slabs, `slabs_kernel` on what it left.

    `outs` is what is written in the end, and what that takes besides: both kernels have it.
    `numbers` is how many a statistic takes in between; settings are the kernels' last arguments.
    """
    z = min(c.slices, MOST_SLICES)
    extent = (np.int64(c.slices), np.int64(c.rows), np.int32(c.columns), np.int32(c.width))
    partial = None
    if c.slabs > 1:
        xp = array_module(inputs[0])
        partial = xp.empty(c.statistics * c.slabs * numbers, np.float64)
    grid = (c.tiles, c.slabs, z)
    launch(kernel, grid, (THREADS,), *inputs, partial, *outs, *extent, *settings)
    if partial is not None:
        width = min(c.width, SLABS_WIDTH)
        slabs = (np.int64(c.slices), np.int32(c.columns), np.int32(width), np.int32(c.slabs))
        grid = (ceil_div(c.columns, width), 1, z)
        launch(slabs_kernel, grid, (THREADS,), partial, *outs, *slabs, *slabs_settings)


def row_sums(x: Array, c: Columns, shape: tuple[int, ...], factor: float = 1.0) -> Array:
    """factor times the sums over the rows of x, one for each statistic, in `shape`."""
    out = array_module(x).empty(shape, x.dtype)
    write_row_sums(out, x, c, factor, add=False)
    return out


def write_row_sums(out: Array, x: Array, c: Columns, factor: float, *, add: bool) -> None:
    """`row_sums` into `out`, or added to what it holds."""
    x, settings = array_module(x).ascontiguousarray(x), (np.float64(factor), np.int32(add))
    reduce_rows(
        c,
        f"reduce.sum{suffix(x)}",
        f"reduce.sum_slabs{suffix(x)}",
        (x,),
        (out,),
        numbers=1,
        settings=settings,
        slabs_settings=settings,
    )


def moments(x: Array, c: Columns, shape: tuple[int, ...], eps: float) -> tuple[Array, Array, Array]:
    """Mean, biased variance and 1 / sqrt(var + eps) over the rows of x, each in `shape`."""
    xp = array_module(x)
    outs = tuple(xp.empty(shape, x.dtype) for _ in range(3))
    reduce_rows(
        c,
        f"norm.moments{suffix(x)}",
        f"norm.moments_slabs{suffix(x)}",
        (xp.ascontiguousarray(x),),
        outs,
        numbers=3,
        settings=(np.float64(eps),),
        slabs_settings=(np.float64(eps),),
    )
    mean, var, s = outs
    return mean, var, s
