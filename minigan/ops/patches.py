r"""The patches of images under a moving kernel: gathering them, and adding them back.

These are the two halves of a convolution that are not matrix products. They work on a few images
at a time, in scratch memory that is used again and again (`minigan.parallel.scratch`).
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import ShapeError
from minigan.parallel import scratch

Pair = tuple[int, int]


def conv_output_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Places of the kernel along one axis: floor((size + 2p - d(k - 1) - 1) / s) + 1."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


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
        raise misfit((h, w), kernel_size, dilation)
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


def gather(
    x: Array,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    places: tuple[int, ...],
    rows: slice = slice(None),
) -> Array:
    """P for a few images, or what of it some `rows` of the kernel see, in scratch memory."""
    seen = windows(_padded(x, padding), kernel_size, stride, dilation, places)[:, :, :, rows]
    n, oh, ow, kh, kw, c = seen.shape
    patches = scratch("patches", seen.shape, x.dtype)
    np.copyto(patches, seen)
    return patches.reshape(n * oh * ow, kh * kw * c)


def _padded(x: Array, padding: Pair) -> Array:
    ph, pw = padding
    if ph == pw == 0:
        return x
    n, h, w, c = x.shape
    padded = scratch("padded", (n, h + 2 * ph, w + 2 * pw, c), x.dtype)
    padded[:, :ph] = 0
    padded[:, ph + h :] = 0
    padded[:, ph : ph + h, :pw] = 0
    padded[:, ph : ph + h, pw + w :] = 0
    padded[:, ph : ph + h, pw : pw + w] = x
    return padded


def add_back(patches: Array, dx: Array, stride: Pair, padding: Pair, dilation: Pair) -> None:
    """Add every entry of the patches (N, OH, OW, kh, kw, C) where it came from; writes dx."""
    n, oh, ow, kh, kw, c = patches.shape
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    _, h, w, _ = dx.shape
    padded = scratch("padded", (n, h + 2 * ph, w + 2 * pw, c), dx.dtype)
    padded[...] = 0
    for a in range(kh):
        for b in range(kw):
            rows = slice(a * dh, a * dh + sh * (oh - 1) + 1, sh)
            columns = slice(b * dw, b * dw + sw * (ow - 1) + 1, sw)
            padded[:, rows, columns] += patches[:, :, :, a, b]
    dx[...] = padded[:, ph : ph + h, pw : pw + w]


def by_blocks(w: Array, stride: Pair) -> Array:
    """The kernel cut into blocks of the stride's size: (kh / sh, kw / sw, sh, sw, C, O)."""
    kh, kw, c, out = w.shape
    sh, sw = stride
    return w.reshape(kh // sh, sh, kw // sw, sw, c, out).transpose(0, 2, 1, 3, 4, 5)


def add_back_blocks(patches: Array, dx: Array, stride: Pair, padding: Pair, dilation: Pair) -> None:
    """`add_back` for a kernel of whole blocks, its entries in the order of `by_blocks`.

    With the padded dx cut into blocks of the stride's size, a strided kernel moves by one block:
    the blocks of a patch are contiguous runs of sh sw C numbers, added kh kw / (sh sw) times.
    """
    n, oh, ow, kh, kw, c = patches.shape
    sh, sw = stride
    qh, qw = kh // sh, kw // sw
    shape = (n, oh + qh - 1, ow + qw - 1, sh, sw, c)
    blocks = scratch("padded", shape, dx.dtype)
    flat = blocks.reshape(*shape[:3], sh * sw * c)
    flat[:, oh:] = 0
    flat[:, :oh, ow:] = 0
    runs = patches.reshape(n, oh, ow, qh * qw, sh * sw * c)
    flat[:, :oh, :ow] = runs[:, :, :, 0]
    for q in range(1, qh * qw):
        i, j = divmod(q, qw)
        flat[:, i : i + oh, j : j + ow] += runs[:, :, :, q]
    from_blocks(flat, dx, stride, padding)


def to_blocks(x: Array, places: Pair, stride: Pair, padding: Pair) -> Array:
    """The padded x in blocks of the stride's size: (N, *places, sh sw C), in scratch memory."""
    n, h, w, c = x.shape
    (sh, sw), (ph, pw) = stride, padding
    blocks = scratch("padded", (n, *places, sh, sw, c), x.dtype)
    for u in range(sh):
        rows, i = _phase(h, places[0], sh, ph, u)
        for v in range(sw):
            columns, j = _phase(w, places[1], sw, pw, v)
            target = blocks[:, :, :, u, v]
            target[:, : i.start] = 0
            target[:, i.stop :] = 0
            target[:, i, : j.start] = 0
            target[:, i, j.stop :] = 0
            target[:, i, j] = x[:, rows, columns]
    return blocks.reshape(n, *places, sh * sw * c)


def from_blocks(blocks: Array, dx: Array, stride: Pair, padding: Pair) -> None:
    """Write dx, cut out of its padded form in blocks (N, bh, bw, sh sw C); 0 where none reaches."""
    n, bh, bw, _ = blocks.shape
    _, h, w, c = dx.shape
    (sh, sw), (ph, pw) = stride, padding
    pixels = blocks.reshape(n, bh, bw, sh, sw, c)
    dx[:, max(bh * sh - ph, 0) :] = 0
    dx[:, :, max(bw * sw - pw, 0) :] = 0
    for u in range(sh):
        rows, i = _phase(h, bh, sh, ph, u)
        for v in range(sw):
            columns, j = _phase(w, bw, sw, pw, v)
            dx[:, rows, columns] = pixels[:, i, j, u, v]


def _phase(size: int, blocks: int, stride: int, padding: int, u: int) -> tuple[slice, slice]:
    """Along one axis, the pixels that are number u of their block, and those blocks."""
    first = (u - padding) % stride
    stop = max(min(size, blocks * stride - padding), first)
    start = (first + padding) // stride
    return slice(first, stop, stride), slice(start, start + len(range(first, stop, stride)))


def misfit(padded: Pair, kernel_size: Pair, dilation: Pair) -> ShapeError:
    """The error to raise for a kernel larger than its padded input."""
    return ShapeError(
        f"a kernel of {_by(kernel_size)} with dilation {_by(dilation)} does not fit into a "
        f"(padded) input of {_by(padded)}; use a larger input or padding, or a smaller kernel"
    )


def _by(sides: Pair) -> str:
    return f"{sides[0]}x{sides[1]}"
