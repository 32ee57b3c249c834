"""Encoders, decoders, and discriminators of codes and of pairs (example, code).

Perceptrons of rectified units for any data; for pictures DCGAN's convolutions: the encoder is its
discriminator with as many outputs as a code needs, the decoder its generator. A discriminator of
pairs reads the picture first and joins the code where the picture has become features (Donahue et
al. 2017; Dumoulin et al. 2017).

Hidden units are ReLU in encoders and decoders, LeakyReLU 0.2 in discriminators, as in DCGAN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minigan import init
from minigan.layers import (
    Dense,
    Flatten,
    Identity,
    Layer,
    LeakyReLU,
    Parallel,
    ReLU,
    Sequential,
)
from minigan.models.dcgan import dcgan_discriminator, dcgan_generator

Rng = np.random.Generator


def mlp_encoder(
    shape: tuple[int, ...], outputs: int, *, hidden: Sequence[int] = (128, 128), rng: Rng
) -> Sequential:
    """E: examples (N, *shape) -> (N, outputs) through ReLU layers, its end linear."""
    flat: list[Layer] = [Flatten()] if len(shape) > 1 else []
    return Sequential(*flat, *_perceptron(math.prod(shape), outputs, hidden, 0.0, rng))


def dense_discriminator(
    shape: tuple[int, ...], *, hidden: Sequence[int] = (128, 128), rng: Rng
) -> Sequential:
    """D: examples (N, *shape), or codes with the shape (z_dim,), -> logits (N, 1)."""
    flat: list[Layer] = [Flatten()] if len(shape) > 1 else []
    return Sequential(*flat, *_perceptron(math.prod(shape), 1, hidden, 0.2, rng))


def mlp_joint_discriminator(
    shape: tuple[int, ...], z_dim: int, *, hidden: Sequence[int] = (128, 128), rng: Rng
) -> Sequential:
    """D: pairs of examples (N, *shape) and codes (N, z_dim) -> logits (N, 1).

    Both are joined at the first layer.
    """
    join = Parallel(Flatten() if len(shape) > 1 else Identity(), Identity())
    return Sequential(join, *_perceptron(math.prod(shape) + z_dim, 1, hidden, 0.2, rng))


def conv_encoder(shape: tuple[int, ...], outputs: int, *, width: int = 64, rng: Rng) -> Sequential:
    """E: pictures (N, H, W, C) -> (N, outputs): DCGAN's discriminator with another end."""
    features, size = _picture_features(shape, width, rng)
    return Sequential(*features, Dense(size, outputs, init=init.dcgan, rng=rng))


def conv_decoder(
    z_dim: int, shape: tuple[int, ...], *, width: int = 64, bounded: bool = True, rng: Rng
) -> Sequential:
    """G: codes (N, z_dim) -> pictures (N, H, W, C): DCGAN's generator.

    Without `bounded` the tanh at its end is left out, for logits.
    """
    G = dcgan_generator(z_dim, shape, width=width, rng=rng)
    return G if bounded else Sequential(*G.layers[:-1])


def conv_joint_discriminator(
    shape: tuple[int, ...], z_dim: int, *, width: int = 64, units: int = 512, rng: Rng
) -> Sequential:
    """D: pairs of pictures (N, H, W, C) and codes (N, z_dim) -> logits (N, 1).

    DCGAN's convolutions read the picture, a layer of `units` the code; another one reads both.
    """
    features, size = _picture_features(shape, width, rng)
    code = [_dense(z_dim, units, rng), LeakyReLU(negative_slope=0.2)]
    return Sequential(
        Parallel(Sequential(*features), Sequential(*code)),
        _dense(size + units, units, rng),
        LeakyReLU(negative_slope=0.2),
        Dense(units, 1, init=init.dcgan, rng=rng),
    )


def _picture_features(shape: tuple[int, ...], width: int, rng: Rng) -> tuple[list[Layer], int]:
    """DCGAN's discriminator without its last layer, and how many features it gives."""
    *features, end = dcgan_discriminator(shape, width=width, rng=rng).layers
    assert isinstance(end, Dense)
    return features, end.in_features


def _perceptron(
    features: int, outputs: int, hidden: Sequence[int], negative_slope: float, rng: Rng
) -> list[Layer]:
    layers: list[Layer] = []
    for units in hidden:
        rectifier = LeakyReLU(negative_slope=negative_slope) if negative_slope else ReLU()
        layers += [_dense(features, units, rng), rectifier]
        features = units
    return [*layers, Dense(features, outputs, init="glorot_uniform", rng=rng)]


def _dense(features: int, units: int, rng: Rng) -> Dense:
    """A layer under a rectifier."""
    return Dense(features, units, init="he_normal", rng=rng)
