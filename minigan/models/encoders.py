"""Encoders of pictures into a row of numbers (Zhu et al. 2017, arXiv:1711.11586, section 4).

    residual    a 4x4 convolution of k filters with stride 2, then residual blocks that halve by
                averaging, of 2k, 3k and 4k filters, and 4k from there on
    conv        4x4 convolutions with stride 2, of k, 2k and 4k filters, and 4k from there on

down to a side of 8; the mean over places, and a dense layer. The first is BicycleGAN's E_ResNet,
the second its E_CNN. A residual block is

    x -> conv1x1(mean2x2(x)) + mean2x2(conv3x3(f(conv3x3(f(x)))))       f: norm, LeakyReLU 0.2

Its norms stand in the block alone: a picture's colours, which an instance norm takes away, go by
the shortcuts.
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import (
    AvgPool2d,
    Conv2d,
    Dense,
    GlobalAvgPool,
    Layer,
    LeakyReLU,
    Residual,
    Sequential,
)
from minigan.models.dcgan import GAMMA
from minigan.models.norms import Norms

PAPER = "Zhu et al. 2017, arXiv:1711.11586, section 4"

Rng = np.random.Generator
SIDE = 8  # of the features that are averaged, or less
WIDEST = 4  # times `width`
LEAST = 4  # pixels of a side


def encoder_halvings(shape: tuple[int, ...]) -> int:
    """How often pictures (H, W, C) are halved: to a side of 8, or while both sides are even.

    Raises OptionError for pictures that cannot be halved once.
    """
    h, w = shape[:2]
    if h % 2 or w % 2 or min(h, w) < LEAST:
        raise OptionError(
            f"an encoder halves pictures at least once, and those of {h}x{w} it cannot; both sides "
            f"must be even, {LEAST} or more (--size)"
        )
    n = 1
    while min(h, w) >> n > SIDE and not (h >> n) % 2 and not (w >> n) % 2:
        n += 1
    return n


def residual_encoder(
    shape: tuple[int, ...], outputs: int, *, width: int = 64, norm: str = "instance", rng: Rng
) -> Sequential:
    """E: pictures (N, H, W, C) -> (N, outputs). Raises OptionError as `encoder_halvings`."""
    n = encoder_halvings(shape)
    h, w, channels = shape
    norms = Norms(norm, init=GAMMA, rng=rng)
    filters = [width * min(i + 1, WIDEST) for i in range(n)]

    def block(i: int) -> Residual:
        """From encoder layer i - 1 to layer i."""
        cin, cout, sides = filters[i - 1], filters[i], (h >> i, w >> i)

        def seen() -> list[Layer]:
            return [norms.after(*sides, cin), _leaky()]

        first = _conv(cin, cin, 3, 1, bias=norms.bias, rng=rng)
        second = _conv(cin, cout, 3, 1, bias=True, rng=rng)
        body = Sequential(*seen(), first, *seen(), second, AvgPool2d(2))
        return Residual(body, Sequential(AvgPool2d(2), _conv(cin, cout, 1, 1, bias=True, rng=rng)))

    return Sequential(
        _conv(channels, filters[0], 4, 2, bias=True, rng=rng),
        *(block(i) for i in range(1, n)),
        *_end(filters[-1], outputs, rng),
    )


def strided_encoder(
    shape: tuple[int, ...], outputs: int, *, width: int = 64, norm: str = "instance", rng: Rng
) -> Sequential:
    """E: pictures (N, H, W, C) -> (N, outputs). Raises OptionError as `encoder_halvings`."""
    n = encoder_halvings(shape)
    h, w, cin = shape
    norms = Norms(norm, init=GAMMA, rng=rng)
    layers: list[Layer] = []
    for i in range(n):
        cout = width * min(1 << i, WIDEST)
        layers += [_leaky()] if i else []
        layers.append(_conv(cin, cout, 4, 2, bias=i == 0 or norms.bias, rng=rng))
        layers += [norms.after(h >> (i + 1), w >> (i + 1), cout)] if i else []
        cin = cout
    return Sequential(*layers, *_end(cin, outputs, rng))


def _end(features: int, outputs: int, rng: Rng) -> list[Layer]:
    return [_leaky(), GlobalAvgPool(), Dense(features, outputs, init=init.dcgan, rng=rng)]


def _conv(cin: int, cout: int, kernel_size: int, stride: int, *, bias: bool, rng: Rng) -> Conv2d:
    padding = (kernel_size - 1) // 2
    how = {"stride": stride, "padding": padding}
    return Conv2d(cin, cout, kernel_size, bias=bias, init=init.dcgan, rng=rng, **how)


def _leaky() -> LeakyReLU:
    return LeakyReLU(negative_slope=0.2)


ENCODERS = {"resnet": residual_encoder, "conv": strided_encoder}
