"""Checks of options, by their fields' names, with the messages that the command line shows."""

from __future__ import annotations

import math
from typing import Any

from minigan.algorithms.settings import flag
from minigan.errors import OptionError
from minigan.losses.objective import Objective

# Options that ask for something which keeps D's slopes from growing without end. An algorithm that
# takes fewer of them names its own as `bounds`.
BOUNDS = ("clip_weights", "penalty", "spectral_norm")


def check_counts(options: Any, *names: str, least: int = 1) -> None:
    """Raise OptionError for a number below `least`; None is an option that was left out."""
    for name in names:
        value = getattr(options, name)
        if value is not None and value < least:
            raise OptionError(f"{flag(name)} {value} must be at least {least}")


def check_weights(options: Any, *names: str) -> None:
    """Raise OptionError for a negative or infinite number; None is an option that was left out."""
    for name in names:
        value = getattr(options, name)
        if value is not None and not 0 <= value < math.inf:
            raise OptionError(f"{flag(name)} {value} must be at least 0 and finite")


def check_units(options: Any, *names: str) -> None:
    """Raise OptionError for hidden layers without units."""
    for name in names:
        hidden = getattr(options, name)
        if any(units < 1 for units in hidden):
            given = ",".join(map(str, hidden))
            raise OptionError(f"{flag(name)} {given}: a layer has at least 1 unit")


def check_clip_norm(options: Any) -> None:
    """Raise OptionError for a longest gradient that none can meet."""
    if options.clip_norm is not None and not options.clip_norm > 0:
        raise OptionError(f"--clip-norm {options.clip_norm} must be above 0")


def check_bounded(options: Any, objective: Objective) -> None:
    """Raise OptionError for an objective that needs D bounded where no option asks for it.

    Wasserstein's distance is a supremum over D whose slopes are at most 1; over any D there is
    none, and the scores grow for as long as they are trained.
    """
    own = [name for name in getattr(options, "bounds", BOUNDS) if hasattr(options, name)]
    asked = any(getattr(options, name) not in (None, 0, "none") for name in own)
    if not (objective.has_lower_bound or asked):
        means = f"give {' or '.join(map(flag, own))}" if own else "give another objective"
        raise OptionError(
            f"--objective {objective.name} has no lower bound for D unless something keeps D's "
            f"slopes small, and nothing does here; {means}"
        )


def check_network(options: Any, shape: tuple[int, ...]) -> None:
    """Raise OptionError for convolutions over data that is not pictures, `shape` of an example."""
    if options.network != "mlp" and len(shape) != 3:
        raise OptionError(
            f"--network {options.network} takes pictures, the data has points of shape {shape}; "
            "use --network mlp"
        )
