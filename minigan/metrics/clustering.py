r"""How well clusters agree with classes that were not used to find them.

    purity = 1/N sum_c max_k n_ck                          n_ck examples of class k in cluster c
    NMI    = I(C; K) / ((H(C) + H(K)) / 2)

Both are 1 where every cluster is one class and, for NMI, every class one cluster. Purity grows with
the number of clusters; NMI is 0 where the two have nothing to do with one another.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import ShapeError

PAPER = "Manning et al. 2008, Introduction to information retrieval, section 16.3"

EQUATIONS = {
    "clustering.purity": r"\mathrm{purity}(\Omega, C) = \frac{1}{N} \sum_k \max_j"
    r" |\omega_k \cap c_j|",
    "clustering.nmi": r"\mathrm{NMI}(\Omega, C) = \frac{I(\Omega; C)}{[H(\Omega) + H(C)] / 2}",
}


def purity(clusters: Array, classes: Array) -> float:
    """The share of examples whose class is the commonest of their cluster; int (N,) both.

    Raises ShapeError for other arrays.
    """
    table = _table(clusters, classes)
    return float(table.max(1).sum() / table.sum())  # eq: clustering.purity


def mutual_information(clusters: Array, classes: Array) -> float:
    """NMI, in [0, 1]; 0 where neither says anything. Raises ShapeError as `purity`."""
    joint = _table(clusters, classes) / len(clusters)
    of_cluster, of_class = joint.sum(1), joint.sum(0)
    seen = joint > 0
    apart = joint[seen] / np.outer(of_cluster, of_class)[seen]
    information = (joint[seen] * np.log(apart)).sum()
    spread = (_entropy(of_cluster) + _entropy(of_class)) / 2
    return float(information / spread) if spread else 0.0  # eq: clustering.nmi


def _entropy(p: Array) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def _table(clusters: Array, classes: Array) -> Array:
    """How many examples of each class each cluster holds."""
    if clusters.ndim != 1 or clusters.shape != classes.shape or len(clusters) == 0:
        raise ShapeError(
            f"clusters and classes are compared example by example: wanted (N,) of both, got "
            f"{clusters.shape} and {classes.shape}"
        )
    table = np.zeros((clusters.max() + 1, classes.max() + 1), np.int64)
    np.add.at(table, (clusters, classes), 1)
    return table
