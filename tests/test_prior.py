"""The prior's numbers: their distribution, their stream, their dtype."""

import numpy as np
import pytest
from scipy import stats

from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.prior import PRIORS, Prior

LAWS = {"uniform": stats.uniform(-1, 2), "normal": stats.norm()}


def test_every_prior_has_a_law():
    assert set(LAWS) == set(PRIORS)


@pytest.mark.parametrize("name", LAWS)
def test_distribution(name):
    """Kolmogorov-Smirnov on 40,000 numbers, and no correlation between coordinates."""
    z = Prior(name, 4, np.float64).draw(10_000, make_rng(1))
    # With this seed the test is decided once; a p-value below 1e-3 would be a wrong law.
    assert stats.kstest(z.ravel(), LAWS[name].cdf).pvalue > 1e-3
    off = np.corrcoef(z.T) - np.eye(4)
    assert np.abs(off).max() < 5 / np.sqrt(10_000)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_dtype_and_stream(name, dtype):
    """The same numbers in both dtypes, and the generator alone decides them."""
    z = Prior(name, 5, dtype).draw(7, make_rng(3))
    assert z.shape == (7, 5)
    assert z.dtype == dtype
    wide = Prior(name, 5, np.float64).draw(7, make_rng(3))
    np.testing.assert_array_equal(z, wide.astype(dtype))

    rng = make_rng(3)
    prior = Prior(name, 5, dtype)
    first, second = prior.draw(7, rng), prior.draw(7, rng)
    np.testing.assert_array_equal(first, z)
    assert not np.isin(second, first).any()


def test_float32_by_default():
    assert Prior("normal", 2).draw(1, make_rng(0)).dtype == np.float32


def test_refused():
    with pytest.raises(UnknownNameError, match="unknown prior 'unifrom'; did you mean 'uniform'"):
        Prior("unifrom", 3)
    with pytest.raises(OptionError, match="z_dim=0 must be at least 1"):
        Prior("normal", 0)
