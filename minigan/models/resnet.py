"""The residual generator of CycleGAN (Zhu et al. 2017, section 7.2; Johnson et al. 2016).

With c7s1-k a 7x7 convolution of k filters, dk a 3x3 one with stride 2, Rk a residual block of two
3x3 convolutions, uk a 3x3 one with stride 1/2, each with instance norm and ReLU:

    c7s1-64, d128, d256, R256 (6 times), u128, u64, c7s1-3

for pictures below 256x256, with 9 residual blocks from there on; tanh at the end. Borders are
mirrored but in dk and uk, to leave fewer artefacts.
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import (
    Conv2d,
    Dropout,
    Layer,
    ReflectionPad2d,
    ReLU,
    Residual,
    Sequential,
    Tanh,
)
from minigan.models.dcgan import GAMMA
from minigan.models.enlarging import doubled, halvable
from minigan.models.norms import Norms

HALVINGS = 2
LEAST = 2  # pixels of a side within the residual blocks, whose borders are mirrored


def resnet_size(h: int, w: int) -> None:
    """Raise OptionError unless the generator takes pictures of h x w."""
    halvable(h, w, HALVINGS, network="the residual generator", least=LEAST)


def resnet_blocks(shape: tuple[int, ...]) -> int:
    """The paper's number of residual blocks: 6, or 9 for pictures of 256x256 and more."""
    return 9 if min(shape[:2]) >= 256 else 6


def resnet_generator(
    shape: tuple[int, ...],
    out_channels: int,
    *,
    width: int = 64,
    blocks: int | None = None,
    norm: str = "instance",
    dropout: float = 0.0,
    up: str = "transposed",
    rng: np.random.Generator,
) -> Sequential:
    """G: pictures (N, H, W, C) -> (N, H, W, out_channels) in (-1, 1).

    `width` is the paper's 64; `blocks` its 6 or 9 unless given; `dropout` stands between the two
    convolutions of a block; `up` is how sizes are doubled (enlarging.py). Any picture whose sides
    are multiples of 4 goes through. Raises OptionError for others, naming the nearest sizes.
    """
    h, w, channels = shape
    resnet_size(h, w)
    blocks = resnet_blocks(shape) if blocks is None else blocks
    if blocks < 0:
        raise OptionError(f"blocks={blocks}: wanted at least 0 residual blocks")
    norms = Norms(norm, init=GAMMA, rng=rng)

    def normed(layer: Layer, i: int, filters: int) -> list[Layer]:
        return [layer, norms.after(h >> i, w >> i, filters), ReLU()]

    def block(filters: int) -> Residual:
        first = Conv2d(filters, filters, 3, bias=norms.bias, init=init.dcgan, rng=rng)
        second = Conv2d(filters, filters, 3, bias=norms.bias, init=init.dcgan, rng=rng)
        between = [Dropout(dropout, rng=rng)] if dropout else []
        body = [ReflectionPad2d(1), *normed(first, HALVINGS, filters), *between]
        body += [ReflectionPad2d(1), second, norms.after(h >> HALVINGS, w >> HALVINGS, filters)]
        return Residual(Sequential(*body))

    first = Conv2d(channels, width, 7, bias=norms.bias, init=init.dcgan, rng=rng)
    layers: list[Layer] = [ReflectionPad2d(3), *normed(first, 0, width)]
    for i in range(HALVINGS):
        cin, cout = width << i, width << (i + 1)
        down = Conv2d(cin, cout, 3, stride=2, padding=1, bias=norms.bias, init=init.dcgan, rng=rng)
        layers += normed(down, i + 1, cout)
    layers += [block(width << HALVINGS) for _ in range(blocks)]
    for i in reversed(range(HALVINGS)):
        cin, cout = width << (i + 1), width << i
        layers += normed(doubled(up, cin, cout, kernel_size=3, bias=norms.bias, rng=rng), i, cout)
    last = Conv2d(width, out_channels, 7, init=init.dcgan, rng=rng)
    return Sequential(*layers, ReflectionPad2d(3), last, Tanh())
