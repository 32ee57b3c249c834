"""Tokens drawn from the distribution that logits give of them."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.dispatch import op


@op(plain=True)
def draw_tokens(logits: Array, u: Array) -> Array:
    """A number from 0 to V - 1 by the softmax of each row of logits (N, V): int64 (N,).

    The inverse of the distribution function at u (N,), uniform over [0, 1): one number of noise a
    token. Sums run in float64. Runs as plain CuPy on a card.
    """
    up = np.exp((logits - logits.max(1, keepdims=True)).astype(np.float64))
    below = up.cumsum(1)
    drawn = (below <= u[:, None] * below[:, -1:]).sum(1)
    return np.minimum(drawn, logits.shape[1] - 1)  # where rounding reaches the sum
