r"""Convolution as a closed triad of three operations.

For an image x (N, H, W, C), kernel w (kh, kw, C, O), stride s, padding p and dilation d,

    y[n, i, j, o] = sum_{a, b, c} x[n, s i + d a - p, s j + d b - p, c] w[a, b, c, o]

is bilinear in x and w, so its two derivatives are the adjoints of one fixed linear map:

    conv2d(x, w)           -> y          x, w given
    conv2d_dx(dy, w)       -> dx         the adjoint in x; also the transposed convolution
    conv2d_dw(x, dy)       -> dw         the adjoint in w

and every further derivative is one of the three again. Each is a single matrix product:
rows are the N * OH * OW places of the kernel, columns its kh * kw * C entries.

Cost: 2 N OH OW kh kw C O operations each. Cross-correlation, as the field's "convolution" is
(Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning").
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import ShapeError

Pair = tuple[int, int]


def conv_output_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Places of the kernel along one axis: floor((size + 2p - d(k - 1) - 1) / s) + 1."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def conv_transpose_output_size(
    size: int, kernel: int, stride: int, padding: int, dilation: int, output_padding: int
) -> int:
    """The smallest input that a convolution maps to `size`, plus output_padding."""
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1


def conv2d(x: Array, w: Array, *, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """y (N, OH, OW, O) from x (N, H, W, C) and w (kh, kw, C, O)."""
    kh, kw, _, out = w.shape
    cols, places = _im2col(x, (kh, kw), stride, padding, dilation)
    return (cols @ w.reshape(-1, out)).reshape(*places, out)


def conv2d_dw(
    x: Array, dy: Array, kernel_size: Pair, *, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """dw (kh, kw, C, O): the derivative of <dy, conv2d(x, w)> with respect to w."""
    out = dy.shape[-1]
    cols, _ = _im2col(x, kernel_size, stride, padding, dilation, places=dy.shape[1:3])
    return (cols.T @ dy.reshape(-1, out)).reshape(*kernel_size, x.shape[-1], out)


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
    n, h, w_in, c = x_shape
    kh, kw, _, out = w.shape
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    oh, ow = dy.shape[1:3]
    cols = (dy.reshape(-1, out) @ w.reshape(-1, out).T).reshape(n, oh, ow, kh, kw, c)
    padded = np.zeros((n, h + 2 * ph, w_in + 2 * pw, c), dy.dtype)
    for a in range(kh):
        for b in range(kw):
            rows = slice(a * dh, a * dh + sh * (oh - 1) + 1, sh)
            columns = slice(b * dw, b * dw + sw * (ow - 1) + 1, sw)
            padded[:, rows, columns] += cols[:, :, :, a, b]
    return padded[:, ph : ph + h, pw : pw + w_in]


def windows(
    x: Array,
    kernel_size: Pair,
    stride: Pair,
    dilation: Pair = (1, 1),
    places: tuple[int, ...] | None = None,
) -> Array:
    """A read-only view (N, OH, OW, kh, kw, C) of x (N, H, W, C): the patch under each place.

    `places` (OH, OW) takes the first of them instead of all that fit. Raises ShapeError where the
    kernel does not fit once.
    """
    n, h, w, c = x.shape
    (kh, kw), (sh, sw), (dh, dw) = kernel_size, stride, dilation
    oh, ow = conv_output_size(h, kh, sh, 0, dh), conv_output_size(w, kw, sw, 0, dw)
    if oh < 1 or ow < 1:
        raise ShapeError(
            f"a kernel of {kh}x{kw} with dilation {dh}x{dw} does not fit into a (padded) input of "
            f"{h}x{w}; use a larger input or padding, or a smaller kernel"
        )
    if places is not None:
        oh, ow = min(places[0], oh), min(places[1], ow)
    rn, rh, rw, rc = x.strides
    return np.lib.stride_tricks.as_strided(
        x,
        shape=(n, oh, ow, kh, kw, c),
        strides=(rn, rh * sh, rw * sw, rh * dh, rw * dw, rc),
        writeable=False,
    )


def pad2d(x: Array, padding: Pair, value: float = 0.0) -> Array:
    """x (N, H, W, C) with `padding` rows and columns of `value` on each side; x itself if none."""
    ph, pw = padding
    if ph == 0 and pw == 0:
        return x
    n, h, w, c = x.shape
    padded = np.full((n, h + 2 * ph, w + 2 * pw, c), value, x.dtype)
    padded[:, ph : ph + h, pw : pw + w] = x
    return padded


def _im2col(
    x: Array,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    places: tuple[int, ...] | None = None,
) -> tuple[Array, tuple[int, int, int]]:
    """The patches as a matrix (N * OH * OW, kh * kw * C), and (N, OH, OW)."""
    patches = windows(pad2d(x, padding), kernel_size, stride, dilation, places)
    n, oh, ow, kh, kw, c = patches.shape
    return patches.reshape(n * oh * ow, kh * kw * c), (n, oh, ow)
