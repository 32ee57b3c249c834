"""Precision, recall, density, coverage and the two-sample test, by neighbours found in loops."""

import numpy as np
import pytest

from minigan.errors import OptionError, ShapeError
from minigan.metrics import distances
from minigan.metrics.density_coverage import density_coverage
from minigan.metrics.precision_recall import precision_recall
from minigan.metrics.two_sample import nearest_neighbour_test
from tests.metrics import naive

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("block", [1, 50, 1 << 22])
@pytest.mark.parametrize(("n", "m", "k"), [(12, 9, 1), (10, 14, 3), (6, 6, 5)])
def test_against_loops(monkeypatch, block, n, m, k):
    monkeypatch.setattr(distances, "BLOCK", block)
    real, fake = RNG.standard_normal((n, 2)), RNG.standard_normal((m, 2)) * 0.7 + 0.5
    shares = precision_recall(real, fake, k=k)
    assert shares.precision == pytest.approx(naive.share_within(fake, real, k))
    assert shares.recall == pytest.approx(naive.share_within(real, fake, k))
    found = density_coverage(real, fake, k=k)
    assert found.density == pytest.approx(naive.density(real, fake, k))
    assert found.coverage == pytest.approx(naive.coverage(real, fake, k))
    assert 0 < shares.recall < 1 or n == 6  # the case can fail


def test_far_apart_is_zero_and_the_same_is_one():
    x = RNG.standard_normal((30, 4))
    assert precision_recall(x, x + 100) == (0, 0)
    assert density_coverage(x, x + 100) == (0, 0)
    assert precision_recall(x, x) == (1, 1)
    assert density_coverage(x, x).coverage == 1


def test_a_collapsed_set_is_precise_and_recalls_little():
    x = RNG.standard_normal((200, 2))
    fake = np.repeat(x[:1], 200, axis=0)
    assert precision_recall(x, fake) == (1, 1 / 200)
    assert density_coverage(x, fake).coverage < 0.1


def test_one_distribution_has_density_1_and_the_papers_coverage():
    """E coverage = 1 - (N - 1) ... (N - k) / ((2N - 1) ... (2N - k)), lemma 2 at N = M."""
    n, k = 300, 3
    found = [density_coverage(*RNG.standard_normal((2, n, 2)), k=k) for _ in range(20)]
    i = np.arange(1, k + 1)
    assert np.mean([f.coverage for f in found]) == pytest.approx(
        1 - np.prod((n - i) / (2 * n - i)), abs=0.01
    )
    assert np.mean([f.density for f in found]) == pytest.approx(1, abs=0.03)


def test_too_few_points_for_k():
    x = RNG.standard_normal((3, 2))
    for metric in (precision_recall, density_coverage):
        with pytest.raises(ShapeError, match="k=3 neighbours of 3 points"):
            metric(x, x, k=3)


# --- two samples ----------------------------------------------------------------------------------


def test_accuracy_against_loops():
    rng = np.random.default_rng(5)
    real, fake = rng.standard_normal((15, 2)), rng.standard_normal((15, 2)) * 0.3
    labels = np.repeat([0, 1], 15)
    right = labels == labels[naive.nearest(np.concatenate([real, fake]))]
    found = nearest_neighbour_test(real, fake, rng=np.random.default_rng(0))
    assert found[:3] == pytest.approx((right.mean(), right[:15].mean(), right[15:].mean()))
    assert found.real != found.fake  # the case can fail


def test_p_values_are_uniform_where_both_sets_are_one():
    rng = np.random.default_rng(1)
    p = np.array(
        [
            nearest_neighbour_test(*rng.standard_normal((2, 40, 2)), rng=rng, permutations=99)[3]
            for _ in range(300)
        ]
    )
    # The share is a discrete number, so P(p <= a) is at most a: it may not exceed it.
    for level in (0.05, 0.2, 0.5):
        assert (p <= level).mean() <= level + 4 * np.sqrt(level * (1 - level) / len(p))
    assert (p <= 0.5).mean() > 0.3


def test_p_values_see_a_difference_and_copies():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((60, 2))
    apart = nearest_neighbour_test(x, x + 5, rng=rng, permutations=199)
    assert apart[:3] == (1, 1, 1)
    assert apart.p_value == 1 / 200
    copies = nearest_neighbour_test(x, x + 1e-4, rng=rng, permutations=199)
    assert copies.accuracy == 0
    assert copies.p_value == 1 / 200


def test_collapsed_samples_are_told_by_set():
    rng = np.random.default_rng(3)
    real = rng.standard_normal((100, 2))
    found = nearest_neighbour_test(real, np.repeat(real[:1] + 0.01, 100, 0), rng=rng)
    assert found.fake > 0.95
    assert found.real > 0.8  # but for those next to the one place


def test_ties_favour_no_set():
    """Every point is the same: the nearest is anyone of the other 2n - 1."""
    z = np.zeros((100, 2))
    accuracies = [
        nearest_neighbour_test(z, z, rng=np.random.default_rng(s), permutations=1).real
        for s in range(30)
    ]
    assert np.mean(accuracies) == pytest.approx(0.5, abs=0.04)  # four standard errors


def test_two_samples_that_cannot_be():
    rng = np.random.default_rng(0)
    with pytest.raises(ShapeError, match="one size, got 4, 5"):
        nearest_neighbour_test(np.zeros((4, 2)), np.zeros((5, 2)), rng=rng)
    with pytest.raises(OptionError, match="permutations=0"):
        nearest_neighbour_test(np.zeros((4, 2)), np.zeros((4, 2)), rng=rng, permutations=0)
