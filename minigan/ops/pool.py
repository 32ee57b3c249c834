"""Average and maximum over windows of images (N, H, W, C), each with its adjoint."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.dispatch import op
from minigan.ops.patches import pad2d, windows

Pair = tuple[int, int]


@op
def avg_pool(x: Array, kernel_size: Pair, stride: Pair, padding: Pair) -> Array:
    """The mean of each window; padded zeros count (PyTorch's count_include_pad=True)."""
    return windows(pad2d(x, padding), kernel_size, stride).mean((3, 4))


@op
def avg_pool_dx(
    dy: Array, x_shape: tuple[int, ...], kernel_size: Pair, stride: Pair, padding: Pair
) -> Array:
    """The input gradient of `avg_pool`: each dy shared among its window."""
    share = dy / dy.dtype.type(kernel_size[0] * kernel_size[1])
    taps = [share] * (kernel_size[0] * kernel_size[1])
    return _scatter(taps, x_shape, kernel_size, stride, padding)


@op
def max_pool(x: Array, kernel_size: Pair, stride: Pair, padding: Pair) -> tuple[Array, Array]:
    """The maximum of each window, and which of its kh * kw entries it was (the first, if tied)."""
    taps = _taps(x, kernel_size, stride, padding, value=-np.inf)
    winner = taps.argmax(3)
    return _pick(taps, winner), winner


@op
def max_pool_dx(
    dy: Array,
    winner: Array,
    x_shape: tuple[int, ...],
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
) -> Array:
    """dy sent to the entry that won."""
    taps = [dy * (winner == k) for k in range(kernel_size[0] * kernel_size[1])]
    return _scatter(taps, x_shape, kernel_size, stride, padding)


@op
def max_pool_gather(
    v: Array, winner: Array, kernel_size: Pair, stride: Pair, padding: Pair
) -> Array:
    """The adjoint of `max_pool_dx`: v read at the entries that won."""
    return _pick(_taps(v, kernel_size, stride, padding, value=0), winner)


def _taps(x: Array, kernel_size: Pair, stride: Pair, padding: Pair, value: float) -> Array:
    """The entries under each window, (N, OH, OW, kh * kw, C)."""
    patches = windows(pad2d(x, padding, value), kernel_size, stride)
    n, oh, ow, kh, kw, c = patches.shape
    return patches.reshape(n, oh, ow, kh * kw, c)


def _pick(taps: Array, winner: Array) -> Array:
    return np.take_along_axis(taps, winner[:, :, :, None], axis=3)[:, :, :, 0]


def _scatter(
    taps: list[Array],
    x_shape: tuple[int, ...],
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
) -> Array:
    """Add tap k (N, OH, OW, C) to entry k of every window; cut the padding off."""
    n, h, w, c = x_shape
    (_, kw), (sh, sw), (ph, pw) = kernel_size, stride, padding
    oh, ow = taps[0].shape[1:3]
    padded = np.zeros((n, h + 2 * ph, w + 2 * pw, c), taps[0].dtype)
    for k, tap in enumerate(taps):
        a, b = divmod(k, kw)
        padded[:, a : a + sh * (oh - 1) + 1 : sh, b : b + sw * (ow - 1) + 1 : sw] += tap
    return padded[:, ph : ph + h, pw : pw + w]
