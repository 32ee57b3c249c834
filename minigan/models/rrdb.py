"""ESRGAN's generator: residual blocks within residual blocks, of dense ones, without a norm.

With k3n64 a 3x3 convolution of 64 filters (Wang et al. 2018, section 3.1, figure 4):

    k3n64
    23 blocks (RRDB)                     with k3n64 behind them, a skip over all of it
    pixels repeated 2x2, k3n64, LeakyReLU                   for each doubling
    k3n64, LeakyReLU, k3n3

    RRDB(x)  = x + beta D_3(D_2(D_1(x)))
    D_i(x)   = x + beta times the last of five convolutions, each of which sees x and all that those
               before it made: four of k3n32 with LeakyReLU, and k3n64

beta = 0.2 keeps so many sums from growing, and so do first weights of the dense blocks that are a
tenth of He's. Batch norm is left out, for its statistics differ between training and use, which the
paper found to draw artefacts. Numbers of filters, LeakyReLU's 0.2 and the weights' tenth are the
authors' code's.
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import (
    Concat,
    Conv2d,
    Identity,
    Layer,
    LeakyReLU,
    Residual,
    Scale,
    Sequential,
    Upsample,
)
from minigan.models.srgan import check_scale

BETA = 0.2  # residual scaling
SMALLER = 0.1  # times He's: first weights in dense blocks
DENSE = 4  # convolutions of a dense block before its last
BLOCKS = 23

Rng = np.random.Generator


def rrdbnet(
    channels: int,
    *,
    scale: int = 4,
    width: int = 64,
    growth: int = 32,
    blocks: int = BLOCKS,
    rng: Rng,
) -> Sequential:
    """G: pictures (N, H, W, channels) of any size -> (N, scale H, scale W, channels).

    growth: filters of the convolutions within dense blocks. Raises OptionError for a scale that is
    not 2 or 4, and for less than one block or filter.
    """
    check_scale(scale)
    if min(blocks, width, growth) < 1:
        raise OptionError(
            f"--blocks {blocks}, --width {width} and --growth {growth} must be at least 1"
        )
    trunk = [_block(width, growth, rng) for _ in range(blocks)]
    doublings = scale.bit_length() - 1
    return Sequential(
        _conv(channels, width, rng),
        Residual(Sequential(*trunk, _conv(width, width, rng))),
        *(layer for _ in range(doublings) for layer in _doubled(width, rng)),
        _conv(width, width, rng),
        LeakyReLU(negative_slope=0.2),
        _conv(width, channels, rng),
    )


def _block(width: int, growth: int, rng: Rng) -> Residual:
    """RRDB."""
    return Residual(Sequential(*(_dense(width, growth, rng) for _ in range(3)), Scale(BETA)))


def _dense(width: int, growth: int, rng: Rng) -> Residual:
    """D_i. What it has made so far stands behind x in the channels."""
    layers: list[Layer] = []
    for i in range(DENSE):
        conv = _conv(width + i * growth, growth, rng, small=True)
        made = Sequential(conv, LeakyReLU(negative_slope=0.2))
        layers.append(Concat(Identity(), made))
    last = _conv(width + DENSE * growth, width, rng, small=True)
    return Residual(Sequential(*layers, last, Scale(BETA)))


def _doubled(width: int, rng: Rng) -> list[Layer]:
    return [Upsample(scale_factor=2), _conv(width, width, rng), LeakyReLU(negative_slope=0.2)]


def _conv(cin: int, cout: int, rng: Rng, *, small: bool = False) -> Conv2d:
    first = _smaller if small else init.he_normal
    return Conv2d(cin, cout, 3, padding=1, init=first, rng=rng)


def _smaller(shape: init.Shape, fan_in: int, fan_out: int, rng: Rng) -> Array:
    return SMALLER * init.he_normal(shape, fan_in, fan_out, rng)
