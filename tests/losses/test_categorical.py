"""Likelihoods of codes against torch.distributions and closed forms, and shapes refused."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Normal

from minigan.errors import ShapeError
from minigan.losses import categorical_nll, cross_entropy, spread_nll

torch.set_num_threads(1)


@pytest.mark.parametrize("scale", [1.0, 200.0])
@pytest.mark.parametrize(("n", "classes"), [(1, 2), (7, 3), (4, 1)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-14), (np.float32, 2e-6)])
def test_categorical_equals_pytorch(n, classes, scale, dtype, tolerance):
    """To a few rounding units of numbers up to `scale`; nothing overflows."""
    rng = np.random.default_rng(n)
    logits = (scale * rng.standard_normal((n, classes))).astype(dtype)
    chosen = rng.integers(0, classes, n)
    x = torch.tensor(logits.astype(np.float64), requires_grad=True)
    expected = -Categorical(logits=x).log_prob(torch.tensor(chosen)).mean()
    expected.backward()
    loss, gradient = categorical_nll(logits, np.eye(classes, dtype=dtype)[chosen])
    assert loss == pytest.approx(expected.item(), rel=10 * tolerance, abs=tolerance)
    np.testing.assert_allclose(gradient, x.grad, rtol=0, atol=10 * tolerance)
    assert gradient.dtype == dtype


def test_categorical_is_the_cross_entropy_of_labels():
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((6, 4)), rng.integers(0, 4, 6)
    ours, theirs = categorical_nll(logits, np.eye(4)[labels]), cross_entropy(logits, labels)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-14)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-15)


@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (4, 3)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-13), (np.float32, 3e-6)])
def test_spread_equals_pytorch(shape, dtype, tolerance):
    rng = np.random.default_rng(1)
    mu, log_var, code = (rng.standard_normal(shape).astype(dtype) for _ in range(3))
    m, v = (torch.tensor(a.astype(np.float64), requires_grad=True) for a in (mu, log_var))
    p = Normal(m, torch.exp(v / 2))
    expected = -p.log_prob(torch.tensor(code.astype(np.float64))).sum(1).mean()
    expected.backward()
    loss, dmu, dlog_var = spread_nll(mu, log_var, code)
    assert loss == pytest.approx(expected.item(), rel=tolerance)
    for ours, theirs in ((dmu, m.grad), (dlog_var, v.grad)):
        np.testing.assert_allclose(ours, theirs, rtol=10 * tolerance, atol=tolerance)
        assert ours.dtype == dtype


def test_closed_forms():
    """Equal logits cost log K; a code at its mean under sigma = 1 costs 1/2 log 2 pi."""
    assert categorical_nll(np.full((3, 5), 2.0), np.eye(5)[:3])[0] == pytest.approx(math.log(5))
    zero = np.zeros((4, 2))
    loss, dmu, dlog_var = spread_nll(zero, zero, zero)
    assert loss == pytest.approx(math.log(2 * math.pi))
    np.testing.assert_array_equal(dmu, 0)
    np.testing.assert_array_equal(dlog_var, 1 / 8)


def test_arguments_are_left_alone():
    a, b, c = (np.random.default_rng(i).standard_normal((3, 2)) for i in range(3))
    kept = a.copy(), b.copy(), c.copy()
    categorical_nll(a, np.eye(2)[[0, 1, 1]])
    spread_nll(a, b, c)
    for now, before in zip((a, b, c), kept, strict=True):
        np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize("given", [(3, 2), (4,), (0, 3), (4, 3, 1)])
def test_other_shapes_are_refused(given):
    code = np.zeros((0, 3) if given[0] == 0 else (4, 3))
    with pytest.raises(ShapeError, match="categorical_nll wanted rows of one shape"):
        categorical_nll(np.zeros(given), code)
    with pytest.raises(ShapeError, match="spread_nll wanted rows of one shape"):
        spread_nll(np.zeros(given), np.zeros(given), code)
    if given[0]:
        with pytest.raises(ShapeError, match="spread_nll"):
            spread_nll(code, np.zeros(given), code)
