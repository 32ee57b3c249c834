"""The multilayer perceptrons of the original paper (Goodfellow et al. 2014, section 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minigan.layers import (
    Dense,
    Dropout,
    Flatten,
    Layer,
    Maxout,
    ReLU,
    Reshape,
    Sequential,
    Tanh,
)


def mlp_generator(
    z_dim: int,
    shape: tuple[int, ...],
    *,
    hidden: Sequence[int] = (128, 128),
    bounded: bool = True,
    rng: np.random.Generator,
) -> Sequential:
    """G: z (N, z_dim) -> (N, *shape), through ReLU layers.

    `bounded` ends in tanh, for pictures in [-1, 1]; points in the plane take a linear end.
    """
    layers: list[Layer] = []
    features = z_dim
    for units in hidden:
        layers += [Dense(features, units, rng=rng), ReLU()]
        features = units
    layers.append(Dense(features, math.prod(shape), init="glorot_uniform", rng=rng))
    if bounded:
        layers.append(Tanh())
    if len(shape) > 1:
        layers.append(Reshape(*shape))
    return Sequential(*layers)


def mlp_discriminator(
    shape: tuple[int, ...],
    *,
    hidden: Sequence[int] = (128, 128),
    num_pieces: int = 5,
    dropout: float = 0.0,
    rng: np.random.Generator,
) -> Sequential:
    """D: (N, *shape) -> logits (N, 1), through maxout layers of num_pieces, with dropout."""
    layers: list[Layer] = [Flatten()] if len(shape) > 1 else []
    features = math.prod(shape)
    for units in hidden:
        layers += [
            Dense(features, units * num_pieces, init="glorot_uniform", rng=rng),
            Maxout(num_pieces),
        ]
        if dropout:
            layers.append(Dropout(dropout, rng=rng))
        features = units
    layers.append(Dense(features, 1, init="glorot_uniform", rng=rng))
    return Sequential(*layers)
