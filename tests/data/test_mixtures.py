"""Mixtures: centres, densities against SciPy, draws against the density."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import dblquad, quad
from scipy.stats import chisquare, kstest, multivariate_normal

from minigan.data import open_data
from minigan.data.mixtures import Mixture, gaussian1d, grid, ring
from minigan.errors import OptionError


def test_the_ring_has_eight_distinct_centres_on_the_unit_circle() -> None:
    centres = ring().centres
    np.testing.assert_allclose(np.hypot(*centres.T), 1, atol=1e-12)
    apart = np.hypot(*(centres[:, None] - centres).T)[~np.eye(8, dtype=bool)]
    assert apart.min() == pytest.approx(2 * np.sin(np.pi / 8))
    assert ring().sigma == 0.01


def test_the_grid_has_the_25_even_points() -> None:
    expected = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert {tuple(c) for c in grid().centres.tolist()} == expected
    assert grid().sigma == 0.05


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_draws_fall_around_the_mode_that_labels_them(name: str) -> None:
    data = open_data(name)
    assert (data.kind, data.size, data.shape) == ("points", None, (2,))
    x, labels = data.draw(40_000, np.random.default_rng(0))
    assert x.dtype == np.float32
    assert labels.shape == (40_000, 1)
    assert labels.dtype == np.int64
    counts = np.bincount(labels[:, 0], minlength=len(data.label_names["mode"]))
    assert chisquare(counts).pvalue > 1e-3
    z = (x - data.centres[labels[:, 0]]) / data.sigma
    assert kstest(z.ravel(), "norm").pvalue > 1e-3


def test_gaussian1d_is_the_normal_distribution() -> None:
    data = gaussian1d(mu=-3.0, sigma=0.5)
    x, labels = data.draw(20_000, np.random.default_rng(1))
    assert labels is None
    assert data.label_names == {}
    assert x.shape == (20_000, 1)
    assert kstest((x[:, 0] + 3.0) / 0.5, "norm").pvalue > 1e-3


@given(
    arrays(float, st.tuples(st.integers(1, 5), st.just(2)), elements=st.floats(-3, 3)),
    arrays(float, st.tuples(st.integers(1, 4), st.just(2)), elements=st.floats(-3, 3)),
    st.floats(0.3, 2),
)
def test_log_density_equals_scipys(x: np.ndarray, centres: np.ndarray, sigma: float) -> None:
    density = np.mean([multivariate_normal(c, sigma**2).pdf(x) for c in centres], axis=0)
    ours = Mixture("mixture", centres, sigma).log_density(x)
    np.testing.assert_allclose(ours, np.log(np.atleast_1d(density)), rtol=1e-9, atol=1e-9)


def test_densities_integrate_to_one() -> None:
    line = gaussian1d()
    total, _ = quad(lambda t: np.exp(line.log_density(np.array([[t]])))[0], -10, 20)
    assert total == pytest.approx(1, abs=1e-6)
    # One cell of the grid holds one of 25 equal modes.
    cell, _ = dblquad(
        lambda s, t: np.exp(grid().log_density(np.array([[s, t]])))[0], -0.4, 0.4, -0.4, 0.4
    )
    assert cell == pytest.approx(1 / 25, abs=1e-6)


def test_log_density_stays_finite_where_the_density_underflows() -> None:
    far = ring().log_density(np.array([[50.0, 0.0]]))
    nearest = -(49.0**2) / (2 * 0.01**2) - np.log(8 * 2 * np.pi * 0.01**2)
    np.testing.assert_allclose(far, nearest, rtol=1e-12)


@pytest.mark.parametrize("name", ["ring", "grid", "gaussian1d"])
@pytest.mark.parametrize(("option", "value"), [("size", 32), ("channels", 1)])
def test_points_have_no_picture_options(name: str, option: str, value: int) -> None:
    with pytest.raises(OptionError, match=f"{name} holds points.*--{option}"):
        open_data(name, **{option: value})
