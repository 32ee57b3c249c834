"""Encoders, decoders, and discriminators of codes and of pairs (example, code).

Perceptrons of rectified units for any data; for pictures DCGAN's convolutions: the encoder is its
discriminator with as many outputs as a code needs, the decoder its generator. A discriminator of
pairs reads the picture first and joins the code where the picture has become features (Donahue et
al. 2017; Dumoulin et al. 2017).

Hidden units are ReLU in encoders and decoders, LeakyReLU 0.2 in discriminators, as in DCGAN. With
`batch_norm` perceptrons are BiGAN's: batch norm without gamma and beta on every hidden layer but
the first, and weights from N(0, 0.02^2) (Donahue et al. 2017, section 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from minigan.layers import (
    BatchNorm,
    Dense,
    Flatten,
    Identity,
    Layer,
    LeakyReLU,
    Parallel,
    ReLU,
    Reshape,
    Sequential,
    Tanh,
)
from minigan.models.dcgan import dcgan_discriminator, dcgan_generator

Rng = np.random.Generator


def mlp_encoder(
    shape: tuple[int, ...],
    outputs: int,
    *,
    hidden: Sequence[int] = (128, 128),
    batch_norm: bool = False,
    rng: Rng,
) -> Sequential:
    """E: examples (N, *shape) -> (N, outputs) through ReLU layers, its end linear."""
    flat: list[Layer] = [Flatten()] if len(shape) > 1 else []
    sizes = [math.prod(shape), *hidden, outputs]
    return Sequential(*flat, *_perceptron(sizes, ReLU, batch_norm, rng))


def mlp_decoder(
    z_dim: int,
    shape: tuple[int, ...],
    *,
    hidden: Sequence[int] = (128, 128),
    bounded: bool = True,
    batch_norm: bool = False,
    rng: Rng,
) -> Sequential:
    """G: codes (N, z_dim) -> examples (N, *shape) through ReLU layers.

    `bounded` ends in tanh, for pictures in [-1, 1]; points and logits take a linear end.
    """
    layers = _perceptron([z_dim, *hidden, math.prod(shape)], ReLU, batch_norm, rng)
    if bounded:
        layers.append(Tanh())
    if len(shape) > 1:
        layers.append(Reshape(*shape))
    return Sequential(*layers)


def dense_discriminator(
    shape: tuple[int, ...], *, hidden: Sequence[int] = (128, 128), rng: Rng
) -> Sequential:
    """D: examples (N, *shape), or codes with the shape (z_dim,), -> logits (N, 1)."""
    flat: list[Layer] = [Flatten()] if len(shape) > 1 else []
    return Sequential(*flat, *_perceptron([math.prod(shape), *hidden, 1], _leaky, False, rng))


def mlp_joint_discriminator(
    shape: tuple[int, ...],
    z_dim: int,
    *,
    hidden: Sequence[int] = (128, 128),
    batch_norm: bool = False,
    rng: Rng,
) -> Sequential:
    """D: pairs of examples (N, *shape) and codes (N, z_dim) -> logits (N, 1).

    Both are joined at the first layer.
    """
    join = Parallel(Flatten() if len(shape) > 1 else Identity(), Identity())
    sizes = [math.prod(shape) + z_dim, *hidden, 1]
    return Sequential(join, *_perceptron(sizes, _leaky, batch_norm, rng))


def conv_encoder(shape: tuple[int, ...], outputs: int, *, width: int = 64, rng: Rng) -> Sequential:
    """E: pictures (N, H, W, C) -> (N, outputs): DCGAN's discriminator with another end.

    Raises OptionError for a size that DCGAN does not take, as all networks here for pictures.
    """
    features, size = _picture_features(shape, width, rng)
    return Sequential(*features, Dense(size, outputs, init="dcgan", rng=rng))


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
    code = Sequential(Dense(z_dim, units, init="dcgan", rng=rng), _leaky())
    return Sequential(
        Parallel(Sequential(*features), code),
        Dense(size + units, units, init="dcgan", rng=rng),
        _leaky(),
        Dense(units, 1, init="dcgan", rng=rng),
    )


def _picture_features(shape: tuple[int, ...], width: int, rng: Rng) -> tuple[list[Layer], int]:
    """DCGAN's discriminator without its last layer, and how many features it gives."""
    *features, end = dcgan_discriminator(shape, width=width, rng=rng).layers
    assert isinstance(end, Dense)
    return features, end.in_features


def _perceptron(
    sizes: Sequence[int], rectifier: Callable[[], Layer], batch_norm: bool, rng: Rng
) -> list[Layer]:
    """Dense layers through the sizes, a rectifier after each but the last."""
    draw = ("dcgan", "dcgan") if batch_norm else ("he_normal", "glorot_uniform")
    layers: list[Layer] = []
    *hidden, end = pairwise(sizes)
    for i, (features, units) in enumerate(hidden):
        normed = batch_norm and i > 0  # which takes a bias away
        layers.append(Dense(features, units, bias=not normed, init=draw[0], rng=rng))
        if normed:
            layers.append(BatchNorm(units, affine=False))
        layers.append(rectifier())
    return [*layers, Dense(*end, init=draw[1], rng=rng)]


def _leaky() -> LeakyReLU:
    return LeakyReLU(negative_slope=0.2)
