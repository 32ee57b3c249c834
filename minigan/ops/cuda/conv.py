"""minigan/ops/conv.py on a card: the triad of triad.py, and what each kernel ends with."""

from __future__ import annotations

from minigan.backend import Array
from minigan.ops.cuda import triad
from minigan.ops.cuda.products import Finish
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


def conv2d_bias_act(
    x: Array,
    w: Array,
    bias: Array | None,
    activation: str = "none",
    *,
    slope: float = 0.0,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
) -> Array:
    """f(conv2d(x, w) + bias (O,)) in one pass."""
    finish = Finish(bias=bias, activation=activation, slope=slope)
    return triad.conv2d(x, w, stride=stride, padding=padding, dilation=dilation, finish=finish)


def conv2d_dx_bias_act(
    dy: Array,
    w: Array,
    x_shape: tuple[int, ...],
    bias: Array | None,
    activation: str = "none",
    *,
    slope: float = 0.0,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
) -> Array:
    """f(conv2d_dx(dy, w) + bias (C,)) in one pass."""
    finish = Finish(bias=bias, activation=activation, slope=slope)
    return triad.conv2d_dx(
        dy, w, x_shape, stride=stride, padding=padding, dilation=dilation, finish=finish
    )


def add_conv2d_dw(
    out: Array, x: Array, dy: Array, *, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """out (kh, kw, C, O) += conv2d_dw(x, dy), and out itself: a gradient that is added up."""
    finish = Finish(accumulate=True)
    return triad.conv2d_dw_into(
        out, x, dy, stride=stride, padding=padding, dilation=dilation, finish=finish
    )
