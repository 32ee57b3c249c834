"""Standing statistics: the mean over batches at fixed weights, and nothing else changes."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import ShapeError


def network(rng: np.random.Generator) -> L.Sequential:
    layers = (L.Dense(3, 4, rng=rng), L.BatchNorm(4), L.ReLU(), L.Dense(4, 2, rng=rng))
    return L.Sequential(*layers, L.BatchNorm(2, momentum=0.3)).astype(np.float64)


def test_they_are_the_means_over_the_batches() -> None:
    rng = np.random.default_rng(0)
    net, batches = network(rng), [rng.normal(i, 1 + i, (7, 3)) for i in range(5)]
    for x in rng.standard_normal((4, 6, 3)):
        net.forward(x)  # what training left counts for nothing
    weights = net.flat.data.copy()
    L.standing_statistics(net, iter(batches))
    np.testing.assert_array_equal(net.flat.data, weights)
    assert [net.layers[1].momentum, net.layers[4].momentum] == [0.1, 0.3]
    dense, norm, _, last, norm_last = net.layers
    first = [x @ dense.weight.data + dense.bias.data for x in batches]
    normed = [(a - a.mean(0)) / np.sqrt(a.var(0) + norm.eps) for a in first]
    second = [np.maximum(a, 0) @ last.weight.data + last.bias.data for a in normed]
    for of, layer in ((first, norm), (second, norm_last)):
        mean = np.mean([a.mean(0) for a in of], axis=0)
        var = np.mean([a.var(0, ddof=1) for a in of], axis=0)
        np.testing.assert_allclose(layer.buffers["running_mean"], mean, rtol=1e-12)
        np.testing.assert_allclose(layer.buffers["running_var"], var, rtol=1e-12)


def test_no_batches_change_nothing() -> None:
    net = network(np.random.default_rng(0))
    before = {name: buffer.copy() for name, buffer in net.buffers.items()}
    L.standing_statistics(net, [])
    for name, buffer in net.buffers.items():
        np.testing.assert_array_equal(buffer, before[name])


def test_momenta_are_as_before_when_a_batch_is_refused() -> None:
    net = network(np.random.default_rng(0))
    with pytest.raises(ShapeError):
        L.standing_statistics(net, [np.ones((5, 3)), np.ones((5, 4))])
    assert [net.layers[1].momentum, net.layers[4].momentum] == [0.1, 0.3]
