"""The convolution triad on a card, each with what becomes of its sums: bias, activation, scale.

By kernels/conv*.cu, and kernels/thin_conv.cu for thin pictures.
"""

from __future__ import annotations

from minigan.backend import Array, array_module
from minigan.cuda.shapes import ceil_div
from minigan.errors import ShapeError
from minigan.ops.cuda import products, thin
from minigan.ops.cuda.products import PLAIN, Finish
from minigan.ops.cuda.thin import Geometry
from minigan.ops.patches import Pair, conv_output_size, misfit


def conv2d(
    x: Array,
    w: Array,
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    finish: Finish = PLAIN,
) -> Array:
    """act(alpha conv2d(x, w) + bias) in one pass, bias (O,)."""
    kh, kw, c, o = w.shape
    oh, ow = (
        conv_output_size(*axis)
        for axis in zip(x.shape[1:3], (kh, kw), stride, padding, dilation, strict=True)
    )
    if min(oh, ow) < 1:
        h, wide = (size + 2 * p for size, p in zip(x.shape[1:3], padding, strict=True))
        raise misfit((h, wide), (kh, kw), dilation)
    y = array_module(x).empty((x.shape[0], oh, ow, o), x.dtype)
    geometry = Geometry(x.shape, y.shape, (kh, kw), stride, padding, dilation)
    m, k = x.shape[0] * oh * ow, kh * kw * c
    return _product("conv2d", (x, w), y, geometry, (c, o), (m, o, k), finish=finish)


def conv2d_dw(
    x: Array, dy: Array, kernel_size: Pair, *, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """dw (kh, kw, C, O): the derivative of <dy, conv2d(x, w)> with respect to w."""
    dw = array_module(x).empty((*kernel_size, x.shape[-1], dy.shape[-1]), x.dtype)
    return conv2d_dw_into(dw, x, dy, stride=stride, padding=padding, dilation=dilation)


def conv2d_dw_into(
    dw: Array,
    x: Array,
    dy: Array,
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    finish: Finish = PLAIN,
) -> Array:
    """dw (kh, kw, C, O) = alpha conv2d_dw(x, dy), or added to what is there, and dw itself."""
    (kh, kw, c, o), (n, oh, ow, _) = dw.shape, dy.shape
    geometry = Geometry(x.shape, dy.shape, (kh, kw), stride, padding, dilation)
    m, k = kh * kw * c, n * oh * ow
    return _product("conv2d_dw", (x, dy), dw, geometry, (c, o), (m, o, k), finish=finish)


def conv2d_dx(
    dy: Array,
    w: Array,
    x_shape: tuple[int, ...],
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    finish: Finish = PLAIN,
) -> Array:
    """act(alpha conv2d_dx(dy, w) + bias) in one pass, bias (C,): a transposed convolution's end."""
    kh, kw, c, o = w.shape
    dx = array_module(dy).empty(x_shape, dy.dtype)
    geometry = Geometry(dx.shape, dy.shape, (kh, kw), stride, padding, dilation)
    # Of the largest phase: its places, and the taps that meet them where dilation does not.
    m = geometry.phase_places
    k = ceil_div(kh, stride[0]) * ceil_div(kw, stride[1]) * o
    return _product("conv2d_dx", (dy, w), dx, geometry, (o, o), (m, c, k), geometry.phases, finish)


def _product(
    symbol: str,
    operands: tuple[Array, Array],
    out: Array,
    geometry: Geometry,
    rows: tuple[int, int],
    sizes: tuple[int, int, int],
    phases: int = 1,
    finish: Finish = PLAIN,
) -> Array:
    """The convolution kernel SYMBOL; `rows` are the lengths of the operands' rows of channels."""
    if geometry.x_shape[0] != geometry.y_shape[0]:
        raise ShapeError(
            f"{geometry.x_shape[0]} pictures, but {geometry.y_shape[0]} results of a convolution"
        )
    xp = array_module(out)
    left, right = (xp.ascontiguousarray(a) for a in operands)
    products.check_sizes(left, right, out)
    family, plan = "thin_conv", thin.plan(symbol, geometry)
    if plan is None:
        family = "conv"
        vectors = products.starts_on_vectors((left, rows[0]), (right, rows[1]))
        plan = products.plan(*sizes, out.dtype, vectors=vectors, phases=phases)
    return products.run(family, symbol, plan, (left, right), out, geometry.numbers(), finish)
