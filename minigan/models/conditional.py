"""Networks of two inputs for conditional games: G(z, c) and D(x, c), c a vector for each example.

Perceptrons as Mirza and Osindero's (2014, section 4.1): z and c, or x and c, each go through a
layer of their own, and both on through one more.

Convolutional networks are DCGAN's (dcgan.py), with c in one of several places. G sees it

    input       joined to z
    norm        as gain and shift of every batch norm          (Dumoulin et al. 2017, section 2.2)
    adain       as gain and shift of every instance norm       (Huang and Belongie 2017, eq. 8)

and D

    input       joined to the picture, as planes               (Mirza and Osindero 2014, figure 1)
    first       joined to what the first convolution makes, as planes
                                                               (Perarnau et al. 2016, IcGAN)
    late        joined to the last features, as planes before a 1x1 convolution
                                                               (Reed et al. 2016, section 4.1)
    two-scores  a score of x alone, and one of the pair, from features that they share; c is joined
                late                                           (Zhang et al. 2018, StackGAN++)
    auxiliary   not at all: D has to say it, as logits of the classes beside its score
                                                               (Odena et al. 2017, AC-GAN)
    projection  as an inner product with the last features     (Miyato and Koyama 2018, eq. 3)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minigan import init
from minigan.errors import UnknownNameError
from minigan.layers import (
    AdaIN,
    ConditionalBatchNorm,
    ConditionalConcat,
    ConditionalSequential,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    JoinCondition,
    Layer,
    LeakyReLU,
    Maxout,
    Parallel,
    Projection,
    ReLU,
    Reshape,
    Sequential,
    Tanh,
)
from minigan.models.dcgan import FIRST, GAMMA, base_of, growing, shrinking
from minigan.models.norms import Norms
from minigan.models.remedies import Remedies

SLOPE = 0.2

# --- perceptrons ----------------------------------------------------------------------------------


def conditional_mlp_generator(
    z_dim: int,
    cond_dim: int,
    shape: tuple[int, ...],
    *,
    units: tuple[int, int] = (200, 1000),
    hidden: int = 1200,
    bounded: bool = True,
    rng: np.random.Generator,
) -> Sequential:
    """G: z (N, z_dim), c (N, cond_dim) -> (N, *shape); units: of the layers of z and of c alone.

    `bounded` ends in tanh, for pictures in [-1, 1] (the paper's end is a sigmoid, for [0, 1]).
    """
    layers: list[Layer] = [
        Parallel(
            Sequential(Dense(z_dim, units[0], rng=rng), ReLU()),
            Sequential(Dense(cond_dim, units[1], rng=rng), ReLU()),
        ),
        Dense(sum(units), hidden, rng=rng),
        ReLU(),
        Dense(hidden, math.prod(shape), init="glorot_uniform", rng=rng),
    ]
    if bounded:
        layers.append(Tanh())
    if len(shape) > 1:
        layers.append(Reshape(*shape))
    return Sequential(*layers)


def conditional_mlp_discriminator(
    shape: tuple[int, ...],
    cond_dim: int,
    *,
    units: tuple[int, int] = (240, 50),
    hidden: int = 240,
    pieces: tuple[int, int] = (5, 4),
    dropout: float = 0.0,
    rng: np.random.Generator,
) -> Sequential:
    """D: x (N, *shape), c (N, cond_dim) -> logits (N, 1), through maxout layers with dropout.

    units: of the layers of x and of c alone, with pieces[0] pieces; `hidden` of the joint layer,
    with pieces[1].
    """
    glorot = "glorot_uniform"

    def alone(features: int, count: int) -> list[Layer]:
        dense = Dense(features, count * pieces[0], init=glorot, rng=rng)
        return [dense, Maxout(pieces[0]), *_dropout(dropout, rng)]

    return Sequential(
        Parallel(
            Sequential(*_flat(shape), *alone(math.prod(shape), units[0])),
            Sequential(*alone(cond_dim, units[1])),
        ),
        Dense(sum(units), hidden * pieces[1], init=glorot, rng=rng),
        Maxout(pieces[1]),
        *_dropout(dropout, rng),
        Dense(hidden, 1, init=glorot, rng=rng),
    )


def _flat(shape: tuple[int, ...]) -> list[Layer]:
    return [Flatten()] if len(shape) > 1 else []


def _dropout(p: float, rng: np.random.Generator) -> list[Layer]:
    return [Dropout(p, rng=rng)] if p else []


# --- convolutional networks -----------------------------------------------------------------------


def conditional_dcgan_generator(
    z_dim: int,
    cond_dim: int,
    shape: tuple[int, ...],
    *,
    width: int = 64,
    sees: str = "input",
    norm: str = "batch",
    rng: np.random.Generator,
) -> ConditionalSequential:
    """G: z (N, z_dim), c (N, cond_dim) -> pictures (N, H, W, C) in (-1, 1).

    sees: where c enters, of GENERATORS; `norm` is that of a G that sees it at the input. Raises
    UnknownNameError.
    """
    if sees not in GENERATORS:
        raise UnknownNameError("way for G to see the condition:", sees, GENERATORS)
    return GENERATORS[sees](z_dim, cond_dim, shape, width, norm, rng)


Growing = Callable[
    [int, int, tuple[int, ...], int, str, np.random.Generator], ConditionalSequential
]


def _joined(
    z_dim: int,
    cond_dim: int,
    shape: tuple[int, ...],
    width: int,
    norm: str,
    rng: np.random.Generator,
) -> ConditionalSequential:
    norms = Norms(norm, init=GAMMA, rng=rng)
    layers = growing(
        z_dim + cond_dim, shape, width=width, bias=norms.bias, norm=norms.after, rng=rng
    )
    return ConditionalSequential(JoinCondition(cond_dim), Sequential(*layers))


def _normed(kind: type[ConditionalBatchNorm] | type[AdaIN]) -> Growing:
    def build(
        z_dim: int,
        cond_dim: int,
        shape: tuple[int, ...],
        width: int,
        norm: str,
        rng: np.random.Generator,
    ) -> ConditionalSequential:
        def after(h: int, w: int, features: int) -> Layer:
            return kind(features, cond_dim, rng=rng)

        layers = growing(z_dim, shape, width=width, bias=False, norm=after, rng=rng)
        return ConditionalSequential(*layers)

    return build


GENERATORS: dict[str, Growing] = {
    "input": _joined,
    "norm": _normed(ConditionalBatchNorm),
    "adain": _normed(AdaIN),
}


def conditional_dcgan_discriminator(
    shape: tuple[int, ...],
    cond_dim: int,
    *,
    width: int = 64,
    sees: str = "input",
    norm: str = "batch",
    spectral_norm: bool = False,
    embed: int | None = None,
    rng: np.random.Generator,
) -> ConditionalSequential:
    """D: x (N, H, W, C), c (N, cond_dim) -> what `sees`, of DISCRIMINATORS, gives.

    That is (N, 1), for two-scores (N, 2) and for auxiliary (N, 1 + cond_dim). embed: numbers that c
    is first mapped to where it is joined, c itself unless given. Raises UnknownNameError.
    """
    if sees not in DISCRIMINATORS:
        raise UnknownNameError("way for D to see the condition:", sees, DISCRIMINATORS)
    parts = Remedies(spectral_norm=spectral_norm)
    plan = Plan(shape, cond_dim, width, Norms(norm, init=GAMMA, rng=rng), parts, embed, rng)
    return DISCRIMINATORS[sees](plan)


class Plan(NamedTuple):
    """What a convolutional discriminator is built of."""

    shape: tuple[int, ...]
    cond_dim: int
    width: int
    norms: Norms
    parts: Remedies
    embed: int | None
    rng: np.random.Generator

    def join(self) -> JoinCondition:
        """What joins c, or an embedding of it, to pictures."""
        if self.embed is None:
            return JoinCondition(self.cond_dim)
        dense = Dense(self.cond_dim, self.embed, bias=False, init=init.dcgan, rng=self.rng)
        return JoinCondition(self.cond_dim, self.parts.weighted(dense, self.rng))

    @property
    def beside(self) -> int:
        """How many channels are joined."""
        return self.embed or self.cond_dim

    @property
    def features(self) -> int:
        """Numbers of the last features."""
        return math.prod(base_of(self.shape, self.width))

    def trunk(self, beside: int = 0, within: int = 0) -> list[Layer]:
        """The convolutions, from pictures with `beside` more channels to the last features.

        within: how many channels come to those of the first convolution.
        """
        return shrinking(
            self.shape,
            width=self.width,
            norms=self.norms,
            parts=self.parts,
            beside=beside,
            within=within,
            rng=self.rng,
        )

    def dense(self, outputs: int, *, bias: bool = True, inputs: int | None = None) -> Layer:
        """From the last features to numbers."""
        inputs = self.features if inputs is None else inputs
        dense = Dense(inputs, outputs, bias=bias, init=init.dcgan, rng=self.rng)
        return self.parts.weighted(dense, self.rng)

    def late(self) -> list[Layer]:
        """c joined to the last features, and the score of both."""
        channels = base_of(self.shape, self.width)[2]
        conv = Conv2d(channels + self.beside, channels, 1, init=init.dcgan, rng=self.rng)
        after = [self.parts.weighted(conv, self.rng), LeakyReLU(negative_slope=SLOPE), Flatten()]
        return [self.join(), Sequential(*after, self.dense(1))]


def _at_the_input(plan: Plan) -> ConditionalSequential:
    join = plan.join()
    layers = [*plan.trunk(plan.beside), Flatten(), plan.dense(1)]
    return ConditionalSequential(join, Sequential(*layers))


def _after_the_first(plan: Plan) -> ConditionalSequential:
    join, layers = plan.join(), plan.trunk(within=plan.beside)
    first, rest = layers[:FIRST], layers[FIRST:]
    h, w, _ = base_of(plan.shape, plan.width)
    inputs = plan.features + (0 if rest else h * w * plan.beside)  # small pictures have one only
    end = [*rest, Flatten(), plan.dense(1, inputs=inputs)]
    return ConditionalSequential(Sequential(*first), join, Sequential(*end))


def _late(plan: Plan) -> ConditionalSequential:
    return ConditionalSequential(Sequential(*plan.trunk()), *plan.late())


def _two_scores(plan: Plan) -> ConditionalSequential:
    trunk = Sequential(*plan.trunk())
    realness = Sequential(Flatten(), plan.dense(1))
    return ConditionalSequential(
        trunk, ConditionalConcat(realness, ConditionalSequential(*plan.late()))
    )


def _auxiliary(plan: Plan) -> ConditionalSequential:
    layers = [*plan.trunk(), Flatten(), plan.dense(1 + plan.cond_dim)]
    return ConditionalSequential(Sequential(*layers))


def _projection(plan: Plan) -> ConditionalSequential:
    trunk = Sequential(*plan.trunk(), Flatten())
    head = Projection(
        plan.features,
        plan.cond_dim,
        embed=plan.dense(plan.features, bias=False, inputs=plan.cond_dim),
        score=plan.dense(1),
        rng=plan.rng,
    )
    return ConditionalSequential(trunk, head)


DISCRIMINATORS: dict[str, Callable[[Plan], ConditionalSequential]] = {
    "input": _at_the_input,
    "first": _after_the_first,
    "late": _late,
    "two-scores": _two_scores,
    "auxiliary": _auxiliary,
    "projection": _projection,
}
