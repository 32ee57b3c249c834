r"""Whether a translation shows its own truth rather than another's.

Of N translations, each looks for the nearest among the true pictures, by the sum of squares over
their numbers. It finds its own if that is the nearest one:

    own = 1/N #{i : argmin_k |G(x_i) - t_k|^2 = k(i)}

t_k are the distinct true pictures and k(i) says which of them belongs to x_i, so that a truth which
several x share is found by any. A blurred average of all truths finds few of them, and so does a
sharp picture of the wrong thing. Beside it stands what chance finds: the truths themselves, given
to the x in random order, find sum_k (N_k / N)^2 where t_k belongs to N_k of them.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.metrics.translations import TranslationSubject


def retrieval(made: Array, truth: Array) -> dict[str, float]:
    """Of translations (N, H, W, C) and their true pictures, row by row."""
    n = len(truth)
    distinct, own, counts = np.unique(
        truth.reshape(n, -1), axis=0, return_inverse=True, return_counts=True
    )
    rows, targets = made.reshape(n, -1).astype(np.float64), distinct.astype(np.float64)
    apart = (targets**2).sum(1) - 2 * rows @ targets.T  # |row|^2 is the same for all targets
    right = apart.argmin(1) == own.reshape(-1)
    return {"own": float(right.mean()), "by chance": float((counts / n) @ (counts / n))}


def retrievals(subject: TranslationSubject, n: int) -> dict[str, float]:
    """How many of n translations find their own truth."""
    return retrieval(subject.samples(n), subject.real(n))
