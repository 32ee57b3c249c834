r"""Improved precision and recall: does a sample lie in the data's manifold, and the reverse?

The manifold of a set Phi is the union of balls around its points, each as large as the distance
to the point's k-th nearest neighbour within the set.

    f(phi, Phi) = 1 if some phi' in Phi has |phi - phi'| <= |phi' - NN_k(phi', Phi)|, else 0
    precision = 1/|Phi_g| sum f(phi_g, Phi_r)        recall = 1/|Phi_r| sum f(phi_r, Phi_g)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.metrics.distances import check_sets, neighbour_radii, squared_distances

PAPER = "Kynkäänniemi et al. 2019, Improved precision and recall, arXiv:1904.06991, section 2"

EQUATIONS = {
    "prec.1": r"f(\phi, \Phi) = 1 \text{ if } \|\phi - \phi'\|_2 \le"
    r" \|\phi' - \mathrm{NN}_k(\phi', \Phi)\|_2 \text{ for at least one } \phi' \in \Phi",
    "prec.2": r"\mathrm{precision} = \frac{1}{|\Phi_g|} \sum_{\phi_g} f(\phi_g, \Phi_r), \quad"
    r" \mathrm{recall} = \frac{1}{|\Phi_r|} \sum_{\phi_r} f(\phi_r, \Phi_g)",
}


class PrecisionRecall(NamedTuple):
    """Shares from 0 to 1: of samples that look real, and of the data that samples reach."""

    precision: float
    recall: float


def precision_recall(real: Array, fake: Array, *, k: int = 3) -> PrecisionRecall:
    """Both shares for features real (N, F) and fake (M, F); k = 3 is the paper's.

    Raises ShapeError unless both sets have more than k rows.
    """
    check_sets(real, fake)
    precision = within(fake, real, neighbour_radii(real, k)).mean()  # eq: prec.2
    recall = within(real, fake, neighbour_radii(fake, k)).mean()  # eq: prec.2
    return PrecisionRecall(float(precision), float(recall))


def within(x: Array, centres: Array, radii: Array) -> Array:
    """Whether each x (N, F) lies in a ball around any centre (M, F), radii² (M,): bool (N,)."""
    found = np.empty(len(x), bool)
    for part, distances in squared_distances(x, centres):
        found[part] = (distances <= radii).any(1)  # eq: prec.1
    return found
