r"""Convolution as a closed triad of three operations.

For an image x (N, H, W, C), kernel w (kh, kw, C, O), stride s, padding p and dilation d,

    y[n, i, j, o] = sum_{a, b, c} x[n, s i + d a - p, s j + d b - p, c] w[a, b, c, o]

is bilinear in x and w, so its two derivatives are the adjoints of one fixed linear map:

    conv2d(x, w)           -> y          x, w given
    conv2d_dx(dy, w)       -> dx         the adjoint in x; also the transposed convolution
    conv2d_dw(x, dy)       -> dw         the adjoint in w

and every further derivative is one of the three again. Each is a product with the matrix of
patches P: rows are the N * OH * OW places of the kernel, columns its kh * kw * C entries.

    y = P w          dw = P^T dy          P' = dy w^T, each patch then added to its place in dx

P is kh kw / s^2 times as large as x. It never exists as a whole: a few images at a time, their
patches stay in the processor's caches between being gathered and multiplied (or multiplied and
added).

Cost: 2 N OH OW kh kw C O operations each; 9/16 of that for the wide layers of DCGAN, whose kernels
are twice their stride (ops/winograd.py). Cross-correlation, as the field's "convolution" is
(Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning").
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minigan.backend import Array
from minigan.ops import subpixel, winograd
from minigan.ops.affine import activate
from minigan.ops.blas import multiply
from minigan.ops.dispatch import op
from minigan.ops.patches import (
    Pair,
    add_back,
    add_back_blocks,
    by_blocks,
    conv_output_size,
    gather,
    misfit,
)
from minigan.parallel import MACS, add_into, over_parts, scratch, sum_over_parts

# Rows of P at a time. A product packs all of w on each call, so it wants some hundred rows. Fewer
# numbers would stay in a second-level cache, but two threads that call NumPy often wait for each
# other's interpreter lock: 2^18 took up to 1.3 times as long as 2^20.
MIN_ROWS = 512
CHUNK_NUMBERS = 1 << 20
MAX_WHOLE = 1.1  # taps of a kernel in whole blocks / its own


def conv_transpose_output_size(
    size: int, kernel: int, stride: int, padding: int, dilation: int, output_padding: int
) -> int:
    """The smallest input that a convolution maps to `size`, plus output_padding."""
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1


@op
def conv2d(x: Array, w: Array, *, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """y (N, OH, OW, O) from x (N, H, W, C) and w (kh, kw, C, O)."""
    kh, kw, _, out = w.shape
    n, oh, ow = _places(x, (kh, kw), stride, padding, dilation)
    if winograd.applies(x.shape, w.shape, (oh, ow), stride, dilation):
        return winograd.conv2d(x, w, (oh, ow), stride, padding)
    y = np.empty((n, oh, ow, out), x.dtype)
    matrix = w.reshape(-1, out)

    def part(start: int, stop: int) -> None:
        for a, b in _chunks(start, stop, oh * ow, matrix.shape[0]):
            patches = gather(x[a:b], (kh, kw), stride, padding, dilation, (oh, ow))
            multiply(patches, matrix, out=y[a:b].reshape(-1, out))

    over_parts(part, n, y.size * matrix.shape[0] // MACS)
    return y


@op
def conv2d_dw(
    x: Array, dy: Array, kernel_size: Pair, *, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """dw (kh, kw, C, O): the derivative of <dy, conv2d(x, w)> with respect to w."""
    n, oh, ow, out = dy.shape
    w_shape = (*kernel_size, x.shape[-1], out)
    if n == 0:
        return np.zeros(w_shape, x.dtype)
    tiles = winograd.MIN_TILES_DW
    if winograd.applies(x.shape, w_shape, (oh, ow), stride, dilation, tiles):
        return winograd.conv2d_dw(x, dy, kernel_size, stride, padding)
    kh, columns = kernel_size[0], kernel_size[0] * kernel_size[1] * x.shape[-1]

    def part(start: int, stop: int) -> Array:
        total = np.empty((columns, out), x.dtype)
        # Adding a product costs a pass over dw, so it pays to take more rows at a time.
        for a, b in _chunks(start, stop, oh * ow, columns, MIN_ROWS * 4):
            for rows in _kernel_rows(kh, (b - a) * oh * ow * columns):
                patches = gather(x[a:b], kernel_size, stride, padding, dilation, (oh, ow), rows)
                within = total.reshape(kh, -1, out)[rows].reshape(-1, out)
                product = within if a == start else scratch("product", within.shape, x.dtype)
                multiply(patches.T, dy[a:b].reshape(-1, out), out=product)
                if a != start:
                    within += product
        return total

    return sum_over_parts(part, n, dy.size * columns // MACS).reshape(w_shape)


@op
def conv2d_dx(
    dy: Array,
    w: Array,
    x_shape: tuple[int, ...],
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
) -> Array:
    """dx (N, H, W, C) = x_shape: the derivative of <dy, conv2d(x, w)> with respect to x.

    Run forwards, this is the transposed convolution of dy.
    """
    if dilation == (1, 1):
        w = _in_whole_blocks(w, stride)
    kh, kw, c, out = w.shape
    n, oh, ow, _ = dy.shape
    if winograd.applies(x_shape, w.shape, (oh, ow), stride, dilation):
        return winograd.conv2d_dx(dy, w, x_shape, stride, padding)
    if subpixel.applies(w.shape, (oh, ow), stride, dilation):
        return subpixel.conv2d_dx(dy, w, x_shape, stride, padding)
    dx = np.empty(x_shape, dy.dtype)
    blocks = dilation == (1, 1) and kh % stride[0] == 0 and kw % stride[1] == 0
    matrix = (by_blocks(w, stride) if blocks else w).reshape(-1, out).T
    add = add_back_blocks if blocks else add_back

    def part(start: int, stop: int) -> None:
        for a, b in _chunks(start, stop, oh * ow, matrix.shape[1]):
            patches = scratch("patches", ((b - a) * oh * ow, matrix.shape[1]), dy.dtype)
            multiply(dy[a:b].reshape(-1, out), matrix, out=patches)
            add(patches.reshape(b - a, oh, ow, kh, kw, c), dx[a:b], stride, padding, dilation)

    over_parts(part, n, dy.size * matrix.shape[1] // MACS)
    return dx


@op
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
    """f(conv2d(x, w) + bias (O,)), f one of ops/affine.py; on a card in one pass."""
    y = conv2d(x, w, stride=stride, padding=padding, dilation=dilation)
    return _finished(y, bias, activation, slope)


@op
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
    """f(conv2d_dx(dy, w) + bias (C,)): a transposed convolution's end; on a card in one pass."""
    y = conv2d_dx(dy, w, x_shape, stride=stride, padding=padding, dilation=dilation)
    return _finished(y, bias, activation, slope)


@op
def add_conv2d_dw(
    out: Array, x: Array, dy: Array, *, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """out (kh, kw, C, O) += conv2d_dw(x, dy), and out itself: a gradient that is added up."""
    kernel_size = out.shape[0], out.shape[1]
    dw = conv2d_dw(x, dy, kernel_size, stride=stride, padding=padding, dilation=dilation)
    add_into(out, dw)
    return out


def _in_whole_blocks(w: Array, stride: Pair) -> Array:
    """A large kernel with as many taps of 0 behind it as make it whole blocks of the stride's size.

    They add nothing, and the input gradient of whole blocks is quicker (subpixel.py): of kernels of
    31 taps and stride 2, as SEGAN has, it took 0.15 to 0.4 of the time on 256 to 2048 samples of
    1 to 16 channels, and the same on 64 of 32 (one core, old and new in turn).
    """
    kh, kw, c, out = w.shape
    th, tw = -kh % stride[0], -kw % stride[1]
    if not (th or tw) or (kh + th) * (kw + tw) > MAX_WHOLE * kh * kw:
        return w
    whole = np.zeros((kh + th, kw + tw, c, out), w.dtype)
    whole[:kh, :kw] = w
    return whole


def _finished(y: Array, bias: Array | None, activation: str, slope: float) -> Array:
    """f(y + bias); y is not kept."""
    if bias is not None:
        y += bias
    return activate(y, activation, slope)


def _places(
    x: Array, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> tuple[int, int, int]:
    """(N, OH, OW). Raises ShapeError where the kernel does not fit once."""
    n, h, w, _ = x.shape
    sizes = [
        conv_output_size(*axis)
        for axis in zip((h, w), kernel_size, stride, padding, dilation, strict=True)
    ]
    if min(sizes) < 1:
        raise misfit((h + 2 * padding[0], w + 2 * padding[1]), kernel_size, dilation)
    return n, sizes[0], sizes[1]


def _kernel_rows(kh: int, numbers: int) -> list[slice]:
    """All rows of a kernel, or both halves of them where that many patches would be large."""
    half = kh // 2 if numbers > CHUNK_NUMBERS else 0
    return [slice(0, half), slice(half, kh)] if half else [slice(0, kh)]


def _chunks(
    start: int, stop: int, places: int, columns: int, min_rows: int = MIN_ROWS
) -> Iterator[tuple[int, int]]:
    """Ranges of images whose patches are worked on together."""
    rows = max(min_rows, CHUNK_NUMBERS // columns)
    step = max(1, rows // places)
    for a in range(start, stop, step):
        yield a, min(a + step, stop)
