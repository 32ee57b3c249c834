"""minigan/ops/resample.py on a card: kernels/resample.cu."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import places, suffix
from minigan.ops.resample import Pair


def upsample_nearest(x: Array, scale: Pair) -> Array:
    return _enlarged("nearest", x, scale)


def upsample_nearest_dx(dy: Array, scale: Pair) -> Array:
    return _reduced("nearest_dx", dy, scale)


def upsample_bilinear(x: Array, scale: Pair) -> Array:
    return _enlarged("bilinear", x, scale)


def upsample_bilinear_dx(dy: Array, scale: Pair) -> Array:
    return _reduced("bilinear_dx", dy, scale)


def pixel_shuffle(x: Array, factor: int) -> Array:
    n, h, w, c = x.shape
    c //= factor * factor
    return _launched("pixel_shuffle", x, (n, h * factor, w * factor, c), (n, h, w, c, factor))


def pixel_unshuffle(y: Array, factor: int) -> Array:
    n, h, w, c = y.shape
    h, w = h // factor, w // factor
    return _launched("pixel_unshuffle", y, (n, h, w, c * factor * factor), (n, h, w, c, factor))


def _enlarged(name: str, x: Array, scale: Pair) -> Array:
    n, h, w, c = x.shape
    return _launched(name, x, (n, h * scale[0], w * scale[1], c), (n, h, w, c, *scale))


def _reduced(name: str, dy: Array, scale: Pair) -> Array:
    n, h, w, c = dy.shape
    h, w = h // scale[0], w // scale[1]
    return _launched(name, dy, (n, h, w, c), (n, h, w, c, *scale))


def _launched(name: str, x: Array, shape: tuple[int, ...], geometry: tuple[int, ...]) -> Array:
    """A new array of `shape`, a thread for each of its numbers."""
    xp = array_module(x)
    out = xp.empty(shape, x.dtype)
    n, h, w, c = shape
    kernel = f"resample.{name}{suffix(x)}"
    sizes = map(np.int32, geometry)
    launch(kernel, *places(n * h, w * c), xp.ascontiguousarray(x), out, *sizes)
    return out
