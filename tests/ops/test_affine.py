"""Batch norm's map with its activation: PyTorch's autograd."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minigan.errors import UnknownNameError
from minigan.ops import affine
from tests.oracles.torch_twins import relative_error

TOLERANCE = 1e-10
EPS = 1e-3
FORMS = {
    "none": lambda a: a,
    "relu": F.relu,
    "leaky_relu": lambda a: F.leaky_relu(a, 0.2),
    "tanh": torch.tanh,
}


def test_every_activation_has_an_oracle():
    assert FORMS.keys() == set(affine.ACTIVATIONS)


@pytest.mark.parametrize("shifted", [True, False])
@pytest.mark.parametrize("activation", FORMS)
def test_value_and_gradients_equal_autograd(activation, shifted):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4, 5, 6))
    gamma, beta = rng.standard_normal((2, 6))
    xt, gt, bt = (torch.tensor(a, requires_grad=True) for a in (x, gamma, beta))
    axes = (0, 1, 2)
    centred = xt - xt.mean(axes)
    pre = centred / torch.sqrt(centred.square().mean(axes) + EPS) * gt
    expected = FORMS[activation](pre + bt if shifted else pre)
    expected.backward(torch.tensor(dy))

    mean, s = x.mean(axes), 1 / np.sqrt(x.var(axes) + EPS)
    scale, shift = gamma * s, beta if shifted else None
    rest = (activation, 0.2)
    y = affine.activated(x, mean, scale, shift, *rest)
    sums = affine.activated_sums(dy, x, mean, scale, shift, *rest)
    dx = affine.activated_dx(dy, x, mean, s, scale, shift, *sums, *rest)
    assert relative_error(y, expected.detach().numpy()) < TOLERANCE
    assert relative_error(dx, xt.grad.numpy()) < TOLERANCE
    assert relative_error(s * sums[1], gt.grad.numpy()) < TOLERANCE
    if shifted:
        assert relative_error(sums[0], bt.grad.numpy()) < TOLERANCE


def test_an_unknown_activation_is_refused():
    x, c = np.zeros((2, 3)), np.zeros(3)
    with pytest.raises(UnknownNameError, match=r"fused activation 'rely'; did you mean 'relu'"):
        affine.activated(x, c, c, c, "rely")
