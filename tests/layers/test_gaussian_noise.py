"""Normal noise: what it is drawn from, when it changes, and how its state travels."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from minigan import layers as L
from minigan.errors import OptionError


def make(std=0.5, seed=0):
    return L.GaussianNoise(std, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("std", [0.2, 3.0])
def test_what_is_added_is_normal_of_that_spread(std):
    x = np.full((200, 100), 7.0)
    noise = (make(std).forward(x)[0] - x) / std
    # The p of one fixed draw; a wrong spread or a uniform would have one near 0.
    assert stats.kstest(noise.ravel(), "norm").pvalue > 0.01
    for other in (noise[1:] * noise[:-1], noise[:, 1:] * noise[:, :-1]):  # neighbours
        assert abs(other.mean()) < 5 / np.sqrt(other.size)


def test_out_of_training_it_is_the_identity():
    layer, x = make(), np.random.default_rng(1).standard_normal((4, 5))
    y, ctx = layer.forward(x, train=False)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(layer.backward(x, ctx), x)


def test_the_noise_moves_with_each_training_pass_that_may_update_state():
    layer, x = make(), np.zeros((8, 8))
    drawn = [layer.forward(x)[0] for _ in range(3)]
    assert not any((one == other).any() for one, other in pairwise(drawn))
    layer.forward(x, train=False)
    still = [layer.forward(x, update_stats=False)[0] for _ in range(2)]
    np.testing.assert_array_equal(still[0], still[1])
    np.testing.assert_array_equal(layer.forward(x)[0], still[0])  # the next one, at last used up
    assert (layer.forward(x)[0] != still[0]).all()


def test_the_state_travels_through_the_buffers():
    x = np.zeros((8, 8))
    net, resumed = (L.Sequential(make(seed=s), make(seed=s + 1)) for s in (1, 5))
    net.forward(x)
    for name, buffer in resumed.buffers.items():
        buffer[...] = net.buffers[name]
    np.testing.assert_array_equal(resumed.forward(x)[0], net.forward(x)[0])


@pytest.mark.parametrize("std", [-0.1, np.inf, np.nan])
def test_a_spread_out_of_range_is_refused(std):
    with pytest.raises(OptionError, match="wanted at least 0 and finite"):
        make(std)
