"""minigan/ops/norm.py on a card: kernels/norm.cu and kernels/reduce.cu, for neighbouring axes."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.columns import Columns, columns_of, moments, reduce_rows, row_sums
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import suffix
from minigan.ops.norm import Axes


def mean_over(a: Array, axes: Axes) -> Array:
    c = columns_of(a, axes)
    return row_sums(a, c, _kept(a, axes), factor=1 / c.rows)


def normalize(x: Array, axes: Axes, eps: float) -> tuple[Array, Array, Array, Array]:
    c, xp = columns_of(x, axes), array_module(x)
    x, xhat = xp.ascontiguousarray(x), xp.empty(x.shape, x.dtype)
    mean, var, s = moments(x, c, _kept(x, axes), eps)
    launch(f"norm.normalize{suffix(x)}", *c.passes(x.dtype), x, mean, s, xhat, *_extent(c))
    return xhat, s, mean, var


def normalize_dx(g: Array, xhat: Array, s: Array, axes: Axes) -> Array:
    c, xp = columns_of(g, axes), array_module(g)
    g, xhat = xp.ascontiguousarray(g), xp.ascontiguousarray(xhat)
    means = _means("normalize_sums", 2, c, g, xhat)
    return _projected(g, xhat, s, means, c)


def normalize_ddx(u: Array, g: Array, xhat: Array, s: Array, axes: Axes) -> tuple[Array, Array]:
    c, xp = columns_of(u, axes), array_module(u)
    u, g, xhat = (xp.ascontiguousarray(a) for a in (u, g, xhat))
    means = _means("normalize_ddx_sums", 5, c, u, g, xhat)
    dx = xp.empty(u.shape, u.dtype)
    kernel = f"norm.normalize_ddx{suffix(u)}"
    launch(kernel, *c.passes(u.dtype), u, g, xhat, s, means, dx, *_extent(c))
    return _projected(u, xhat, s, means, c), dx


def _means(kernel: str, numbers: int, c: Columns, *arrays: Array) -> Array:
    """The means that `kernel` takes over the rows: (numbers, statistics)."""
    first = arrays[0]
    out = array_module(first).empty((numbers, c.statistics), first.dtype)
    reduce_rows(
        c,
        f"norm.{kernel}{suffix(first)}",
        f"norm.sums{numbers}_slabs{suffix(first)}",
        arrays,
        (out,),
        numbers=numbers,
        slabs_settings=(np.float64(1 / c.rows),),
    )
    return out


def _projected(g: Array, xhat: Array, s: Array, means: Array, c: Columns) -> Array:
    """P(g), from the means of g and of g xhat."""
    dx = array_module(g).empty(g.shape, g.dtype)
    kernel = f"norm.normalize_dx{suffix(g)}"
    launch(kernel, *c.passes(g.dtype), g, xhat, s, means[0], means[1], dx, *_extent(c))
    return dx


def _kept(x: Array, axes: Axes) -> tuple[int, ...]:
    """x's shape with the axes as 1."""
    gone = {a % x.ndim for a in axes}
    return tuple(1 if i in gone else n for i, n in enumerate(x.shape))


def _extent(c: Columns) -> tuple[np.int64, np.int64, np.int32]:
    return np.int64(c.slices), np.int64(c.size), np.int32(c.columns)
