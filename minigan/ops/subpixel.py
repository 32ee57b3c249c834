r"""The input gradient of a strided convolution as a dense convolution with fewer, wider places.

Where the kernel consists of qh x qw blocks of the stride's size, s x s pixels, cut the padded dx
into such blocks, d (N, OH + qh - 1, OW + qw - 1, B) with B = s s C. Each block is reached by the
qh qw places whose patches contain it, through one block g[a, b] (B x O) of the kernel each:

    d[i, j] = sum_{a, b} dy[i - a, j - b] g[a, b]^T

That is a convolution of dy, zeros around it, with stride 1, whose B outputs are the pixels of a
block: the sub-pixel form of a transposed convolution (Shi et al. 2016, "Real-time single image and
video super-resolution", section 3.2). Its patches have qh qw O numbers, and the product writes d at
once; ops/conv.py's own way writes patches of qh qw B numbers and adds them to their places.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.blas import multiply
from minigan.ops.patches import Pair, by_blocks, from_blocks, gather
from minigan.parallel import MACS, over_parts, scratch

# Where it pays. Measured on one core, batch 64, 4x4 kernels of stride 2, against ops/conv.py's own
# way: 32x32x16 from 32 channels 0.61 of the time, 64x64x3 from 16 0.71, 16x16x32 from 64 0.76; not
# where places grow in number by a half (8x8x64 from 128: 1.21), nor where dy is much the wider
# side (64x64x3 from 64: 1.53).
MAX_GROWTH = 1.3
MAX_WIDTHS = 2.0  # channels of dy / numbers of a block
# Numbers of patches at a time; of 2^16 to 2^20, 2^18 was within 5 % of the best in each case.
CHUNK_NUMBERS = 1 << 18
MIN_ROWS = 512


def applies(w_shape: tuple[int, ...], places: Pair, stride: Pair, dilation: Pair) -> bool:
    """Whether a kernel consists of whole blocks, and the form above pays."""
    kh, kw, c, out = w_shape
    if dilation != (1, 1) or kh % stride[0] or kw % stride[1]:
        return False
    (oh, ow), (_, (bh, bw)) = places, _cut(w_shape, places, stride)
    return bh * bw <= MAX_GROWTH * oh * ow and out <= MAX_WIDTHS * stride[0] * stride[1] * c


def conv2d_dx(dy: Array, w: Array, x_shape: tuple[int, ...], stride: Pair, padding: Pair) -> Array:
    """dx (N, H, W, C) = x_shape: the derivative of <dy, conv2d(x, w)> with respect to x."""
    n, oh, ow, out = dy.shape
    _, _, c, _ = w.shape
    (qh, qw), (bh, bw) = _cut(w.shape, (oh, ow), stride)
    block = stride[0] * stride[1] * c
    kernel = by_blocks(w, stride)[::-1, ::-1].transpose(0, 1, 5, 2, 3, 4)
    matrix = kernel.reshape(qh * qw * out, block)
    dx = np.empty(x_shape, dy.dtype)
    step = max(1, max(MIN_ROWS, CHUNK_NUMBERS // len(matrix)) // (bh * bw))

    def part(start: int, stop: int) -> None:
        for a in range(start, stop, step):
            b = min(a + step, stop)
            patches = gather(dy[a:b], (qh, qw), (1, 1), (qh - 1, qw - 1), (1, 1), (bh, bw))
            d = scratch("blocks", (b - a, bh, bw, block), dy.dtype)
            multiply(patches, matrix, out=d.reshape(-1, block))
            from_blocks(d, dx[a:b], stride, padding)

    over_parts(part, n, dy.size * qh * qw * block // MACS)
    return dx


def _cut(w_shape: tuple[int, ...], places: Pair, stride: Pair) -> tuple[Pair, Pair]:
    """Blocks in the kernel, and blocks of dx that it reaches, along both axes."""
    qh, qw = w_shape[0] // stride[0], w_shape[1] // stride[1]
    return (qh, qw), (places[0] + qh - 1, places[1] + qw - 1)
