"""What Algorithm 1 can be given besides networks and an objective: small parts, each optional.

A part adds its gradient to what a player has, or changes what D is shown, and says what it cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from minigan.backend import Array, array_module, on_cuda
from minigan.cuda import step_value
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses.objective import Objective, Value
from minigan.noise import Rng
from minigan.schedule import linear_decay

PAPER = "Arjovsky et al. 2017, Wasserstein GAN, arXiv:1701.07875, Algorithm 1, line 7"

EQUATIONS = {"clipping.w": r"w \leftarrow \mathrm{clip}(w, -c, c)"}


class CriticTerm(Protocol):
    """A term of D's loss beyond the objective: a gradient penalty, GoGAN's ranking."""

    @property
    def name(self) -> str:
        """What its value is called in the log."""

    def __call__(self, D: Layer, real: Array, fake: Array, rng: Rng) -> Value:
        """The term's value; its gradient is added to D's parameters."""

    def check(self, D: Layer) -> None:
        """Raise OptionError for a D that the term is not defined for."""


class Regularizer(Protocol):
    """A term of a player's loss that depends on its weights alone, e.g. historical averaging."""

    name: str

    def __call__(self, net: Layer) -> Value:
        """The term's value; its gradient is added to the network's parameters."""

    def state_dict(self) -> dict[str, Array]:
        """What a resumed run needs of it, by name."""

    def to(self, device: str) -> None:
        """Follow the network to `device`."""


Regularizers = Mapping[str, Sequence[Regularizer]]  # for "G" and "D"


class GeneratorLoss(Protocol):
    """What G descends."""

    def __call__(self, D: Layer, fake: Array, real: Array) -> tuple[Value, Array]:
        """The loss of generated examples, and its gradient with respect to them.

        D is frozen: its weights get no gradient, its running statistics do not move. `real` are
        the examples of the data that D saw last.
        """


class Fooling:
    """G's loss of an objective: D's numbers on what G made, and on examples where it needs them."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def __call__(self, D: Layer, fake: Array, real: Array | None) -> tuple[Value, Array]:
        scores, ctx = D.forward(fake, update_stats=False)
        real_scores = None
        if self.objective.needs_real and real is not None:
            real_scores = D.forward(real, update_stats=False)[0]
        loss, d_scores = self.objective.generator(scores, real_scores)
        return loss, D.backward(d_scores, ctx, need_dw=False)


class InstanceNoise:
    """Normal noise on everything that D is shown, from `std` in a straight line to 0 at `steps`.

    The two distributions then overlap from the start, so that D cannot tell them apart for sure
    (Arjovsky and Bottou 2017, arXiv:1701.04862, section 3; Sonderby et al. 2017, arXiv:1610.04490).
    """

    def __init__(self, std: float, *, steps: int) -> None:
        if not 0 < std < np.inf:
            raise OptionError(f"instance noise of std={std!r}: wanted above 0 and finite")
        self.std = linear_decay(std, start=0, end=max(steps, 1))

    def __call__(self, x: Array, step: Callable[[], int], rng: Rng) -> Array:
        """x with the noise of step(); a captured step asks for it before each replay."""
        std = step_value(lambda: self.std(step()), x)
        if not on_cuda(x) and not std:
            return x
        noise = array_module(x).asarray(rng.standard_normal(x.shape), x.dtype)
        return x + std * noise


class WeightClipping:
    """Every weight of D put back into [-c, c] (WGAN's Algorithm 1, line 7)."""

    def __init__(self, c: float) -> None:
        if not 0 < c < np.inf:
            raise OptionError(f"weights clipped to {c!r}: wanted above 0 and finite")
        self.c = c

    def __call__(self, net: Layer) -> None:
        weights = net.flat.data
        np.clip(weights, -self.c, self.c, out=weights)  # eq: clipping.w
        net.flat.touch()


def added(terms: dict[str, Any]) -> Value:
    """The sum of the values of several terms, 0 of none."""
    return sum(terms.values())
