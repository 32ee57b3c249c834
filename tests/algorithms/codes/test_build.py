"""What the options of GANs with codes give, and what they refuse."""

import math

import numpy as np
import pytest

from minigan.algorithms import Streams, recipe
from minigan.algorithms.codes.prior import CodePrior
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.layers import Dropout, prefix
from minigan.noise import Stream
from minigan.prior import Prior
from tests.algorithms.codes.cases import Case


def test_a_code_prior_draws_its_parts_side_by_side():
    prior = CodePrior(Prior("normal", 3), categorical=(4, 2), continuous=2, scale=0.1)
    assert (prior.dim, prior.name) == (3 + 4 + 2 + 1 + 1, "normal")
    assert [(c.name, c.start, c.size) for c in prior.codes] == [
        ("c1", 3, 4),
        ("c2", 7, 2),
        ("c3", 9, 1),
        ("c4", 10, 1),
    ]
    z = prior.draw(4000, make_rng(0))
    assert z.dtype == np.float32
    assert z[:, :3].std() == pytest.approx(0.1, rel=0.03)  # 12,000 numbers: 0.65 % standard error
    for code in prior.codes[:2]:
        part = z[:, code.where]
        np.testing.assert_array_equal(np.sort(part, 1)[:, -1], 1)
        np.testing.assert_array_equal(part.sum(1), 1)
        share = part.mean(0)  # each within five standard errors
        assert np.abs(share - 1 / code.size).max() < 5 * math.sqrt(0.25 / 4000)
        assert code.entropy == math.log(code.size)
    numbers = z[:, 9:]
    assert -1 <= numbers.min() < -0.99 < 0.99 < numbers.max() <= 1
    assert abs(np.corrcoef(numbers.T)[0, 1]) < 0.08
    assert prior.codes[2].entropy == math.log(2)


def test_a_stream_draws_codes_too():
    prior = CodePrior(Prior("uniform", 2), categorical=(3,), continuous=1)
    z = prior.draw(50, Stream(0, 2))
    assert z.shape == (50, 6)
    assert set(z[:, 2:5].argmax(1)) == {0, 1, 2}


def test_defaults_are_the_papers():
    info = Case("infogan").chosen
    assert (info.categorical, info.continuous, info.prior, info.lr, info.lr_G) == (
        (10,),
        2,
        "uniform",
        2e-4,
        1e-3,
    )
    cluster = Case("clustergan").chosen
    assert (cluster.sigma, cluster.beta_n, cluster.beta_c, cluster.k) == (0.1, 10.0, 10.0, 5)
    assert (cluster.objective, cluster.penalty, cluster.clusters) == ("wasserstein", "wgan-gp", 10)
    game = Case("clustergan", "mlp").build()
    assert [term.weight for term in game.terms] == [10.0]


REFUSED = {
    "no classes": (
        Case("infogan", options={"categorical": (1,)}),
        "categorical codes of 1 classes",
    ),
    "no codes": (Case("infogan", options={"categorical": (), "continuous": 0}), "without a code"),
    "continuous": (Case("infogan", options={"continuous": -1}), "-1 continuous ones"),
    "lambda": (Case("infogan", options={"info_weight": -1.0}), "--info-weight -1.0 must be at"),
    "points": (Case("infogan", shape=(2,)), "--network conv takes pictures"),
    "width": (Case("cogan", options={"width": 0}), "--width 0 must be at least 1"),
    "hidden": (Case("cogan", "mlp", {"hidden_D": (3, 0)}), "--hidden-D 3,0: a layer has"),
    "sigma": (Case("clustergan", "mlp", {"sigma": 0.0}), "noise of scale 0.0"),
    "clusters": (Case("clustergan", "mlp", {"clusters": 1}), "categorical codes of 1 classes"),
    "beta": (Case("clustergan", "mlp", {"beta_c": math.inf}), "--beta-c inf must be at least 0"),
    "batch norm": (
        Case("clustergan", options={"norm_D": "batch"}, shape=(16, 16, 1)),
        "mixes the examples",
    ),
    "own G": (Case("cogan", options={"own_G": 0}), r"0 of G's 2 layers .*wanted 1 to 1.*--own-G"),
    "own D": (Case("cogan", options={"own_D": 2}), r"2 of D's 2 layers .*--own-D"),
    "a penalty": (Case("cogan", options={"penalty": "r1"}), "--penalty r1 is of one D's gradient"),
    "Q's norm": (
        Case("infogan", options={"penalty": "r1", "norm_D": "none"}),
        "--penalty r1 looks at .*Q's batch norm",
    ),
    "labels": (Case("semi-supervised", options={"labels": 7}), "--labels 7: wanted a multiple of"),
    "no labels": (Case("semi-supervised", options={"labels": 0}), "--labels 0: wanted a multiple"),
    "dropout": (Case("semi-supervised", options={"dropout": 1.0}), "dropout p=1.0 must lie"),
    "weight": (Case("semi-supervised", options={"supervised_weight": -1.0}), "--supervised-weight"),
}


@pytest.mark.parametrize(("case", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(case, says):
    with pytest.raises(OptionError, match=says):
        case.build()


def test_unknown_names():
    for case in (Case("infogan", "cnov"), Case("infogan", options={"norm_D": "btach"})):
        with pytest.raises(UnknownNameError, match="did you mean"):
            case.build()


def test_other_data_is_refused():
    with pytest.raises(OptionError, match="learns from two domains: give --data digits-negative"):
        build("cogan", channels=None)
    with pytest.raises(OptionError, match="one label and the data has none"):
        build("semi-supervised", label_names={})
    with pytest.raises(OptionError, match="the data has a, b; choose one with --label"):
        build("semi-supervised", label_names={"a": ("x", "y"), "b": ("x", "y")})
    with pytest.raises(OptionError, match="needs a data set with labels"):
        build("semi-supervised", balanced=None)


def build(name, **given):
    case = Case(name)
    return recipe(name).build(case.chosen, case.task()._replace(**given), Streams(0))


def test_clusters_need_a_categorical_code():
    game = Case("infogan", options={"categorical": ()}).ours()
    assert game.clusters == 0
    with pytest.raises(OptionError, match="no categorical code"):
        game.cluster(Case("infogan").examples(2, 0))


@pytest.mark.parametrize("network", ["conv", "mlp"])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_features_that_match_are_those_below_dropout_and_logits(network, dropout):
    game = Case("semi-supervised", network, {"dropout": dropout}).ours()
    *features, _ = (layer for layer in game.C.layers if not isinstance(layer, Dropout))
    chosen = prefix(game.D, game.generator_loss.layer)
    assert chosen.layers[-1].layers[-1] is features[-1]


def test_codes_come_back_from_clustergans_encoder():
    """encode gives noise and a one-hot cluster; reconstruct is G of it."""
    case = Case("clustergan", "mlp", {"clusters": 3})
    game, x = case.ours(), case.examples(4, 0)
    z = game.encode(x)
    assert z.shape == (4, game.prior.dim)
    np.testing.assert_array_equal(np.sort(z[:, -3:], 1), [[0, 0, 1]] * 4)
    np.testing.assert_array_equal(game.cluster(x), z[:, -3:].argmax(1))
    np.testing.assert_array_equal(game.reconstruct(x), game.generate(z))
