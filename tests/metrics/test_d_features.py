"""What D has learned, by a linear SVM: against features that say all, nothing, or the pixels."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import open_data
from minigan.errors import DataError
from minigan.metrics import Subject, measure
from minigan.metrics.d_features import chosen_svm
from minigan.metrics.subject import Judge
from minigan.models import linear_svm
from minigan.streams import Purpose

DIGITS = open_data("digits")
HELD_OUT = open_data("digits", split="test")


def subject(judge, held_out=HELD_OUT, data=HELD_OUT):
    return Subject(lambda n, rng: None, data, split="test", held_out=held_out, judge=judge)


def nothing(x):
    return np.ones((len(x), 3))


def pixels(x):
    return x.reshape(len(x), -1)


def test_features_that_say_all_and_nothing():
    """All: the label, by a table of the pictures. Nothing: every digit is taken for one class."""
    names = {}
    for data in (DIGITS, HELD_OUT):
        x, labels = data.take(np.arange(len(data)))
        names |= {p.tobytes(): int(label) for p, label in zip(x, labels[:, 0], strict=True)}

    def everything(x):
        return np.eye(10)[[names[p.tobytes()] for p in x]]

    found = measure("d-features", subject(Judge(everything, nothing, lambda: DIGITS)), 50)
    assert found.values["accuracy"] == 1.0
    _, labels = HELD_OUT.take(make_rng(0, Purpose.REAL_LABELLED).permutation(len(HELD_OUT))[:2000])
    assert found.values["accuracy (untrained D)"] in np.bincount(labels[:, 0]) / len(labels)
    assert 0.5 < found.values["accuracy (pixels)"] < 0.8


def test_the_labelled_examples_are_of_the_training_split_and_as_many_of_each_class():
    """n teach, n choose C, none of them is tested; the SVM on pixels is the one that stands by."""
    seen = []

    def watched(x):
        seen.append(x)
        return pixels(x)

    found = measure("d-features", subject(Judge(watched, pixels, lambda: DIGITS)), 100)
    assert found.values["accuracy"] == found.values["accuracy (pixels)"]
    tested, known = seen
    assert len(tested) == len(HELD_OUT)
    training = {p.tobytes() for p in DIGITS.take(np.arange(len(DIGITS))).x}
    kept = [p.tobytes() in training for p in known]
    assert len(known) == len({p.tobytes() for p in known}) == 200
    assert all(kept)
    assert not any(p.tobytes() in training for p in tested)
    assert "after 100 labelled examples" in found.protocol
    assert (found.n_real, found.split) == (len(tested), "test")


def test_every_label_of_kittens_is_learned_for_itself():
    kittens = open_data("kittens", size=8)
    held_out = open_data("kittens", size=8, split="test")
    judge = Judge(pixels, pixels, lambda: kittens)
    found = measure("d-features", subject(judge, held_out, held_out), 40)
    parts = [found.values[name] for name in kittens.label_names]
    assert len(set(parts)) > 1
    assert found.values["accuracy"] == pytest.approx(np.mean(parts))


def test_c_is_the_best_on_the_examples_between():
    """Labels that follow one of many noisy features; the taught are the even rows."""
    rng = make_rng(0)
    labels = rng.integers(0, 2, 60)
    x = rng.standard_normal((60, 80))
    x[:, 0] += 3 * labels
    best = chosen_svm(x, labels)
    scores = {
        C: linear_svm(x[::2], labels[::2], C=C).accuracy(x[1::2], labels[1::2])
        for C in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
    }
    assert best.accuracy(x[1::2], labels[1::2]) == max(scores.values()) > min(scores.values())
    first = next(C for C, score in scores.items() if score == max(scores.values()))
    np.testing.assert_array_equal(best.weight, linear_svm(x[::2], labels[::2], C=first).weight)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"judge": None}, "needs a D of convolutions that LeakyReLU follow"),
        ({"held_out": None}, "digits has no test split"),
        ({"data": open_data("ring")}, "needs pictures with labels and a test split"),
    ],
)
def test_what_it_needs(given, words):
    judge = Judge(pixels, pixels, lambda: DIGITS)
    with pytest.raises(DataError, match=words):
        measure("d-features", subject(**{"judge": judge, **given}), 50)


def test_too_few_labelled_examples():
    with pytest.raises(DataError, match="take 1800 of each class, and there are"):
        measure("d-features", subject(Judge(pixels, pixels, lambda: DIGITS)), 9000)
