r"""How far two pictures are apart, per number: the same for every size of picture.

    l1: mean |y - x|        l2: mean (y - x)^2        weighted: sum w (y - x)^2 / #(w > 0)

Each returns the value and its gradient with respect to y.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, scalar
from minigan.errors import ShapeError


def mean_absolute_error(y: Array, x: Array) -> tuple[float, Array]:
    """mean |y - x| and its gradient, 0 where both agree. Raises ShapeError for unlike shapes."""
    apart = _apart(y, x)
    return scalar(np.abs(apart).mean()), np.sign(apart) / apart.size


def mean_squared_error(y: Array, x: Array) -> tuple[float, Array]:
    """mean (y - x)^2 and its gradient. Raises ShapeError for unlike shapes."""
    apart = _apart(y, x)
    return scalar((apart * apart).mean()), apart * (2 / apart.size)


def weighted_squared_error(y: Array, x: Array, weights: Array) -> tuple[float, Array]:
    """The sum of w (y - x)^2 over how many numbers have a weight, and its gradient.

    weights: (N, H, W, 1), 0 or more, for every channel of pictures (N, H, W, C). Raises ShapeError.
    """
    apart = _apart(y, x)
    if weights.shape != (*y.shape[:-1], 1):
        raise ShapeError(f"weights {weights.shape} for {y.shape}: give one for each place")
    numbers = (weights > 0).sum(dtype=y.dtype) * y.shape[-1]
    slope = weights * apart / numbers
    return scalar((slope * apart).sum()), 2 * slope


def _apart(y: Array, x: Array) -> Array:
    if y.shape != x.shape:
        raise ShapeError(f"the distance of {y.shape} and {x.shape}: give pictures of one shape")
    return y - x


DISTANCES = {"l1": mean_absolute_error, "l2": mean_squared_error}
