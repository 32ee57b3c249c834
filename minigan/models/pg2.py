r"""PG2's generators: of a person in another pose, roughly, and of what is wrong with that.

    G1  an encoder of N residual blocks, a dense layer to `bottleneck` numbers and one back, a
        decoder of N residual blocks; block i of the encoder has i `width` filters, and what it
        gives is joined to what the decoder's block of its size is fed
    G2  the same without dense layers and without residuals, two blocks shallower

(Ma et al. 2017, arXiv:1705.09368, section 3.3). A block has two 3x3 convolutions; a third one, of
stride 2, halves the picture between blocks of the encoder, nearest neighbours double it between
those of the decoder. ReLU stands behind all but the dense layers and the last convolution, whose
numbers have no bound. The dense layers carry what belongs elsewhere in another pose, which
convolutions alone would have to move through many small windows; G2, which moves nothing, is spared
them and keeps more of the detail.

What the paper leaves open is from the authors' code: `width` 128 and `bottleneck` 64; N so that the
longer side has 8 pixels in the last block, 5 of 128x64; a 1x1 convolution behind each doubling in
G1; in G2 no skip at the picture's own size. G2 has one block at least.
"""

from __future__ import annotations

import math

import numpy as np

from minigan.layers import (
    Columns,
    Concat,
    Conv2d,
    Dense,
    Flatten,
    Hardtanh,
    Identity,
    Layer,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    Upsample,
)
from minigan.models.enlarging import halvable

PAPER = "Ma et al. 2017, arXiv:1705.09368, section 3.3"

Rng = np.random.Generator
BASE = 8  # pixels of the longer side in the last block
SHALLOWER = 2  # blocks that G2 has less
START = "glorot_uniform"  # of the authors' library


def pg2_blocks(shape: tuple[int, ...], blocks: int | None = None) -> int:
    """N for pictures (H, W, C): `blocks`, or as many as it takes.

    Raises OptionError for a size that cannot be halved N - 1 times, naming the nearest.
    """
    h, w = shape[:2]
    if blocks is None:
        blocks = max(1, math.ceil(math.log2(max(h, w) / BASE)) + 1)
    pg2_size(h, w, blocks)
    return blocks


def pg2_size(h: int, w: int, blocks: int) -> None:
    """Raise OptionError unless G1 of so many blocks takes pictures of h x w."""
    halvable(h, w, blocks - 1, network=f"G1, of {blocks} blocks,")


def pose_integrator(
    shape: tuple[int, ...],
    out_channels: int,
    *,
    width: int = 128,
    blocks: int | None = None,
    bottleneck: int = 64,
    rng: Rng,
) -> Sequential:
    """G1: a picture beside heat maps (N, H, W, C) of `shape` -> (N, H, W, out_channels).

    Raises OptionError as `pg2_blocks`.
    """
    h, w, channels = shape
    n = pg2_blocks(shape, blocks)

    def level(i: int) -> list[Layer]:
        """Blocks i of both halves, and all between them."""
        own = width * (i + 1)
        return [_residual(own, rng), Concat(below(i), Identity()), _residual(joined(i), rng)]

    def below(i: int) -> Sequential:
        own = width * (i + 1)
        if i == n - 1:
            base = (h >> i, w >> i)
            return Sequential(
                Flatten(),
                Dense(math.prod(base) * own, bottleneck, init=START, rng=rng),
                Dense(bottleneck, math.prod(base) * width, init=START, rng=rng),
                Reshape(*base, width),
            )
        down = _conv(own, own + width, rng, stride=2)
        up = [Upsample(scale_factor=2), *_conv(joined(i + 1), own, rng, kernel_size=1)]
        return Sequential(*down, *level(i + 1), *up)

    def joined(i: int) -> int:
        """Channels that block i of the decoder is fed."""
        own = width * (i + 1)
        return own + (width if i == n - 1 else own)

    last = Conv2d(joined(0), out_channels, 3, padding=1, init=START, rng=rng)
    return Sequential(*_conv(channels, width, rng), *level(0), last)


def refiner(
    shape: tuple[int, ...],
    out_channels: int,
    *,
    width: int = 128,
    blocks: int | None = None,
    rng: Rng,
) -> Sequential:
    """G2: two pictures (N, H, W, C) of `shape` -> what is added to one, (N, H, W, out_channels).

    blocks: G1's N. Raises OptionError as `pg2_blocks`.
    """
    n = max(1, pg2_blocks(shape, blocks) - SHALLOWER)

    def level(i: int, cin: int) -> list[Layer]:
        own = width * (i + 1)
        first = [*_conv(cin, own, rng), *_conv(own, own, rng)]
        if i == n - 1:
            return [*first, *_conv(own, width, rng), *_conv(width, width, rng)]
        down = _conv(own, own, rng, stride=2)
        inner = Sequential(*down, *level(i + 1, own), Upsample(scale_factor=2))
        between = Concat(inner, Identity()) if i else inner
        fed = width + (own if i else 0)
        return [*first, between, *_conv(fed, width, rng), *_conv(width, width, rng)]

    last = Conv2d(width, out_channels, 3, padding=1, init=START, rng=rng)
    return Sequential(*_conv(shape[2], width, rng), *level(0, width), last)


def pg2_generator(G1: Layer, G2: Layer | None, channels: int) -> Sequential:
    """G of both: x (N, H, W, C), a picture of `channels` beside heat maps -> pictures in [-1, 1].

    Without a G2 it is what G1 makes alone.
    """
    if G2 is None:
        return Sequential(G1, Hardtanh())
    picture, rough = Columns(0, channels), Columns(channels, 2 * channels)
    return Sequential(Concat(picture, G1), Residual(G2, rough), Hardtanh())


def _residual(filters: int, rng: Rng) -> Residual:
    return Residual(Sequential(*_conv(filters, filters, rng), *_conv(filters, filters, rng)))


def _conv(cin: int, cout: int, rng: Rng, *, kernel_size: int = 3, stride: int = 1) -> list[Layer]:
    """A convolution that keeps the size, or halves it, and ReLU."""
    conv = Conv2d(
        cin, cout, kernel_size, stride=stride, padding=kernel_size // 2, init=START, rng=rng
    )
    return [conv, ReLU()]
