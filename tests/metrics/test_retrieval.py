"""Whether translations find their own truths."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import open_pairs
from minigan.metrics import TranslationSubject, measure
from minigan.metrics.retrieval import retrieval
from minigan.streams import Purpose


def naive(made, truth):
    """Picture by picture; a truth that equals the own one is the own one."""
    found, alike = 0, 0
    for i, picture in enumerate(made):
        apart = [float(((picture.astype(np.float64) - t) ** 2).sum()) for t in truth]
        found += np.array_equal(truth[int(np.argmin(apart))], truth[i])
        alike += sum(np.array_equal(t, truth[i]) for t in truth)
    n = len(truth)
    return {"own": found / n, "by chance": alike / n**2}


def test_equals_a_loop():
    rng = make_rng(0)
    things = rng.uniform(-1, 1, (5, 4, 3, 2)).astype(np.float32)
    truth = things[rng.integers(5, size=30)]
    made = (truth + 2.5 * rng.standard_normal(truth.shape)).astype(np.float32)
    expected = naive(made, truth)
    assert 0.2 < expected["own"] < 1
    assert retrieval(made, truth) == pytest.approx(expected, abs=1e-12)


def test_truths_find_themselves_and_their_average_finds_one_of_them():
    truth = make_rng(1).uniform(-1, 1, (8, 3, 3, 1)).astype(np.float32)
    assert retrieval(truth, truth) == pytest.approx({"own": 1.0, "by chance": 1 / 8})
    average = np.broadcast_to(truth.mean(0), truth.shape)
    assert retrieval(average, truth)["own"] == 1 / 8
    assert retrieval(np.roll(truth, 1, 0), truth)["own"] == 0


def test_of_a_translation_by_name():
    data = open_pairs("kittens-worn", aligned=True, size=16, split="test")
    x, y = data.split(data.draw(40, make_rng(3, Purpose.REAL)).x)
    made = {x[i].tobytes(): y[i] for i in range(40)}

    def halfway(pictures, rng):
        return np.stack([0.9 * made[p.tobytes()] + 0.1 * y[0] for p in pictures])

    found = measure("retrieval", TranslationSubject({"G": halfway}, data, split="test", seed=3), 40)
    assert found.values["own"] == 1
    assert 1 / 12 < found.values["by chance"] < 0.2
    assert "G(x) against y" in found.protocol
