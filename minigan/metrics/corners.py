r"""What is predicted where two things may come next: one of them, half of both, or neither.

With e the empty street, l and r the true frames after a turn to the left and to the right, and s
the last frame, in which the digit still stands at the crossing, a prediction y is taken apart into
a digit at each of these places, each with its strength:

    (a, b, c) = argmin |(y - e) - a (l - e) - b (r - e) - c (s - e)|^2

a and b are looked at; c takes up a digit that stays, which would else count half at either side.
A frame that may come has strengths a and b of 1 and 0, or 0 and 1; their mean, which is best in
squares, twice 1/2. A prediction is

    split    if both strengths are above 1/3: a ghost at each side
    decided  if else one is 2/3 at least: one digit, and little of another
    lost     in all other cases: no digit at either side

so that the shares of the three add up to 1. `left` is the share of the decided ones that turn to
the left. Which digits turn where is G's choice; it has no noise to toss a coin with.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import ShapeError

FAINT, BRIGHT = 1 / 3, 2 / 3


class Strengths(NamedTuple):
    """How much of the digit is at either side, float64 (N,) each."""

    left: Array
    right: Array


class Decided(NamedTuple):
    """Shares of predictions, and of the decided ones those to the left (1/2 where none is)."""

    decided: float
    split: float
    lost: float
    left: float


def strengths(y: Array, left: Array, right: Array, last: Array, empty: Array) -> Strengths:
    """Of predictions y by the frames that may come, the last ones and the empty street.

    All (N, H, W, C), but the street (H, W, C). Raises ShapeError for unlike shapes.
    """
    if not y.shape == left.shape == right.shape == last.shape or y.shape[1:] != empty.shape:
        raise ShapeError(
            f"predictions {y.shape} cannot be taken apart into {left.shape}, {right.shape} and "
            f"{last.shape} on {empty.shape}; give (N, H, W, C) four times and (H, W, C)"
        )
    made, *ways = (
        (x - empty).reshape(len(x), -1).astype(np.float64) for x in (y, left, right, last)
    )
    gram = np.stack([np.stack([(u * v).sum(-1) for v in ways], -1) for u in ways], -1)
    found = np.linalg.solve(gram, np.stack([(made * u).sum(-1) for u in ways], -1)[..., None])
    return Strengths(found[:, 0, 0], found[:, 1, 0])


def decided(found: Strengths) -> Decided:
    """The shares of predictions with these strengths."""
    high, low = np.maximum(*found), np.minimum(*found)
    split = low > FAINT
    one = ~split & (high >= BRIGHT)
    left = (found.left > found.right)[one].mean() if one.any() else 0.5
    return Decided(one.mean(), split.mean(), 1 - one.mean() - split.mean(), left)
