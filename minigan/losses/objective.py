r"""What a two-player objective is: a loss for D and one for G, each with its gradient.

D gives a column of numbers, (N, 1). An objective turns D's numbers on real and on generated
examples into the losses of both players and the losses' gradients with respect to these numbers:

    loss, d_real, d_fake = objective.discriminator(real, fake)
    loss, d_fake         = objective.generator(fake, real)

Losses are descended: what a paper ascends stands with its sign turned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from minigan.backend import Array, scalar
from minigan.errors import OptionError
from minigan.layers import Layer, ReconstructionError, Sequential, Sigmoid, Tanh

Value = Any  # one number: a float, or an array of one on a card


class Objective(ABC):
    """Base: a subclass has a name, a line about itself and both losses.

    A setting of an objective is a keyword-only argument of its constructor.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    explains: ClassVar[tuple[str, ...]]  # the topics of `minigan explain` that belong to it
    needs_real: ClassVar[bool] = False  # whether G's loss looks at D's numbers on real examples
    # Whether J(D) has one over all D, where real and generated examples overlap.
    has_lower_bound: ClassVar[bool] = True

    @abstractmethod
    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        """J(D) of D's numbers on real and on generated examples, and both gradients."""

    @abstractmethod
    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        """J(G), and its gradient with respect to D's numbers on generated examples.

        `real` matters only where `needs_real`; real examples do not depend on G.
        """

    def negative(self, fake: Array) -> tuple[Value, Array]:
        """The share of J(D) that examples which are not real have alone, and its gradient.

        Raises OptionError for an objective that has none to add: one that compares real with other
        examples, or holds their scores in balance, as Wasserstein's, whose J(D) a constant in all
        scores would otherwise lower.
        """
        raise OptionError(
            f"objective {self.name!r} holds real and other examples in balance, so a third term at "
            "its whole weight cannot be added to D's loss; halve both negatives (--wrong-pairs "
            "halved)"
        )

    def positive(self, real: Array) -> tuple[Value, Array]:
        """The share of J(D) that real examples have alone, and its gradient.

        It is what `negative` leaves of J(D). Raises OptionError as that.
        """
        of_fake, _ = self.negative(real)
        loss, d_real, _ = self.discriminator(real, real)
        return loss - of_fake, d_real

    def report(self, real: Array, fake: Array) -> dict[str, Value]:
        """What a log shows of D's numbers besides the losses: here their means."""
        return {"score(x)": mean(real), "score(G(z))": mean(fake)}

    def settle(self, scalars: dict[str, Value]) -> dict[str, Value]:
        """Move what the objective itself learns, after an iteration; returns what a log shows.

        `scalars` is what the iteration's updates returned.
        """
        return {}

    def state_dict(self) -> dict[str, Array]:
        """What the objective itself has learned, by name; most learn nothing."""
        return {}

    def check(self, D: Layer) -> None:
        """Raise OptionError for a network whose numbers this objective cannot take."""
        end = last_layer(D)
        if isinstance(end, Sigmoid | Tanh):
            raise OptionError(
                f"objective {self.name!r} takes numbers of any size and D ends in {end!r}, which "
                "bounds them; leave that layer out"
            )
        if isinstance(end, ReconstructionError):
            raise OptionError(
                f"objective {self.name!r} takes scores of either sign and D gives the energies of "
                "an auto-encoder, which are never negative; use ebgan or began, or another D"
            )


def mean(x: Array) -> Value:
    """The mean as one number."""
    return scalar(x.mean())


def real_scores(objective: Objective, real: Array | None) -> Array:
    """`real`, where G's loss needs it. Raises OptionError where it was not given."""
    if real is None:
        raise OptionError(f"G's loss of objective {objective.name!r} needs D's scores of examples")
    return real


def paired(objective: Objective, real: Array, fake: Array) -> None:
    """Raise OptionError unless there are as many real as generated examples."""
    if real.shape != fake.shape:
        raise OptionError(
            f"objective {objective.name!r} compares example by example: {len(real)} real and "
            f"{len(fake)} generated ones; give as many of either"
        )


def last_layer(net: Layer) -> Layer:
    """The layer whose output is the network's."""
    while isinstance(net, Sequential) and net.layers:
        net = net.layers[-1]
    return net


def column(x: Array, value: float) -> Array:
    """`value` throughout, in x's shape, dtype and place."""
    return np.full_like(x, value)
