"""New kittens: true parts give the split's own shares; a wrong part is corrected for."""

import numpy as np
import pytest

from minigan.data.kittens import COMBINATIONS, COUNTS, Kittens, held_out
from minigan.errors import ShapeError
from minigan.metrics.novelty import novelty


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    everything = np.arange(COMBINATIONS)
    new = held_out(everything)
    draw = lambda which, n: Kittens.labels(rng.choice(everything[which], n))  # noqa: E731
    return draw(~new, 3000), draw(new, 3000), Kittens.labels(rng.integers(COMBINATIONS, size=5000))


def test_true_parts(parts):
    training, held, mixed = parts
    assert novelty(training, training, held)[:2] == (0, 0)
    assert novelty(held, training, held)[:2] == (1, 1)
    found = novelty(mixed, training, held)
    assert found.new == found.corrected == pytest.approx(0.1, abs=0.02)
    assert found[3:] == (0, 1)


def test_distinct_looks(parts):
    training, held, _ = parts
    assert novelty(np.repeat(training[:5], 20, axis=0), training, held).distinct == 5 / 100
    mouths = np.tile(training[:1], (10, 1))
    mouths[:, 3], mouths[:, 4] = np.arange(10), 0  # a red scarf hides every mouth
    assert novelty(mouths, training, held).distinct == 1 / 10
    mouths[:, 4] = 15
    assert novelty(mouths, training, held).distinct == 1


def test_errors_of_the_classifier_are_corrected_for(parts):
    """Eyes named wrong in a fifth of the kittens: the raw share is off, not the other."""
    rng = np.random.default_rng(1)

    def erring(labels):
        labels = labels.copy()
        wrong = rng.random(len(labels)) < 0.2
        labels[wrong, 2] = rng.integers(COUNTS[2], size=wrong.sum())
        return labels

    training, held, _ = parts
    half = np.concatenate([training[:2000], held[:2000]])
    found = novelty(erring(half), erring(training), erring(held))
    assert found.new < 0.45
    assert found.corrected == pytest.approx(0.5, abs=0.03)


def test_a_blind_classifier_is_refused(parts):
    training, held, mixed = parts
    with pytest.raises(ShapeError, match="cannot tell them apart"):
        novelty(mixed, held, training)
