"""Total losses against finite differences, and who moves in which update."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.gradcheck import check_loss
from minigan.losses.orthogonal import OrthogonalRegularization
from tests.algorithms.codes.cases import CASES, PLAIN, POINTS, VANILLA, Case
from tests.algorithms.games import changed

SEMI = Case("semi-supervised", "mlp", {"dropout": 0.0, "supervised_weight": 0.7})
INFO = Case("infogan", "mlp", {"categorical": (2, 3), "learned_spread": True, "info_weight": 0.6})
CLUSTER = Case("clustergan", "mlp", {"k": 1, "clusters": 3, "beta_n": 3.0, "beta_c": 2.0}, POINTS)
COUPLED = Case("cogan", "mlp")
EVERY = [
    Case("semi-supervised", "conv", PLAIN),
    Case("infogan", "conv"),
    Case("clustergan", "conv", {**VANILLA, "clusters": 3}),
    Case("cogan", "conv"),
]


def total(game, name, update):
    """The loss that network `name` descends as a function of its weights, and its gradient.

    Nothing moves: what would be an optimiser's step notes the loss instead.
    """
    net, noted = game.networks[name], {}
    game.descend = lambda of, loss, **how: noted.setdefault(of, loss)
    game.descend_together = lambda losses: noted.update(losses) or {}

    def loss(theta):
        noted.clear()
        net.flat.load(theta)
        game.rng = make_rng(3)
        update(game)
        return float(noted[name]), net.flat.grad.copy()

    return loss


@pytest.mark.parametrize(
    ("case", "player", "nets"),
    [
        (SEMI, "discriminator", "D"),
        (SEMI, "generator", "G"),
        (INFO, "discriminator", "D"),
        (INFO, "generator", "G"),
        (CLUSTER, "discriminator", "D"),
        (CLUSTER, "generator", "GE"),
        (COUPLED, "discriminator", "D"),
        (COUPLED, "generator", "G"),
    ],
    ids=str,
)
@pytest.mark.parametrize("regularized", [False, True])
def test_the_gradient_of_the_total_loss(case, player, nets, regularized):
    x = case.examples(5, 1)
    for name in nets:
        game = case.ours()
        if regularized:
            game.regularizers = {
                "G": [OrthogonalRegularization(0.3)],
                "D": [OrthogonalRegularization(0.2)],
            }
        z = game.prior.draw(5, make_rng(2))
        moves = {
            "discriminator": lambda g, z=z: g.update_discriminator(x, z),
            "generator": lambda g, z=z: g.update_generator(z, x),
        }
        loss = total(game, name, moves[player])
        theta = game.networks[name].flat.data.copy()
        check_loss(loss, theta, rng=make_rng(0), exhaustive=False)


@pytest.mark.parametrize("case", EVERY, ids=str)
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_an_update_moves_its_networks_alone(case, player):
    game = case.ours()
    before = {k: a.copy() for k, a in game.state_dict().items()}
    x, z = case.examples(5, 0), game.prior.draw(5, make_rng(1))
    if player == "discriminator":
        game.update_discriminator(x, z)
    else:
        game.update_generator(z, x)
    moved = changed(before, game.state_dict())
    movers = ["D"] if player == "discriminator" else [n for n in game.networks if n != "D"]
    expected = {f"optimizer.{m}.{k}" for m in movers for k in game.optimizers[m].state_dict()}
    for m in movers:
        net = game.networks[m]
        expected |= {f"{m}.{k}" for k in (*net.flat.params, *net.buffers)}
    assert moved == expected


def test_only_the_chosen_examples_give_labels():
    """The step is the same whatever labels come with the examples."""
    case = SEMI
    x = case.examples(6, 0)
    first, second = case.ours(), case.ours()
    zeros, ones = np.zeros((6, 1), np.int64), np.ones((6, 1), np.int64)
    assert first.step(x, zeros) == second.step(x, ones)
    assert changed(first.state_dict(), second.state_dict()) == set()
    other = case.ours()
    other.labelled = other.labelled._replace(classes=other.labelled.classes[::-1].copy())
    assert other.step(x, zeros)["supervised"] != case.ours().step(x, zeros)["supervised"]


def test_the_baseline_looks_at_no_other_example():
    case = Case("semi-supervised", "mlp", {"dropout": 0.0, "supervised_only": True})
    first, second = case.ours(), case.ours()
    for seed in range(3):
        assert first.step(case.examples(6, seed)) == second.step(case.examples(6, seed + 50))
    assert changed(first.state_dict(), second.state_dict()) == set()
    still = {k for k in case.ours().state_dict() if k.startswith(("G.", "optimizer.G."))}
    moved = changed(case.ours().state_dict(), first.state_dict())
    assert moved & still == set()
    assert "D.0.1.weight" in moved


def test_a_labelled_minibatch_is_drawn_from_all_labelled_examples():
    game = SEMI.ours()
    x, classes = game.labelled.draw(600, make_rng(0))
    flat = game.labelled.x.reshape(6, -1)
    found = [int(np.flatnonzero((flat == row.ravel()).all(1))[0]) for row in x]
    assert set(np.bincount(found, minlength=6) > 60) == {True}  # each is expected 100 times
    np.testing.assert_array_equal(classes, game.labelled.classes[found])


def test_shared_layers_are_one_and_counted_once():
    """Both domains' networks hold the very same parameters, one place each in the buffer."""
    game = COUPLED.ours()
    first, second = (game.D.branches[i].layers for i in range(2))
    same = [a is b for a, b in zip(first, second, strict=True)]
    assert same == [False, False, False, False, True, True, True]  # columns, flatten, dense, ReLU
    sizes = {id(p): p.data.size for p in game.D.params.values()}
    assert game.D.flat.size == sum(sizes.values())
    assert len(game.D.params) == len(sizes) + 4  # two shared layers under two names
    assert [type(layer).__name__ for layer in game.G.layers[-1].children.values()] == [
        "Sequential",
        "Sequential",
    ]


def test_what_both_domains_owe_to_a_shared_weight_adds_up():
    """The gradient of a shared layer is that of domain one alone and of domain two alone."""
    game = COUPLED.ours()
    x = COUPLED.examples(5, 1)
    _, ctx = game.D.forward(x)
    dy = make_rng(1).standard_normal((5, 2))
    gradients = []
    for mask in ([1, 1], [1, 0], [0, 1]):
        game.D.flat.zero_grad()
        game.D.backward(dy * np.array(mask, float), ctx, need_dx=False)
        gradients.append(game.D.branches[0].layers[-1].own_params["weight"].grad.copy())
    both, one, two = gradients
    assert np.abs(one).max() > 0 < np.abs(two).max()
    np.testing.assert_allclose(both, one + two, rtol=1e-12, atol=1e-15)


def test_one_z_makes_both_pictures():
    game = COUPLED.ours()
    pairs = game.sample(3, make_rng(0))
    first, second = game.split(pairs)
    assert (first.shape, second.shape) == ((3, 8, 8, 1), (3, 8, 8, 3))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_samples_change_nothing(case):
    game = case.ours()
    x = case.examples(6 * game.minibatches, 0)
    game.step(x)
    before = {name: a.copy() for name, a in game.state_dict().items()}
    assert game.sample(7, make_rng(0)).shape == (7, *case.example)
    for ask, kind in (("cluster", np.integer), ("classify", np.integer)):
        if hasattr(game, ask) and not (ask == "cluster" and not game.clusters):
            found = getattr(game, ask)(x[:5])
            assert found.shape == (5,)
            assert np.issubdtype(found.dtype, kind)
    assert changed(before, game.state_dict()) == set()
