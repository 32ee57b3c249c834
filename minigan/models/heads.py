"""Discriminators that say more of an example than how real it is.

Both take a discriminator whose last layer is dense and go on from the features below that layer.
"""

from __future__ import annotations

import numpy as np

from minigan.errors import OptionError
from minigan.layers import (
    BatchNorm,
    Columns,
    Concat,
    Dense,
    Layer,
    LeakyReLU,
    LogSumExp,
    Sequential,
)

UNITS = 128  # of the layer between the shared features and Q's end (InfoGAN, appendix C)


def classifying_discriminator(
    D: Sequential, classes: int, *, rng: np.random.Generator
) -> Sequential:
    """D as a classifier C with its evidence: (N, ...) -> logits of "real" (N, 1).

    The first layer of the network is C: (N, ...) -> logits (N, classes), the class of generated
    examples left out, for its logit is fixed at 0 (Salimans et al. 2016, section 5).
    """
    features, size = _features(D)
    C = Sequential(*features, Dense(size, classes, init="glorot_uniform", rng=rng))
    return Sequential(C, LogSumExp())


def recognising_discriminator(
    D: Sequential, outputs: int, *, units: int = UNITS, rng: np.random.Generator
) -> Sequential:
    """D with a head Q beside its own: (N, ...) -> logits (N, 1).

    The first layer of the network gives both, (N, 1 + outputs): D's logit, then what Q says. They
    share everything below D's last layer; Q has a layer of `units` of its own (Chen et al. 2016,
    section 5 and appendix C).
    """
    features, size = _features(D)
    Q = Sequential(
        Dense(size, units, bias=False, init="dcgan", rng=rng),
        BatchNorm(units),
        LeakyReLU(negative_slope=0.1),
        Dense(units, outputs, init="glorot_uniform", rng=rng),
    )
    return Sequential(Sequential(*features, Concat(D.layers[-1], Q)), Columns(0, 1))


def coupled_generator(first: Sequential, second: Sequential, *, own: int) -> Sequential:
    """G: z (N, z_dim) -> both pictures (N, H, W, C_1 + C_2), the channels of the second behind.

    All layers but the last `own` with weights are shared: what a picture shows is decided in
    common, how it looks by each (Liu and Tuzel 2016, section 3). Both generators have as many
    layers. Raises OptionError unless each keeps at least one of its own and shares one.
    """
    cut = _weighted(first, own, "G")[-own]
    trunk, end_1, end_2 = first.layers[:cut], first.layers[cut:], second.layers[cut:]
    return Sequential(*trunk, Concat(Sequential(*end_1), Sequential(*end_2)))


def coupled_discriminator(
    first: Sequential, second: Sequential, channels: tuple[int, int], *, own: int
) -> Concat:
    """D: pairs (N, H, W, C_1 + C_2) -> logits (N, 2), one of each picture.

    All layers but the first `own` with weights are shared: one layer that both discriminators hold,
    whose gradients add up (section 3). Raises OptionError as `coupled_generator`.
    """
    cut = _weighted(first, own, "D")[own]
    a, b = channels
    return Concat(
        Sequential(Columns(0, a), *first.layers),
        Sequential(Columns(a, a + b), *second.layers[:cut], *first.layers[cut:]),
    )


def _features(D: Sequential) -> tuple[list[Layer], int]:
    """The layers below D's last one, and how many features they give."""
    *features, end = D.layers
    if not isinstance(end, Dense):
        raise OptionError(f"{D!r} ends in {end!r}: wanted a dense layer to put heads in place of")
    return features, end.in_features


def _weighted(net: Sequential, own: int, name: str) -> list[int]:
    """Where the dense layers and convolutions stand. Raises OptionError as the callers."""
    weights = {i: layer.own_params.get("weight") for i, layer in enumerate(net.layers)}
    places = [i for i, w in weights.items() if w is not None and w.data.ndim > 1]  # 1: a norm's
    if not 1 <= own < len(places):
        raise OptionError(
            f"{own} of {name}'s {len(places)} layers for each domain alone: wanted 1 to "
            f"{len(places) - 1}, for at least one is shared (--own-{name})"
        )
    return places
