"""The table of metrics: which set is which, how many samples, and what counts as better."""

import numpy as np
import pytest

from minigan.data import open_data, open_pairs
from minigan.metrics import METRICS, Subject, measure, ranking
from minigan.metrics.density_coverage import density_coverage
from minigan.metrics.precision_recall import precision_recall


@pytest.fixture(scope="module")
def collapsed():
    """Good samples of one mode of eight: all precise, few of the data covered."""
    ring = open_data("ring")

    def draw(n, rng):
        x = ring.draw(16 * n, rng).x
        centre = ring.centres[0]
        return x[np.linalg.norm(x - centre, axis=1) < 0.1][:n]

    return Subject(draw, ring, split="train")


def test_real_and_generated_examples_are_not_exchanged(collapsed):
    found = measure("precision-recall", collapsed, 200).values
    assert found["precision"] > 0.9
    assert found["recall"] < 0.3
    found = measure("density-coverage", collapsed, 200).values
    assert found["density"] > 0.5
    assert found["coverage"] < 0.3
    real, fake = collapsed.real_features(200), collapsed.sample_features(200)
    # A real example of another mode has only real neighbours; some of this mode have a real one.
    found = measure("two-sample", collapsed, 200).values
    assert found["real"] > 0.85
    assert np.linalg.norm(real.mean(0)) < np.linalg.norm(fake.mean(0))


def test_neighbours_are_as_many_as_the_papers_take():
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((2, 60, 2))
    assert precision_recall(real, fake) == precision_recall(real, fake, k=3)
    assert density_coverage(real, fake) == density_coverage(real, fake, k=5)


def test_protocols_say_how_many_samples():
    ring, digits = open_data("ring"), open_data("digits")
    assert METRICS["modes"].n(ring) == 2500
    assert METRICS["modes"].n(open_data("stacked-digits")) == 26_000
    assert METRICS["fid"].n(digits) == 2000
    assert METRICS["fid"].n(open_pairs("kittens-edges", aligned=True)) == 500
    assert METRICS["parzen"].n(digits) == 10_000


# METRIC.VALUE, and values from the worst to the best.
BETTER = {
    "fid": [3.0, 1.0],
    "kid": [0.3, -0.1],
    "is": [1.0, 5.0],
    "modes": [2, 8],
    "modes.reverse_kl": [0.5, 0.0],
    "precision-recall": [0.1, 0.9],
    "two-sample": [1.0, 0.2, 0.6, 0.5],
    "l1": [0.5, 0.1],
    "psnr": [10.0, 20.0],
    "sharpness": [2.5, 0.3, 1.2, 1.0],
}


@pytest.mark.parametrize("wanted", BETTER)
def test_what_counts_as_better(wanted):
    _, _, rank = ranking(wanted)
    ranks = [rank(value) for value in BETTER[wanted]]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
