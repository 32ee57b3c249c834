"""Modes captured, at ends that can be told by hand."""

import numpy as np
import pytest
from scipy.stats import chi2, entropy

from minigan.data.mixtures import grid, ring
from minigan.metrics.modes import class_modes, mixture_modes, reverse_kl


@pytest.mark.parametrize("mixture", [ring(), grid()], ids=["ring", "grid"])
def test_the_data_itself_has_every_mode(mixture):
    x = mixture.draw(20_000, np.random.default_rng(0)).x
    found = mixture_modes(x, mixture.centres, mixture.sigma)
    assert found.modes == len(mixture.centres)
    # Within 3 sigma of a round Gaussian in the plane: 1 - exp(-9/2).
    assert found.high_quality == pytest.approx(chi2.cdf(9, 2), abs=0.003)
    assert found.reverse_kl == pytest.approx(len(mixture.centres) / (2 * len(x)), rel=1)


def test_one_mode():
    found = mixture_modes(np.tile(ring().centres[3], (50, 1)), ring().centres, 0.01)
    assert found == pytest.approx((1, 1, np.log(8)))


def test_a_low_quality_sample_falls_to_no_mode():
    centres = np.array([[0.0, 0], [10, 0], [0, 10]])
    near = [[0.0, 0], [0, 2.9], [-1, 0], [10, 1]]
    far = [[0, 3.1], [6, 0], [6, 0], [0, 6]]  # the last three are nearer to the other centres
    found = mixture_modes(np.array([*near, *far]), centres, 1.0)
    assert found.modes == 2
    assert found.high_quality == 0.5
    assert found.reverse_kl == pytest.approx(entropy([0.75, 0.25, 0], np.full(3, 1 / 3)))


def test_samples_of_low_quality_alone_are_as_far_off_as_can_be():
    found = mixture_modes(np.full((9, 2), 50.0), ring().centres, 0.01)
    assert found == pytest.approx((0, 0, np.log(8)))


def test_classes():
    found = class_modes(np.array([0, 0, 3, 3, 3, 9]), 10)
    assert found.modes == 3
    q = np.array([2, 3, 1]) / 6
    assert found.reverse_kl == pytest.approx((q * np.log(10 * q)).sum())


def test_balance():
    assert reverse_kl(np.full(6, 11)) == pytest.approx(0, abs=1e-12)
    assert reverse_kl(np.array([4, 0])) == pytest.approx(np.log(2))


def test_uniform_classes_have_the_divergence_of_sampling():
    """Wilks: 2 N KL(q || u) is chi² of K - 1 degrees of freedom for large N."""
    rng = np.random.default_rng(0)
    found = [class_modes(rng.integers(50, size=4000), 50).reverse_kl for _ in range(200)]
    assert np.mean(found) == pytest.approx(49 / 8000, rel=0.06)
