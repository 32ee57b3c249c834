"""Diversity of answers: loops over pairs, 0 without noise, and the way back."""

import numpy as np
import pytest

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.backend import make_rng
from minigan.data import open_pairs
from minigan.errors import DataError, OptionError
from minigan.metrics import TranslationSubject, measure, ranking
from minigan.metrics.answers import ANSWERS
from minigan.streams import Purpose
from minigan.training.generation import translating

N = 12


def edges():
    return open_pairs("kittens-edges", aligned=True, size=16, split="test")


def tinted(x, rng):
    """Each picture in a colour that is drawn for it."""
    return np.tanh(x + rng.standard_normal((len(x), 1, 1, 3)).astype(np.float32))


def subject(data=None, **translators):
    return TranslationSubject(translators, data or edges(), split="test", seed=3)


def test_it_is_the_mean_over_pictures_and_pairs_of_their_answers():
    one = subject(G=tinted)
    found = measure("diversity", one, N)
    data = edges()
    x, y = data.split(data.draw(N, make_rng(3, Purpose.REAL)).x)
    rng = make_rng(3, Purpose.MEASURED)
    made = [tinted(x, rng) for _ in range(ANSWERS)]
    features = [one.extractor.features(a).astype(np.float64) for a in made]
    apart, plain = [], []
    for i in range(N):
        for a in range(ANSWERS):
            for b in range(a):
                apart.append(np.linalg.norm(features[a][i] - features[b][i]))
                plain.append(np.abs(made[a][i].astype(np.float64) - made[b][i]).mean())
    truth = one.extractor.features(y).astype(np.float64)
    others = [np.linalg.norm(truth[i] - truth[i - 1]) for i in range(N)]
    assert found.values == {
        "features": pytest.approx(np.mean(apart), rel=1e-6),
        "l1": pytest.approx(np.mean(plain), rel=1e-6),
        "features of the data": pytest.approx(np.mean(others), rel=1e-6),
        "l1 of the data": pytest.approx(
            np.mean([np.abs(y[i] - y[i - 1]).mean() for i in range(N)]), rel=1e-6
        ),
    }
    assert (found.n_fake, found.n_real, found.split, found.seed) == (N * ANSWERS, N, "test", 3)
    assert "kittens classifier" in found.extractor
    assert found.values["features"] > 1


def pix2pix(dropout):
    """G as it was drawn, with the data's channels."""
    o = recipe("pix2pix").options(width=2, patch=7, dropout=dropout)
    task = Task((16, 16, 4), "pairs", 9, channels=(1, 3))
    return recipe("pix2pix").build(o, task, Streams(0))


def test_a_pix2pix_without_noise_has_none_and_one_with_dropout_some():
    for dropout, some in ((0.0, False), (0.5, True)):
        made = pix2pix(dropout)
        found = measure("diversity", subject(**translating(made)), N).values
        assert (found["features"] > 0) == (found["l1"] > 0) == some
        assert made.varies == some
        assert found["features of the data"] > 1


def test_a_bicyclegan_has_some_without_dropout():
    o = recipe("bicyclegan").options(width=2, patch=7)
    task = Task((16, 16, 4), "pairs", 9, channels=(1, 3))
    made = recipe("bicyclegan").build(o, task, Streams(0))
    assert made.varies
    assert measure("diversity", subject(**translating(made)), N).values["l1"] > 0


def test_both_ways_of_a_munit_have_some():
    o = recipe("munit").options(width=2, patch=7, blocks=1, scales=1, mlp_width=4)
    task = Task((16, 16, 4), "pairs", 9, channels=(1, 3))
    made = recipe("munit").build(o, task, Streams(0))
    found = measure("diversity", subject(**translating(made)), N).values
    assert found["l1"] > 0
    assert found["l1 of F(y)"] > 0


def test_both_ways_are_measured_where_there_is_a_way_back():
    data = open_pairs("kittens-recolour", aligned=True, size=16, split="test")
    found = measure("diversity", subject(data, G=tinted, F=lambda x, rng: x), N).values
    assert found["l1"] > 0
    assert found["l1 of F(y)"] == found["features of F(y)"] == 0


def test_it_chooses_no_checkpoint_and_takes_no_single_examples():
    with pytest.raises(OptionError, match="metric 'diversity' cannot choose a checkpoint"):
        ranking("diversity")
    from minigan.data import open_data
    from minigan.metrics import Subject

    digits = open_data("digits")
    with pytest.raises(DataError, match="metric 'diversity' needs pairs"):
        measure("diversity", Subject(lambda n, rng: digits.draw(n, rng).x, digits, split="train"))
