"""The original paper's experiment: Algorithm 1 on multilayer perceptrons (2014, section 5).

As there: z uniform, ReLU in G, maxout and dropout in D, momentum, k = 1. The sizes are those of the
paper's published code: two layers of 1200 units in G, two of 240 maxout units with 5 pieces in D,
momentum from 0.5. Its learning rate of 0.1 goes with bounds on the weights' norms; without these it
diverges, so 0.05 is the default here.
"""

from __future__ import annotations

from dataclasses import dataclass

from minigan.algorithms.gan import GAN
from minigan.algorithms.options import OPTIMIZERS, AdversarialOptions, Streams, Task, option
from minigan.errors import OptionError
from minigan.models import mlp_discriminator, mlp_generator
from minigan.prior import PRIORS


@dataclass(frozen=True, kw_only=True)
class MLPOptions(AdversarialOptions):
    """The game's options with the settings of the paper's code, and the networks' sizes."""

    optimizer: str = option("momentum", "rule that moves the weights", OPTIMIZERS)
    lr: float = option(0.05, "learning rate")
    momentum: float | None = option(0.5, "mu of momentum and nesterov")
    prior: str = option("uniform", "distribution of the noise z", PRIORS)
    hidden_G: tuple[int, ...] = option((1200, 1200), "units of G's hidden layers")
    hidden_D: tuple[int, ...] = option((240, 240), "units of D's hidden layers")
    pieces: int = option(5, "linear pieces of each maxout unit of D")
    dropout: float = option(0.5, "share of D's hidden units that a pass leaves out")


def build(options: MLPOptions, task: Task, streams: Streams) -> GAN:
    """The pair of perceptrons for pictures (tanh at G's end) or points (a linear end).

    Raises OptionError for values that cannot be.
    """
    for name, hidden in (("G", options.hidden_G), ("D", options.hidden_D)):
        if any(units < 1 for units in hidden):
            given = ",".join(map(str, hidden))
            raise OptionError(f"--hidden-{name} {given}: a layer has at least 1 unit")
    G = mlp_generator(
        options.z_dim,
        task.shape,
        hidden=options.hidden_G,
        bounded=task.kind == "image",
        rng=streams.weights,
    )
    D = mlp_discriminator(
        task.shape,
        hidden=options.hidden_D,
        num_pieces=options.pieces,
        dropout=options.dropout,
        rng=streams.weights,
    )
    return options.build_game(G, D, task, streams)
