"""Conditional GAN on perceptrons (Mirza and Osindero 2014, arXiv:1411.1784, section 4.1).

As there: z of 100 uniform numbers and the class go through 200 and 1000 ReLU units and then 1200
together; D has maxout units, 240 of 5 pieces for x, 50 of 5 for the class, 240 of 4 for both, and
dropout. z is of (-1, 1) here, of [0, 1] in the paper, whose stochastic gradient descent with a
falling rate and rising momentum is Adam here. Its D has two terms: --wrong-pairs none.
"""

from __future__ import annotations

from dataclasses import dataclass

from minigan.algorithms.conditional.game import ConditionalGAN
from minigan.algorithms.conditional.options import ConditionalOptions, condition_size
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import option
from minigan.errors import OptionError
from minigan.losses.conditional import PairJudge
from minigan.models import conditional_mlp_discriminator, conditional_mlp_generator
from minigan.prior import PRIORS


@dataclass(frozen=True, kw_only=True)
class CGANOptions(ConditionalOptions):
    """The game's options with the paper's networks."""

    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    prior: str = option("uniform", "distribution of the noise z", PRIORS)
    hidden_G: tuple[int, ...] = option((200, 1000, 1200), "units of G: of z, of the label, of both")
    hidden_D: tuple[int, ...] = option((240, 50, 240), "units of D: of x, of the label, of both")
    dropout: float = option(0.5, "share of D's hidden units that a pass leaves out")


def build(options: CGANOptions, task: Task, streams: Streams) -> ConditionalGAN:
    """The game on the paper's pair. Raises OptionError for values that cannot be."""
    for name, hidden in (("G", options.hidden_G), ("D", options.hidden_D)):
        if len(hidden) != 3 or min(hidden) < 1:
            given = ",".join(map(str, hidden))
            raise OptionError(f"--hidden-{name} {given}: wanted three numbers of units above 0")
    size = condition_size(task)
    first, second, both = options.hidden_G
    G = conditional_mlp_generator(
        options.z_dim,
        size,
        task.shape,
        units=(first, second),
        hidden=both,
        bounded=task.kind == "image",
        rng=streams.weights,
    )
    first, second, both = options.hidden_D
    D = conditional_mlp_discriminator(
        task.shape,
        size,
        units=(first, second),
        hidden=both,
        dropout=options.dropout,
        rng=streams.weights,
    )
    third = options.third_term()
    return options.build_conditional(G, D, task, streams, PairJudge, wrong_pairs=third)
