"""GoGAN: stages, the frozen one before, and the ranking above it."""

import numpy as np
import pytest

from minigan.algorithms import Streams, Task, recipe
from minigan.algorithms.adversarial.gogan import Ranking
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.gradcheck import check_loss
from minigan.layers import Dense, Sequential, Tanh
from minigan.prior import Prior

TASK = Task((2,), "points", 12)


def build(steps=12, **given):
    small = {"hidden_G": (6,), "hidden_D": (5,), "z_dim": 3, "k": 2, "lr": 0.01, "dropout": 0.0}
    options = recipe("gogan").options.of(**small | given)
    return recipe("gogan").build(options, Task((2,), "points", steps), Streams(0))


def batch(seed, n=8):
    return np.random.default_rng(seed).standard_normal((n, 2)).astype(np.float32)


def weights(game, name):
    return game.networks[name].flat.data.copy()


def test_stages_follow_one_another_and_freeze_what_there_was():
    game = build(stages=3)  # of 12 / 3 iterations
    assert game.stage_steps == 4
    stages, frozen = [], []
    for i in range(12):
        before = weights(game, "G"), weights(game, "D")
        stages.append(game.step(batch(i))["stage"])
        frozen.append((weights(game, "earlier_G"), weights(game, "earlier_D")))
        if i in (4, 8):  # the first iteration of a stage froze what the last one had made
            for a, b in zip(frozen[i], before, strict=True):
                np.testing.assert_array_equal(a, b)
    assert stages == [1] * 4 + [2] * 4 + [3] * 4
    for i in (5, 6, 7, 9, 10, 11):  # and what is frozen stays
        for a, b in zip(frozen[i], frozen[i - 1], strict=True):
            np.testing.assert_array_equal(a, b)
    assert game.stage == 3  # the last stage goes on
    game.step(batch(12))


def test_there_is_no_ranking_in_the_first_stage():
    game = build(stages=2)
    ranking = [game.step(batch(i)).get("ranking") for i in range(12)]
    assert ranking[:6] == [None] * 6
    assert all(value > 0 for value in ranking[6:])


def smooth(seed, inputs):
    rng = np.random.default_rng(seed)
    net = Sequential(Dense(inputs, 4, rng=rng), Tanh(), Dense(4, 1, rng=rng))
    return net.astype(np.float64)


def test_the_ranking_is_the_papers_and_its_gradient_is_right():
    """weight E[D_i(G_i(z)) + 2 eps - D_{i+1}(x)]_+, in D_{i+1}'s weights."""
    earlier_G = Sequential(Dense(3, 2, rng=np.random.default_rng(1))).astype(np.float64)
    earlier_D, D = smooth(2, 2), smooth(3, 2)
    prior = Prior("normal", 3, np.float64)
    ranking = Ranking((earlier_G, earlier_D), prior, epsilon=0.2, weight=0.7)
    real = np.random.default_rng(4).standard_normal((9, 2))
    z = prior.draw(9, make_rng(0))
    below = earlier_D.forward(earlier_G.forward(z)[0])[0]
    short = np.maximum(below + 0.4 - D.forward(real)[0], 0)
    assert 0 < (short > 0).sum() < 9  # of both kinds
    assert ranking(D, real, real, make_rng(0)) == pytest.approx(0.7 * short.mean(), rel=1e-13)

    def loss(theta):
        D.flat.load(theta)
        D.flat.zero_grad()
        return ranking(D, real, real, make_rng(0)), D.flat.grad.copy()

    frozen = earlier_D.flat.grad.copy()
    check_loss(loss, D.flat.data.copy(), rng=np.random.default_rng(5))
    np.testing.assert_array_equal(earlier_D.flat.grad, frozen)


def test_weights_are_clipped_and_the_state_holds_both_stages():
    game = build(stages=2, clip_weights=0.02)
    for i in range(7):
        game.step(batch(i))
    assert np.abs(weights(game, "D")).max() == np.float32(0.02)
    state = {name: a.copy() for name, a in game.state_dict().items()}
    assert {"earlier_G.0.weight", "earlier_D.0.weight"} <= state.keys()
    other = build(stages=2, clip_weights=0.02)
    other.load_state_dict(state)
    assert other.stage == game.stage == 2
    np.testing.assert_array_equal(weights(other, "earlier_D"), weights(game, "earlier_D"))


def test_statistics_are_frozen_with_the_weights():
    """DCGAN's generator holds running statistics, which belong to the stage too."""
    small = {"width": 2, "z_dim": 3, "k": 1, "stages": 2, "lr": 0.01}
    options = recipe("gogan-dcgan").options.of(**small)
    game = recipe("gogan-dcgan").build(options, Task((16, 16, 1), "image", 4), Streams(0))
    x = np.tanh(np.random.default_rng(0).standard_normal((5, 4, 16, 16, 1))).astype(np.float32)
    for i in range(2):
        game.step(x[i])
    kept = {name: b.copy() for name, b in game.G.buffers.items()}
    assert kept
    game.step(x[2])
    for name, b in game.networks["earlier_G"].buffers.items():
        np.testing.assert_array_equal(b, kept[name])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"objective": "hinge"}, "ranks by a margin, --objective hinge has none"),
        ({"stages": 0}, "0 stages"),
        ({"stage_steps": -1}, "--stage-steps -1 must be at least 0"),
        ({"rank_weight": 0.0}, "rank_weight=0.0 must be above 0"),
        ({"unroll": 2}, "--unroll 2 and the stages of gogan"),
    ],
)
def test_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build(**given)
