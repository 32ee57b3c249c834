r"""Kernel inception distance: the squared maximum mean discrepancy under a cubic kernel.

    k(a, b) = (<a, b> / F + 1)³,    a, b in R^F

With pairs z_i = (x_i, y_i) and h_ij = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i), the
U-statistic

    MMD²_u = 1/(n (n - 1))  sum_{i != j}  h_ij

is unbiased: its mean is 0 where both sets have one distribution, so it may be negative. Its error
is the jackknife's: with row sums r_i = sum_{j != i} h_ij the value without pair i is
(n (n - 1) MMD²_u - 2 r_i) / ((n - 1)(n - 2)), so all n of them cost nothing more. It errs on the
safe side where both sets have one distribution: there the U-statistic is degenerate, and the
jackknife's error up to sqrt(2) times the true one.

This is the estimator of Gretton et al. (2012), "A kernel two-sample test", lemma 6, for sets of one
size. That of Binkowski et al. has k(x_i, y_j) over all i and j; published distances are averages
over subsets, this one is of the whole set. Efron and Stein (1981) for the jackknife.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import ShapeError
from minigan.metrics.distances import BLOCK, check_sets

PAPER = (
    "Binkowski et al. 2018, Demystifying MMD GANs, arXiv:1801.01401, section 4; the estimator:"
    " Gretton et al. 2012, A kernel two-sample test, lemma 6"
)

EQUATIONS = {
    "kid.kernel": r"k(x, y) = \left(\frac{1}{d} x^\top y + 1\right)^3",
    "kid.mmd": r"\mathrm{MMD}^2_u = \frac{1}{n(n-1)} \sum_{i \ne j}"
    r" [k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i)]",
}

Kernel = Callable[[Array, Array], Array]


class KernelDistance(NamedTuple):
    """MMD² and its standard error."""

    value: float
    error: float


def cubic(a: Array, b: Array) -> Array:
    """k(a_i, b_j): (N, F), (M, F) -> (N, M)."""
    return (a @ b.T / a.shape[1] + 1) ** 3  # eq: kid.kernel


def kernel_distance(x: Array, y: Array, *, kernel: Kernel = cubic) -> KernelDistance:
    """KID of features x (n, F) and y (n, F), with its standard error.

    Raises ShapeError unless both sets have the same number of rows, at least 3.
    """
    check_sets(x, y, least=3)
    if len(x) != len(y):
        raise ShapeError(f"kernel distance wanted two sets of one size, got {len(x)}, {len(y)}")
    x, y, n = x.astype(np.float64), y.astype(np.float64), len(x)
    rows = np.empty(n)
    step = max(1, BLOCK // n)
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        h = kernel(x[part], x) + kernel(y[part], y) - kernel(x[part], y) - kernel(y[part], x)
        h[np.arange(len(h)), np.arange(part.start, part.stop)] = 0
        rows[part] = h.sum(1)
    total = rows.sum()
    without = (total - 2 * rows) / ((n - 1) * (n - 2))
    error = np.sqrt((n - 1) / n * np.square(without - without.mean()).sum())
    return KernelDistance(float(total / (n * (n - 1))), float(error))  # eq: kid.mmd
