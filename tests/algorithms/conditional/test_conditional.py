"""Conditional games beyond their equality with PyTorch: labels, wrong pairs, samples, refusals."""

import numpy as np
import pytest

from minigan import models
from minigan.algorithms import ALGORITHMS, Streams, Task
from minigan.algorithms.conditional.base import (
    Conditional,
    VectorConditional,
    check_labels,
    class_number,
)
from minigan.algorithms.conditional.cdcgan import WAYS
from minigan.algorithms.conditional.game import Beside, ConditionalGAN, wrong_labels
from minigan.algorithms.latent import Latent
from minigan.algorithms.parts import Fooling
from minigan.backend import make_rng
from minigan.data import open_data
from minigan.errors import DataError, NonFiniteError, OptionError, UnknownNameError
from minigan.gradcheck import check_layer
from minigan.layers import BatchNorm
from minigan.losses.conditional import WRONG_PAIRS, PairJudge
from minigan.metrics.extractors import ShippedExtractor
from minigan.noise import Stream

NAMES = {"kind": ("a", "b", "c"), "size": ("small", "large")}
SHAPE = (8, 8, 1)
SMALL = {"width": 2, "z_dim": 3}


def task(**other):
    return Task(SHAPE, "image", 10, batch=4, label_names=NAMES)._replace(**other)


def build(name="cdcgan", given=None, seed=0, **options):
    small = SMALL if name != "cgan" else {"z_dim": 3, "hidden_G": (4, 3, 5), "hidden_D": (4, 3, 5)}
    recipe = ALGORITHMS[name]
    return recipe.build(recipe.options.of(**small | options), given or task(), Streams(seed))


def batch(n, seed=0, dtype=np.float32):
    rng = make_rng(seed)
    x = np.tanh(rng.standard_normal((n, *SHAPE))).astype(dtype)
    return x, np.stack([rng.integers(len(c), size=n) for c in NAMES.values()], 1)


# --- wrong pairs ----------------------------------------------------------------------------------


def test_one_label_of_each_row_is_wrong_and_every_other_class_as_likely():
    counts, n = (4, 3, 2), 6000
    rng = make_rng(0)
    labels = np.stack([rng.integers(count, size=n) for count in counts], 1)
    wrong = wrong_labels(labels, counts, Stream(0))
    assert wrong.dtype == labels.dtype
    changed = wrong != labels
    np.testing.assert_array_equal(changed.sum(1), 1)
    # 4 standard deviations of a share of 6,000 draws, and of some 500 of them.
    assert np.abs(changed.mean(0) - 1 / 3).max() < 4 * np.sqrt(2 / 9 / n)
    for i, count in enumerate(counts):
        assert wrong[:, i].min() >= 0
        for number in range(count):
            found = wrong[changed[:, i] & (labels[:, i] == number), i]
            shares = np.bincount(found, minlength=count) / len(found)
            others = np.arange(count) != number
            assert np.abs(shares[others] - 1 / (count - 1)).max() < 4 * 0.5 / np.sqrt(len(found))


def test_without_the_third_term_G_ignores_the_label_and_with_it_it_does_not():
    """The same digits, networks, seed and steps; D sees the label as planes beside the picture.

    The classifier that ships is right in 99 % of real digits of this size.
    """
    digits = open_data("digits", size=16)
    classifier = ShippedExtractor("digits")
    labels = np.arange(200)[:, None] % 10
    accuracy = {}
    for wrong_pairs in ("none", "whole"):
        given = Task(digits.shape, "image", 220, batch=32, label_names=digits.label_names)
        game = build(
            given=given, d_sees="input", wrong_pairs=wrong_pairs, width=8, z_dim=8, lr=2e-3
        )
        rng = make_rng(0, 9)
        for _ in range(220):
            game.step(*digits.draw(32, rng))
        x = game.generate(game.prior.draw(200, make_rng(5)), labels)
        accuracy[wrong_pairs] = (classifier.predict(x) == labels).mean()
    assert accuracy["none"] < 0.35
    assert accuracy["whole"] > 0.65


@pytest.mark.parametrize("wrong_pairs", WRONG_PAIRS)
def test_D_is_shown_wrong_pairs_only_where_they_are_asked_for(wrong_pairs, monkeypatch):
    game = build(d_sees="late", wrong_pairs=wrong_pairs)
    shown = []
    forward = game.D.forward

    def noted(x, c, **how):
        shown.append((x, c))
        return forward(x, c, **how)

    monkeypatch.setattr(game.D, "forward", noted)
    x, labels = batch(4)
    game.step(x, labels)
    right = game.encode(labels, x)
    pairs = shown[:-1]  # the last belongs to G's step
    assert len(pairs) == (2 if wrong_pairs == "none" else 3)
    for _, c in pairs[:2]:
        np.testing.assert_array_equal(c, right)
    for given, c in pairs[2:]:
        np.testing.assert_array_equal(given, x)
        assert (c != right).any(1).all()
        np.testing.assert_array_equal(c.sum(1), len(NAMES))
    np.testing.assert_array_equal(shown[-1][1], right)


def test_another_way_or_another_loss_of_G_is_refused():
    game = build(d_sees="late")
    parts = {
        "optimizer_G": game.optimizers["G"],
        "optimizer_D": game.optimizers["D"],
        "prior": game.prior,
        "rng": game.rng,
        "judge": PairJudge,
        "label_names": game.label_names,
        "draw_labels": game.draw_labels,
    }
    with pytest.raises(UnknownNameError, match="unknown way to count wrong pairs: 'half'"):
        ConditionalGAN(game.G, game.D, wrong_pairs="half", **parts)
    with pytest.raises(OptionError, match="ConditionalGAN has its own loss of G"):
        ConditionalGAN(game.G, game.D, generator_loss=Fooling(game.objective), **parts)


def test_k_steps_of_D_take_their_own_examples_and_labels():
    game, other = build(k=2), build()
    x, labels = batch(8)
    game.step(x, labels)
    for part in (0, 1):  # by hand
        own, c = x[4 * part : 4 * part + 4], other.encode(labels[4 * part : 4 * part + 4], x)
        z = other.prior.draw(4, other.rng)
        other.update_pairs(own, z, c, other.wrong(labels[4 * part : 4 * part + 4], x))
    other.update_conditional_generator(other.prior.draw(4, other.rng), c, own)
    for name, array in game.state_dict().items():
        np.testing.assert_array_equal(array, other.state_dict()[name], err_msg=name)
    with pytest.raises(OptionError, match="7 examples cannot be split into k=2"):
        game.step(*batch(7))


# --- samples --------------------------------------------------------------------------------------


def test_it_is_conditional_and_its_samples_have_labels_as_the_data_has_them():
    drawn = lambda n, rng: np.tile([[2, 1]], (n, 1)) * (rng.integers(1) + 1)  # noqa: E731
    game = build(given=task(labels=drawn))
    assert isinstance(game, Conditional)
    assert isinstance(game, VectorConditional)
    assert not isinstance(build_unconditional(), Conditional)
    assert isinstance(build_unconditional(), Latent)
    x = game.sample(3, make_rng(4))
    rng = make_rng(4)
    z = game.prior.draw(3, rng)
    np.testing.assert_array_equal(x, game.generate(z, np.tile([[2, 1]], (3, 1))))
    uniform = build().draw_labels(600, make_rng(0))
    assert uniform.shape == (600, 2)
    for column, count in zip(uniform.T, (3, 2), strict=True):
        assert np.bincount(column, minlength=count).min() > 0.8 * 600 / count


def build_unconditional():
    recipe = ALGORITHMS["dcgan"]
    return recipe.build(recipe.options.of(**SMALL), task(), Streams(0))


def test_samples_come_from_the_average_and_a_condition_need_be_no_label():
    game = build(ema=0.5)
    game.step(*batch(4))
    z, (_, labels) = game.prior.draw(4, make_rng(1)), batch(4)
    averaged = game.generate(z, labels)
    with game.averages["G"].applied():
        by_hand, _ = game.G.forward(z, game.encode(labels, z), train=False)
    np.testing.assert_array_equal(averaged, by_hand)
    plain, _ = game.G.forward(z, game.encode(labels, z), train=False)
    assert np.abs(averaged - plain).max() > 0
    none = game.generate_for(z, np.zeros((4, 5), np.float32))
    assert none.shape == (4, *SHAPE)
    assert np.abs(none - averaged).max() > 0
    for array in game.averages["G"].average.values():
        array[...] = np.inf
    with pytest.raises(NonFiniteError, match=r"a sample G\(z, c\) is not finite"):
        game.generate(z, labels)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.array([0, 1]), r"shape \(2,\): give \(N, 2\), a column for each of kind, size"),
        (np.zeros((2, 3), int), r"shape \(2, 3\): give \(N, 2\)"),
        (np.zeros((2, 2)), "dtype float64: give integers"),
        (np.array([[0, 2]]), "label 'size' of 2 to 2 is out of range: it has 2 classes, 0 to 1"),
        (np.array([[-1, 0]]), "label 'kind' of -1 to -1 is out of range: it has 3 classes"),
    ],
)
def test_labels_that_cannot_be_are_refused(labels, words):
    game = build()
    with pytest.raises(DataError, match=words):
        game.generate(game.prior.draw(len(labels), make_rng(0)), labels)


def test_labels_of_no_rows_are_none():
    check_labels(NAMES, np.zeros((0, 2), int))


def test_the_number_of_a_class():
    assert class_number(NAMES, "size", "large") == (1, 1)
    with pytest.raises(UnknownNameError, match="unknown label 'kin'; did you mean 'kind'"):
        class_number(NAMES, "kin", "a")
    with pytest.raises(UnknownNameError, match="class of label 'size': 'larg'; did you mean 'larg"):
        class_number(NAMES, "size", "larg")


# --- D beside a fixed condition -------------------------------------------------------------------


@pytest.mark.parametrize("sees", models.conditional.DISCRIMINATORS)
def test_D_beside_a_condition_is_a_network_of_x_with_both_derivatives(sees):
    rng = make_rng(0)
    D = models.conditional_dcgan_discriminator(
        (16, 16, 1), 3, width=2, sees=sees, norm="layer", rng=rng
    )
    c, x = rng.standard_normal((2, 3)), rng.standard_normal((2, 16, 16, 1))
    alone = Beside(D, c)
    alone.add_child("D", D)  # so that its parameters are checked too
    alone.astype(np.float64)
    alone.flat.load(alone.flat.data + 0.3 * rng.standard_normal(alone.flat.size))
    y, ctx = alone.forward(x)
    np.testing.assert_array_equal(y, D.forward(x, c)[0][:, :1])
    check_layer(alone, x, rng=rng)
    assert alone.backward(y, ctx, need_dx=False) is None


# --- options --------------------------------------------------------------------------------------


def test_wrong_pairs_unless_told():
    for sees in WAYS:
        usual = "none" if sees in ("auxiliary", "projection") else "whole"
        assert build(d_sees=sees).wrong_pairs == usual
    assert build("cgan").wrong_pairs == "whole"
    assert build("cgan", objective="relativistic").wrong_pairs == "halved"
    assert build("acgan").wrong_pairs == "none"
    # A penalty bounds D in x alone: D could set right and wrong labels apart without end.
    penalised = {"objective": "wasserstein", "penalty": "wgan-gp"}
    assert build("cgan", **penalised).wrong_pairs == "none"
    assert build("cgan", **penalised, wrong_pairs="halved").wrong_pairs == "halved"
    assert build("cgan", objective="wasserstein", clip_weights=0.01).wrong_pairs == "halved"
    assert build("cdcgan", d_sees="projection", wrong_pairs="whole").wrong_pairs == "whole"


def test_the_norm_of_D_unless_told():
    def norms(**options):
        D = build(given=task(shape=(16, 16, 1)), **options).D
        return any(isinstance(part, BatchNorm) for _, part in D.walk())

    assert norms()
    assert not norms(spectral_norm=True)
    assert not norms(penalty="r1")
    assert norms(spectral_norm=True, norm_D="batch")


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("cdcgan", {"d_sees": "auxiliary", "wrong_pairs": "whole"}, "shows D no condition"),
        ("cdcgan", {"d_sees": "outside"}, "way for D to see the condition: 'outside'"),
        ("cdcgan", {"g_sees": "norms"}, "way for G to see the condition: 'norms'; did you mean"),
        ("cdcgan", {"d_sees": "projection", "embed_dim": 3}, "input, first, late, two-scores"),
        ("cdcgan", {"class_weight": 2.0}, "--class-weight is for --d-sees auxiliary"),
        ("cdcgan", {"real_classes": True}, "--real-classes is for --d-sees auxiliary"),
        ("acgan", {"class_weight": 0.0}, "weight of the classes 0.0"),
        ("cdcgan", {"g_sees": "adain", "norm_G": "layer"}, "--norm-G layer has no place"),
        ("cdcgan", {"width": 0}, "--width 0 must be at least 1"),
        ("cdcgan", {"embed_dim": 0}, "--embed-dim 0 must be at least 1"),
        ("cgan", {"hidden_G": (3, 4)}, "--hidden-G 3,4: wanted three"),
        ("cgan", {"hidden_D": (3, 4, 0)}, "--hidden-D 3,4,0: wanted three"),
        ("cgan", {"objective": "relativistic", "wrong_pairs": "whole"}, "use halved"),
        (
            "cgan",
            {"objective": "wasserstein", "clip_weights": 0.01, "wrong_pairs": "whole"},
            "use halved",
        ),
        ("cgan", {"wrong_pairs": "half"}, "'half'; did you mean 'halved'"),
        ("cgan", {"objective": "began"}, "began"),
        ("cdcgan", {"penalty": "r1", "norm_D": "batch"}, "mixes the examples of a batch"),
        ("cdcgan", {"penalty": "r1", "d_sees": "two-scores"}, "'r1' looks at the gradient of one"),
    ],
)
def test_options_that_cannot_be_are_refused(name, options, words):
    with pytest.raises((OptionError, UnknownNameError)) as caught:
        build(name, task(shape=(16, 16, 1)), **options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({}, "needs labels"),
        ({"kind": ("a", "b"), "mood": ("only",)}, "label 'mood' has one class only (only)"),
    ],
)
def test_a_condition_that_says_nothing_is_refused(names, words):
    with pytest.raises(OptionError) as caught:
        build(given=task(label_names=names))
    assert words in str(caught.value)


def test_points_go_to_perceptrons():
    points = task(shape=(2,), kind="points")
    with pytest.raises(OptionError, match=r"cdcgan makes pictures, .* use cgan"):
        build(given=points)
    game = build("cgan", points)
    x = make_rng(0).standard_normal((4, 2)).astype(np.float32)
    game.step(x, batch(4)[1])
    assert game.sample(3, make_rng(0)).shape == (3, 2)
