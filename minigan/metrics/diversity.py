"""How different a batch's examples are from one another."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array


def diversity(x: Array) -> float:
    r"""Root of the mean squared distance between two different examples of x (N, ...), per number.

    With the batch's variance per coordinate, the mean over pairs of |x_i - x_j|^2 is
    2 N / (N - 1) sum_d var_d, so no pair is formed. 0 for a collapsed batch. N >= 2.
    """
    flat = x.reshape(len(x), -1).astype(np.float64)
    return float(np.sqrt(2 * len(x) / (len(x) - 1) * flat.var(0).mean()))
