r"""Density and coverage: precision and recall that an outlier does not upset.

    density  = 1/(k M)  sum_j  #{ i : Y_j in B(X_i, NND_k(X_i)) }
    coverage = 1/N      sum_i  1{ some Y_j in B(X_i, NND_k(X_i)) }

X are N real examples, Y are M samples, and NND_k is the distance to the k-th nearest neighbour
among the X: a sample far off has no ball of its own. Where both sets have one distribution,
density has the mean 1 (it may exceed it), and coverage, for N = M, nearly 1 - 2^-k.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.metrics.distances import check_sets, neighbour_radii, squared_distances

PAPER = "Naeem et al. 2020, Reliable fidelity and diversity metrics, arXiv:2002.09797, section 3"

EQUATIONS = {
    "dc.density": r"\frac{1}{kM} \sum_{j=1}^M \sum_{i=1}^N"
    r" 1_{Y_j \in B(X_i, \mathrm{NND}_k(X_i))}",
    "dc.coverage": r"\frac{1}{N} \sum_{i=1}^N"
    r" 1_{\exists j \text{ s.t. } Y_j \in B(X_i, \mathrm{NND}_k(X_i))}",
}


class DensityCoverage(NamedTuple):
    """Density, 0 or more; coverage, from 0 to 1."""

    density: float
    coverage: float


def density_coverage(real: Array, fake: Array, *, k: int = 5) -> DensityCoverage:
    """Both for features real (N, F) and fake (M, F); k = 5 is the paper's.

    Raises ShapeError unless `real` has more than k rows and `fake` at least two.
    """
    check_sets(real, fake)
    radii = neighbour_radii(real, k)
    inside, covered = 0, np.empty(len(real), bool)
    for part, distances in squared_distances(real, fake):
        within = distances <= radii[part, None]
        inside += int(within.sum())
        covered[part] = within.any(1)
    density = inside / (k * len(fake))  # eq: dc.density
    return DensityCoverage(density, float(covered.mean()))  # eq: dc.coverage
