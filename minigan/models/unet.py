"""The U-Net of pix2pix: an encoder-decoder with skips (Isola et al. 2017, section 3.2.1 and 6.1.1).

With Ck a 4x4 convolution of k filters with stride 2, norm and activation, CDk one with dropout:

    encoder  C64-C128-C256-C512-C512-C512-C512-C512      LeakyReLU 0.2, no norm in the first
    decoder  CD512-CD512-CD512-C512-C256-C128-C64, then a convolution to the picture, and tanh

for 256x256; smaller pictures are halved less often. Layer i of the encoder also goes to layer n - i
of the decoder, on whose input it is joined. The innermost layer has no norm: of a single number in
each channel a norm leaves nothing, which the paper's errata (section 6.3) correct in the same way.

The noise is the dropout: the paper's generator learned to ignore a z at its input (section 3.1).

BicycleGAN's generator takes a z beside the picture (Zhu et al. 2017, arXiv:1711.11586, section 4):
its numbers stand as constant planes beside the channels that each convolution of the encoder sees.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import (
    Concat,
    ConditionalConcat,
    ConditionalSequential,
    Conv2d,
    Dropout,
    Identity,
    JoinCondition,
    Layer,
    LeakyReLU,
    ReLU,
    Sequential,
    Tanh,
)
from minigan.models.dcgan import GAMMA
from minigan.models.enlarging import doubled, halvable
from minigan.models.norms import Norms

HALVINGS = 8  # of the paper's 256x256
FEWEST = 2  # halvings that are chosen unless given
WIDEST = 8  # times `width`
WITH_DROPOUT = 3  # layers of the decoder, counted from the innermost


def unet_halvings(shape: tuple[int, ...], halvings: int | None = None) -> int:
    """How often pictures (H, W, C) are halved: `halvings`, or as often as they can be, 8 at most.

    Raises OptionError for a size that cannot be halved so often, or twice, naming the nearest ones.
    """
    h, w = shape[:2]
    if halvings is not None and halvings < 1:
        raise OptionError(f"halvings={halvings}: a U-Net halves its pictures at least once")
    if halvings is None:
        both = (h | w) & -(h | w)  # the largest power of two in both sides
        halvings = min(max(both.bit_length() - 1, FEWEST), HALVINGS)
    unet_size(h, w, halvings)
    return halvings


def unet_size(h: int, w: int, halvings: int) -> None:
    """Raise OptionError unless a U-Net of so many halvings takes pictures of h x w."""
    halvable(h, w, halvings, network="the U-Net")


def unet_generator(
    shape: tuple[int, ...],
    out_channels: int,
    *,
    width: int = 64,
    halvings: int | None = None,
    norm: str = "batch",
    dropout: float = 0.5,
    skips: bool = True,
    up: str = "transposed",
    rng: np.random.Generator,
) -> Sequential:
    """G: pictures (N, H, W, C) -> (N, H, W, out_channels) in (-1, 1).

    `width` is the paper's 64, the filters of the first layer. Without `skips` it is the paper's
    plain encoder-decoder (section 4.3). `up` is how sizes are doubled (enlarging.py). Any picture
    whose sides halve as often goes through. Raises OptionError as `unet_halvings`.
    """
    n = unet_halvings(shape, halvings)
    layers = _unet(
        shape,
        out_channels,
        (Sequential, Concat),
        width=width,
        halvings=n,
        norm=norm,
        dropout=dropout,
        skips=skips,
        up=up,
        rng=rng,
    )
    return Sequential(*layers)


def unet_generator_of_z(
    shape: tuple[int, ...],
    out_channels: int,
    z_dim: int,
    *,
    width: int = 64,
    halvings: int | None = None,
    norm: str = "batch",
    dropout: float = 0.0,
    skips: bool = True,
    up: str = "transposed",
    rng: np.random.Generator,
) -> ConditionalSequential:
    """G: pictures (N, H, W, C) and z (N, z_dim) -> (N, H, W, out_channels) in (-1, 1).

    Each layer of the encoder sees z; the rest is `unet_generator`'s. Raises OptionError as that.
    """
    n = unet_halvings(shape, halvings)
    layers = _unet(
        shape,
        out_channels,
        (ConditionalSequential, ConditionalConcat),
        z_dim=z_dim,
        width=width,
        halvings=n,
        norm=norm,
        dropout=dropout,
        skips=skips,
        up=up,
        rng=rng,
    )
    return ConditionalSequential(*layers)


Containers = tuple[Callable[..., Layer], Callable[..., Layer]]  # of layers in a row, of a skip


def _unet(
    shape: tuple[int, ...],
    out_channels: int,
    containers: Containers,
    *,
    z_dim: int = 0,
    width: int,
    halvings: int,
    norm: str,
    dropout: float,
    skips: bool,
    up: str,
    rng: np.random.Generator,
) -> list[Layer]:
    """The layers of a U-Net, whose encoder's each see z_dim numbers of z."""
    n, (chain, skip) = halvings, containers
    h, w, channels = shape
    norms = Norms(norm, init=GAMMA, rng=rng)
    filters = [min(width << i, WIDEST * width) for i in range(n)]

    def level(i: int) -> Layer:
        """All between encoder layer i and its decoder layer, joined to i's features if `skips`.

        Encoder layer i + 1, everything below it, and the decoder layer that comes back to i's size.
        """
        deepest = i + 2 == n
        bias = deepest or norms.bias
        inner: list[Layer] = [LeakyReLU(negative_slope=0.2)]
        inner += _down(filters[i], filters[i + 1], z_dim, bias=bias, rng=rng)
        if not deepest:
            inner += [norms.after(h >> (i + 2), w >> (i + 2), filters[i + 1]), level(i + 1)]
        inner += [
            ReLU(),
            doubled(up, joined(i + 1), filters[i], kernel_size=4, bias=norms.bias, rng=rng),
            norms.after(h >> (i + 1), w >> (i + 1), filters[i]),
        ]
        if dropout and n - 2 - i < WITH_DROPOUT:  # 0 is the innermost
            inner.append(Dropout(dropout, rng=rng))
        return skip(Identity(), chain(*inner)) if skips else chain(*inner)

    def joined(i: int) -> int:
        """Channels of encoder layer i on the way back: twice its own where they are joined."""
        return filters[i] * (2 if skips and i + 1 < n else 1)

    return [
        *_down(channels, filters[0], z_dim, bias=True, rng=rng),
        *([level(0)] if n > 1 else []),
        ReLU(),
        doubled(up, joined(0), out_channels, kernel_size=4, bias=True, rng=rng),
        Tanh(),
    ]


def _down(cin: int, cout: int, z_dim: int, *, bias: bool, rng: np.random.Generator) -> list[Layer]:
    """A convolution that halves, with z beside what it sees."""
    beside: list[Layer] = [JoinCondition(z_dim)] if z_dim else []
    conv = Conv2d(cin + z_dim, cout, 4, stride=2, padding=1, bias=bias, init=init.dcgan, rng=rng)
    return [*beside, conv]
