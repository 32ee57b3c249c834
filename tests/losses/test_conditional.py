"""Judges of conditional games: every objective, against finite differences and by its parts."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minigan.errors import OptionError
from minigan.gradcheck import check_loss
from minigan.losses import OBJECTIVES
from minigan.losses.conditional import (
    ClassJudge,
    Numbers,
    PairJudge,
    TwoScoreJudge,
    pair_loss,
    weighs_whole,
)

ENERGIES = ("ebgan", "began")  # of an auto-encoder, which looks at no pairs
PAIRED = [name for name in OBJECTIVES if name not in ENERGIES]
WHOLE = ["minimax", "non-saturating", "f-gan", "lsgan", "hinge", "bgan"]
COUNTS = (3, 2)


def numbers(columns, seed=0):
    rng = np.random.default_rng(seed)
    return Numbers(*rng.standard_normal((3, 5, columns)))


def hot(seed=1):
    rng = np.random.default_rng(seed)
    return np.concatenate([np.eye(n)[rng.integers(n, size=5)] for n in COUNTS], 1)


def judges(objective):
    return {
        "pair": (PairJudge(objective), 1),
        "two scores": (TwoScoreJudge(objective), 2),
        "classes": (ClassJudge(objective, COUNTS, weight=0.7), 1 + sum(COUNTS)),
        "real classes": (ClassJudge(objective, COUNTS, of_fakes=False), 1 + sum(COUNTS)),
    }


def test_which_objectives_have_a_third_term_of_its_own():
    assert [name for name in PAIRED if weighs_whole(OBJECTIVES[name]())] == WHOLE


@pytest.mark.parametrize("name", WHOLE)
def test_a_share_alone_is_what_generated_examples_add(name):
    """J(real, a) - J(real, b) has nothing of the real ones in it."""
    objective = OBJECTIVES[name]()
    real, a, b = numbers(1)
    apart = objective.negative(a)[0] - objective.negative(b)[0]
    whole = objective.discriminator(real, a)[0] - objective.discriminator(real, b)[0]
    assert abs(apart - whole) < 1e-12
    np.testing.assert_allclose(
        objective.negative(a)[1], objective.discriminator(real, a)[2], rtol=1e-12
    )


@pytest.mark.parametrize("name", [name for name in PAIRED if name not in WHOLE])
def test_an_objective_that_compares_says_what_to_do(name):
    objective = OBJECTIVES[name]()
    with pytest.raises(OptionError, match=rf"'{name}' holds real .*--wrong-pairs\s+halved"):
        pair_loss(objective, numbers(1), "whole")


@pytest.mark.parametrize("name", PAIRED)
@pytest.mark.parametrize("judge", ["pair", "two scores", "classes", "real classes"])
def test_gradients_are_those_of_the_losses(name, judge):
    objective = OBJECTIVES[name]()
    found, columns = judges(objective)[judge]
    given, c, rng = numbers(columns), hot(), np.random.default_rng(3)
    for how in ("none", "halved", *(["whole"] if name in WHOLE else [])):
        if "classes" in judge and how != "none":
            continue
        shown = given if how != "none" else given._replace(wrong=None)

        def loss(*arrays, how=how):
            value, gradients = found.discriminator(Numbers(*arrays), c, how)
            return value, *(g for g in gradients if g is not None)

        check_loss(loss, *(a for a in shown if a is not None), rng=rng)
    check_loss(lambda fake: found.generator(fake, given.real, c), given.fake, rng=rng)


def test_the_terms_and_their_weights():
    """log sigmoid of the scores, each term by hand."""
    given = numbers(1)
    objective = OBJECTIVES["non-saturating"]()
    real, fake, wrong = (torch.tensor(a) for a in given)
    positive, generated, other = (
        -F.logsigmoid(real).mean(),
        -F.logsigmoid(-fake).mean(),
        -F.logsigmoid(-wrong).mean(),
    )
    expected = {
        "whole": positive + generated + other,
        "halved": positive + (generated + other) / 2,
    }
    for how, value in expected.items():
        assert abs(pair_loss(objective, given, how)[0] - float(value)) < 1e-12
    two, _ = pair_loss(objective, given._replace(wrong=None), "none")
    assert abs(two - float(positive + generated)) < 1e-12


def test_classes_are_cross_entropies_label_by_label():
    judge = ClassJudge(OBJECTIVES["hinge"](), COUNTS)
    given, c = numbers(1 + sum(COUNTS)), hot()
    expected = 0.0
    for part, start, count in ((c[:, :3], 1, 3), (c[:, 3:], 4, 2)):
        logits = torch.tensor(given.real[:, start : start + count])
        expected += float(F.cross_entropy(logits, torch.tensor(part.argmax(1))))
    value, gradient = judge.classes(given.real, c)
    assert abs(value - expected) < 1e-12
    assert gradient.shape == (5, 5)
    assert sorted(judge.report(given)) == ["score(G(z))", "score(x)"]


def test_wrong_pairs_say_nothing_of_how_real_a_picture_is():
    judge = TwoScoreJudge(OBJECTIVES["non-saturating"]())
    _, gradients = judge.discriminator(numbers(2), hot(), "whole")
    np.testing.assert_array_equal(gradients.wrong[:, 0], 0)
    assert np.abs(gradients.wrong[:, 1]).min() > 0
    said = judge.report(numbers(2))
    assert sorted(said) == ["D(G(z))", "D(c, G(z))", "D(c, x)", "D(x)"]


def test_a_weight_of_classes_is_above_0():
    for weight in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(OptionError, match="wanted above 0 and finite"):
            ClassJudge(OBJECTIVES["hinge"](), COUNTS, weight=weight)
