r"""The weighted log-likelihood of tokens: maximum likelihood, and the policy gradient's surrogate.

    L = -sum_{n, t} w_nt log p(y_nt),   p = softmax(l_nt),        dL/dl_nt = w_nt (p - onehot(y_nt))

With w = 1 / (number of tokens) this is the mean cross-entropy; with the action's value in the
place of 1, held constant, its gradient is REINFORCE's (Williams 1992).
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module, scalar
from minigan.errors import ShapeError
from minigan.losses.objective import Value


def token_log_likelihood(logits: Array, tokens: Array) -> Array:
    """log softmax(logits)[token] of logits (..., V) and tokens (...): (...)."""
    shifted = logits - logits.max(-1, keepdims=True)
    chosen = np.take_along_axis(shifted, tokens[..., None], -1)[..., 0]
    return chosen - np.log(np.exp(shifted).sum(-1))


def weighted_nll(logits: Array, tokens: Array, weights: Array) -> tuple[Value, Array]:
    """L and its gradient for the logits (N, T, V); tokens integers (N, T), weights (N, T).

    Raises ShapeError unless the shapes agree.
    """
    if logits.ndim != 3 or not logits.shape[:2] == tokens.shape == weights.shape:
        raise ShapeError(
            "weighted_nll wanted logits (N, T, V), tokens and weights (N, T), got "
            f"{logits.shape}, {tokens.shape} and {weights.shape}"
        )
    loss = -(weights * token_log_likelihood(logits, tokens)).sum()
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    p -= tokens[..., None] == array_module(tokens).arange(logits.shape[-1])
    p *= weights[..., None]
    return scalar(loss), p
