"""Dropout: what its masks are, when they change, and how its state travels."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import OptionError


def make(p=0.5, seed=0):
    return L.Dropout(p, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_that_stays_is_binomial_and_is_scaled_up(p):
    n = 20_000
    y, _ = make(p).forward(np.full((n,), 3.0))
    kept = int((y != 0).sum())
    # Five standard deviations of Binomial(n, 1 - p); the seed is fixed.
    assert abs(kept - n * (1 - p)) < 5 * np.sqrt(n * p * (1 - p))
    np.testing.assert_allclose(y[y != 0], 3 / (1 - p), rtol=1e-15)


def test_neighbours_are_dropped_independently():
    mask = make().forward(np.ones((200, 100)))[0] / 2
    for other in (mask[1:, :] * mask[:-1, :], mask[:, 1:] * mask[:, :-1]):
        # Pairs that both stay: a quarter. Overlapping pairs have some covariance: variance below
        # n (p q + 2 cov) = n (3/16 + 2/16).
        assert abs(other.sum() - other.size / 4) < 5 * np.sqrt(other.size * 5 / 16)


def test_out_of_training_it_is_the_identity():
    layer, x = make(), np.random.default_rng(1).standard_normal((4, 5))
    y, ctx = layer.forward(x, train=False)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(layer.backward(x, ctx), x)


def test_the_mask_moves_with_each_training_pass_that_may_update_state():
    layer, x = make(), np.ones((8, 8))
    masks = [layer.forward(x)[0] for _ in range(4)]
    for i, one in enumerate(masks):
        for other in masks[i + 1 :]:
            assert not np.array_equal(one, other)

    layer.forward(x, train=False)
    still = [layer.forward(x, update_stats=False)[0] for _ in range(3)]
    np.testing.assert_array_equal(still[0], still[1])
    np.testing.assert_array_equal(still[0], still[2])
    np.testing.assert_array_equal(layer.forward(x)[0], still[0])  # the next one, at last used up
    assert not np.array_equal(layer.forward(x)[0], still[0])


def test_two_layers_of_one_generator_have_different_masks():
    rng = np.random.default_rng(0)
    one, other = L.Dropout(rng=rng), L.Dropout(rng=rng)
    x = np.ones((8, 8))
    assert not np.array_equal(one.forward(x)[0], other.forward(x)[0])
    np.testing.assert_array_equal(make().forward(x)[0], make().forward(x)[0])


def test_the_state_travels_through_the_buffers():
    x = np.ones((8, 8))
    net = L.Sequential(make(seed=1), make(seed=2))
    for _ in range(3):
        net.forward(x)
    assert sorted(net.buffers) == ["0.noise", "1.noise"]
    assert net.buffers["0.noise"][2:].tolist() == [0, 0, 0, 3]

    resumed = L.Sequential(make(seed=5), make(seed=6))
    for name, buffer in resumed.buffers.items():
        buffer[...] = net.buffers[name]
    for _ in range(2):
        np.testing.assert_array_equal(resumed.forward(x)[0], net.forward(x)[0])


def test_the_backward_passes_use_the_mask_of_their_own_forward():
    rng = np.random.default_rng(1)
    layer, x = make(0.3), rng.standard_normal((6, 7))
    y, ctx = layer.forward(x)
    layer.forward(x)
    dy, v = rng.standard_normal((2, *x.shape))
    mask = np.where(y != 0, 1 / 0.7, 0)
    np.testing.assert_allclose(layer.backward(dy, ctx), dy * mask, rtol=1e-14)
    dx, gctx = layer.input_gradient(dy, ctx)
    np.testing.assert_allclose(dx, dy * mask, rtol=1e-14)
    ddy, extra = layer.double_backward(v, gctx)
    np.testing.assert_allclose(ddy, v * mask, rtol=1e-14)
    assert extra is None


def test_float32_and_float64_drop_the_same_numbers():
    x = np.ones((9, 9))
    single, double = make().forward(x.astype(np.float32))[0], make().forward(x)[0]
    np.testing.assert_array_equal(single, double)


@pytest.mark.parametrize("p", [-0.1, 1.0, 2])
def test_a_probability_out_of_range_is_refused(p):
    with pytest.raises(OptionError, match=rf"p={p} must lie in \[0, 1\)"):
        make(p)
