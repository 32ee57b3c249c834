"""The share of target pictures that are named right, of a classifier that is known."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import open_labelled_domains, open_pairs
from minigan.errors import DataError, OptionError
from minigan.metrics import TranslationSubject, checked, measure, ranking
from minigan.streams import Purpose


@pytest.fixture(scope="module")
def data():
    return open_labelled_domains("digits-m", size=8, split="test")


def knowing(data, n, seed):
    """A classifier that knows which pictures are 0, 1 or 2, and calls all others 3."""
    judged = data.judged(n, make_rng(seed, Purpose.REAL_LABELLED))
    known = {
        p.tobytes(): int(label)
        for batch in judged.values()
        for p, label in zip(batch.x, batch.labels[:, 0], strict=True)
    }

    def classify(x):
        return np.array([min(known.get(p.tobytes(), 3), 3) for p in x])

    return classify, judged


def test_shares_are_of_both_domains_and_of_what_is_adapted(data):
    classify, judged = knowing(data, 60, seed=4)

    def G(x, rng):  # what it makes, nobody knows
        return -x

    subject = TranslationSubject({"G": G}, data, split="test", seed=4, classify=classify)
    found = measure("target-accuracy", subject, 60)
    right = {name: (batch.labels <= 3).mean() for name, batch in judged.items()}
    assert 0.2 < right["target"] < 0.6
    assert found.values == {
        **right,
        "adapted": (judged["source"].labels == 3).mean(),
    }
    assert (found.split, found.n_real, found.n_fake, found.seed) == ("test", 60, 60, 4)
    alone = TranslationSubject({}, data, split="test", seed=4, classify=classify)
    assert measure("target-accuracy", alone, 60).values == right


def test_what_has_no_classifier_or_no_labels_is_refused(data):
    plain = TranslationSubject({}, data, split="test")
    with pytest.raises(DataError, match="needs a classifier that was trained to adapt: a pixelda"):
        measure("target-accuracy", plain, 20)
    edges = open_pairs("digits-edges", aligned=False)
    with pytest.raises(DataError, match="needs a labelled source domain and a target whose labels"):
        checked(["target-accuracy"], edges)


def test_no_checkpoint_is_chosen_by_the_target_s_labels():
    with pytest.raises(OptionError, match="cannot choose a checkpoint"):
        ranking("target-accuracy")
