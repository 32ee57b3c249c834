"""The original paper's experiment: Algorithm 1 on multilayer perceptrons (2014, section 5).

As there: ReLU in G, maxout and dropout in D, momentum, k = 1. z is uniform: the paper names no
distribution, and its published code sets none, so that z is normal there. The sizes are those of
that code: two layers of 1200 units in G, two of 240 maxout units with 5 pieces in D, momentum from
0.5. It also drops out a fifth of D's inputs, which is left out here. Its learning rate of 0.1 goes
with bounds on the weights' norms; without these it diverges, so 0.05 is the default here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from minigan.algorithms.checks import check_units
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import OPTIMIZERS, OptimizerOptions, Streams, Task
from minigan.algorithms.remedies import RemedyOptions
from minigan.algorithms.settings import option
from minigan.layers import Layer
from minigan.models import mlp_discriminator, mlp_generator
from minigan.models.norms import NORMS
from minigan.prior import PRIORS

DENSE_NORMS = [name for name in NORMS if name != "instance"]  # which is over a picture's places


@dataclass(frozen=True, kw_only=True)
class MLPOptions(RemedyOptions):
    """The game's options with the settings of the paper's code, and the networks' sizes."""

    optimizer: str = option("momentum", "rule that moves the weights", OPTIMIZERS)
    lr: float = option(0.05, "learning rate")
    momentum: float | None = option(0.5, "mu of momentum and nesterov")
    prior: str = option("uniform", "distribution of the noise z", PRIORS)
    hidden_G: tuple[int, ...] = option((1200, 1200), "units of G's hidden layers")
    hidden_D: tuple[int, ...] = option((240, 240), "units of D's hidden layers")
    norm_G: str = option("none", "norm in G, before each ReLU", DENSE_NORMS)
    norm_D: str = option("none", "norm in D, before each maxout", DENSE_NORMS)
    pieces: int = option(5, "linear pieces of each maxout unit of D")
    dropout: float = option(0.5, "share of D's hidden units that a pass leaves out")

    @classmethod
    def of(cls, **given: Any) -> Self:
        """As its base's; the norms of presets are those of convolutional critics.

        The default rate is momentum's: rules that scale the gradient have a rate of their own.
        """
        if given.get("optimizer") in ("rmsprop", "adam", "adamw"):
            given = {"lr": OptimizerOptions.lr} | given
        return super().of(**{"norm_D": "none"} | given)


def networks(options: MLPOptions, task: Task, streams: Streams) -> tuple[Layer, Layer]:
    """The pair of perceptrons for pictures (tanh at G's end) or points (a linear end).

    Raises OptionError for values that cannot be.
    """
    check_units(options, "hidden_G", "hidden_D")
    G = mlp_generator(
        options.z_dim,
        task.shape,
        hidden=options.hidden_G,
        bounded=task.kind == "image",
        norm=options.norm_G,
        reference=options.reference_z(options.norm_G, streams),
        rng=streams.weights,
    )
    D = mlp_discriminator(
        task.shape,
        hidden=options.hidden_D,
        num_pieces=options.pieces,
        dropout=options.dropout,
        norm=options.norm_D,
        reference=options.reference_x(options.norm_D, task),
        remedies=options.remedies(task),
        rng=streams.weights,
    )
    return G, D


def build(options: MLPOptions, task: Task, streams: Streams) -> GAN:
    """Algorithm 1 on the pair of networks. Raises OptionError for values that cannot be."""
    return options.build_game(*networks(options, task, streams), task, streams)
