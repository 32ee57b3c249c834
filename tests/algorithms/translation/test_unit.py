"""UNIT equals PyTorch, descends its total loss through every live application, shares weights."""

import math

import numpy as np
import pytest

from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.gradcheck import check_loss
from tests.algorithms.games import assert_resumes
from tests.algorithms.translation.cases import optimizer_of
from tests.algorithms.translation.test_golden import assert_close
from tests.algorithms.translation.test_updates import moved, moving, snapshot, through
from tests.oracles import gan_twin
from tests.oracles import unit_twin as twins
from tests.oracles.translation_twin import patch

SIDE, CHANNELS = 16, (1, 3)
SMALL = {"width": 2, "patch": 16, "blocks": 1}
WEIGHTS = ("gan", "kl", "reconstruction", "cycle_kl", "cycle")


def build(seed=0, dtype=np.float64, channels=CHANNELS, side=SIDE, **options):
    o = recipe("unit").options.of(**SMALL | options)
    task = Task((side, side, sum(channels)), "pairs", 100, channels=channels)
    made = recipe("unit").build(o, task, Streams(seed))
    for name, net in made.networks.items():
        net.astype(dtype)
        made.optimizers[name] = o.build_optimizer(net.flat, task)
    made.rng = make_rng(seed, 1)
    return made


def examples(n, seed, channels=CHANNELS, dtype=np.float64, side=SIDE):
    return np.tanh(make_rng(seed).standard_normal((n, side, side, sum(channels)))).astype(dtype)


def twin(made, channels, **options):
    o = recipe("unit").options.of(**SMALL | options)
    n = int(math.log2((o.patch + 2) / 9))
    nets = {
        "VAE": twins.SharedLatent(
            channels, o.width, o.halvings, o.blocks, o.shared_blocks, o.norm, o.up
        ),
        "D_X": patch(channels[0], 0, o.width, n, o.norm),
        "D_Y": patch(channels[1], 0, o.width, n, o.norm),
    }
    for name, net in nets.items():
        own = made.networks[name]
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    rng = make_rng(0, 1)
    return twins.UNIT(
        nets,
        {name: optimizer_of(o, net) for name, net in nets.items()},
        o.objective,
        channels,
        {name: getattr(o, f"weight_{name}") for name in WEIGHTS},
        rng.standard_normal,
    )


GOLDEN = [
    ({}, CHANNELS),
    ({"shared_blocks": 2, "norm": "batch", "up": "resize", "weight_kl": 2.0}, (3, 3)),
    ({"shared_blocks": 0, "halvings": 1, "objective": "lsgan", "weight_cycle_kl": 3.0}, (3, 1)),
]


@pytest.mark.parametrize(("options", "channels"), GOLDEN, ids=str)
def test_five_steps_equal_pytorch(options, channels):
    ours = build(channels=channels, **options)
    theirs = twin(ours, channels, **options)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(5):
        pairs = examples(2, 100 + step, channels)
        kept = pairs.copy()
        scalars = ours.step(pairs)
        np.testing.assert_array_equal(pairs, kept)
        found = {k: np.float64(v) for k, v in scalars.items()}
        assert_close(found, theirs.step(pairs), f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
        assert (net.flat.data != start[name]).mean() > 0.9, name


def total_loss(made, o, x, y, draws):
    """unit.2 from forward passes alone, with the draws in the order of use."""
    E, G = made.VAE.E, made.VAE.G
    draws = iter(draws)

    def code(domain, pictures):
        mean = through(E[domain], pictures)
        return mean, mean + next(draws)

    codes = {"X": code("X", x), "Y": code("Y", y)}
    total = 0.0
    for own, other, pictures in (("X", "Y", x), ("Y", "X", y)):
        mean, z = codes[own]
        fake = through(G[other], z)
        mean_again, z_again = code(other, fake)
        kl, kl_again = (mean**2).mean() / 2, (mean_again**2).mean() / 2
        logits = through(made.networks[f"D_{other}"], fake)
        total += o.weight_kl * kl + o.weight_cycle_kl * (kl + kl_again)
        total += o.weight_reconstruction * np.abs(through(G[own], z) - pictures).mean()
        total += o.weight_cycle * np.abs(through(G[own], z_again) - pictures).mean()
        total += o.weight_gan * np.log1p(np.exp(-logits)).mean()
    return total


EVEN = dict.fromkeys((f"weight_{name}" for name in WEIGHTS), 1.0)
LIVE = [
    ({**EVEN, "shared_blocks": 1}, CHANNELS),
    ({**EVEN, "weight_kl": 3.0, "shared_blocks": 0, "norm": "none"}, (1, 1)),
]


@pytest.mark.parametrize(("options", "channels"), LIVE, ids=str)
def test_the_networks_descend_the_total_loss(options, channels):
    """Four live applications of an encoder's and of a decoder's shared layers before a step."""
    options = {"halvings": 1, "patch": 7, **options}
    made = build(channels=channels, side=8, **options)
    for i, (name, net) in enumerate(made.networks.items()):
        moved(net, i)
        made.optimizers[name] = optim.SGD(net.flat, 0.0)
    o = recipe("unit").options.of(**SMALL | options)
    pairs = examples(2, 3, channels, side=8)
    x, y = made.split(pairs)
    net = made.VAE

    def loss(weights):
        net.flat.load(weights)
        made.rng = make_rng(7)
        made.step(pairs)
        shape = (2, 4, 4, 4)
        rng = make_rng(7)
        draws = [rng.standard_normal(shape) for _ in range(4)]
        return total_loss(made, o, x, y, draws), net.flat.grad.copy()

    check_loss(loss, net.flat.data.copy(), rng=make_rng(1), exhaustive=False)


# --- the common space -----------------------------------------------------------------------------


def test_the_last_of_the_encoders_and_the_first_of_the_decoders_are_one_layer():
    VAE = build(shared_blocks=2).VAE
    assert VAE.E["X"].layers[-1] is VAE.E["Y"].layers[-1]
    assert VAE.G["X"].layers[0] is VAE.G["Y"].layers[0]
    assert VAE.E["X"].layers[-1] is not VAE.G["X"].layers[0]
    alone = build(shared_blocks=0).VAE
    assert alone.E["X"].layers[-1] is not alone.E["Y"].layers[-1]
    apart = [p for name, p in VAE.params.items() if name.startswith(("E_X.", "E_Y."))]
    assert len({id(p) for p in apart}) < len(apart)
    assert VAE.flat.size == sum(
        p.data.size for p in {id(p): p for p in VAE.params.values()}.values()
    )


def test_who_moves_and_what_is_logged():
    made = build(norm="batch")
    before = snapshot(made)
    scalars = made.step(examples(2, 1))
    assert moving(before, snapshot(made)) == {"VAE", "D_X", "D_Y"}
    terms = ("KL", "reconstruction", "cycle_KL", "cycle")
    assert {f"{term}_{end}" for term in terms for end in "xy"} <= set(scalars)
    assert {"GAN_G", "GAN_F", "loss_VAE", "D(x)", "D(F(y))", "D(y)", "D(G(x))"} <= set(scalars)
    assert made.translators.keys() == {"G", "F"}


def test_translations_take_the_mean_of_a_code():
    made = build()
    x, y = made.split(examples(3, 1))
    there = made.translate(x, make_rng(0))
    np.testing.assert_array_equal(there, made.translate(x, make_rng(1)))  # nothing is drawn
    expected = through(made.VAE.G["Y"], through(made.VAE.E["X"], x))
    np.testing.assert_allclose(there, expected, rtol=1e-9, atol=1e-12)
    assert made.translate(y, make_rng(0), name="F").shape == x.shape


def test_resumes_to_the_bit():
    unbroken = build(dtype=np.float32)
    batches = [examples(2, seed, dtype=np.float32) for seed in range(4)]
    assert_resumes(unbroken, build(seed=8, dtype=np.float32), batches)


def test_defaults_are_the_papers():
    o = recipe("unit").options(width=2)
    made = recipe("unit").build(o, Task((96, 96, 4), "pairs", 9, channels=CHANNELS), Streams(0))
    assert made.weights == (0.1, 100, 0.1, 100)
    assert (made.weight_G, made.weight_D, made.objective.name) == (10, 0.5, "non-saturating")
    assert made.optimizers["VAE"].schedule(0) == 1e-4
    assert (o.blocks, o.shared_blocks) == (3, 1)


REFUSED = {
    "a size": ({"side": 18}, "nearest legal sizes: 16x16 and 20x20"),
    "shared blocks": ({"shared_blocks": -1}, "--shared-blocks -1 must be at least 0"),
    "blocks": ({"blocks": -1}, "at least 0 residual blocks"),
    "a weight": ({"weight_kl": -0.1}, "--weight-kl -0.1 must be at least 0"),
    "a patch": ({"patch": 70}, "use --patch 34 or larger"),
}


@pytest.mark.parametrize(("given", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build(**given)
