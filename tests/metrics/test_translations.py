"""What is measured of translations: the known truth both ways, and nothing that is not there."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import open_pairs
from minigan.errors import DataError, OptionError
from minigan.metrics import MetricWarning, TranslationSubject, measure
from minigan.metrics.frechet import frechet_distance
from minigan.metrics.similarity import l1, psnr, ssim
from minigan.streams import Purpose


def recolour(**kwargs):
    return open_pairs("kittens-recolour", aligned=True, size=16, split="test", **kwargs)


def same(x, rng):
    return x


def darker(x, rng):
    return x * np.float32(0.5) - np.float32(0.2)


def subject(data=None, **translators):
    return TranslationSubject(translators, data or recolour(), split="test", seed=3)


def test_values_are_those_of_the_pairs_that_the_seed_draws():
    data = recolour()
    x, y = data.split(data.draw(40, make_rng(3, Purpose.REAL)).x)
    one = subject(G=darker)
    found = measure("l1", one, 40)
    assert found.values == {
        "error": pytest.approx(np.abs(x * 0.5 - 0.2 - y).mean(), rel=1e-5),
        "untranslated": pytest.approx(np.abs(x - y).mean(), rel=1e-5),
    }
    made = darker(x, None)
    assert measure("psnr", one, 40).values["decibels"] == pytest.approx(psnr(made, y).mean())
    assert measure("ssim", one, 40).values["similarity"] == pytest.approx(ssim(made, y).mean())
    assert (found.n_fake, found.n_real, found.split, found.seed) == (40, 40, "test", 3)
    assert found.protocol.endswith("; G(x) against y")


def test_both_ways_are_measured_where_there_is_a_way_back():
    data = recolour()
    x, y = data.split(data.draw(20, make_rng(3, Purpose.REAL)).x)
    both = subject(G=same, F=darker)
    found = measure("l1", both, 20)
    assert found.values["error"] == found.values["untranslated"]
    expected = l1(darker(y, None), x).mean()
    assert found.values["error of F(y)"] == pytest.approx(expected)
    assert "F(y) against x" in found.protocol
    assert set(measure("psnr", subject(G=same), 20).values) == {"decibels", "untranslated"}


def test_cycles():
    data = recolour()
    x, y = data.split(data.draw(20, make_rng(3, Purpose.REAL)).x)
    found = measure("cycle", subject(G=same, F=darker), 20).values
    assert found["error"] == pytest.approx(l1(darker(x, None), x).mean())
    assert found["error of F(y)"] == pytest.approx(l1(darker(y, None), y).mean())
    with pytest.raises(OptionError, match="needs a generator each way"):
        measure("cycle", subject(G=same), 20)


def test_sharpness_is_1_of_what_is_as_sharp_as_the_truth():
    data = open_pairs("kittens-recolour", aligned=True, size=16, direction="BtoA")
    truth = {}

    def perfect(x, rng):
        return truth["y"]

    one = TranslationSubject({"G": perfect}, data, split="train")
    truth["y"] = one.real(20)
    assert measure("sharpness", one, 20).values["ratio"] == 1
    assert measure("psnr", one, 20).values["decibels"] == 100  # the loudest that is counted
    truth["y"] = one.real(20) / 2
    assert measure("sharpness", one.redrawn({"G": perfect}), 20).values["ratio"] == pytest.approx(
        0.25, rel=1e-6
    )


def test_features_are_those_of_translations_and_of_true_pictures():
    one = subject(G=darker, F=same)
    with pytest.warns(MetricWarning, match="singular"):
        found = measure("fid", one, 30).values
    features = one.extractor.features
    data = recolour()
    x, y = data.split(data.draw(30, make_rng(3, Purpose.REAL)).x)
    for name, real, made in (("distance", y, darker(x, None)), ("distance of F(y)", x, y)):
        with pytest.warns(MetricWarning):
            expected = frechet_distance(features(real), features(made))
        assert found[name] == pytest.approx(expected)


def test_two_domains_without_pairs_have_no_truth():
    folder_like = open_pairs("kittens-recolour", aligned=False, size=16)
    folder_like.matched = lambda n, rng: None
    one = TranslationSubject({"G": same}, folder_like, split="train")
    with pytest.raises(DataError, match="known to belong together"):
        measure("l1", one, 20)
    assert measure("sharpness", one, 20).values["made"] > 0


def test_a_metric_of_single_examples_does_not_take_pairs():
    for name in ("is", "modes", "novelty", "parzen"):
        with pytest.raises(DataError, match=f"metric '{name}' needs"):
            measure(name, subject(G=same), 20)
