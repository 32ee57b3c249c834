"""minigan/ops/maxout.py on a card: the maxout kernels of kernels/gather.cu."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import flat, suffix


def maxout(x: Array, num_pieces: int) -> tuple[Array, Array]:
    xp = array_module(x)
    x, shape = xp.ascontiguousarray(x), (*x.shape[:-1], x.shape[-1] // num_pieces)
    y, winner = xp.empty(shape, x.dtype), xp.empty(shape, np.uint8)
    extent = (np.int64(y.size), np.int32(num_pieces))
    launch(f"gather.maxout{suffix(x)}", *flat(y.size), x, y, winner, *extent)
    return y, winner


def maxout_dx(dy: Array, winner: Array, num_pieces: int) -> Array:
    xp = array_module(dy)
    dy, dx = (
        xp.ascontiguousarray(dy),
        xp.empty((*dy.shape[:-1], dy.shape[-1] * num_pieces), dy.dtype),
    )
    extent = (np.int64(dy.size), np.int32(num_pieces))
    launch(f"gather.maxout_dx{suffix(dy)}", *flat(dx.size), dy, winner, dx, *extent)
    return dx


def maxout_gather(v: Array, winner: Array, num_pieces: int) -> Array:
    xp = array_module(v)
    v, y = xp.ascontiguousarray(v), xp.empty(winner.shape, v.dtype)
    extent = (np.int64(y.size), np.int32(num_pieces))
    launch(f"gather.maxout_gather{suffix(v)}", *flat(y.size), v, winner, y, *extent)
    return y
