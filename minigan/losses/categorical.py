r"""Log-likelihoods of codes under the distribution that a network gives of them, on any device.

    categorical      -log q(c) = -sum_k c_k log softmax(l)_k                      c one-hot
    Gaussian         -log q(c) = sum_j 1/2 (log 2 pi + v_j + (c_j - mu_j)^2 exp(-v_j))

with v = log sigma^2. The gradients are softmax(l) - c for l, and for mu and v

    (mu_j - c_j) exp(-v_j)          (1 - (c_j - mu_j)^2 exp(-v_j)) / 2

all divided by the number of examples, whose mean the losses are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from minigan.backend import Array, scalar
from minigan.errors import ShapeError
from minigan.losses.objective import Value


def categorical_nll(logits: Array, code: Array) -> tuple[Value, Array]:
    """-log softmax(logits)[c], the mean over a batch, and its gradient; both (N, K), code one-hot.

    Raises ShapeError unless the shapes agree.
    """
    _same_rows("categorical_nll", logits, code)
    shifted = logits - logits.max(1, keepdims=True)
    up = np.exp(shifted)
    z = up.sum(1, keepdims=True)
    n = len(logits)
    loss = ((np.log(z) - shifted) * code).sum() / n
    return scalar(loss), (up / z - code) / n


def categorical_nlls(logits: Array, code: Array, counts: Sequence[int]) -> tuple[Value, Array]:
    """`categorical_nll` of several codes side by side, counts[i] numbers each: their sum.

    logits and code are (N, sum of counts). Raises ShapeError unless the shapes agree.
    """
    _same_rows("categorical_nlls", logits, code)
    total, gradients = 0.0, []
    for start, stop in pairwise(accumulate(counts, initial=0)):
        nll, d = categorical_nll(logits[:, start:stop], code[:, start:stop])
        total = total + nll
        gradients.append(d)
    return total, np.concatenate(gradients, 1)


def spread_nll(mu: Array, log_var: Array, code: Array) -> tuple[Value, Array, Array]:
    """-log N(code; mu, exp(log_var)), the mean over a batch, and both gradients; all (N, J).

    Raises ShapeError unless the shapes agree. Where the spread is given beforehand, see
    `gaussian_nll`.
    """
    _same_rows("spread_nll", mu, code)
    _same_rows("spread_nll", log_var, code)
    n, numbers = code.shape
    apart, precision = mu - code, np.exp(-log_var)
    squares = apart * apart * precision
    loss = (log_var + squares).sum() / (2 * n) + numbers * math.log(2 * math.pi) / 2
    return scalar(loss), apart * precision / n, (1 - squares) / (2 * n)


def _same_rows(name: str, given: Array, code: Array) -> None:
    if given.ndim != 2 or given.shape != code.shape or len(code) == 0:
        raise ShapeError(
            f"{name} wanted rows of one shape for a distribution and its codes, at least one, got "
            f"{given.shape} and {code.shape}"
        )
