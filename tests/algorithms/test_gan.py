"""Algorithm 1 beyond its numbers: who is frozen when, k, sampling, and what stops a run."""

import math

import numpy as np
import pytest

from minigan.algorithms.gan import GAN
from minigan.backend import make_rng
from minigan.errors import NonFiniteError, OptionError, StaleContextError
from minigan.losses import Minimax
from minigan.models import mlp_discriminator, mlp_generator
from minigan.optim import SGD
from minigan.prior import Prior
from tests.algorithms.games import (
    Z_DIM,
    changed,
    digits,
    make_examples,
    make_game,
    mixed,
    pictures,
    points,
    snapshot,
)

every_pair = pytest.mark.parametrize(
    "pair", [points, digits, pictures, mixed], ids=lambda p: p.__name__
)


def noise(n, seed=9):
    return make_rng(seed).standard_normal((n, Z_DIM))


def with_gradients(game, seed=4):
    """Gradients that no update made, so that one that is touched shows."""
    for net in game.networks.values():
        net.flat.grad[...] = make_rng(seed).standard_normal(net.flat.size)
    return game


def belongs_to(player, name):
    return name.startswith(
        (f"{player}.", f"{player} ", f"optimizer.{player}.", f"average.{player}.")
    )


# --- freezing -------------------------------------------------------------------------------------


@every_pair
def test_the_other_player_is_frozen(pair):
    """Its weights, gradients, running statistics, dropout and optimiser stay to the bit."""
    game = with_gradients(make_game(pair, ema=0.9))
    before = snapshot(game)
    game.update_discriminator(make_examples(pair, 5), noise(5))
    between = snapshot(game)
    moved = changed(before, between)
    assert all(belongs_to("D", name) for name in moved)
    game.update_generator(noise(5), make_examples(pair, 5))
    moved_back = changed(between, snapshot(game))
    assert all(belongs_to("G", name) for name in moved_back)

    # And what may move does: every weight, gradient, running statistic and piece of state.
    assert moved | moved_back == set(before)


@every_pair
def test_gradients_start_from_zero_in_each_update(pair):
    """What is left in the buffers from before has no part in an update."""
    clean, soiled = make_game(pair), with_gradients(make_game(pair))
    for game in (clean, soiled):
        game.step(make_examples(pair, 4))
        game.step(make_examples(pair, 4, seed=8))
    assert changed(snapshot(clean), snapshot(soiled)) == set()


def test_d_sees_the_examples_and_then_the_generated_ones():
    """In D's update running statistics move twice, once on each batch; in G's update G's once."""
    game, x, z = make_game(pictures), make_examples(pictures, 5), noise(5)
    twin = make_game(pictures)
    twin.D.forward(x)
    twin.D.forward(twin.G.forward(z, update_stats=False)[0])
    game.update_discriminator(x, z)
    for name, buffer in game.D.buffers.items():
        np.testing.assert_array_equal(buffer, twin.D.buffers[name])
    twin.G.forward(z)
    game.update_generator(z, x)
    for name, buffer in game.G.buffers.items():
        np.testing.assert_array_equal(buffer, twin.G.buffers[name])


# --- k steps of D ---------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 5])
def test_k_steps_of_d_for_one_of_g(k, monkeypatch):
    game = make_game(points, k=k)
    updates = []
    for player in ("discriminator", "generator"):
        update = getattr(game, f"update_{player}")

        def watched(*args, update=update):
            updates.append(args)
            return update(*args)

        monkeypatch.setattr(game, f"update_{player}", watched)

    assert game.minibatches == k
    x = make_examples(points, 4 * k)
    scalars = game.step(x)
    assert [len(args) for args in updates] == [2] * (k + 1)
    np.testing.assert_array_equal(np.concatenate([args[0] for args in updates[:k]]), x)
    np.testing.assert_array_equal(updates[k][1], x[-4:])  # for losses of G that look at examples
    zs = np.stack([*(z for _, z in updates[:k]), updates[k][0]])
    assert zs.shape == (k + 1, 4, Z_DIM)
    assert len(np.unique(zs)) == zs.size  # fresh noise for every update
    assert (game.optimizers["D"].t, game.optimizers["G"].t) == (k, 1)
    assert set(scalars) == {"loss_D", "D(x)", "D(G(z))", "grad_norm_D", "loss_G", "grad_norm_G"}


def test_refused():
    with pytest.raises(OptionError, match="7 examples cannot be split into k=2 minibatches"):
        make_game(points, k=2).step(make_examples(points, 7))
    for k in (0, -1):
        with pytest.raises(OptionError, match=f"k={k}: the discriminator takes at least 1 step"):
            make_game(points, k=k)


# --- what is logged -------------------------------------------------------------------------------


@every_pair
def test_scalars_are_what_they_are_called(pair):
    game, x, z = make_game(pair), make_examples(pair, 5), noise(5)
    twin = make_game(pair)
    fake, _ = twin.G.forward(z)
    logits = [twin.D.forward(batch)[0] for batch in (x, fake)]
    real, generated = (1 / (1 + np.exp(-l)) for l in logits)
    scalars = game.update_discriminator(x, z)
    assert scalars["D(x)"] == pytest.approx(real.mean(), rel=1e-12)
    assert scalars["D(G(z))"] == pytest.approx(generated.mean(), rel=1e-12)
    loss = -np.log(real).mean() - np.log(1 - generated).mean()
    assert scalars["loss_D"] == pytest.approx(loss, rel=1e-10)
    assert scalars["grad_norm_D"] == pytest.approx(np.linalg.norm(game.D.flat.grad), rel=1e-12)

    logits, _ = game.D.forward(game.G.forward(z, update_stats=False)[0], update_stats=False)
    scalars = game.update_generator(z, x)  # non-saturating unless told
    assert scalars["loss_G"] == pytest.approx(np.log1p(np.exp(-logits)).mean(), rel=1e-12)
    assert scalars["grad_norm_G"] == pytest.approx(np.linalg.norm(game.G.flat.grad), rel=1e-12)


@pytest.mark.parametrize("max_grad_norm", [1e-3, 0.05])
def test_the_gradient_is_clipped(max_grad_norm):
    """With plain gradient descent a step is then no longer than lr times the bound."""
    game = make_game(digits, optimizer=lambda p: SGD(p, 2.0), max_grad_norm=max_grad_norm)
    before = {name: net.flat.data.copy() for name, net in game.networks.items()}
    scalars = game.step(make_examples(digits, 6))
    for name, net in game.networks.items():
        assert scalars[f"grad_norm_{name}"] > max_grad_norm  # the norm before it was clipped
        length = np.linalg.norm(net.flat.data - before[name])
        assert length == pytest.approx(2.0 * max_grad_norm, rel=1e-10)


# --- sampling -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ema", [0.0, 0.9], ids=["live", "averaged"])
@every_pair
def test_samples_are_a_function_of_weights_and_rng(pair, ema):
    game = make_game(pair, ema=ema)
    for seed in (1, 2):
        game.step(make_examples(pair, 5, seed))
    weights = {name: a for name, a in snapshot(game).items() if "version" not in name}
    state = game.rng.bit_generator.state
    first, second = game.sample(3, make_rng(5)), game.sample(3, make_rng(5))
    np.testing.assert_array_equal(first, second)
    assert first.shape == make_examples(pair, 3).shape
    assert (game.sample(3, make_rng(6)) != first).any()
    after = {name: a for name, a in snapshot(game).items() if "version" not in name}
    assert changed(weights, after) == set()
    assert str(game.rng.bit_generator.state) == str(state)

    # Running statistics are used, and the averaged weights where they are kept.
    z = game.prior.draw(3, make_rng(5))
    live, _ = game.G.forward(z, train=False)
    if ema:
        average = game.averages["G"].average
        game.G.flat.load(average["params"])
        for name, buffer in game.G.buffers.items():
            buffer[...] = average[name]
        averaged, _ = game.G.forward(z, train=False)
        np.testing.assert_array_equal(first, averaged)
        assert (first != live).any()
    else:
        np.testing.assert_array_equal(first, live)


# --- what stops a run -----------------------------------------------------------------------------


class Spoilt(Minimax):
    """Finite losses but for `loss`, gradients of NaN for one player."""

    def __init__(self, player="", loss=1.0):
        super().__init__()
        self.player, self.loss = player, loss

    def discriminator(self, real, fake):
        _, d_real, d_fake = super().discriminator(real, fake)
        return self.loss, d_real, d_fake * (np.nan if self.player == "D" else 1)

    def generator(self, fake, real=None):
        loss, dlogits = super().generator(fake, real)
        return loss, dlogits * (np.nan if self.player == "G" else 1)


# A batch's running statistics move in the forward pass; what training is made of does not move.
def learned(game):
    return {
        name: a
        for name, a in snapshot(game).items()
        if not name.endswith(("running_mean", "running_var", "gradient", ".noise"))
    }


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
@every_pair
def test_a_loss_that_is_not_finite_stops_before_anything_moves(pair, loss):
    game = make_game(pair, ema=0.9, objective=Spoilt(loss=loss))
    before = learned(game)
    with pytest.raises(NonFiniteError, match=f"the loss of D is {loss}"):
        game.step(make_examples(pair, 4))
    assert changed(before, learned(game)) == set()


def test_an_example_that_is_not_a_number_stops_the_run():
    game = make_game(digits)
    x = make_examples(digits, 4)
    x[2, 1, 1] = np.nan
    before = learned(game)
    with pytest.raises(NonFiniteError, match="the loss of D is nan"):
        game.step(x)
    assert changed(before, learned(game)) == set()


@pytest.mark.parametrize("size", [1e200, math.inf, math.nan])
@pytest.mark.parametrize("name", ["G", "D"])
def test_the_weight_that_ran_away_is_named(name, size):
    game = make_game(pictures, objective=Spoilt(loss=math.nan))
    game.networks[name].params["0.weight"].data.flat[1] = size
    layer = game.networks[name].layers[0]
    with pytest.raises(NonFiniteError) as caught:
        game.descend("D", math.nan)
    places = f"of {name}'s parameter 0.weight, in {layer!r}"
    assert f"the largest weight is {size:.3g}, {places}" in str(caught.value)


@pytest.mark.parametrize("ema", [0.0, 0.9], ids=["live", "averaged"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_sample_that_is_not_finite_is_not_given(bad, ema):
    """It is refused, and a network that held its average holds its own weights again."""
    game = make_game(points, ema=ema)
    weights = game.averages["G"].average["params"] if ema else game.G.flat.data
    weights[-1] = bad
    own = game.G.flat.data.copy()
    with pytest.raises(NonFiniteError, match=r"a sample G\(z\) is not finite"):
        game.sample(3, make_rng(0))
    np.testing.assert_array_equal(game.G.flat.data, own)


@pytest.mark.parametrize("max_grad_norm", [math.inf, 1.0])
@pytest.mark.parametrize(
    ("player", "pair", "says"),
    [
        ("D", points, r"D's parameter 4\.bias, in Dense\(6, 1\),"),
        ("G", points, r"G's parameter 4\.bias, in Dense\(8, 2\),"),
        ("D", pictures, r"D's parameter 6\.bias, in Dense\(96, 1\),"),
        ("G", pictures, r"G's parameter 7\.bias, in ConvTranspose2d\(3, 3, .*\),"),
    ],
)
def test_a_gradient_that_is_not_finite_stops_before_its_player_moves(
    player, pair, says, max_grad_norm
):
    game = make_game(pair, ema=0.9, objective=Spoilt(player), max_grad_norm=max_grad_norm)
    before = learned(game)
    with pytest.raises(NonFiniteError, match=f"the gradient of {says} is not finite"):
        game.step(make_examples(pair, 4))
    moved = changed(before, learned(game))
    assert not any(belongs_to(player, name) for name in moved)
    assert bool(moved) == (player == "G")  # D had its turn


@pytest.mark.parametrize("max_grad_norm", [math.inf, 1.0])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["G", "D"])
def test_the_parameter_is_named_and_the_one_nearest_the_output(name, bad, max_grad_norm):
    game = make_game(pictures, max_grad_norm=max_grad_norm)
    params = game.networks[name].flat.params
    for parameter in params:
        params[parameter].grad.flat[0] = bad
        path = parameter.rpartition(".")[0]
        layer = game.networks[name].layers[int(path)]
        with pytest.raises(NonFiniteError) as caught:
            game.descend(name, 0.0)
        assert f"{name}'s parameter {parameter}, in {layer!r}, is not finite" in str(caught.value)
    assert game.optimizers[name].t == 0


@pytest.mark.parametrize("bad", ["gradient", "loss"])
@pytest.mark.parametrize("name", ["G", "D"])
def test_networks_that_descend_together_all_stay_where_one_cannot(name, bad):
    game = with_gradients(make_game(points, ema=0.9))
    losses = {"G": 1.0, "D": 2.0}
    if bad == "loss":
        losses[name] = math.nan
    else:
        game.networks[name].flat.grad[-1] = math.nan
    before = learned(game)
    with pytest.raises(NonFiniteError, match=f"the {bad} of {name}"):
        game.descend_together(losses)
    assert changed(before, learned(game)) == set()


def test_networks_descend_together_as_one_after_another():
    together, apart = (with_gradients(make_game(points, max_grad_norm=0.5)) for _ in range(2))
    norms = together.descend_together({"G": 1.0, "D": 2.0})
    assert norms == {"grad_norm_G": apart.descend("G", 1.0), "grad_norm_D": apart.descend("D", 2.0)}
    assert changed(snapshot(together), snapshot(apart)) == set()


@every_pair
def test_a_step_between_forward_and_backward_is_caught(pair):
    game, x = make_game(pair), make_examples(pair, 4)
    logits, ctx = game.D.forward(x)
    game.descend("G", 0.0)  # the other player's step leaves D's contexts alone
    game.D.backward(logits, ctx)
    game.descend("D", 0.0)
    with pytest.raises(StaleContextError, match="run forward again"):
        game.D.backward(logits, ctx)


def test_an_optimiser_of_another_network_is_refused():
    G, D = (mlp_discriminator((2,), hidden=(3,), rng=make_rng(i)) for i in range(2))
    optimizers = {"optimizer_G": SGD(D.flat, 0.1), "optimizer_D": SGD(G.flat, 0.1)}
    with pytest.raises(OptionError, match=r"optimizer_G moves another network: give it G\.flat"):
        GAN(G, D, **optimizers, prior=Prior("normal", 2), rng=make_rng(2))
    with pytest.raises(OptionError, match=r"got Sequential; give network\.flat"):
        SGD(G, 0.1)


def test_a_step_of_no_array_is_refused():
    G = mlp_generator(2, (2,), hidden=(3,), bounded=False, rng=make_rng(0))
    D = mlp_discriminator((2,), hidden=(3,), rng=make_rng(1))
    optimizers = {"optimizer_G": SGD(G.flat, 0.1), "optimizer_D": SGD(D.flat, 0.1)}
    gan = GAN(G, D, **optimizers, prior=Prior("normal", 2), rng=make_rng(2))
    with pytest.raises(OptionError, match=r"got list; a Batch has one in \.x"):
        gan.step([[1.0, 2.0]])
