"""Path length regularisation: closed forms, finite differences and PyTorch's double backward."""

import math

import numpy as np
import pytest
import torch

from minigan import models
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.gradcheck import check_loss
from minigan.layers import Layer
from minigan.losses.path_length import PathLength, picture_directions
from tests.oracles import stylegan_twin

SHAPE = (8, 8, 1)


def synthesis(seed=0):
    net = models.stylegan_generator(
        3, SHAPE, width=1, w_dim=3, mapping_layers=1, rng=make_rng(seed)
    ).astype(np.float64)
    for name, p in net.params.items():
        if name.endswith("strength"):
            p.data[...] = 0.3
    return net


def inputs(net, n=2):
    rng = make_rng(1)
    ws = 0.3 * rng.standard_normal((n, net.synthesis.styles, 3))  # styles near 1, none near 0
    noise = rng.standard_normal((n, net.synthesis.pixels))
    return ws, noise, picture_directions(np.zeros((n, *SHAPE)), rng)


def term(like, mean=0.2, decay=1e-30):
    """With the moving mean all but held: it counts as a constant."""
    path = PathLength(weight=1.5, decay=decay, like=like)
    path.state["mean"][...] = mean
    return path


class Scaled(Layer):
    """x = A ws, one matrix for each style: J^T y is A^T y whatever ws is."""

    def __init__(self, A):
        super().__init__()
        self.A = A

    def input_gradient(self, dy, ctx):
        return (np.einsum("lpd,np->nld", self.A, dy), None), None

    def double_backward(self, ddx, gctx):
        self.ddx = ddx[0]
        return None, (np.zeros_like(ddx[0]), None)


def test_of_a_linear_map_it_is_what_the_equation_says():
    rng = make_rng(0)
    A, y = rng.standard_normal((2, 5, 3)), rng.standard_normal((4, 5))
    lengths = []
    for one in y:
        square = sum(float(np.linalg.norm(A[i].T @ one)) ** 2 for i in range(2))
        lengths.append(math.sqrt(square / 2))
    path, net = PathLength(weight=3.0, decay=0.1, like=A), Scaled(A)
    path.state["mean"][...] = 0.5
    value, dws = path(net, None, y)
    a = 0.5 + 0.1 * (np.mean(lengths) - 0.5)
    assert path.state["mean"][0] == pytest.approx(a, rel=1e-12)
    assert value == pytest.approx(3.0 * np.mean([(length - a) ** 2 for length in lengths]))
    assert not dws.any()
    # dP/dg, by finite differences of the value in one entry of A
    h, grown = 1e-6, A.copy()
    grown[1, 2, 0] += h
    still = PathLength(weight=3.0, decay=1e-30, like=A)
    still.state["mean"][...] = a
    slope = (still(Scaled(grown), None, y)[0] - still(Scaled(A), None, y)[0]) / h
    assert (net.ddx[:, 1, 0] * y[:, 2]).sum() == pytest.approx(slope, rel=1e-4)


def test_the_gradient_in_every_weight_and_style_is_that_of_finite_differences():
    net = synthesis()
    ws, noise, y = inputs(net)
    path = term(ws)

    def loss(weights, styles):
        net.flat.load(weights)
        net.flat.zero_grad()
        _, ctx = net.synthesis.forward(styles, noise)
        value, dws = path(net.synthesis, ctx, y)
        return value, net.flat.grad.copy(), dws

    check_loss(loss, net.flat.data.copy(), ws, rng=make_rng(5), exhaustive=False)


def test_it_equals_pytorch_s_double_backward():
    net = synthesis()
    ws, noise, y = inputs(net, 3)
    path = term(ws)
    _, ctx = net.synthesis.forward(ws, noise)
    net.flat.zero_grad()
    value, dws = path(net.synthesis, ctx, y)

    params = stylegan_twin.leaves({k: p.data for k, p in net.params.items()})
    styles = torch.tensor(ws, requires_grad=True)
    x = stylegan_twin.synthesis(params, styles, torch.tensor(noise))
    (g,) = torch.autograd.grad(
        (x.movedim(1, -1) * torch.tensor(y)).sum(), styles, create_graph=True
    )
    expected = 1.5 * (g.square().sum(2).mean(1).sqrt() - 0.2).square().mean()
    gradients = torch.autograd.grad(
        expected, [styles, *params.values()], allow_unused=True, materialize_grads=True
    )
    assert value == pytest.approx(expected.item(), rel=1e-10)
    np.testing.assert_allclose(dws, gradients[0].numpy(), rtol=1e-9, atol=1e-12)
    for name, theirs in zip(params, gradients[1:], strict=True):
        mine = net.params[name].grad
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)
    assert np.abs(net.params["synthesis.const"].grad).max() > 1e-6


def test_directions_are_normal_numbers_over_the_root_of_the_pixels():
    y = picture_directions(np.zeros((64, 8, 4, 3), np.float32), make_rng(0))
    assert y.dtype == np.float32
    # The variance of 6144 normal numbers is 1 +- 0.018; five deviations.
    assert y.var() * 32 == pytest.approx(1, abs=0.09)


@pytest.mark.parametrize("weight", [0.0, -1.0, np.inf])
def test_bad_weights_are_refused(weight):
    with pytest.raises(OptionError, match="above 0 and finite"):
        PathLength(weight=weight, like=np.zeros(1))


@pytest.mark.parametrize("decay", [0.0, 1.1])
def test_bad_decays_are_refused(decay):
    with pytest.raises(OptionError, match=r"wanted in \(0, 1\]"):
        PathLength(decay=decay, like=np.zeros(1))
