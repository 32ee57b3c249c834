r"""The second derivative of D's loss in D's numbers, for differentiating through D's gradient.

An objective whose loss is a mean over the numbers one by one,

    J = 1/n sum f(real_i) + 1/m sum h(fake_i),

has a diagonal Hessian; each row of the table gives f''(real) / n and h''(fake) / m. A row belongs
to all objectives that inherit its `discriminator` unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError
from minigan.losses.adversarial import Minimax
from minigan.losses.critic import Hinge, Wasserstein
from minigan.losses.least_squares import LeastSquares
from minigan.losses.objective import Objective, column
from minigan.ops.activation import sigmoid


def _logistic(real: Array, fake: Array) -> tuple[Array, Array]:
    """softplus'' = sigmoid (1 - sigmoid), even in its argument; smoothed labels add a line."""
    return _bell(real) / real.size, _bell(fake) / fake.size


def _square(real: Array, fake: Array) -> tuple[Array, Array]:
    """Half a square has the second derivative 1."""
    return column(real, 1 / real.size), column(fake, 1 / fake.size)


def _straight(real: Array, fake: Array) -> tuple[Array, Array]:
    """Straight lines, away from the hinge's kink."""
    return np.zeros_like(real), np.zeros_like(fake)


# Keyed by the function that is differentiated: an objective that replaces it has no row.
CURVATURES: dict[Callable[..., Any], Callable[[Array, Array], tuple[Array, Array]]] = {
    Minimax.discriminator: _logistic,
    LeastSquares.discriminator: _square,
    Wasserstein.discriminator: _straight,
    Hinge.discriminator: _straight,
}


def curvature(objective: Objective, real: Array, fake: Array) -> tuple[Array, Array]:
    """The second derivatives of J(D) with respect to each of D's numbers.

    Raises OptionError for an objective without a row.
    """
    check_curvature(objective)
    return CURVATURES[type(objective).discriminator](real, fake)


def check_curvature(objective: Objective) -> None:
    """Raise OptionError for an objective whose loss of D cannot be differentiated twice here."""
    if type(objective).discriminator not in CURVATURES:
        owners = [f.__qualname__.partition(".")[0] for f in CURVATURES]
        raise OptionError(
            f"objective {objective.name!r} has no second derivative here; wanted one with the "
            f"discriminator's loss of {', '.join(owners)}"
        )


def _bell(x: Array) -> Array:
    p = sigmoid(x)
    return p * (1 - p)
