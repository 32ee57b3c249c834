"""minigan/ops/random.py on a card: kernels/random.cu, the same bits."""

from __future__ import annotations

import math

import numpy as np

from minigan.backend import Array, DTypeLike, array_module
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import flat, suffix
from minigan.ops.random import Shape


def uniform(state: Array, shape: Shape, low: float, high: float, dtype: DTypeLike) -> Array:
    return _drawn("uniform", 4, state, shape, dtype, np.float64(low), np.float64(high - low))


def normal(state: Array, shape: Shape, dtype: DTypeLike) -> Array:
    return _drawn("normal", 4, state, shape, dtype)


def dropout_scale(state: Array, shape: Shape, p: float, dtype: DTypeLike) -> Array:
    scale = np.dtype(dtype).type(1 / (1 - p))
    return _drawn("dropout_scale", 8, state, shape, dtype, np.uint64(p * 2**32), scale)


def _drawn(
    name: str, per_block: int, state: Array, shape: Shape, dtype: DTypeLike, *settings: np.generic
) -> Array:
    """A new array, `per_block` of its numbers from each of Philox's blocks."""
    out = array_module(state).empty(shape, dtype)
    n = math.prod(shape)
    kernel = f"random.{name}{suffix(out)}"
    launch(kernel, *flat(n, per_block), state, out, *settings, np.int64(n))
    return out
