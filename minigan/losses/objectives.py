"""The table of objectives that a name can choose."""

from __future__ import annotations

import inspect
from typing import Any

from minigan.errors import UnknownNameError
from minigan.losses.adversarial import Minimax, NonSaturating
from minigan.losses.boundary import BoundarySeeking
from minigan.losses.critic import Hinge, Margin, Wasserstein
from minigan.losses.energy import EnergyMargin, Equilibrium
from minigan.losses.fdivergence import FGAN
from minigan.losses.least_squares import LeastSquares
from minigan.losses.objective import Objective
from minigan.losses.relativistic import Relativistic, RelativisticAverage
from minigan.losses.softmax import Softmax

OBJECTIVES: dict[str, type[Objective]] = {
    o.name: o
    for o in (
        Minimax,
        NonSaturating,
        FGAN,
        LeastSquares,
        Hinge,
        Wasserstein,
        Margin,
        Relativistic,
        RelativisticAverage,
        Softmax,
        BoundarySeeking,
        EnergyMargin,
        Equilibrium,
    )
}


def get(name: str, **settings: Any) -> Objective:
    """A new objective of that name. Raises UnknownNameError, and OptionError for bad settings."""
    if name not in OBJECTIVES:
        raise UnknownNameError("objective", name, OBJECTIVES)
    return OBJECTIVES[name](**settings)


def settings_of(cls: type) -> dict[str, Any]:
    """What can be set of an objective or penalty, by name, with the values it has unless set."""
    return {name: p.default for name, p in inspect.signature(cls).parameters.items()}
