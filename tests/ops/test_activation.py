"""Element-wise functions: closed forms, both derivatives by autograd, extremes and kinks."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minigan.ops import activation as ops
from tests.oracles.torch_twins import relative_error

TOLERANCE = 1e-10


def softplus(x, beta):
    return F.softplus(x, beta, threshold=600)


# name: f, f_dx, f_d2 or None, what is saved, PyTorch's f, f's further arguments
FUNCTIONS = {
    "relu": (ops.relu, ops.relu_dx, None, "y", F.relu, ()),
    "leaky_relu": (ops.leaky_relu, ops.leaky_relu_dx, None, "x", F.leaky_relu, (0.2,)),
    "leaky_relu 0": (ops.leaky_relu, ops.leaky_relu_dx, None, "x", F.leaky_relu, (0.0,)),
    "elu": (ops.elu, ops.elu_dx, ops.elu_d2, "y", F.elu, (0.7,)),
    "hardtanh": (ops.hardtanh, ops.hardtanh_dx, None, "y", F.hardtanh, (-0.5, 6.0)),
    "tanh": (ops.tanh, ops.tanh_dx, ops.tanh_d2, "y", torch.tanh, ()),
    "sigmoid": (ops.sigmoid, ops.sigmoid_dx, ops.sigmoid_d2, "y", torch.sigmoid, ()),
    "softplus": (ops.softplus, ops.softplus_dx, ops.softplus_d2, "x", softplus, (1.0,)),
    "softplus 3": (ops.softplus, ops.softplus_dx, ops.softplus_d2, "x", softplus, (3.0,)),
}
every_function = pytest.mark.parametrize("name", FUNCTIONS)


@every_function
def test_value_and_both_derivatives_equal_pytorch(name):
    f, f_dx, f_d2, saved, reference, arguments = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    # Both sides of the kink, the kink itself, and far out.
    x = np.concatenate([rng.standard_normal(60), [0.0, -0.0, 1e-8, -1e-8, 6.0, -6.0, 15.0, -15.0]])
    dy, v = rng.standard_normal((2, *x.shape))
    xt = torch.tensor(x, requires_grad=True)
    yt = reference(xt, *arguments)
    (dxt,) = torch.autograd.grad(yt, xt, torch.tensor(dy), create_graph=True)

    y = f(x, *arguments)
    kept = y if saved == "y" else x
    assert relative_error(y, yt.detach().numpy()) < TOLERANCE
    assert relative_error(f_dx(dy, kept, *arguments), dxt.detach().numpy()) < TOLERANCE
    if f_d2 is not None:
        (extra,) = torch.autograd.grad((torch.tensor(v) * dxt).sum(), xt)
        ours, there = v * dy * f_d2(kept, *arguments), x != 0  # ELU has none at its kink
        assert relative_error(ours[there], extra.numpy()[there]) < TOLERANCE


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_function
def test_far_out_nothing_overflows_and_the_dtype_stays(name, dtype):
    f, f_dx, f_d2, saved, _, arguments = FUNCTIONS[name]
    x = np.array([-1e4, -800, -100, 100, 800, 1e4], dtype)
    y = f(x, *arguments)  # a floating-point warning would be an error
    kept = y if saved == "y" else x
    derivatives = [f_dx(np.ones_like(x), kept, *arguments)]
    derivatives += [f_d2(kept, *arguments)] if f_d2 is not None else []
    for a in (y, *derivatives):
        assert a.dtype == dtype
        assert np.isfinite(a).all()
    limits = {"tanh": (-1, 1), "sigmoid": (0, 1), "elu": (-0.7, x[3:]), "hardtanh": (-0.5, 6.0)}
    low, high = limits.get(name, (0, x[3:]))
    if name != "leaky_relu":
        np.testing.assert_allclose(y[:3], low, atol=1e-30 if low == 0 else 0)
    np.testing.assert_allclose(y[3:], high)


def test_softplus_is_exact_where_exp_would_lose_it():
    """log(1 + e^-40) = e^-40 to 18 digits, although 1 + e^-40 rounds to 1."""
    np.testing.assert_allclose(ops.softplus(np.array([-40.0])), np.exp(-40.0), rtol=1e-14)
    np.testing.assert_allclose(ops.softplus(np.array([40.0])), 40 + np.exp(-40.0), rtol=1e-15)
