"""Passes over a network's whole flat buffer, beside the update rules of minigan/optim.py."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.dispatch import op


@op
def moving_average(average: Array, value: Array, decay: float) -> None:
    """average += (1 - decay) (value - average), in place."""
    average += (1 - decay) * (value - average)


@op
def sum_of_squares(x: Array) -> Array:
    """sum x^2 as an array of no axes, added up in float64."""
    return np.square(x, dtype=np.float64).sum(keepdims=True).reshape(())
