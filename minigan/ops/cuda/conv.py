"""minigan/ops/conv.py on a card: kernels/conv*.cu."""

from __future__ import annotations

from minigan.backend import Array, array_module
from minigan.cuda.shapes import ceil_div
from minigan.errors import ShapeError
from minigan.ops.cuda import products
from minigan.ops.patches import Pair, conv_output_size, misfit

PLAIN = products.PLAIN


def conv2d(x: Array, w: Array, *, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """y (N, OH, OW, O) from x (N, H, W, C) and w (kh, kw, C, O)."""
    (n, h, wide, c), (kh, kw, _, o) = x.shape, w.shape
    oh, ow = (
        conv_output_size(*axis)
        for axis in zip((h, wide), (kh, kw), stride, padding, dilation, strict=True)
    )
    if min(oh, ow) < 1:
        raise misfit((h + 2 * padding[0], wide + 2 * padding[1]), (kh, kw), dilation)
    xp = array_module(x)
    x, w = xp.ascontiguousarray(x), xp.ascontiguousarray(w)
    y = xp.empty((n, oh, ow, o), x.dtype)
    products.check_sizes(x, w, y)
    vectors = products.starts_on_vectors((x, c), (w, o))
    plan = products.plan(n * oh * ow, o, kh * kw * c, x.dtype, vectors=vectors)
    shape = _shape(x, y, (kh, kw), stride, padding, dilation)
    return products.run("conv", "conv2d", plan, (x, w), y, shape, PLAIN)


def conv2d_dw(
    x: Array, dy: Array, kernel_size: Pair, *, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """dw (kh, kw, C, O): the derivative of <dy, conv2d(x, w)> with respect to w."""
    xp = array_module(x)
    x, dy = xp.ascontiguousarray(x), xp.ascontiguousarray(dy)
    (n, oh, ow, o), c = dy.shape, x.shape[-1]
    dw = xp.empty((*kernel_size, c, o), x.dtype)
    products.check_sizes(x, dy, dw)
    vectors = products.starts_on_vectors((x, c), (dy, o))
    m = kernel_size[0] * kernel_size[1] * c
    plan = products.plan(m, o, n * oh * ow, x.dtype, vectors=vectors)
    shape = _shape(x, dy, kernel_size, stride, padding, dilation)
    return products.run("conv", "conv2d_dw", plan, (x, dy), dw, shape, PLAIN)


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
    xp = array_module(dy)
    dy, w = xp.ascontiguousarray(dy), xp.ascontiguousarray(w)
    (n, h, wide, c), (kh, kw, _, o) = x_shape, w.shape
    dx = xp.empty(x_shape, dy.dtype)
    products.check_sizes(dy, w, dx)
    vectors = products.starts_on_vectors((dy, o), (w, o))
    # The largest phase: its places, and the taps that meet them.
    places = n * ceil_div(h, stride[0]) * ceil_div(wide, stride[1])
    taps = ceil_div(kh, stride[0]) * ceil_div(kw, stride[1])
    phases = stride[0] * stride[1]
    plan = products.plan(places, c, taps * o, dy.dtype, vectors=vectors, phases=phases)
    shape = _shape(dx, dy, (kh, kw), stride, padding, dilation)
    return products.run("conv", "conv2d_dx", plan, (dy, w), dx, shape, PLAIN)


def _shape(
    x: Array, y: Array, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> tuple[int, ...]:
    """The integers of a convolution kernel, in its order."""
    if x.shape[0] != y.shape[0]:
        raise ShapeError(f"{x.shape[0]} pictures and {y.shape[0]} results of a convolution")
    return (*x.shape, *y.shape[1:], *kernel_size, *stride, *padding, *dilation)
