r"""Changing the resolution of images (N, H, W, C): linear maps, each with its adjoint.

The adjoint of a linear map is its backward pass, and, run the other way, its second one.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from minigan.backend import Array, DTypeLike
from minigan.ops.dispatch import op

Pair = tuple[int, int]


@op
def upsample_nearest(x: Array, scale: Pair) -> Array:
    """Each pixel repeated scale[0] x scale[1] times."""
    n, h, w, c = x.shape
    sh, sw = scale
    tiled = np.broadcast_to(x[:, :, None, :, None, :], (n, h, sh, w, sw, c))
    return tiled.reshape(n, h * sh, w * sw, c)


@op
def upsample_nearest_dx(dy: Array, scale: Pair) -> Array:
    """Sum over each pixel's copies."""
    n, h, w, c = dy.shape
    sh, sw = scale
    return dy.reshape(n, h // sh, sh, w // sw, sw, c).sum((2, 4))


@lru_cache(maxsize=64)
def linear_weights(size: int, scale: int, dtype: DTypeLike) -> Array:
    """The matrix (size * scale, size) of linear interpolation along one axis.

    Pixels are areas: output i samples position (i + 1/2) / scale - 1/2, clamped to the border
    (PyTorch's align_corners=False).
    """
    position = np.clip((np.arange(size * scale) + 0.5) / scale - 0.5, 0, size - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, size - 1)
    weights = np.zeros((size * scale, size))
    rows = np.arange(size * scale)
    weights[rows, low] += 1 - (position - low)
    weights[rows, high] += position - low
    weights = weights.astype(dtype)
    weights.flags.writeable = False
    return weights


@op
def upsample_bilinear(x: Array, scale: Pair) -> Array:
    """Linear interpolation along rows, then along columns."""
    _, h, w, _ = x.shape
    rows = linear_weights(h, scale[0], x.dtype)
    columns = linear_weights(w, scale[1], x.dtype)
    return _apply(columns, _apply(rows, x, axis=1), axis=2)


@op
def upsample_bilinear_dx(dy: Array, scale: Pair) -> Array:
    """The input gradient of `upsample_bilinear`: its weights, transposed."""
    _, h, w, _ = dy.shape
    rows = linear_weights(h // scale[0], scale[0], dy.dtype)
    columns = linear_weights(w // scale[1], scale[1], dy.dtype)
    return _apply(rows.T, _apply(columns.T, dy, axis=2), axis=1)


def _apply(matrix: Array, x: Array, axis: int) -> Array:
    """The matrix (m, k) applied along one axis of length k."""
    return np.moveaxis(np.tensordot(matrix, x, axes=(1, axis)), 0, axis)


@op
def pixel_shuffle(x: Array, factor: int) -> Array:
    """(N, H, W, C r r) -> (N, H r, W r, C): channel c r r + a r + b goes to pixel (a, b).

    Shi et al. 2016, eq. 4; the order of the channels is PyTorch's.
    """
    n, h, w, c = x.shape
    r = factor
    blocks = x.reshape(n, h, w, c // (r * r), r, r)
    return blocks.transpose(0, 1, 4, 2, 5, 3).reshape(n, h * r, w * r, c // (r * r))


@op
def pixel_unshuffle(y: Array, factor: int) -> Array:
    """The inverse, and adjoint, of `pixel_shuffle`."""
    n, h, w, c = y.shape
    r = factor
    blocks = y.reshape(n, h // r, r, w // r, r, c)
    return blocks.transpose(0, 1, 3, 5, 2, 4).reshape(n, h // r, w // r, c * r * r)
