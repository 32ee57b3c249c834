"""Parzen windows against scipy's kernel density estimate and a closed form."""

import numpy as np
import pytest
from scipy.stats import gaussian_kde, norm

from minigan.errors import OptionError, ShapeError
from minigan.metrics import distances
from minigan.metrics.parzen import SIGMAS, log_densities, parzen_window
from minigan.metrics.result import MetricWarning

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("block", [1, 60, 1 << 22])
@pytest.mark.parametrize("sigma", [0.05, 0.7])
def test_log_densities_against_scipy(monkeypatch, block, sigma):
    monkeypatch.setattr(distances, "BLOCK", block)
    samples, x = RNG.uniform(-1, 1, (30, 2)), RNG.uniform(-1, 1, (11, 2))
    # gaussian_kde scales the samples' covariance: whitened samples make it sigma² I.
    kde = gaussian_kde(samples.T)
    kde.covariance = sigma**2 * np.eye(2)
    kde.cho_cov = sigma * np.eye(2)
    kde.log_det = 2 * np.log(2 * np.pi * sigma**2)
    (found,) = log_densities(x, samples, [sigma])
    np.testing.assert_allclose(found, kde.logpdf(x.T), rtol=1e-9)


def test_log_densities_by_hand():
    samples, x = np.array([[0.0], [2.0]]), np.array([[0.5]])
    wanted = np.log((norm.pdf(0.5, 0, 0.3) + norm.pdf(0.5, 2, 0.3)) / 2)
    assert log_densities(x, samples, [1.0, 0.3])[1, 0] == pytest.approx(wanted, rel=1e-12)


def test_far_points_do_not_underflow():
    """One centre at distance 1,000 of sigma 0.1: -5e7 nats, which no exponential holds."""
    (found,) = log_densities(np.array([[1000.0]]), np.array([[0.0], [-1.0]]), [0.1])
    wanted = np.log(0.5) + norm.logpdf(1000, 0, 0.1)
    assert found[0] == pytest.approx(wanted, rel=1e-12)


def test_sigma_is_chosen_on_validation_and_judged_on_test():
    samples, validation, test = RNG.standard_normal((3, 60, 1))
    sigmas = [0.01, 0.3, 5.0]
    found = parzen_window(samples, validation, 3 * test, sigmas=sigmas)
    means = log_densities(validation, samples, sigmas).mean(1)
    assert found.sigma == sigmas[int(means.argmax())] == 0.3
    (wanted,) = log_densities(3 * test, samples, [0.3])
    assert found.log_likelihood == pytest.approx(wanted.mean())
    assert found.error == pytest.approx(wanted.std(ddof=1) / np.sqrt(60))


def test_many_samples_reach_the_density_itself():
    """With M large, sigma small: E log p of N(0, 1) is -1/2 log(2 pi e)."""
    samples, validation, test = np.random.default_rng(1).standard_normal((3, 4000, 1))
    found = parzen_window(samples, validation, test, sigmas=np.logspace(-2, 0, 9).tolist())
    assert found.log_likelihood == pytest.approx(-0.5 * np.log(2 * np.pi * np.e), abs=0.05)


def test_a_sigma_at_the_end_is_warned_of():
    x = RNG.standard_normal((3, 20, 2)) * 100
    with pytest.warns(MetricWarning, match="sigma 1 at the end of those tried, 0.1 to 1"):
        parzen_window(*x)
    assert len(SIGMAS) == 10


def test_what_cannot_be():
    x = np.zeros((3, 2))
    with pytest.raises(OptionError, match="each above 0"):
        parzen_window(x, x, x, sigmas=[0.1, 0.0])
    with pytest.raises(ShapeError, match="one F"):
        parzen_window(x, x, np.zeros((3, 1)))
