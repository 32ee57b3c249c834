"""Diversity: the mean over all pairs, found without forming one."""

import itertools

import numpy as np
import pytest

from minigan.metrics import diversity

RNG = np.random.default_rng(0)


def over_pairs(x: np.ndarray) -> float:
    flat = x.reshape(len(x), -1).astype(np.float64)
    squares = [((a - b) ** 2).mean() for a, b in itertools.combinations(flat, 2)]
    return float(np.sqrt(np.mean(squares)))


@pytest.mark.parametrize("shape", [(2, 1), (2, 5), (7, 3), (6, 4, 3, 1), (9, 2, 2, 3)])
def test_it_is_the_mean_over_pairs(shape: tuple[int, ...]) -> None:
    x = RNG.standard_normal(shape).astype(np.float32)
    assert diversity(x) == pytest.approx(over_pairs(x), rel=1e-12)


def test_a_collapsed_batch_has_none() -> None:
    assert diversity(np.full((8, 4, 4, 3), 0.3, np.float32)) == pytest.approx(0, abs=1e-12)


def test_two_points_at_a_known_distance() -> None:
    assert diversity(np.array([[0.0, 0.0], [3.0, 4.0]])) == pytest.approx(5 / np.sqrt(2))


def test_it_scales_and_does_not_shift() -> None:
    x = RNG.standard_normal((20, 5))
    assert diversity(3 * x + 7) == pytest.approx(3 * diversity(x))


def test_its_expectation_does_not_depend_on_the_number() -> None:
    """E |x - x'|^2 = 2 for unit variance: the N / (N - 1) keeps small batches unbiased."""
    squares = [diversity(RNG.standard_normal((4, 50))) ** 2 for _ in range(400)]
    # The standard error of this mean is 0.02.
    assert np.mean(squares) == pytest.approx(2, abs=0.08)
