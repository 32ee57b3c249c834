r"""Cross-entropy of a softmax over classes."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from minigan.backend import Array
from minigan.errors import ShapeError


def cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    r"""-(1/N) sum_n log softmax(logits_n)[label_n], and its gradient (softmax - onehot) / N.

    logits (N, K), labels (N,) integers in [0, K): arrays of the host. Raises ShapeError otherwise.
    """
    n, classes = logits.shape
    low, high = labels.min(initial=0), labels.max(initial=0)
    integers = np.issubdtype(labels.dtype, np.integer)
    if labels.shape != (n,) or not integers or low < 0 or high >= classes:
        raise ShapeError(
            f"cross_entropy wanted {n} integer labels from 0 to {classes - 1} for logits "
            f"{logits.shape}, got {labels.dtype} of shape {labels.shape}, values {low} to {high}"
        )
    log_p = log_softmax(logits, axis=1)
    dlogits = np.exp(log_p)
    dlogits[np.arange(n), labels] -= 1
    dlogits /= n
    return float(-log_p[np.arange(n), labels].mean()), dlogits
