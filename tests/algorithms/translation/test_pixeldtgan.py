"""PixelDTGAN equals PyTorch, kind of target by kind; who judges what; what is refused."""

import numpy as np
import pytest

from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.translation.pixeldtgan import JUDGES, SHARED
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.gradcheck import check_loss
from minigan.losses import objectives
from tests.algorithms.games import assert_resumes
from tests.algorithms.translation.cases import optimizer_of
from tests.algorithms.translation.test_golden import assert_close
from tests.algorithms.translation.test_updates import moved, moving, snapshot, through
from tests.oracles import gan_twin
from tests.oracles import pixeldtgan_twin as twins

SIDE, CHANNELS = 16, (1, 3)
SMALL = {"width": 2, "code_dim": 5}


def build(seed=0, dtype=np.float64, channels=CHANNELS, shape=(SIDE, SIDE), **options):
    o = recipe("pixeldtgan").options.of(**SMALL | options)
    task = Task((*shape, sum(channels)), "pairs", 100, channels=channels)
    made = recipe("pixeldtgan").build(o, task, Streams(seed))
    for name, net in made.networks.items():
        net.astype(dtype)
        made.optimizers[name] = o.build_optimizer(net.flat, task)
    made.rng = make_rng(seed, 1)
    return made


def examples(n, seed, channels=CHANNELS, dtype=np.float64, shape=(SIDE, SIDE)):
    return np.tanh(make_rng(seed).standard_normal((n, *shape, sum(channels)))).astype(dtype)


def twin(made, channels=CHANNELS, shape=(SIDE, SIDE), **options):
    o = recipe("pixeldtgan").options.of(**SMALL | options)
    cx, cy = channels
    nets = {"G": twins.converter(*shape, cx, cy, o.width, o.code_dim)}
    if o.judges != "none":
        nets["D_R"] = twins.judge(*shape, cy, 0, o.width)
    if o.judges in ("both", "relevant"):
        nets["D_A"] = twins.judge(*shape, cy, cx, o.width)
    assert nets.keys() == made.networks.keys()
    for name, net in nets.items():
        own = made.networks[name]
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    return twins.PixelDTGAN(
        nets,
        {name: optimizer_of(o, net) for name, net in nets.items()},
        o.objective,
        channels,
        o.judges == "both",
        o.weight_gan,
        o.weight_close,
        o.distance,
    )


GOLDEN = [
    ({}, CHANNELS, (16, 16)),
    ({"objective": "lsgan", "distance": "l2", "weight_close": 2.0}, (3, 1), (16, 24)),
    ({"judges": "relevant", "weight_gan": 0.5}, (3, 3), (16, 16)),
    ({"judges": "real-fake", "distance": "l1", "weight_close": 3.0}, CHANNELS, (28, 28)),
    ({"judges": "none", "distance": "l2"}, (3, 3), (32, 32)),
    ({"objective": "hinge", "code_dim": 3}, (1, 1), (16, 16)),
]


@pytest.mark.parametrize(("options", "channels", "shape"), GOLDEN, ids=str)
def test_five_steps_equal_pytorch(options, channels, shape):
    ours = build(channels=channels, shape=shape, **options)
    theirs = twin(ours, channels, shape, **options)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(5):
        pairs = examples(4, 100 + step, channels, shape=shape)
        kept = pairs.copy()
        scalars = ours.step(pairs)
        np.testing.assert_array_equal(pairs, kept)
        found = {k: np.float64(v) for k, v in scalars.items()}
        assert_close(found, theirs.step(pairs), f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
        assert (net.flat.data != start[name]).mean() > 0.9, name


# --- who descends what ----------------------------------------------------------------------------


def softplus(x):
    return np.log1p(np.exp(x)).mean()


def total_loss(made, name, source, target):
    """Of a player, from forward passes alone and kind by kind, as the paper's section 4 has it."""
    C, D_R, D_A = (made.networks[key] for key in ("G", "D_R", "D_A"))
    fake, other = through(C, source), np.roll(target, 1, 0)
    if name == "D_R":
        true, real, wrong = (through(D_R, y) for y in (target, other, fake))
        return (softplus(-true) + softplus(-real) + softplus(wrong)) / 3
    pairs = (through(D_A, source, y) for y in (target, other, fake))
    true, unlike, wrong = pairs
    if name == "D_A":
        return (softplus(-true) + softplus(unlike) + softplus(wrong)) / 3
    fooling = (softplus(-through(D_R, fake)) + softplus(-wrong)) / 2
    return 0.7 * fooling + 3 * np.abs(fake - target).mean()


@pytest.mark.parametrize("name", ["D_R", "D_A", "G"])
def test_each_descends_its_total_loss(name):
    options = {"weight_gan": 0.7, "distance": "l1", "weight_close": 3.0}
    made = build(shape=(8, 8), **options)
    for i, (key, net) in enumerate(made.networks.items()):
        moved(net, i)
        made.optimizers[key] = optim.SGD(net.flat, 0.0)
    pairs = examples(3, 3, shape=(8, 8))
    net = made.networks[name]

    def loss(weights):
        net.flat.load(weights)
        made.step(pairs)
        return total_loss(made, name, *made.split(pairs)), net.flat.grad.copy()

    check_loss(loss, net.flat.data.copy(), rng=make_rng(1), exhaustive=False)


KNOWN = {"GAN_D_R", "GAN_D_A", "L1", "L2", "D(y)", "D(x, y)", "D(x, G(x))", "D(x, other y)"}
SHOWN = {
    "both": KNOWN - {"L1"},
    "relevant": KNOWN - {"L1", "D(x, other y)"},
    "real-fake": {"GAN_D_R", "L2", "D(y)"},
    "none": {"L2"},
}
NETWORKS = {
    "both": {"G", "D_R", "D_A"},
    "relevant": {"G", "D_R", "D_A"},
    "real-fake": {"G", "D_R"},
    "none": {"G"},
}


@pytest.mark.parametrize("judges", JUDGES)
def test_who_moves_and_what_is_logged(judges):
    made = build(judges=judges, distance="l2")
    before = snapshot(made)
    scalars = made.step(examples(4, 1))
    assert moving(before, snapshot(made)) == NETWORKS[judges] == set(made.networks)
    assert scalars.keys() & KNOWN == SHOWN[judges]


@pytest.mark.parametrize(("judges", "times"), [("both", 3), ("relevant", 2)])
def test_D_A_sees_each_source_beside_true_made_and_anothers_target(judges, times):
    made = build(judges=judges)
    x, y = made.split(examples(3, 1))
    fake = through(made.C, x)
    seen = []
    D = made.networks["D_A"]
    forward = D.forward

    def watched(*xs, **how):
        seen.append(xs)
        return forward(*xs, **how)

    D.forward = watched
    made.step(np.concatenate([x, y], -1))
    assert len(seen) == times + 1  # and then once more, for C
    for source, _ in seen:
        np.testing.assert_array_equal(source, x)
    expected = [y, fake, np.stack([y[2], y[0], y[1]])]
    for (_, shown), target in zip(seen[:times], expected, strict=False):
        np.testing.assert_allclose(shown, target, rtol=1e-12)


def test_nothing_goes_around_the_code():
    """Two sources with one code have one target."""
    made = build(code_dim=1)
    made.step(examples(4, 0))
    flat = next(i for i, layer in enumerate(made.C.layers) if type(layer).__name__ == "Flatten")
    code = made.C.layers[flat + 1]
    assert code.out_features == 1
    code.params["weight"].data[...] = 0
    x, _ = made.split(examples(2, 1))
    one, other = made.translate(x, make_rng(0))
    np.testing.assert_array_equal(one, other)


def test_translations_are_of_running_statistics():
    made = build()
    for i in range(3):
        made.step(examples(4, i))
    x, _ = made.split(examples(3, 9))
    alone = made.translate(x[1:2], make_rng(1))
    np.testing.assert_array_equal(alone, made.translate(x, make_rng(0))[1:2])
    expected, _ = made.C.forward(x[1:2], train=False)
    np.testing.assert_array_equal(alone, expected)
    assert not made.varies


# --- the objectives -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHARED)
def test_shares_of_an_objective_are_its_loss(name):
    objective = objectives.get(name)
    rng = make_rng(3)
    real, fake = rng.standard_normal((2, 7, 1))
    loss, d_real, d_fake = objective.discriminator(real, fake)
    of_real, own_real = objective.positive(real)
    of_fake, own_fake = objective.negative(fake)
    np.testing.assert_allclose(of_real + of_fake, loss, rtol=1e-12)
    np.testing.assert_allclose(own_real, d_real, rtol=1e-12)
    np.testing.assert_allclose(own_fake, d_fake, rtol=1e-12)


# --- state, defaults, refusals --------------------------------------------------------------------


def test_resumes_to_the_bit():
    unbroken = build(dtype=np.float32)
    batches = [examples(4, seed, dtype=np.float32) for seed in range(4)]
    assert_resumes(unbroken, build(seed=8, dtype=np.float32), batches)


def test_networks_of_the_defaults_are_the_papers():
    """Table 1: 64x64, filters 128 to 1,024, a code of 64 numbers, 4x4x1,024 numbers after it."""
    o = recipe("pixeldtgan").options()
    task = Task((64, 64, 6), "pairs", 9, channels=(3, 3))
    made = recipe("pixeldtgan").build(o, task, Streams(0))
    shapes = [p.data.shape for name, p in made.C.params.items() if p.data.ndim > 1]
    assert shapes[:5] == [
        *((4, 4, 3, 128), (4, 4, 128, 256), (4, 4, 256, 512), (4, 4, 512, 1024)),
        (4 * 4 * 1024, 64),
    ]
    assert shapes[5] == (64, 4 * 4 * 1024)
    assert len(shapes) == 10
    for name, channels in (("D_R", 3), ("D_A", 6)):
        shapes = [p.data.shape for p in made.networks[name].params.values() if p.data.ndim > 1]
        assert [s[-1] for s in shapes] == [128, 256, 512, 1024, 1]
        assert shapes[0][2] == channels
    assert made.notes() == [
        "C makes pictures of 64x64 of a code; D_R judges targets, D_A judges targets beside their "
        "sources"
    ]


REFUSED = {
    "a size": ({"shape": (18, 18)}, "a converter cannot make pictures of 18x18"),
    "a code": ({"code_dim": 0}, "--code-dim 0 must be at least 1"),
    "a weight": ({"weight_close": -0.1, "distance": "l1"}, "--weight-close -0.1 must be at least"),
    "nothing": ({"judges": "none"}, "C has nothing to descend"),
    "nothing of D": ({"weight_gan": 0.0}, "C has nothing to descend"),
    "nothing of both": ({"judges": "none", "distance": "l2", "weight_close": 0.0}, "nothing to"),
}


@pytest.mark.parametrize(("given", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build(**given)


@pytest.mark.parametrize("name", ["judges", "distance", "objective"])
def test_unknown_names_are_refused(name):
    with pytest.raises(UnknownNameError, match="bothe"):
        build(**{name: "bothe"})


def test_a_single_pair_has_no_irrelevant_target():
    with pytest.raises(OptionError, match="at least 2 pairs"):
        build().step(examples(1, 0))
