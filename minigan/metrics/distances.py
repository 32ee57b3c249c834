"""Distances between many points, a block of rows at a time, so that memory stays bounded.

    |a - b|² = |a|² + |b|² - 2 <a, b>

as matrix products in float64, after the second set's mean is taken off both, which keeps the
cancellation small. What is below 1e-12 (|a|² + |b|²), where rounding decides, is 0: points that
differ by less than a millionth of their size count as equal.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minigan.backend import Array
from minigan.errors import ShapeError

BLOCK = 1 << 22  # numbers in a block of distances: 32 MB
_EQUAL = 1e-12


def check_sets(*sets: Array, least: int = 2) -> None:
    """Raise ShapeError unless all are (N, F) of one F, with at least `least` finite rows."""
    shapes = ", ".join(str(x.shape) for x in sets)
    if any(x.ndim != 2 for x in sets) or len({x.shape[1:] for x in sets}) > 1:
        raise ShapeError(f"wanted sets of features (N, F) with one F, got {shapes}")
    if any(len(x) < least for x in sets):
        raise ShapeError(f"wanted at least {least} rows in each set of features, got {shapes}")
    if not all(np.isfinite(x).all() for x in sets):
        raise ShapeError("features hold numbers that are not finite")


def squared_distances(a: Array, b: Array) -> Iterator[tuple[slice, Array]]:
    """|a_i - b_j|² of a (N, F), b (M, F) by blocks of rows: their slice, and float64 (rows, M)."""
    centre = b.mean(0, dtype=np.float64)
    a, b = a - centre, b - centre
    b_norms = np.square(b).sum(1)
    rows = max(1, BLOCK // max(len(b), a.shape[1]))
    for start in range(0, len(a), rows):
        part = slice(start, min(start + rows, len(a)))
        sums = np.square(a[part]).sum(1)[:, None] + b_norms
        distances = sums - 2 * (a[part] @ b.T)
        distances[distances < _EQUAL * sums] = 0
        yield part, distances


def neighbour_radii(x: Array, k: int) -> Array:
    """The squared distance from each point to its k-th nearest other point: (N,), 1 <= k < N."""
    if not 1 <= k < len(x):
        raise ShapeError(f"k={k} neighbours of {len(x)} points: wanted 1 to {len(x) - 1}")
    radii = np.empty(len(x))
    for part, distances in squared_distances(x, x):
        distances[np.arange(len(distances)), np.arange(part.start, part.stop)] = np.inf
        radii[part] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    return radii
