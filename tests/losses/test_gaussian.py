"""The divergence of a Gaussian from N(0, I): integrals, samples, PyTorch, and its minimum."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch.distributions import Normal, kl_divergence

from minigan.errors import ShapeError
from minigan.losses import kl_of_unit_variance, kl_to_standard_normal

torch.set_num_threads(1)


@pytest.mark.parametrize(("mu", "log_var"), [(0.0, 0.0), (0.7, -1.5), (-2.0, 0.8), (0.0, -6.0)])
def test_equals_the_integral(mu, log_var):
    """Of q log(q / p), by adaptive quadrature over ten standard deviations."""
    q, p = stats.norm(mu, math.exp(log_var / 2)), stats.norm()
    ends = q.mean() - 10 * q.std(), q.mean() + 10 * q.std()
    expected, error = integrate.quad(
        lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), *ends, points=[q.mean()]
    )
    assert error < 1e-7
    loss, _, _ = kl_to_standard_normal(np.array([[mu]]), np.array([[log_var]]))
    assert loss == pytest.approx(expected, abs=1e-7)


def test_equals_the_mean_over_samples():
    """Five standard errors of 200,000 draws of log q - log p."""
    rng = np.random.default_rng(0)
    mu, log_var = rng.standard_normal((1, 3)), rng.standard_normal((1, 3))
    z = mu + np.exp(log_var / 2) * rng.standard_normal((200_000, 3))
    log_q = stats.norm(mu, np.exp(log_var / 2)).logpdf(z).sum(1)
    ratios = log_q - stats.norm().logpdf(z).sum(1)
    loss, _, _ = kl_to_standard_normal(mu, log_var)
    assert abs(loss - ratios.mean()) < 5 * ratios.std() / math.sqrt(len(ratios))


@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (4, 7)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-13), (np.float32, 2e-6)])
def test_equals_pytorch(shape, dtype, tolerance):
    rng = np.random.default_rng(1)
    mu, log_var = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    m, v = (torch.tensor(a.astype(np.float64), requires_grad=True) for a in (mu, log_var))
    q = Normal(m, torch.exp(v / 2))
    expected = kl_divergence(q, Normal(torch.zeros_like(m), 1.0)).sum(1).mean()
    expected.backward()
    loss, dmu, dlog_var = kl_to_standard_normal(mu, log_var)
    assert loss == pytest.approx(expected.item(), rel=tolerance)
    for ours, theirs in ((dmu, m.grad), (dlog_var, v.grad)):
        np.testing.assert_allclose(ours, theirs, rtol=10 * tolerance, atol=tolerance)
        assert ours.dtype == dtype


def test_is_0_only_at_the_standard_normal():
    zero = np.zeros((3, 2))
    loss, dmu, dlog_var = kl_to_standard_normal(zero, zero)
    assert loss == 0
    assert not dmu.any()
    assert not dlog_var.any()
    tiny = np.full((1, 1), 1e-9)  # 1 + v - e^v would be lost in rounding, twice v^2 / 4 is not
    assert kl_to_standard_normal(np.zeros((1, 1)), tiny)[0] >= 0
    assert kl_to_standard_normal(tiny, np.zeros((1, 1)))[0] == pytest.approx(5e-19, rel=1e-12)


@pytest.mark.parametrize(
    ("mu", "log_var"), [((3, 2), (3, 1)), ((3,), (3,)), ((3, 2, 1), (3, 2, 1)), ((0, 2), (0, 2))]
)
def test_other_shapes_are_refused(mu, log_var):
    with pytest.raises(ShapeError, match=r"wanted mu and log_var \(N, J\), got"):
        kl_to_standard_normal(np.zeros(mu), np.zeros(log_var))


def test_of_unit_variance_it_is_the_general_one_per_number():
    mu = np.random.default_rng(1).standard_normal((4, 3, 2, 5))
    flat = mu.reshape(4, -1)
    expected, dmu, _ = kl_to_standard_normal(flat, np.zeros_like(flat))
    loss, slope = kl_of_unit_variance(mu)
    assert loss == pytest.approx(expected / flat.shape[1], rel=1e-12)
    np.testing.assert_allclose(slope.reshape(4, -1), dmu / flat.shape[1], rtol=1e-12)
