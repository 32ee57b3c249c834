"""minigan/ops/conv.py on a card: the triad of triad.py with nothing added."""

from __future__ import annotations

from minigan.backend import Array
from minigan.ops.cuda import triad
from minigan.ops.patches import Pair


def conv2d(x: Array, w: Array, *, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """y (N, OH, OW, O) from x (N, H, W, C) and w (kh, kw, C, O)."""
    return triad.conv2d(x, w, stride=stride, padding=padding, dilation=dilation)


def conv2d_dw(
    x: Array, dy: Array, kernel_size: Pair, *, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """dw (kh, kw, C, O): the derivative of <dy, conv2d(x, w)> with respect to w."""
    return triad.conv2d_dw(x, dy, kernel_size, stride=stride, padding=padding, dilation=dilation)


def conv2d_dx(
    dy: Array,
    w: Array,
    x_shape: tuple[int, ...],
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
) -> Array:
    """dx (N, H, W, C) = x_shape: the derivative of <dy, conv2d(x, w)> with respect to x."""
    return triad.conv2d_dx(dy, w, x_shape, stride=stride, padding=padding, dilation=dilation)
