r"""A strided convolution with 9/16 of the multiplications.

A kernel of twice its stride s, say 4x4 with stride 2, moves by half of itself. Cut the padded
image into blocks of s x s pixels, d (N, OH + 1, OW + 1, B) with B = s s C, and the kernel into four
such blocks g: the convolution is one of 2x2 blocks with stride 1,

    y[i, j] = sum_{a, b in {0, 1}} d[i + a, j + b] g[a, b]

Winograd's minimal filtering F(2, 2) makes two neighbouring outputs of its one-dimensional form
with three products instead of four:

    y0 = d0 g0 + d1 g1 = m0 + m1          m0 = (d0 - d1) g0
    y1 = d1 g0 + d2 g1 = m1 + m2          m1 = d1 (g0 + g1)
                                          m2 = (d2 - d1) g1

Over rows and columns that is nine products for four outputs instead of sixteen. With V the
transformed input, U the transformed kernel and E the transformed output gradient,

    V = (d0 - d1, d1, d2 - d1)     U = (g0, g0 + g1, g1)     E = (e0, e0 + e1, e1)

the trilinear form <dy, conv2d(x, w)> is the sum over the nine of <E, V U>, so each member of the
triad multiplies two of them and transforms the product back by the third's adjoint:

    y from V U        dx from E U^T        dw from V^T E

The factors are 0 and +-1. The differences of V cost accuracy all the same: on normal numbers the
rounding error is 1.7 times that of the plain convolution, 5e-7 against 3e-7 in float32. Source:
Winograd 1980, "Arithmetic complexity of computations"; Lavin and Gray 2016, "Fast algorithms for
convolutional neural networks", section 4.1.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.blas import multiply
from minigan.ops.patches import Pair, by_blocks, from_blocks, to_blocks
from minigan.parallel import over_parts, scratch, sum_over_parts

# Scratch memory has three places, each used anew when what it held is used up:
#   padded    blocks of the input, then the nine products
#   rows      a transform done along rows alone, and E
#   patches   V, and the blocks of the input gradient

# Where it pays: in wide layers with many multiply-adds in each of the nine products; below, the
# transforms take as long as what is saved. Measured on two cores, batch 64, against ops/conv.py's
# own way, time of forward, dx, dw: 16x16x128 to 256 channels 0.82, 0.85, 0.82; 8x8x256 to 512
# 0.87, 0.85, 1.06; 32x32x64 to 128 1.00, 0.87, 1.00; 8x8x64 to 128 (not taken) 1.25, 1.35, 1.
MIN_BLOCK, MIN_OUT = 256, 64
MIN_WORK = 1 << 24
MIN_TILES_DW = 1024  # dw's products are summed over tiles (of four outputs)
# Numbers of each of the nine V that are worked on together: narrow layers take more tiles at once.
# Against 256 tiles of all layers a step at width 64 took 0.96 of its time; half as many numbers
# took 1.05, half as many more 0.99, and twice as many gained nothing for twice the scratch memory.
NUMBERS = 1 << 17


def applies(
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    places: tuple[int, int],
    stride: Pair,
    dilation: Pair,
    min_tiles: int = 0,
) -> bool:
    """Whether a convolution has the form above and is wide enough to gain from it."""
    kh, kw, c, out = w_shape
    sh, sw = stride
    oh, ow = places
    block, tiles = sh * sw * c, x_shape[0] * oh * ow // 4
    return (
        dilation == (1, 1)
        and (kh, kw) == (2 * sh, 2 * sw)
        and oh % 2 == ow % 2 == 0
        and block >= MIN_BLOCK
        and out >= MIN_OUT
        and tiles * block * out >= MIN_WORK
        and tiles >= min_tiles
    )


def conv2d(x: Array, w: Array, places: Pair, stride: Pair, padding: Pair) -> Array:
    """y (N, OH, OW, O) from x (N, H, W, C) and w (2 sh, 2 sw, C, O)."""
    n, (oh, ow), out = len(x), places, w.shape[3]
    y = np.empty((n, oh, ow, out), x.dtype)
    u = _transformed_kernel(w, stride)

    def part(start: int, stop: int) -> None:
        for a, b in _chunks(start, stop, oh * ow // 4 * u.shape[1]):
            v = _transformed_input(to_blocks(x[a:b], (oh + 1, ow + 1), stride, padding))
            m = scratch("padded", (9, v.shape[1], out), x.dtype)  # the blocks are in v
            multiply(v, u, out=m)
            _contract(m.reshape(3, 3, b - a, oh // 2, ow // 2, out), y[a:b])

    over_parts(part, n, y.size * w.shape[2])
    return y


def conv2d_dx(dy: Array, w: Array, x_shape: tuple[int, ...], stride: Pair, padding: Pair) -> Array:
    """dx (N, H, W, C) = x_shape: the derivative of <dy, conv2d(x, w)> with respect to x."""
    n, oh, ow, _ = dy.shape
    dx = np.empty(x_shape, dy.dtype)
    u = _transformed_kernel(w, stride).transpose(0, 2, 1)

    def part(start: int, stop: int) -> None:
        for a, b in _chunks(start, stop, oh * ow // 4 * u.shape[2]):
            e = _expanded(dy[a:b])
            m = scratch("padded", (9, e.shape[1], u.shape[2]), dy.dtype)
            multiply(e, u, out=m)
            d = _input_adjoint(m.reshape(3, 3, b - a, oh // 2, ow // 2, u.shape[2]))
            from_blocks(d, dx[a:b], stride, padding)

    over_parts(part, n, dy.size * w.shape[2])
    return dx


def conv2d_dw(x: Array, dy: Array, kernel_size: Pair, stride: Pair, padding: Pair) -> Array:
    """dw (2 sh, 2 sw, C, O): the derivative of <dy, conv2d(x, w)> with respect to w."""
    n, oh, ow, out = dy.shape
    sh, sw = stride
    c = x.shape[3]

    def part(start: int, stop: int) -> Array:
        total = np.empty((9, sh * sw * c, out), x.dtype)
        for a, b in _chunks(start, stop, oh * ow // 4 * sh * sw * c):
            v = _transformed_input(to_blocks(x[a:b], (oh + 1, ow + 1), stride, padding))
            product = total if a == start else scratch("padded", total.shape, x.dtype)
            multiply(v.transpose(0, 2, 1), _expanded(dy[a:b]), out=product)
            if a != start:
                total += product
        return total

    k = sum_over_parts(part, n, dy.size * c).reshape(3, 3, sh * sw * c, out)
    rows = k[:2] + k[1:]
    blocks = (rows[:, :2] + rows[:, 1:]).reshape(2, 2, sh, sw, c, out)
    return blocks.transpose(0, 2, 1, 3, 4, 5).reshape(*kernel_size, c, out)


def _chunks(start: int, stop: int, image: int) -> list[tuple[int, int]]:
    """Ranges of images with about NUMBERS in each, if one has `image` numbers of a V."""
    step = max(1, NUMBERS // max(image, 1))
    return [(a, min(a + step, stop)) for a in range(start, stop, step)]


def _transformed_kernel(w: Array, stride: Pair) -> Array:
    """U (9, B, O) = (g0, g0 + g1, g1) over rows and columns of blocks."""
    sh, sw = stride
    c, out = w.shape[2:]
    blocks = by_blocks(w, stride)
    u = np.empty((3, 3, sh * sw, c, out), w.dtype)

    def part(start: int, stop: int) -> None:
        for k in range(start, stop):  # pixel k of a block
            g = u[:, :, k]
            g[::2, ::2] = blocks[:, :, k // sw, k % sw]
            np.add(g[::2, 0], g[::2, 2], out=g[::2, 1])
            np.add(g[0], g[2], out=g[1])

    over_parts(part, sh * sw, u.size)
    return u.reshape(9, sh * sw * c, out)


def _transformed_input(d: Array) -> Array:
    """V (9, tiles, B) = (d0 - d1, d1, d2 - d1) over rows and columns of d (N, OH+1, OW+1, B)."""
    n, h, w, block = d.shape
    shape = (3, 3, n, h // 2, w // 2, block)
    v = scratch("patches", shape, d.dtype)
    rows = scratch("rows", (n, h // 2, w, block), d.dtype)
    for k, row in enumerate((d[:, 0:-1:2], d[:, 1::2], d[:, 2::2])):
        if k != 1:
            row = np.subtract(row, d[:, 1::2], out=rows)
        middle = row[:, :, 1::2]
        np.subtract(row[:, :, 0:-1:2], middle, out=v[k, 0])
        np.copyto(v[k, 1], middle)
        np.subtract(row[:, :, 2::2], middle, out=v[k, 2])
    return v.reshape(9, -1, block)


def _input_adjoint(m: Array) -> Array:
    """d (N, OH+1, OW+1, B), to which each V (3, 3, N, OH/2, OW/2, B) gave its parts."""
    _, _, n, th, tw, block = m.shape
    rows = scratch("rows", (3, n, th, 2 * tw + 1, block), m.dtype)
    for k in range(3):
        _spread(m[k], rows[k], axis=2)
    d = scratch("patches", (n, 2 * th + 1, 2 * tw + 1, block), m.dtype)
    _spread(rows, d, axis=1)
    return d


def _spread(v: Array, d: Array, axis: int) -> None:
    """Along one axis: d0 = v0, d1 = v1 - v0 - v2, d2 = v2, where d2 is the next tile's d0."""
    first = np.moveaxis(d, axis, 0)
    even, odd = first[0::2], first[1::2]
    v0, v1, v2 = (np.moveaxis(part, axis, 0) for part in v)
    np.subtract(v1, v0, out=odd)
    odd -= v2
    even[0] = v0[0]
    np.add(v0[1:], v2[:-1], out=even[1:-1])
    even[-1] = v2[-1]


def _expanded(dy: Array) -> Array:
    """E (9, tiles, O) = (e0, e0 + e1, e1) over rows and columns of dy (N, OH, OW, O)."""
    n, oh, ow, out = dy.shape
    e = scratch("rows", (3, 3, n, oh // 2, ow // 2, out), dy.dtype)
    for i in (0, 1):
        for j in (0, 1):
            np.copyto(e[2 * i, 2 * j], dy[:, i::2, j::2])
        np.add(e[2 * i, 0], e[2 * i, 2], out=e[2 * i, 1])
    np.add(e[0], e[2], out=e[1])
    return e.reshape(9, -1, out)


def _contract(m: Array, y: Array) -> None:
    """y = (m0 + m1, m1 + m2) over rows and columns; m (3, 3, N, OH/2, OW/2, O) is overwritten."""
    for k in range(3):
        m[k, 0] += m[k, 1]
        m[k, 2] += m[k, 1]
    for i in (0, 1):
        for j in (0, 1):
            np.add(m[i, 2 * j], m[i + 1, 2 * j], out=y[:, i::2, j::2])
