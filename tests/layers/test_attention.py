"""What self-attention is at first, what it looks at, and what it refuses; see test_torch.py too."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.ops.attention import attend


def test_it_is_the_identity_at_first_and_learns_gamma_first():
    layer = L.SelfAttention(8, rng=make_rng(0)).astype(np.float64)
    x = make_rng(1).standard_normal((2, 4, 4, 8))
    y, ctx = layer.forward(x)
    np.testing.assert_array_equal(y, x)
    layer.flat.zero_grad()
    dx = layer.backward(make_rng(2).standard_normal(y.shape), ctx)
    assert np.abs(layer.params["gamma"].grad).max() > 0
    assert not layer.params["query.weight"].grad.any()
    np.testing.assert_array_equal(dx, make_rng(2).standard_normal(y.shape))


def test_a_query_that_matches_one_key_takes_its_value():
    keys = 40 * np.eye(3)[None]
    values = make_rng(0).standard_normal((1, 3, 5))
    o, weights = attend(np.eye(3)[None][:, [2, 0]], keys, values)
    np.testing.assert_allclose(o, values[:, [2, 0]], atol=1e-12)
    np.testing.assert_allclose(weights.sum(-1), 1)


def test_large_scores_do_not_overflow():
    q = np.full((1, 2, 1), 1e4, np.float32)
    o, weights = attend(q, q, np.array([[[1.0], [3.0]]], np.float32))
    np.testing.assert_allclose(o, 2.0)
    assert np.isfinite(weights).all()


@pytest.mark.parametrize("channels", [0, 4, 12])
def test_channels_that_eight_does_not_divide_are_refused(channels):
    with pytest.raises(OptionError, match=f"over {channels} channels.*multiple of 8"):
        L.SelfAttention(channels, rng=make_rng(0))
