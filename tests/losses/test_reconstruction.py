"""Reconstruction terms and likelihoods against naive sums and torch.distributions."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate
from torch.distributions import Bernoulli, Laplace, Normal

from minigan import losses
from minigan.errors import OptionError, ShapeError

torch.set_num_threads(1)

# float64: a few rounding units of sums of twelve numbers; float32 likewise.
DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-13), (np.float32, 2e-6)])
SHAPES = pytest.mark.parametrize("shape", [(1, 1), (5, 2), (3, 2, 2, 3)])


def pair(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x = np.tanh(rng.standard_normal(shape)).astype(dtype)
    return (2 * rng.standard_normal(shape)).astype(dtype), x


def torch_nll(name, y, x, scale):
    """The mean over the batch of -log p, summed over an example."""
    if name == "bernoulli":
        t = (x + 1) / 2  # cross-entropy: linear in t, and -log p at t = 0 and 1
        p = Bernoulli(logits=y)
        one, zero = p.log_prob(torch.ones_like(y)), p.log_prob(torch.zeros_like(y))
        log_p = t * one + (1 - t) * zero
    else:
        log_p = {"gaussian": Normal, "laplace": Laplace}[name](y, scale).log_prob(x)
    return -log_p.flatten(1).sum(1).mean()


@DTYPES
@SHAPES
@pytest.mark.parametrize("name", ["gaussian", "laplace", "bernoulli"])
def test_likelihoods_equal_pytorch(name, shape, dtype, tolerance):
    y, x = pair(shape, dtype)
    how = {} if name == "bernoulli" else {"scale": 0.7}
    loss, dy = getattr(losses, f"{name}_nll")(y, x, **how)
    theirs = torch.tensor(y.astype(np.float64), requires_grad=True)
    expected = torch_nll(name, theirs, torch.tensor(x.astype(np.float64)), 0.7)
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=tolerance, abs=tolerance)
    np.testing.assert_allclose(dy, theirs.grad, rtol=10 * tolerance, atol=tolerance)
    assert dy.dtype == dtype


@DTYPES
@SHAPES
@pytest.mark.parametrize(("name", "power"), [("squared_error", 2), ("absolute_error", 1)])
def test_errors_equal_naive_sums(name, power, shape, dtype, tolerance):
    y, x = pair(shape, dtype, seed=1)
    loss, dy = getattr(losses, name)(y, x)
    expected = 0.0
    for yn, xn in zip(y, x, strict=True):
        for yk, xk in zip(yn.ravel().tolist(), xn.ravel().tolist(), strict=True):
            expected += abs(yk - xk) ** power / len(x)
    assert loss == pytest.approx(expected, rel=tolerance)
    gradient = np.where(power == 2, 2 * (y - x), np.sign(y - x)) / len(x)
    np.testing.assert_allclose(dy, gradient, rtol=10 * tolerance)
    assert dy.dtype == dtype


@pytest.mark.parametrize("density", ["gaussian", "laplace"])
def test_densities_integrate_to_one(density):
    """exp(-nll) over the line, by the trapezoid rule; the constants are part of the bound."""
    grid = np.linspace(-15, 15, 20_001)
    nll = getattr(losses, f"{density}_nll")
    p = [math.exp(-nll(np.array([[0.4]]), np.array([[x]]), scale=0.8)[0]) for x in grid]
    assert integrate.trapezoid(p, grid) == pytest.approx(1, abs=1e-6)


def test_bernoulli_of_black_and_white_adds_to_one():
    y = np.array([[0.3]])
    p = [math.exp(-losses.bernoulli_nll(y, np.array([[x]]))[0]) for x in (-1.0, 1.0)]
    assert sum(p) == pytest.approx(1, rel=1e-15)
    assert p[1] == pytest.approx(1 / (1 + math.exp(-0.3)), rel=1e-15)


def test_far_logits_neither_overflow_nor_vanish():
    """At y = +-1000 the right pixel costs nothing, the wrong one its logit."""
    y, x = np.array([[1000.0, -1000.0]]), np.array([[1.0, 1.0]])
    loss, dy = losses.bernoulli_nll(y, x)
    assert loss == 1000
    np.testing.assert_array_equal(dy, [[0, -1]])


FUNCTIONS = ["squared_error", "absolute_error", "gaussian_nll", "laplace_nll", "bernoulli_nll"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_are_left_alone(name):
    y, x = pair((3, 4), np.float64)
    kept = y.copy(), x.copy()
    getattr(losses, name)(y, x)
    np.testing.assert_array_equal(y, kept[0])
    np.testing.assert_array_equal(x, kept[1])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("y", "x"), [((3, 2), (3, 1)), ((3, 2), (2,)), ((1, 2), (3, 2)), ((0, 2), (0, 2))]
)
def test_shapes_that_would_broadcast_are_refused(name, y, x):
    with pytest.raises(ShapeError, match=r"wanted the same shape, of at least one example"):
        getattr(losses, name)(np.zeros(y), np.zeros(x))


@pytest.mark.parametrize("name", ["gaussian_nll", "laplace_nll"])
@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_a_bad_scale_is_refused(name, scale):
    with pytest.raises(OptionError, match="must be above 0 and finite"):
        getattr(losses, name)(np.zeros((1, 2)), np.zeros((1, 2)), scale=scale)
