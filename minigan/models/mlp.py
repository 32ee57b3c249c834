"""The multilayer perceptrons of the original paper (Goodfellow et al. 2014, section 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import (
    Dense,
    Dropout,
    Flatten,
    Identity,
    Layer,
    Maxout,
    ReLU,
    Reshape,
    Sequential,
    Tanh,
)
from minigan.models.norms import Norms
from minigan.models.remedies import Remedies


def mlp_generator(
    z_dim: int,
    shape: tuple[int, ...],
    *,
    hidden: Sequence[int] = (128, 128),
    bounded: bool = True,
    norm: str = "none",
    reference: Array | None = None,
    rng: np.random.Generator,
) -> Sequential:
    """G: z (N, z_dim) -> (N, *shape), through ReLU layers with a norm before each ReLU.

    `bounded` ends in tanh, for pictures in [-1, 1]; points in the plane take a linear end. The
    norms "reference" and "virtual" need a `reference` of z. Raises OptionError for z_dim below 1,
    UnknownNameError for a norm.
    """
    if z_dim < 1:
        raise OptionError(f"z_dim={z_dim} must be at least 1")
    norms = Norms(norm, reference=reference, rng=rng)
    layers: list[Layer] = []
    features = z_dim
    for units in hidden:
        layers += [
            Dense(features, units, bias=norms.bias, rng=rng),
            *_kept(norms.after(units)),
            ReLU(),
        ]
        features = units
    layers.append(Dense(features, math.prod(shape), init="glorot_uniform", rng=rng))
    if bounded:
        layers.append(Tanh())
    if len(shape) > 1:
        layers.append(Reshape(*shape))
    return norms.network(*layers)


def mlp_discriminator(
    shape: tuple[int, ...],
    *,
    hidden: Sequence[int] = (128, 128),
    num_pieces: int = 5,
    dropout: float = 0.0,
    norm: str = "none",
    reference: Array | None = None,
    remedies: Remedies | None = None,
    rng: np.random.Generator,
) -> Sequential:
    """D: (N, *shape) -> logits (N, 1), one for each pack, through maxout layers with dropout.

    A norm stands before each maxout; "reference" and "virtual" need a `reference` of examples.
    Raises UnknownNameError for a norm.
    """
    parts = remedies or Remedies()
    norms = Norms(norm, reference=reference, pac=parts.pac, rng=rng)
    layers: list[Layer] = [Flatten()] if len(shape) > 1 else []
    features = math.prod(shape) * parts.pac
    for units in hidden:
        pieces = units * num_pieces
        dense = Dense(features, pieces, bias=norms.bias, init="glorot_uniform", rng=rng)
        layers += [parts.weighted(dense, rng), *_kept(norms.after(pieces)), Maxout(num_pieces)]
        if dropout:
            layers.append(Dropout(dropout, rng=rng))
        features = units
    layers += parts.deviation()
    features += parts.minibatch_stddev  # one number
    layers += parts.comparison(features, rng)
    features += parts.minibatch_discrimination
    layers.append(parts.weighted(Dense(features, 1, init="glorot_uniform", rng=rng), rng))
    return norms.network(*layers)


def _kept(layer: Layer) -> list[Layer]:
    """The layer, unless it does nothing."""
    return [] if isinstance(layer, Identity) else [layer]
