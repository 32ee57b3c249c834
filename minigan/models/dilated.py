"""A residual generator whose convolutions widen instead of their pictures shrinking.

Dilated residual networks keep places (Yu et al. 2017, arXiv:1705.09914): what is behind the first
layers is not halved further, and a convolution with dilation d looks d places far instead. Wide
dilations leave a grid in what they make; convolutions without a skip, narrower and narrower again,
take it out (section 4 there). With c7s1-k a 7x7 convolution of k filters, dk a 3x3 one with stride
2, Rk,d a residual block of two 3x3 convolutions of dilation d, Ck,d a convolution of it alone, each
with norm and ReLU:

    c7s1-64, d128, R128,1 R128,2 R128,4, C128,2 C128,1, u64, c7s1-3

PairedCycleGAN's generators are such networks, for a U-Net's skips carry each place to the same one
of the output, while a reference's makeup lies elsewhere than the face it shall go onto.
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import Conv2d, Dropout, Residual, Sequential
from minigan.models.enlarging import halvable
from minigan.models.resnet import Parts

HALVINGS = 1
LEAST = 4  # pixels of a side that the first convolution can mirror


def dilated_size(h: int, w: int, halvings: int | None = None) -> None:
    """Raise OptionError unless the generator takes pictures of h x w."""
    halvings = HALVINGS if halvings is None else halvings
    if halvings < 0:
        raise OptionError(f"halvings={halvings}: wanted 0 or more")
    least = -(-LEAST >> halvings)
    halvable(h, w, halvings, network="the dilated generator", least=max(least, 1))


def dilated_generator(
    shape: tuple[int, ...],
    out_channels: int,
    *,
    width: int = 64,
    halvings: int | None = None,
    blocks: int | None = None,
    norm: str = "instance",
    dropout: float = 0.0,
    up: str = "transposed",
    rng: np.random.Generator,
) -> Sequential:
    """G: pictures (N, H, W, C) -> (N, H, W, out_channels) in (-1, 1).

    `blocks` are residual blocks, 3 unless given, block i of dilation 2^i; `halvings` 1 unless
    given; `dropout` stands between the convolutions of a block; `up` as in enlarging.py. Any
    picture whose sides halve as often goes through. Raises OptionError for others.
    """
    h, w, channels = shape
    halvings = HALVINGS if halvings is None else halvings
    dilated_size(h, w, halvings)
    blocks = 3 if blocks is None else blocks
    if blocks < 0:
        raise OptionError(f"blocks={blocks}: wanted at least 0 residual blocks")
    parts = Parts((h, w), norm=norm, up=up, rng=rng)
    filters = width << halvings

    def conv(dilation: int) -> Conv2d:
        return Conv2d(
            filters,
            filters,
            3,
            padding=dilation,
            dilation=dilation,
            bias=parts.norms.bias,
            init=init.dcgan,
            rng=rng,
        )

    def block(dilation: int) -> Residual:
        between = [Dropout(dropout, rng=rng)] if dropout else []
        first = [*parts.normed(conv(dilation), halvings, filters), *between]
        return Residual(Sequential(*first, conv(dilation), parts.norm(halvings, filters)))

    layers = [*parts.first(channels, width), *parts.halved(width, halvings)]
    layers += [block(1 << i) for i in range(blocks)]
    for i in reversed(range(blocks - 1)):
        layers += parts.normed(conv(1 << i), halvings, filters)
    return Sequential(*layers, *parts.doubled(width, halvings), *parts.last(width, out_channels))
