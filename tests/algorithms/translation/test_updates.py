"""Each update descends its total loss, in its own networks alone."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.gradcheck import check_loss
from tests.algorithms.translation.cases import Case, still

# --- total losses against finite differences ------------------------------------------------------


def adversarial(objective, logits):
    """What a generator pays, as the papers write it."""
    if objective == "lsgan":
        return ((logits - 1) ** 2).mean()
    return np.log1p(np.exp(-logits)).mean()


def through(net, *xs):
    return net.forward(*xs, update_stats=False)[0]


def cycle_loss(made, o, x, y):
    """cyclegan.3 and its identity term, from forward passes alone."""
    G, F, D_X, D_Y = (made.networks[name] for name in ("G", "F", "D_X", "D_Y"))
    fake_y, fake_x = through(G, x), through(F, y)
    loss = o.weight_gan * adversarial(o.objective, through(D_Y, fake_y))
    loss += o.weight_gan * adversarial(o.objective, through(D_X, fake_x))

    def apart(a, b):
        return np.abs(a - b).mean() if o.distance == "l1" else ((a - b) ** 2).mean()

    if o.cycle in ("both", "forward"):
        loss += o.weight_cycle * apart(through(F, fake_y), x)
    if o.cycle in ("both", "backward"):
        loss += o.weight_cycle * apart(through(G, fake_x), y)
    identity = o.weight_identity * o.weight_cycle
    if identity:
        loss += identity * (apart(through(G, y), y) + apart(through(F, x), x))
    return loss


LIVE = {"weight_identity": 0.5, "weight_cycle": 3.0, "pool": 0, "weight_gan": 0.7}
CYCLES = [
    Case("cyclegan", LIVE, (1, 1), 8),  # three live applications of each generator
    Case("cyclegan", {**LIVE, "norm": "batch", "up": "resize"}, (3, 3), 8),
    Case("cyclegan", {"cycle": "forward", "generator": "unet", "halvings": 2}, (1, 3), 8),
    Case("cyclegan", {"cycle": "backward"}, (3, 1), 8),
    Case("cyclegan", {"cycle": "none"}, (1, 3), 8),
    Case("discogan", {"halvings": 2, "patch": 7}, (1, 3), 8),
]


def moved(net, seed):
    """Weights away from zeros and ones, which hide mistakes."""
    rng = make_rng(seed)
    net.flat.load(net.flat.data + 0.2 * rng.standard_normal(net.flat.size))


@pytest.mark.parametrize("name", ["G", "F"])
@pytest.mark.parametrize("case", CYCLES, ids=str)
def test_generators_descend_the_total_loss_of_the_cycles(case, name):
    made = still(case.ours())
    for i, net in enumerate(made.networks.values()):
        moved(net, i)
    x, y = made.split(case.examples(2, seed=3))
    net = made.networks[name]

    def loss(weights):
        net.flat.load(weights)
        made.update_generators(x, y)
        return cycle_loss(made, case.chosen, x, y), net.flat.grad.copy()

    check_loss(loss, net.flat.data.copy(), rng=make_rng(1), exhaustive=False)


PAIRS = [
    Case("pix2pix", {"halvings": 2, "weight_l1": 3.0}, (1, 3), 8),
    Case("pix2pix", {"halvings": 2, "judge": "picture", "weight_gan": 0.3}, (3, 1), 8),
    Case("pix2pix", {"halvings": 2, "judge": "none"}, (1, 1), 8),
    Case("pix2pix", {"generator": "resnet", "objective": "lsgan", "weight_l1": 0.0}, (1, 3), 8),
]


@pytest.mark.parametrize("case", PAIRS, ids=str)
def test_the_generator_descends_the_total_loss_of_pairs(case):
    made, o = still(case.ours()), case.chosen
    for i, net in enumerate(made.networks.values()):
        moved(net, i)
    x, y = made.split(case.examples(2, seed=3))
    G = made.networks["G"]

    def loss(weights):
        G.flat.load(weights)
        fake, ctx = G.forward(x, update_stats=False)
        made.update_generator(x, y, fake, ctx)
        total = o.weight_l1 * np.abs(fake - y).mean()
        if o.judge != "none":
            given = (x,) if o.judge == "pair" else ()
            logits = through(made.networks["D"], *given, fake)
            total += o.weight_gan * adversarial(o.objective, logits)
        return total, G.flat.grad.copy()

    check_loss(loss, G.flat.data.copy(), rng=make_rng(1), exhaustive=False)


@pytest.mark.parametrize("case", [PAIRS[0], PAIRS[1], CYCLES[0], CYCLES[4]], ids=str)
def test_discriminators_descend_half_of_their_loss(case):
    made, o = still(case.ours()), case.chosen
    x, y = made.split(case.examples(2, seed=3))
    fakes = made.split(case.examples(2, seed=4))
    for name, D in made.discriminators.items():
        moved(D, 1)
        given = (x,) if getattr(o, "judge", "") == "pair" else ()
        real, fake = (x, fakes[0]) if name == "D_X" else (y, fakes[1])

        def loss(weights, D=D, name=name, real=real, fake=fake, given=given):
            D.flat.load(weights)
            made.update_discriminator(name, real, fake, *given)
            r, f = through(D, *given, real), through(D, *given, fake)
            if o.objective == "lsgan":
                total = ((r - 1) ** 2).mean() + (f**2).mean()
            else:
                total = np.log1p(np.exp(-r)).mean() + np.log1p(np.exp(f)).mean()
            return total / 2, D.flat.grad.copy()

        check_loss(loss, D.flat.data.copy(), rng=make_rng(1), exhaustive=False)


# --- who moves ------------------------------------------------------------------------------------


def snapshot(made):
    arrays = {}
    for name, net in made.networks.items():
        arrays[name] = np.concatenate(
            [net.flat.data, *(b.ravel().astype(np.float64) for b in net.buffers.values())]
        )
    return arrays


def moving(before, after):
    return {name for name in before if not np.array_equal(before[name], after[name])}


def test_one_player_of_a_pair_moves_at_a_time():
    case = Case("pix2pix", {"norm": "batch"})
    made = case.ours()
    x, y = made.split(case.examples(2, 1))
    fake, ctx = made.G.forward(x, update_stats=False)
    start = snapshot(made)
    made.update_discriminator("D", y, fake, x)
    middle = snapshot(made)
    assert moving(start, middle) == {"D"}
    made.update_generator(x, y, fake, ctx)
    assert moving(middle, snapshot(made)) == {"G"}


def test_generators_move_together_and_discriminators_after_them():
    case = Case("cyclegan", {"norm": "batch", "pool": 2})
    made = case.ours()
    x, y = made.split(case.examples(2, 1))
    start = snapshot(made)
    _, fake_x, fake_y = made.update_generators(x, y)
    middle = snapshot(made)
    assert moving(start, middle) == {"G", "F"}
    made.update_discriminators(x, y, fake_x, fake_y)
    assert moving(middle, snapshot(made)) == {"D_X", "D_Y"}


@pytest.mark.parametrize(
    ("case", "terms"),
    [
        (Case("cyclegan", {"cycle": "none"}), []),
        (Case("cyclegan", {"cycle": "forward"}), ["cycle_x"]),
        (Case("cyclegan", {"cycle": "backward"}), ["cycle_y"]),
        (
            Case("cyclegan", {"weight_identity": 0.5}, (1, 1)),
            ["cycle_x", "cycle_y", "identity_x", "identity_y"],
        ),
    ],
    ids=str,
)
def test_a_log_shows_the_terms_that_are_on(case, terms):
    scalars = case.ours().step(case.examples(2, 1))
    assert sorted(k for k in scalars if k.startswith(("cycle", "identity"))) == terms
    assert {"score(y)", "score(G(x))", "score(x)", "score(F(y))"} <= set(scalars)


def test_the_rate_is_constant_and_then_falls_to_nothing():
    made = Case("cyclegan").ours()  # 100 steps
    rates = [made.optimizers["G"].schedule(t) for t in (0, 50, 75, 100)]
    assert rates == [2e-4, 2e-4, pytest.approx(1e-4), 0]
