"""minigan/ops/affine.py on a card: the apply kernels of kernels/norm.cu."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.columns import channels_of, reduce_rows
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import suffix
from minigan.ops.affine import check_activation


def activated(
    x: Array, mean: Array, scale: Array, shift: Array | None, activation: str, slope: float = 0.0
) -> Array:
    check_activation(activation)
    c, xp = channels_of(x), array_module(x)
    x, y = xp.ascontiguousarray(x), xp.empty(x.shape, x.dtype)
    extent = (np.int64(1), np.int64(c.size), np.int32(c.columns), x.dtype.type(slope))
    kernel = f"norm.apply_{activation}{suffix(x)}"
    launch(kernel, *c.passes(x.dtype), x, mean, scale, shift, y, *extent)
    return y


def activated_sums(
    dy: Array,
    x: Array,
    mean: Array,
    scale: Array,
    shift: Array | None,
    activation: str,
    slope: float = 0.0,
) -> tuple[Array, Array]:
    check_activation(activation)
    c, xp = channels_of(x), array_module(x)
    dy, x, out = (
        xp.ascontiguousarray(dy),
        xp.ascontiguousarray(x),
        xp.empty((2, c.columns), x.dtype),
    )
    reduce_rows(
        c,
        f"norm.apply_sums_{activation}{suffix(x)}",
        f"norm.sums2_slabs{suffix(x)}",
        (dy, x, mean, scale, shift),
        (out,),
        numbers=2,
        settings=(x.dtype.type(slope),),
        slabs_settings=(np.float64(1),),
    )
    return out[0], out[1]


def activated_dx(
    dy: Array,
    x: Array,
    mean: Array,
    s: Array,
    scale: Array,
    shift: Array | None,
    sum_g: Array,
    sum_g_centred: Array,
    activation: str,
    slope: float = 0.0,
) -> Array:
    check_activation(activation)
    c, xp = channels_of(x), array_module(x)
    dy, x, dx = xp.ascontiguousarray(dy), xp.ascontiguousarray(x), xp.empty(x.shape, x.dtype)
    of = x.dtype.type
    extent = (np.int64(1), np.int64(c.size), np.int32(c.columns), of(1 / c.rows), of(slope))
    kernel = f"norm.apply_dx_{activation}{suffix(x)}"
    sums = (sum_g, sum_g_centred)
    launch(kernel, *c.passes(x.dtype), dy, x, mean, s, scale, shift, *sums, dx, *extent)
    return dx
