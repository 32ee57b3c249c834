"""Convolution, pooling and resampling as their definitions read: one Python loop per index.

Slow and without a trick, so that they can be checked by eye. Pairs are (along H, along W).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import floor

import numpy as np

Array = np.ndarray
Pair = tuple[int, int]


def _taps(
    x_shape: tuple[int, ...],
    out: tuple[int, ...],
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
) -> Iterator[tuple[int, int, int, int, int, int]]:
    """(i, j, a, b, row, column) for every kernel entry (a, b) at place (i, j) that is inside x."""
    _, h, w, _ = x_shape
    for i, j, a, b in product(*map(range, (*out, *kernel_size))):
        row = i * stride[0] + a * dilation[0] - padding[0]
        column = j * stride[1] + b * dilation[1] - padding[1]
        if 0 <= row < h and 0 <= column < w:
            yield i, j, a, b, row, column


def places(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """How often the kernel fits: counted, not computed."""
    last = size + 2 * padding - 1
    return sum(start + dilation * (kernel - 1) <= last for start in range(0, last + 1, stride))


def conv2d(x: Array, w: Array, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    kh, kw, _, channels = w.shape
    out = tuple(
        places(*axis)
        for axis in zip(x.shape[1:3], (kh, kw), stride, padding, dilation, strict=True)
    )
    y = np.zeros((x.shape[0], *out, channels))
    for i, j, a, b, row, column in _taps(x.shape, out, (kh, kw), stride, padding, dilation):
        for n, c, o in product(range(x.shape[0]), range(x.shape[3]), range(channels)):
            y[n, i, j, o] += x[n, row, column, c] * w[a, b, c, o]
    return y


def conv2d_dx(
    dy: Array, w: Array, x_shape: tuple[int, ...], stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    kh, kw, _, channels = w.shape
    dx = np.zeros(x_shape)
    taps = _taps(x_shape, dy.shape[1:3], (kh, kw), stride, padding, dilation)
    for i, j, a, b, row, column in taps:
        for n, c, o in product(range(x_shape[0]), range(x_shape[3]), range(channels)):
            dx[n, row, column, c] += dy[n, i, j, o] * w[a, b, c, o]
    return dx


def conv2d_dw(
    x: Array, dy: Array, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    dw = np.zeros((*kernel_size, x.shape[3], dy.shape[3]))
    taps = _taps(x.shape, dy.shape[1:3], kernel_size, stride, padding, dilation)
    for i, j, a, b, row, column in taps:
        for n, c, o in product(range(x.shape[0]), range(x.shape[3]), range(dy.shape[3])):
            dw[a, b, c, o] += x[n, row, column, c] * dy[n, i, j, o]
    return dw


def avg_pool(x: Array, kernel_size: Pair, stride: Pair, padding: Pair) -> Array:
    """Padded zeros are counted."""
    out = tuple(
        places(*axis) for axis in zip(x.shape[1:3], kernel_size, stride, padding, strict=True)
    )
    y = np.zeros((x.shape[0], *out, x.shape[3]))
    for i, j, _, _, row, column in _taps(x.shape, out, kernel_size, stride, padding, (1, 1)):
        y[:, i, j] += x[:, row, column] / (kernel_size[0] * kernel_size[1])
    return y


def max_pool(
    x: Array, kernel_size: Pair, stride: Pair, padding: Pair
) -> tuple[Array, dict[tuple[int, ...], tuple[int, ...]]]:
    """The maxima, and for each place (n, i, j, c) the place in x where its maximum was found."""
    out = tuple(
        places(*axis) for axis in zip(x.shape[1:3], kernel_size, stride, padding, strict=True)
    )
    y = np.full((x.shape[0], *out, x.shape[3]), -np.inf)
    origin = {}
    for i, j, _, _, row, column in _taps(x.shape, out, kernel_size, stride, padding, (1, 1)):
        for n, c in product(range(x.shape[0]), range(x.shape[3])):
            if x[n, row, column, c] > y[n, i, j, c]:
                y[n, i, j, c] = x[n, row, column, c]
                origin[n, i, j, c] = (n, row, column, c)
    return y, origin


def upsample_nearest(x: Array, scale: Pair) -> Array:
    n, h, w, c = x.shape
    y = np.zeros((n, h * scale[0], w * scale[1], c))
    for i, j in product(range(h * scale[0]), range(w * scale[1])):
        y[:, i, j] = x[:, i // scale[0], j // scale[1]]
    return y


def upsample_bilinear(x: Array, scale: Pair) -> Array:
    """Each output pixel's centre, in input coordinates, between the four pixels around it."""
    n, h, w, c = x.shape
    y = np.zeros((n, h * scale[0], w * scale[1], c))
    for i, j in product(range(h * scale[0]), range(w * scale[1])):
        row = min(max((i + 0.5) / scale[0] - 0.5, 0.0), h - 1.0)
        column = min(max((j + 0.5) / scale[1] - 0.5, 0.0), w - 1.0)
        top, left = floor(row), floor(column)
        for r, q in product((top, top + 1), (left, left + 1)):
            if r < h and q < w:
                y[:, i, j] += (1 - abs(row - r)) * (1 - abs(column - q)) * x[:, r, q]
    return y


def pixel_shuffle(x: Array, factor: int) -> Array:
    n, h, w, c = x.shape
    y = np.zeros((n, h * factor, w * factor, c // factor**2))
    for i, j, k in product(*map(range, y.shape[1:])):
        source = k * factor**2 + (i % factor) * factor + j % factor
        y[:, i, j, k] = x[:, i // factor, j // factor, source]
    return y


def normalize(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    """(x - mean) / sqrt(var + eps), one group of numbers after the other."""
    groups = np.moveaxis(x, axes, range(-len(axes), 0))
    shape = groups.shape
    rows = groups.reshape(-1, int(np.prod(shape[x.ndim - len(axes) :])))
    out = np.zeros_like(rows)
    for r, row in enumerate(rows):
        mean = sum(row) / len(row)
        var = sum((value - mean) ** 2 for value in row) / len(row)
        out[r] = [(value - mean) / (var + eps) ** 0.5 for value in row]
    return np.moveaxis(out.reshape(shape), range(-len(axes), 0), axes)
