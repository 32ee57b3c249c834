"""Orthogonal regularisation against loops over pairs of filters, and finite differences."""

import numpy as np
import pytest

from minigan import init
from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.gradcheck import check_loss
from minigan.losses.orthogonal import OrthogonalRegularization


def network(seed=0):
    rng = make_rng(seed)
    return L.Sequential(
        L.Dense(3, 5, rng=rng),
        L.Reshape(1, 1, 5),
        L.SpectralNorm(L.Conv2d(5, 4, (2, 3), padding=2, rng=rng), rng=rng),
        L.BatchNorm(4),
        L.ConvTranspose2d(4, 3, (3, 2), stride=2, rng=rng),
    ).astype(np.float64)


WEIGHTS = {"0.weight": -1, "2.layer.weight": -1, "4.weight": -2}  # and their axis of outputs


def by_pairs(weight, outputs):
    """sum over i != j of (w_i . w_j)^2, w_i the filters."""
    filters = [weight.take(i, outputs).ravel() for i in range(weight.shape[outputs])]
    return sum(
        float(sum(p * q for p, q in zip(a, b, strict=True))) ** 2
        for i, a in enumerate(filters)
        for j, b in enumerate(filters)
        if i != j
    )


def test_it_is_the_sum_over_pairs_of_different_filters():
    net = network()
    each = [by_pairs(net.params[name].data, axis) for name, axis in WEIGHTS.items()]
    assert OrthogonalRegularization(0.3)(net) == pytest.approx(0.3 * sum(each), rel=1e-12)
    others = OrthogonalRegularization(0.3, skip=("0.",))(net)
    assert others == pytest.approx(0.3 * sum(each[1:]), rel=1e-12)


def test_its_gradient_is_that_of_finite_differences_and_is_added():
    net, term = network(), OrthogonalRegularization(0.3)

    def loss(weights):
        net.flat.load(weights)
        net.flat.grad[...] = 2.0
        return term(net), net.flat.grad - 2.0

    check_loss(loss, net.flat.data.copy(), rng=make_rng(1))
    _, gradient = loss(net.flat.data.copy())
    vectors = [net.flat.slices[name] for name, p in net.params.items() if p.data.ndim == 1]
    assert all((gradient[place] == 0).all() for place in vectors)  # biases and gains are left out


def test_orthogonal_filters_of_any_length_cost_nothing():
    rng = make_rng(0)
    net = L.Sequential(L.Dense(6, 4, rng=rng)).astype(np.float64)
    weight = net.params["0.weight"].data
    weight[...] = init.orthogonal((6, 4), 6, 4, rng)
    assert OrthogonalRegularization(1.0)(net) < 1e-12
    weight *= [0.1, 1, 10, 3]
    assert OrthogonalRegularization(1.0)(net) < 1e-10
    weight[:, 0] += weight[:, 1]
    assert OrthogonalRegularization(1.0)(net) > 0.5


def test_a_weight_that_two_layers_hold_counts_once():
    layer = L.Dense(3, 3, rng=make_rng(0))
    net = L.Sequential(layer, L.Tanh(), layer).astype(np.float64)
    wanted = by_pairs(layer.params["weight"].data, -1)
    assert OrthogonalRegularization(0.3)(net) == pytest.approx(0.3 * wanted, rel=1e-12)


def test_it_keeps_no_state_and_refuses_weights_that_cannot_be():
    assert OrthogonalRegularization().state_dict() == {}
    for weight in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(OptionError, match="above 0 and finite"):
            OrthogonalRegularization(weight)
