"""minigan/ops/channels.py on a card: kernels/norm.cu and kernels/reduce.cu."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.columns import channels_of, reduce_rows, row_sums, write_row_sums
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import flat, suffix
from minigan.ops.cuda import affine


def channel_sum(x: Array) -> Array:
    return row_sums(x, channels_of(x), (x.shape[-1],))


def add_channel_sum(out: Array, x: Array, factor: float = 1.0) -> Array:
    write_row_sums(out, x, channels_of(x), factor, add=True)
    return out


def batch_statistics(
    x: Array,
    gamma: Array | None,
    eps: float,
    running: tuple[Array, Array] | None = None,
    momentum: float = 0.0,
) -> tuple[Array, Array, Array]:
    xp = array_module(x)
    mean, s, scale = (xp.empty(x.shape[-1], x.dtype) for _ in range(3))
    reduce_rows(
        channels_of(x),
        f"norm.batch_statistics{suffix(x)}",
        f"norm.batch_statistics_slabs{suffix(x)}",
        (xp.ascontiguousarray(x),),
        (mean, s, scale, gamma, *(running or (None, None))),
        numbers=3,
        settings=(np.float64(eps), np.float64(momentum)),
        slabs_settings=(np.float64(eps), np.float64(momentum)),
    )
    return mean, s, scale


def add_affine_grads(
    dgamma: Array, dbeta: Array, s: Array, sum_dy: Array, sum_dy_centred: Array
) -> tuple[Array, Array]:
    arrays = (dgamma, dbeta, s, sum_dy, sum_dy_centred)
    launch(f"norm.add_affine_grads{suffix(s)}", *flat(s.size), *arrays, np.int64(s.size))
    return dgamma, dbeta


def scale_and_shift(x: Array, mean: Array, scale: Array, shift: Array | None) -> Array:
    return affine.activated(x, mean, scale, shift, "none")


def batch_norm_sums(dy: Array, x: Array, mean: Array) -> tuple[Array, Array]:
    return affine.activated_sums(dy, x, mean, mean, None, "none")


def batch_norm_dx(
    dy: Array, x: Array, mean: Array, s: Array, scale: Array, sum_dy: Array, sum_dy_centred: Array
) -> Array:
    return affine.activated_dx(dy, x, mean, s, scale, None, sum_dy, sum_dy_centred, "none")
