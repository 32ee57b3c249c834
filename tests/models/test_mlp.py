"""The perceptrons: what they are made of, and how they are initialised."""

import math

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.models import mlp_discriminator, mlp_generator


def kinds(net):
    return [type(layer) for layer in net.layers]


@pytest.mark.parametrize(
    ("shape", "bounded", "end"),
    [
        ((2,), False, []),
        ((2,), True, [L.Tanh]),
        ((3, 4, 1), True, [L.Tanh, L.Reshape]),
        ((3, 4, 1), False, [L.Reshape]),
    ],
)
def test_generator(shape, bounded, end):
    G = mlp_generator(5, shape, hidden=(8, 6), bounded=bounded, rng=make_rng(0))
    assert kinds(G) == [L.Dense, L.ReLU, L.Dense, L.ReLU, L.Dense, *end]
    sizes = [(d.in_features, d.out_features) for d in G.layers if isinstance(d, L.Dense)]
    assert sizes == [(5, 8), (8, 6), (6, math.prod(shape))]
    x, _ = G.forward(10 * make_rng(1).standard_normal((50, 5)).astype(np.float32))
    assert x.shape == (50, *shape)
    assert (np.abs(x).max() <= 1) == bounded


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("shape", [(2,), (3, 4, 1)])
def test_discriminator(shape, dropout):
    D = mlp_discriminator(shape, hidden=(8, 6), num_pieces=3, dropout=dropout, rng=make_rng(0))
    unit = [L.Dense, L.Maxout] + [L.Dropout] * (dropout > 0)
    assert kinds(D) == [L.Flatten] * (len(shape) > 1) + 2 * unit + [L.Dense]
    sizes = [(d.in_features, d.out_features) for d in D.layers if isinstance(d, L.Dense)]
    assert sizes == [(math.prod(shape), 24), (8, 18), (6, 1)]
    assert {m.num_pieces for m in D.layers if isinstance(m, L.Maxout)} == {3}
    assert {d.p for d in D.layers if isinstance(d, L.Dropout)} == ({dropout} - {0.0})


def test_initialisation():
    """He under ReLU, Glorot elsewhere: variances within five standard errors; biases 0.

    The square of a normal number has a variance of 2 s^4, of a uniform one 0.8 s^4.
    """
    G = mlp_generator(64, (8, 8, 1), rng=make_rng(0))
    D = mlp_discriminator((8, 8, 1), rng=make_rng(1))
    he = [G.layers[0], G.layers[2]]
    glorot = [layer for net in (G, D) for layer in net.layers if isinstance(layer, L.Dense)]
    for layer in glorot:
        w = layer.weight.data.astype(np.float64)
        assert not layer.bias.data.any()
        if layer in he:
            variance, spread = 2 / layer.in_features, 2.0
        else:
            variance, spread = 2 / (layer.in_features + layer.out_features), 0.8
            assert np.abs(w).max() <= math.sqrt(3 * variance) * (1 + 1e-6)
        assert abs(w.mean()) < 5 * math.sqrt(variance / w.size)
        assert abs(np.square(w).mean() / variance - 1) < 5 * math.sqrt(spread / w.size)
