r"""Two-sample test by the nearest neighbour: can it tell the samples from the data?

All 2n points are put together; each is given the label of its nearest other point. The share that
gets its own label is near 1/2 where both sets have one distribution, above it where they differ
and below it where samples copy the data. By set it says more: `real` is high where the data has
parts without samples near, `fake` where samples are nearer to one another than to any data.

Under the null hypothesis labels are exchangeable while the neighbours stay, so permuting them
gives the exact distribution of the share, and a p-value.

Schilling (1986), "Multivariate two-sample tests based on nearest neighbors", for the test.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.metrics.distances import check_sets, squared_distances

PAPER = "Lopez-Paz and Oquab 2017, Revisiting classifier two-sample tests, arXiv:1610.06545"

EQUATIONS = {
    "c2st.2": r"\hat t = \frac{1}{n_{te}} \sum_{(z_i, l_i)} I[I(f(z_i) > 1/2) = l_i]",
}


class TwoSample(NamedTuple):
    """Accuracies from 0 to 1, over all points and of each set; the p-value of both extremes."""

    accuracy: float
    real: float
    fake: float
    p_value: float


def nearest_neighbour_test(
    real: Array, fake: Array, *, rng: np.random.Generator, permutations: int = 1000
) -> TwoSample:
    """Leave-one-out 1-NN accuracy of features real (n, F) and fake (n, F).

    Of several nearest points one is drawn, so that duplicates favour no set. The p-value is two
    sided, at least 1 / (permutations + 1). Raises ShapeError unless both sets have n >= 2 rows.
    """
    check_sets(real, fake)
    if len(real) != len(fake):
        raise ShapeError(
            f"two-sample test wanted two sets of one size, got {len(real)}, {len(fake)}"
        )
    if permutations < 1:
        raise OptionError(f"permutations={permutations} must be at least 1")
    nearest = _nearest(np.concatenate([real, fake]), rng)
    labels = np.repeat([True, False], len(real))
    right = labels == labels[nearest]
    extreme = 0
    for _ in range(permutations):
        permuted = rng.permutation(labels)
        share = (permuted == permuted[nearest]).mean()
        extreme += int(abs(share - 0.5) >= abs(right.mean() - 0.5))
    return TwoSample(
        float(right.mean()),  # eq: c2st.2
        float(right[labels].mean()),
        float(right[~labels].mean()),
        (extreme + 1) / (permutations + 1),
    )


def _nearest(z: Array, rng: np.random.Generator) -> Array:
    """For each point the number of its nearest other one; one of them at random where several."""
    nearest = np.empty(len(z), np.int64)
    for part, distances in squared_distances(z, z):
        distances[np.arange(len(distances)), np.arange(part.start, part.stop)] = np.inf
        ties = distances == distances.min(1, keepdims=True)
        if ties.sum() > len(ties):
            ties = np.where(ties, rng.random(ties.shape), 0)
        nearest[part] = ties.argmax(1)
    return nearest
