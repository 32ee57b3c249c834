"""Historical averaging by its definition, from a list of all that was."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import OptionError
from minigan.losses.history import HistoricalAveraging


def network(dtype=np.float64):
    return L.Dense(3, 4, rng=np.random.default_rng(0)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_distance_to_the_mean_of_the_past(dtype):
    net, rng = network(dtype), np.random.default_rng(1)
    term = HistoricalAveraging(net, 0.3)
    past = []
    for step in range(6):
        theta = net.flat.data.astype(np.float64)
        net.flat.grad[...] = 5
        value = term(net)
        mean = np.mean(past, axis=0) if past else theta
        # float32 keeps seven digits of numbers near 1
        close = {"rtol": 1e-5, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-12}
        np.testing.assert_allclose(value, 0.3 * ((theta - mean) ** 2).sum(), **close)
        np.testing.assert_allclose(net.flat.grad, 5 + 0.6 * (theta - mean), **close)
        assert net.flat.grad.dtype == dtype
        assert (value == 0) == (step == 0)
        past.append(theta)
        net.flat.data += rng.standard_normal(net.flat.size).astype(dtype)


def test_the_gradient_by_differences():
    net, rng = network(), np.random.default_rng(1)
    term = HistoricalAveraging(net, 2.0)
    for _ in range(3):
        term(net)
        net.flat.data += rng.standard_normal(net.flat.size)
    state = {name: a.copy() for name, a in term.state.items()}

    def value():
        for name, a in state.items():
            term.state[name][...] = a
        return term(net)

    net.flat.zero_grad()
    value()
    given, u, h = net.flat.grad.copy(), rng.standard_normal(net.flat.size), 1e-5
    theta = net.flat.data.copy()
    net.flat.data[...] = theta + h * u
    above = value()
    net.flat.data[...] = theta - h * u
    assert given @ u == pytest.approx((above - value()) / (2 * h), rel=1e-8)


def test_refused():
    for weight in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(OptionError, match=rf"weight={weight!r}: wanted above 0, finite"):
            HistoricalAveraging(network(), weight)
