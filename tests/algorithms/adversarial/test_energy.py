"""EBGAN and BEGAN: their networks, the pulling-away term, and k_t over a resume."""

import json

import numpy as np
import pytest

from minigan.algorithms import Streams, Task, recipe
from minigan.algorithms.adversarial.energy import BEGANOptions, EBGANOptions, PullingAway
from minigan.algorithms.gan import GAN
from minigan.backend import make_rng, restore_rng, rng_state
from minigan.errors import OptionError, ShapeError
from minigan.gradcheck import check_loss
from minigan.layers import ReconstructionError
from minigan.losses.energy import EnergyMargin, pulling_away
from minigan.noise import Stream
from tests.oracles import objective_twins as twins

PICTURES, POINTS = Task((16, 16, 1), "image", 10), Task((2,), "points", 10)
SMALL = {"z_dim": 4, "code_dim": 3, "hidden_G": (6,), "hidden_D": (7, 5), "width": 2}


def build(name, task, **given):
    options = recipe(name).options.of(**SMALL | given)
    return recipe(name).build(options, task, Streams(0))


@pytest.mark.parametrize("network", ["mlp", "conv", "began"])
@pytest.mark.parametrize("name", ["ebgan", "began"])
def test_networks(name, network):
    game = build(name, PICTURES, network=network)
    z = game.prior.draw(5, make_rng(0))
    x, _ = game.G.forward(z)
    assert x.shape == (5, 16, 16, 1)
    energies, ctx = game.D.forward(x)
    assert isinstance(game.D, ReconstructionError)
    assert game.D.power == {"ebgan": 2, "began": 1}[name]
    assert energies.shape == (5, 1)
    assert ctx.code.shape == (5, 3)
    assert {k.partition(".")[0] for k in game.D.params} == {"encoder", "decoder"}
    scalars = game.step(x)
    assert {"energy(x)", "energy(G(z))", "loss_D", "loss_G"} <= scalars.keys()
    assert "D(x)" not in scalars


def test_the_papers_settings():
    began, ebgan = BEGANOptions(), EBGANOptions()
    assert (began.lr, began.z_dim, began.code_dim, began.power) == (1e-4, 64, 64, 1)
    assert (began.build_objective().gamma, began.build_objective().rate) == (0.5, 0.001)
    assert (ebgan.pull_away, ebgan.power, ebgan.beta1) == (0.1, 2, 0.5)
    assert (began.objective, ebgan.objective) == ("began", "ebgan")


# --- the pulling-away term ------------------------------------------------------------------------


def test_the_term_in_closed_form():
    assert pulling_away(np.eye(3))[0] == 0  # orthogonal
    assert pulling_away(np.array([[1.0, 2.0], [3.0, 6.0], [-2.0, -4.0]]))[0] == pytest.approx(1)
    halfway = np.array([[1.0, 0.0], [2.0, 2.0]])  # 45 degrees
    assert pulling_away(halfway)[0] == pytest.approx(0.5)
    with pytest.raises(ShapeError, match="wanted 2 or more, got 1"):
        pulling_away(np.ones((1, 3)))


def test_the_term_equals_its_definition_and_finite_differences():
    import torch

    codes = np.random.default_rng(0).standard_normal((5, 2, 3))
    t = torch.tensor(codes, requires_grad=True)
    expected = twins.pulling_away(t)
    expected.backward()
    value, gradient = pulling_away(codes)
    assert value == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(gradient, t.grad, rtol=1e-11, atol=1e-14)
    check_loss(pulling_away, codes, rng=np.random.default_rng(1))
    assert pulling_away(codes.astype(np.float32))[1].dtype == np.float32
    assert np.isfinite(pulling_away(np.zeros((3, 2)))[1]).all()  # a code of 0 points nowhere


def test_codes_whose_squares_vanish_stay_in_the_terms_range():
    codes = np.float32([[1e-25, 0], [1e-25, 1e-25], [0, -1e-30]])  # a square is 0 in float32
    value, gradient = pulling_away(codes)
    assert 0 <= value <= 1
    assert np.isfinite(gradient).all()


def test_gs_loss_with_the_term_in_finite_differences():
    game = build("ebgan", POINTS)
    D = game.D.astype(np.float64)
    D.flat.load(D.flat.data + 0.3 * np.random.default_rng(0).standard_normal(D.flat.size))
    part = PullingAway(EnergyMargin(), 0.7)
    fake = np.random.default_rng(1).standard_normal((4, 2))
    before = D.flat.grad.copy()
    check_loss(lambda x: part(D, x, None), fake, rng=np.random.default_rng(2))
    np.testing.assert_array_equal(D.flat.grad, before)  # D is frozen


def test_the_term_is_there_when_it_has_a_weight():
    assert isinstance(build("ebgan", POINTS).generator_loss, PullingAway)
    assert not isinstance(build("ebgan", POINTS, pull_away=0.0).generator_loss, PullingAway)


def test_k_follows_the_loss_of_G_that_the_objective_has():
    game, part = build("began", POINTS), PullingAway(EnergyMargin(), 0.1)
    parts = {"optimizer_G": game.optimizers["G"], "optimizer_D": game.optimizers["D"]}
    parts |= {"prior": game.prior, "objective": game.objective, "rng": game.rng}
    GAN(game.G, game.D, **parts)
    with pytest.raises(OptionError, match="objective 'began' follows its own loss of G"):
        GAN(game.G, game.D, **parts, generator_loss=part)


# --- BEGAN's k_t ----------------------------------------------------------------------------------


def test_k_is_state_and_a_resumed_game_goes_on_to_the_bit():
    batches = np.random.default_rng(0).standard_normal((6, 8, 2)).astype(np.float32) * 4
    given = {"rate": 0.05, "gamma": 0.9}
    unbroken = build("began", POINTS, **given)
    for x in batches[:3]:
        unbroken.step(x)
    arrays = {name: a.copy() for name, a in unbroken.state_dict().items()}
    random = json.loads(json.dumps(_random_state(unbroken.rng)))
    assert 0 < arrays["objective.k"][0] < 1

    resumed = build("began", POINTS, **given)
    resumed.load_state_dict(arrays)
    _put_back(resumed.rng, random)
    for x in batches[3:]:
        assert unbroken.step(x) == resumed.step(x)
    for name, a in unbroken.state_dict().items():
        np.testing.assert_array_equal(a, resumed.state_dict()[name])


def _random_state(rng):
    return rng.state.tolist() if isinstance(rng, Stream) else rng_state(rng)


def _put_back(rng, state):
    if isinstance(rng, Stream):
        rng.state[...] = state
    else:
        restore_rng(rng, state)


def test_k_follows_the_energies_of_each_iteration():
    game = build("began", POINTS, rate=0.1, gamma=0.8)
    k = 0.0
    for x in np.random.default_rng(0).standard_normal((4, 8, 2)).astype(np.float32) * 4:
        scalars = game.step(x)
        assert scalars["loss_D"] == pytest.approx(
            scalars["energy(x)"] - k * scalars["energy(G(z))"], rel=1e-5
        )
        balance = 0.8 * scalars["energy(x)"] - scalars["loss_G"]
        k = min(max(k + 0.1 * balance, 0.0), 1.0)
        assert scalars["k_t"] == pytest.approx(k, rel=1e-12)
        assert scalars["convergence"] == pytest.approx(scalars["energy(x)"] + abs(balance))
    assert k > 0


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"pull_away": -0.1}, r"--pull-away -0\.1 must be at least 0"),
        ({"objective": "began"}, "--pull-away is a part of --objective ebgan.*began"),
        ({"objective": "hinge", "pull_away": 0.0}, "'hinge' takes scores .* energies"),
        ({"hidden_D": (4, 0)}, "--hidden-D 4,0: a layer has at least 1 unit"),
        ({"width": 0}, "--width 0 must be at least 1"),
        ({"code_dim": 0}, "--code-dim 0 must be at least 1"),
        ({"power": 3}, "power=3"),
    ],
)
def test_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build("ebgan", PICTURES, **given)


@pytest.mark.parametrize("network", ["conv", "began"])
def test_convolutions_take_pictures(network):
    with pytest.raises(OptionError, match=f"--network {network} takes pictures.*--network mlp"):
        build("began", POINTS, network=network)
