r"""BEGAN's networks: 3x3 convolutions and exponential linear units, no norm (section 3.5).

The encoder adds `width` channels with every halving of the picture; the decoder keeps `width`
channels and doubles the size by nearest neighbours. G has the decoder's architecture. A linear
layer stands between pictures and codes, without an activation. Here the decoder ends in tanh, since
pictures lie in [-1, 1].

Berthelot, Schumm, Metz 2017, arXiv:1703.10717, figure 1.
"""

from __future__ import annotations

import math

import numpy as np

from minigan.layers import ELU, Conv2d, Dense, Flatten, Layer, Reshape, Sequential, Tanh, Upsample
from minigan.models.dcgan import halvings


def began_encoder(
    shape: tuple[int, ...], outputs: int, *, width: int = 64, rng: np.random.Generator
) -> Sequential:
    """Pictures (N, H, W, C) -> codes (N, outputs), for the sizes that DCGAN takes.

    Raises OptionError for others, naming the nearest.
    """
    n = halvings(shape, network="BEGAN")
    layers: list[Layer] = [_conv(shape[-1], width, rng), ELU()]
    for i in range(1, n + 1):
        layers += [_conv(i * width, i * width, rng), ELU()]
        layers += [_conv(i * width, (i + 1) * width, rng, stride=2), ELU()]
    layers += [_conv((n + 1) * width, (n + 1) * width, rng), ELU(), Flatten()]
    features = math.prod(_base(shape)) * (n + 1) * width
    return Sequential(*layers, Dense(features, outputs, init="glorot_uniform", rng=rng))


def began_decoder(
    z_dim: int, shape: tuple[int, ...], *, width: int = 64, rng: np.random.Generator
) -> Sequential:
    """Codes or noise (N, z_dim) -> pictures (N, H, W, C) in (-1, 1). Raises as `began_encoder`."""
    n = halvings(shape, network="BEGAN")
    base = _base(shape)
    layers: list[Layer] = [
        Dense(z_dim, math.prod(base) * width, init="glorot_uniform", rng=rng),
        Reshape(*base, width),
    ]
    for _ in range(n):
        layers += [_conv(width, width, rng), ELU(), Upsample(scale_factor=2)]
    layers += [_conv(width, width, rng), ELU(), _conv(width, shape[-1], rng), Tanh()]
    return Sequential(*layers)


def _conv(cin: int, cout: int, rng: np.random.Generator, *, stride: int = 1) -> Conv2d:
    return Conv2d(cin, cout, 3, stride=stride, padding=1, init="glorot_uniform", rng=rng)


def _base(shape: tuple[int, ...]) -> tuple[int, int]:
    """What the picture has been halved to."""
    n = halvings(shape, network="BEGAN")
    return shape[0] >> n, shape[1] >> n
