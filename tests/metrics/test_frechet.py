"""The Fréchet distance against closed forms and scipy's matrix root."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import ortho_group

from minigan.errors import ShapeError
from minigan.metrics.frechet import frechet_distance, frechet_gaussians
from minigan.metrics.result import MetricWarning

RNG = np.random.default_rng(0)


def covariance(features):
    a = RNG.standard_normal((features, features))
    return a @ a.T + 0.1 * np.eye(features)


def test_gaussians_with_one_set_of_axes():
    """Commuting covariances: |m - m'|² + sum (s - s')², s the deviations along the axes."""
    axes = ortho_group.rvs(5, random_state=1)
    s, t = RNG.uniform(0.1, 3, (2, 5))
    m, n = RNG.standard_normal((2, 5))
    found = frechet_gaussians(m, axes @ np.diag(s**2) @ axes.T, n, axes @ np.diag(t**2) @ axes.T)
    assert found == pytest.approx(((m - n) ** 2).sum() + ((s - t) ** 2).sum(), rel=1e-10)


@pytest.mark.parametrize("features", [1, 2, 9])
def test_gaussians_with_any_axes(features):
    """Against the root of the product itself, which is not symmetric."""
    C, D = covariance(features), covariance(features)
    m, n = RNG.standard_normal((2, features))
    cross = np.trace(sqrtm(C @ D)).real
    wanted = ((m - n) ** 2).sum() + np.trace(C) + np.trace(D) - 2 * cross
    assert frechet_gaussians(m, C, n, D) == pytest.approx(wanted, rel=1e-8)
    assert frechet_gaussians(n, D, m, C) == pytest.approx(wanted, rel=1e-8)


def test_singular_covariances():
    """Of rank one along u and v: Tr (C D)^{1/2} = |<u, v>|."""
    u, v = RNG.standard_normal((2, 6))
    wanted = u @ u + v @ v - 2 * abs(u @ v)
    zero = np.zeros(6)
    assert frechet_gaussians(zero, np.outer(u, u), zero, np.outer(v, v)) == pytest.approx(wanted)


def test_of_sets():
    x, y = RNG.standard_normal((50, 4)), 2 * RNG.standard_normal((70, 4)) + 1
    C, D = np.cov(x.T), np.cov(y.T)
    wanted = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(C + D - 2 * sqrtm(C @ D).real)
    assert frechet_distance(x, y) == pytest.approx(wanted, rel=1e-8)
    assert frechet_distance(x.astype(np.float32), y) == pytest.approx(wanted, rel=1e-5)


def test_a_set_has_no_distance_to_itself():
    x = RNG.standard_normal((40, 8)) + 100
    assert 0 <= frechet_distance(x, x[::-1]) < 1e-9


def test_large_samples_reach_the_distance_of_their_gaussians():
    x = RNG.standard_normal((20_000, 2))
    y = RNG.standard_normal((20_000, 2)) * [2, 1] + [3, 0]
    # 9 + (2 - 1)²; the standard error is about 0.05.
    assert frechet_distance(x, y) == pytest.approx(10, abs=0.25)


def test_few_rows_are_warned_of():
    with pytest.warns(MetricWarning, match="from 8 rows of 8 features"):
        frechet_distance(RNG.standard_normal((8, 8)), RNG.standard_normal((30, 8)))
    with pytest.raises(ShapeError, match="at least 2 rows"):
        frechet_distance(np.zeros((1, 2)), np.zeros((3, 2)))
