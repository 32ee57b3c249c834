"""Images mirrored at their borders: a linear map, and its adjoint.

Along one axis with pixels 0 ... n - 1 and p more on either side, place -i shows pixel i and place
n - 1 + i shows pixel n - 1 - i, for 1 <= i <= p < n: the border itself is not repeated.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.dispatch import op

Sides = tuple[int, int, int, int]  # pixels added at the left, right, top and bottom


@op(plain=True)
def reflect(x: Array, sides: Sides) -> Array:
    """(N, H, W, C) -> (N, top + H + bottom, left + W + right, C). On a card this is plain CuPy."""
    left, right, top, bottom = sides
    return _mirror(_mirror(x, 1, top, bottom), 2, left, right)


@op(plain=True)
def reflect_dx(dy: Array, sides: Sides) -> Array:
    """The input gradient of `reflect`: what each pixel's images got. On a card it is plain CuPy."""
    left, right, top, bottom = sides
    return _fold(_fold(dy, 2, left, right), 1, top, bottom)


def _mirror(x: Array, axis: int, before: int, after: int) -> Array:
    n = x.shape[axis]
    low = np.flip(_cut(x, axis, 1, before + 1), axis)
    high = np.flip(_cut(x, axis, n - 1 - after, n - 1), axis)
    return np.concatenate([low, x, high], axis)


def _fold(dy: Array, axis: int, before: int, after: int) -> Array:
    n = dy.shape[axis] - before - after
    dx = _cut(dy, axis, before, before + n).copy()
    _cut(dx, axis, 1, before + 1)[...] += np.flip(_cut(dy, axis, 0, before), axis)
    high = np.flip(_cut(dy, axis, before + n, before + n + after), axis)
    _cut(dx, axis, n - 1 - after, n - 1)[...] += high
    return dx


def _cut(x: Array, axis: int, start: int, stop: int) -> Array:
    return x[(slice(None),) * axis + (slice(start, stop),)]
