r"""Fréchet distance of two sets of features, each seen as a Gaussian.

    d²((m, C), (m_w, C_w)) = |m - m_w|² + Tr(C + C_w - 2 (C C_w)^{1/2})

Tr (C C_w)^{1/2} is the sum of the singular values of C^{1/2} C_w^{1/2}. Both roots come from
symmetric eigenproblems and exist for singular covariances too; no complex numbers appear.

The estimate is biased upwards, the more so the fewer the examples: compare only equal numbers.
"""

from __future__ import annotations

import warnings

import numpy as np

from minigan.backend import Array
from minigan.metrics.distances import check_sets
from minigan.metrics.result import MetricWarning

PAPER = "Heusel et al. 2017, GANs trained by a two time-scale update rule, arXiv:1706.08500, eq. 6"

EQUATIONS = {
    "frechet.6": r"d^2((m, C), (m_w, C_w)) = \|m - m_w\|_2^2"
    r" + \mathrm{Tr}(C + C_w - 2 (C C_w)^{1/2})",
}


def frechet_distance(x: Array, y: Array) -> float:
    """d² of features x (N, F) and y (M, F), with the unbiased covariances of each.

    Raises ShapeError below two rows. Warns where a set has no more rows than features: its
    covariance is singular then, and the value says more about N than about the sets.
    """
    check_sets(x, y)
    fewest, features = min(len(x), len(y)), x.shape[1]
    if fewest <= features:
        warnings.warn(
            f"Fréchet distance from {fewest} rows of {features} features: a covariance is "
            f"singular and the value far too large; give more than {features} (--n)",
            MetricWarning,
            stacklevel=2,
        )
    return frechet_gaussians(*_moments(x), *_moments(y))


def frechet_gaussians(m: Array, C: Array, m_w: Array, C_w: Array) -> float:
    """d² of N(m, C) and N(m_w, C_w): means (F,), covariances (F, F), singular or not."""
    cross = np.linalg.svd(_root(C) @ _root(C_w), compute_uv=False).sum()
    distance = np.square(m - m_w).sum() + np.trace(C) + np.trace(C_w) - 2 * cross  # eq: frechet.6
    return max(float(distance), 0.0)  # rounding may take 0 a little below


def _moments(x: Array) -> tuple[Array, Array]:
    mean = x.mean(0, dtype=np.float64)
    deviations = x - mean
    return mean, deviations.T @ deviations / (len(x) - 1)


def _root(C: Array) -> Array:
    """The symmetric square root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(C)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
