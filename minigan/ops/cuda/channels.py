"""minigan/ops/channels.py on a card: kernels/norm.cu and kernels/reduce.cu."""

from __future__ import annotations

from minigan.backend import Array
from minigan.cuda.columns import channels_of, moments, row_sums
from minigan.ops.cuda import affine


def channel_sum(x: Array) -> Array:
    return row_sums(x, channels_of(x), (x.shape[-1],))


def channel_moments(x: Array) -> tuple[Array, Array]:
    mean, var, _ = moments(x, channels_of(x), (x.shape[-1],), eps=1.0)
    return mean, var


def scale_and_shift(x: Array, mean: Array, scale: Array, shift: Array | None) -> Array:
    return affine.activated(x, mean, scale, shift, "none")


def batch_norm_sums(dy: Array, x: Array, mean: Array) -> tuple[Array, Array]:
    return affine.activated_sums(dy, x, mean, mean, None, "none")


def batch_norm_dx(
    dy: Array, x: Array, mean: Array, s: Array, scale: Array, sum_dy: Array, sum_dy_centred: Array
) -> Array:
    return affine.activated_dx(dy, x, mean, s, scale, None, sum_dy, sum_dy_centred, "none")
