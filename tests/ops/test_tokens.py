"""Tokens are drawn by the inverse of the distribution function."""

import numpy as np
import pytest

from minigan.ops.tokens import draw_tokens


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_token_is_where_the_sum_of_probabilities_passes_u(dtype):
    p = np.array([0.1, 0.0, 0.6, 0.3])
    with np.errstate(divide="ignore"):
        logits = np.tile((np.log(p) + 500).astype(dtype), (6, 1))
    logits[:, 1] = -np.inf
    u = np.array([0.0, 0.0999, 0.1001, 0.699, 0.701, 1 - 2**-53])
    drawn = draw_tokens(logits, u)
    assert drawn.tolist() == [0, 0, 2, 2, 3, 3]
    assert drawn.dtype == np.int64


def test_tokens_come_as_often_as_they_are_likely():
    rng = np.random.default_rng(0)
    logits = 2 * rng.standard_normal(9)
    n = 200_000
    drawn = draw_tokens(np.tile(logits, (n, 1)), rng.uniform(size=n))
    p = np.exp(logits) / np.exp(logits).sum()
    shares = np.bincount(drawn, minlength=9) / n
    assert (np.abs(shares - p) <= 5 * np.sqrt(p * (1 - p) / n)).all()
    assert p.min() < 0.01 < 0.3 < p.max()


def test_no_token_lies_outside():
    """Where rounding makes u times the sum the sum itself, the last token is meant."""
    logits = np.random.default_rng(1).standard_normal((1000, 3)).astype(np.float32)
    assert draw_tokens(logits, np.full(1000, 1 - 2**-53)).max() == 2
    assert draw_tokens(logits, np.ones(1000)).max() == 2
