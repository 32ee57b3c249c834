"""The inception score at its ends, and against entropies from scipy."""

import numpy as np
import pytest
from scipy.stats import entropy

from minigan.errors import ShapeError
from minigan.metrics.inception_score import inception_score

RNG = np.random.default_rng(0)


def test_sure_and_balanced_is_the_number_of_classes():
    p = np.eye(7)[np.arange(70) % 7]
    assert inception_score(p, splits=2) == pytest.approx((7, 0))


@pytest.mark.parametrize("p", [np.full((20, 4), 0.25), np.eye(4)[np.zeros(20, int)]])
def test_unsure_or_one_class_is_one(p):
    assert inception_score(p, splits=4) == pytest.approx((1, 0))


def test_it_is_the_mean_of_the_splits_entropies():
    p = RNG.dirichlet([0.3] * 5, size=43)
    parts = [p[:14], p[14:28], p[28:42]]  # the last row is left out
    scores = [np.exp(entropy(part.mean(0)) - entropy(part, axis=1).mean()) for part in parts]
    found = inception_score(p, splits=3)
    assert found.value == pytest.approx(np.mean(scores), rel=1e-12)
    assert found.deviation == pytest.approx(np.std(scores), rel=1e-9)


@pytest.mark.parametrize(
    ("p", "splits", "words"),
    [
        (np.ones((5, 2)), 1, "sum to 1"),
        (np.array([[1.5, -0.5]] * 3), 1, "numbers >= 0"),
        (np.full((5, 2), 0.5), 6, r"N >= splits=6, got \(5, 2\)"),
        (np.full(5, 0.5), 1, r"got \(5,\)"),
    ],
)
def test_what_is_no_set_of_probabilities(p, splits, words):
    with pytest.raises(ShapeError, match=words):
        inception_score(p, splits=splits)
