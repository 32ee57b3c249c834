"""minigan/ops/pool.py on a card: kernels/pool.cu. A winner is an int32."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import places, suffix
from minigan.ops.patches import conv_output_size, misfit
from minigan.ops.pool import Pair


def avg_pool(x: Array, kernel_size: Pair, stride: Pair, padding: Pair) -> Array:
    y = _empty_output(x, kernel_size, stride, padding)
    _launch("avg_pool", (x,), (y,), x.shape, y, kernel_size, stride, padding)
    return y


def avg_pool_dx(
    dy: Array, x_shape: tuple[int, ...], kernel_size: Pair, stride: Pair, padding: Pair
) -> Array:
    dx = array_module(dy).empty(x_shape, dy.dtype)
    _launch("avg_pool_dx", (dy,), (dx,), x_shape, dy, kernel_size, stride, padding)
    return dx


def max_pool(x: Array, kernel_size: Pair, stride: Pair, padding: Pair) -> tuple[Array, Array]:
    y = _empty_output(x, kernel_size, stride, padding)
    winner = array_module(x).empty(y.shape, np.int32)
    _launch("max_pool", (x,), (y, winner), x.shape, y, kernel_size, stride, padding)
    return y, winner


def max_pool_dx(
    dy: Array,
    winner: Array,
    x_shape: tuple[int, ...],
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
) -> Array:
    dx = array_module(dy).empty(x_shape, dy.dtype)
    _launch("max_pool_dx", (dy, winner), (dx,), x_shape, dy, kernel_size, stride, padding)
    return dx


def max_pool_gather(
    v: Array, winner: Array, kernel_size: Pair, stride: Pair, padding: Pair
) -> Array:
    y = array_module(v).empty(winner.shape, v.dtype)
    _launch("max_pool_gather", (v, winner), (y,), v.shape, y, kernel_size, stride, padding)
    return y


def _empty_output(x: Array, kernel_size: Pair, stride: Pair, padding: Pair) -> Array:
    n, h, w, c = x.shape
    oh, ow = (
        conv_output_size(*sizes, 1)
        for sizes in zip((h, w), kernel_size, stride, padding, strict=True)
    )
    if oh < 1 or ow < 1:
        raise misfit((h + 2 * padding[0], w + 2 * padding[1]), kernel_size, (1, 1))
    return array_module(x).empty((n, oh, ow, c), x.dtype)


def _launch(
    name: str,
    inputs: tuple[Array, ...],
    outs: tuple[Array, ...],
    x_shape: tuple[int, ...],
    pooled: Array,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
) -> None:
    """A kernel over the first of outs; `pooled` has the shape of the windows' places."""
    xp = array_module(pooled)
    (n, h, w, c), (_, oh, ow, _) = x_shape, pooled.shape
    rows, line = outs[0].shape[0] * outs[0].shape[1], outs[0].shape[2] * c
    geometry = (n, h, w, oh, ow, c, *kernel_size, *stride, *padding)
    launch(
        f"pool.{name}{suffix(pooled)}",
        *places(rows, line),
        *map(xp.ascontiguousarray, inputs),
        *outs,
        *map(np.int32, geometry),
    )
