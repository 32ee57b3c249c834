"""PixelDA's networks: G, D and T for pictures of two domains (Bousmalis et al. 2017).

Section 4 and figure 2, and the authors' code (tensorflow/models, research/domain_adaptation):

    G   z through a dense layer, batch norm and ReLU becomes one more channel of x; C64; residual
        blocks of C64 BN ReLU C64 BN, six of them; a 1x1 convolution with tanh. Nothing is halved
    D   C64, then C128, C256, ... of stride 2 with BN until no side is above 4; a dense layer.
        LeakyReLU of slope 0.2; behind each convolution dropout and normal noise
    T   C32 pool C48 pool of 5x5 convolutions, dense layers of 100, 100 and a number for each class;
        ReLU. The classifier of digits of Ganin and Lempitsky 2015, arXiv:1409.7495

Convolutions are 3x3 unless said and keep the size but for their stride. First weights are drawn
from N(0, 0.02^2).
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import (
    BatchNorm,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    Identity,
    Layer,
    LeakyReLU,
    MaxPool2d,
    Parallel,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    Tanh,
)
from minigan.ops.patches import conv_output_size

EPS = 1e-3  # of batch norm
LEFT = 4  # pixels of a side at which D stops halving
SLOPE = 0.2
FILTERS_T = (32, 48)
HIDDEN_T = 100

Rng = np.random.Generator


def pixelda_generator(
    shape: tuple[int, ...],
    out_channels: int,
    z_dim: int,
    *,
    width: int = 64,
    blocks: int = 6,
    rng: Rng,
) -> Sequential:
    """G: pictures (N, H, W, C), z (N, z_dim) -> pictures (N, H, W, out_channels) in (-1, 1).

    Raises OptionError for less than no blocks.
    """
    if blocks < 0:
        raise OptionError(f"--blocks {blocks} must be at least 0")
    h, w, channels = shape
    channel = Sequential(
        Dense(z_dim, h * w, bias=False, init=init.dcgan, rng=rng),
        BatchNorm(h * w, eps=EPS),
        ReLU(),
        Reshape(h, w, 1),
    )
    return Sequential(
        Parallel(Identity(), channel),
        _conv(channels + 1, width, rng),
        ReLU(),
        *(_block(width, rng) for _ in range(blocks)),
        _conv(width, out_channels, rng, kernel_size=1),
        Tanh(),
    )


def pixelda_discriminator(
    shape: tuple[int, ...],
    *,
    width: int = 64,
    dropout: float = 0.1,
    noise: float = 0.2,
    rng: Rng,
) -> Sequential:
    """D: pictures (N, H, W, C) -> logits (N, 1).

    dropout: share of the numbers behind each convolution that is left out; noise: the standard
    deviation of what is added to them.
    """
    h, w, channels = shape
    layers: list[Layer] = [_conv(channels, width, rng), *_disturbed(dropout, noise, rng)]
    while max(h, w) > LEFT:
        layers += [
            _conv(width, 2 * width, rng, stride=2, bias=False),
            BatchNorm(2 * width, eps=EPS),
            *_disturbed(dropout, noise, rng),
        ]
        width *= 2
        h, w = (conv_output_size(side, 3, 2, 1, 1) for side in (h, w))
    return Sequential(*layers, Flatten(), Dense(h * w * width, 1, init=init.dcgan, rng=rng))


def task_classifier(shape: tuple[int, ...], classes: int, *, rng: Rng) -> Sequential:
    """T: pictures (N, H, W, C) -> logits (N, classes).

    Raises OptionError for sides below 4, which cannot be halved twice.
    """
    h, w, channels = shape
    if min(h, w) < 4:
        raise OptionError(f"pictures of {h}x{w} are too small for T: give sides of 4 or more")
    layers: list[Layer] = []
    for filters in FILTERS_T:
        layers += [_conv(channels, filters, rng, kernel_size=5), ReLU(), MaxPool2d(2)]
        channels, h, w = filters, h // 2, w // 2
    features = h * w * channels
    layers.append(Flatten())
    for units in (HIDDEN_T, HIDDEN_T):
        layers += [Dense(features, units, init=init.dcgan, rng=rng), ReLU()]
        features = units
    return Sequential(*layers, Dense(features, classes, init=init.dcgan, rng=rng))


def _block(width: int, rng: Rng) -> Residual:
    def half() -> list[Layer]:
        return [_conv(width, width, rng, bias=False), BatchNorm(width, eps=EPS)]

    return Residual(Sequential(*half(), ReLU(), *half()))


def _disturbed(dropout: float, noise: float, rng: Rng) -> list[Layer]:
    """What follows a convolution of D."""
    layers: list[Layer] = [LeakyReLU(negative_slope=SLOPE)]
    if dropout:
        layers.append(Dropout(dropout, rng=rng))
    if noise:
        layers.append(GaussianNoise(noise, rng=rng))
    return layers


def _conv(
    cin: int, cout: int, rng: Rng, *, kernel_size: int = 3, stride: int = 1, bias: bool = True
) -> Conv2d:
    return Conv2d(
        cin,
        cout,
        kernel_size,
        stride=stride,
        padding=kernel_size // 2,
        bias=bias,
        init=init.dcgan,
        rng=rng,
    )
