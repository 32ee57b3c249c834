"""The lower part of a network: what it gives, and what it shares."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import OptionError


def nested(rng):
    inner = L.Sequential(L.Dense(4, 5, rng=rng), L.Tanh(), L.Dense(5, 3, rng=rng))
    net = L.Sequential(
        L.Dense(2, 4, rng=rng), inner, L.VirtualBatchNorm(3, 4), L.Dense(3, 1, rng=rng)
    )
    return L.ReferenceBatch(net, rng.standard_normal((4, 2))).astype(np.float64)


def test_the_part_below_a_layer_within_containers():
    net = nested(np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((3, 2))
    rows = np.concatenate([net.buffers["reference"], x])
    outer, inner = net.net.layers, net.net.layers[1].layers
    expected = {"net.0": outer[0].forward(rows)[0]}
    expected["net.1.0"] = inner[0].forward(expected["net.0"])[0]
    expected["net.1.1"] = inner[1].forward(expected["net.1.0"])[0]
    expected["net.1.2"] = inner[2].forward(expected["net.1.1"])[0]
    expected["net.2"] = outer[2].forward(expected["net.1.2"])[0]
    for name, y in expected.items():
        np.testing.assert_array_equal(L.prefix(net, name).forward(x)[0], y[4:])
    np.testing.assert_array_equal(L.prefix(net).forward(x)[0], expected["net.2"][4:])


def test_parameters_are_shared():
    net = nested(np.random.default_rng(0))
    part = L.prefix(net, "net.1.0")
    assert part.params["net.1.0.weight"] is net.params["net.1.0.weight"]
    y, ctx = part.forward(np.ones((2, 2)))
    net.flat.zero_grad()
    part.backward(y, ctx)
    assert net.flat.grad.any()


@pytest.mark.parametrize("name", ["net.1", "1", "net.4", "x", ""])
def test_a_name_that_is_not_there_is_refused_with_those_that_are(name):
    with pytest.raises(
        OptionError, match=r"net\.0, net\.1\.0, net\.1\.1, net\.1\.2, net\.2, net\.3"
    ):
        L.prefix(nested(np.random.default_rng(0)), name)


def test_a_single_layer_has_no_lower_part():
    with pytest.raises(OptionError, match="no layer None"):
        L.prefix(L.Sequential(L.Tanh()))
