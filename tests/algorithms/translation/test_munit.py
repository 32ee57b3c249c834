"""MUNIT equals PyTorch, descends its total loss, and its styles and contents are what they say."""

import math

import numpy as np
import pytest

from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.gradcheck import check_loss
from minigan.layers import AdaIN, GroupNorm, InstanceNorm
from minigan.models.munit import style_halvings
from tests.algorithms.games import assert_resumes
from tests.algorithms.translation.cases import optimizer_of
from tests.algorithms.translation.test_golden import assert_close
from tests.algorithms.translation.test_updates import moved, moving, snapshot, through
from tests.oracles import gan_twin
from tests.oracles import munit_twin as twins
from tests.oracles.translation_twin import patch

SIDE, CHANNELS = 16, (1, 3)
SMALL = {"width": 2, "patch": 7, "blocks": 1, "scales": 2, "z_dim": 3, "mlp_width": 5}
WEIGHTS = ("gan", "reconstruction", "content", "style", "cycle")
NETWORKS = {"AE", "D_X1", "D_X2", "D_Y1", "D_Y2"}


def build(seed=0, dtype=np.float64, channels=CHANNELS, side=SIDE, **options):
    o = recipe("munit").options.of(**SMALL | options)
    task = Task((side, side, sum(channels)), "pairs", 100, channels=channels)
    made = recipe("munit").build(o, task, Streams(seed))
    for name, net in made.networks.items():
        net.astype(dtype)
        made.optimizers[name] = o.build_optimizer(net.flat, task)
    made.rng = make_rng(seed, 1)
    return made


def examples(n, seed, channels=CHANNELS, dtype=np.float64, side=SIDE):
    return np.tanh(make_rng(seed).standard_normal((n, side, side, sum(channels)))).astype(dtype)


def twin(made, channels, side=SIDE, **options):
    o = recipe("munit").options.of(**SMALL | options)
    n = int(math.log2((o.patch + 2) / 9))
    sizes = (o.z_dim, o.width, o.halvings, o.blocks, o.mlp_width, o.up)
    nets = {"AE": twins.AutoEncoders(channels, *sizes, style_halvings(side, side))}
    for domain, c in zip("XY", channels, strict=True):
        for k in range(o.scales):
            nets[f"D_{domain}{k + 1}"] = patch(c, 0, o.width, n, o.norm)
    assert nets.keys() == made.networks.keys()
    for name, net in nets.items():
        own = made.networks[name]
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    return twins.MUNIT(
        nets,
        {name: optimizer_of(o, net) for name, net in nets.items()},
        o.objective,
        channels,
        o.scales,
        o.z_dim,
        {name: getattr(o, f"weight_{name}") for name in WEIGHTS},
        make_rng(0, 1).standard_normal,
    )


GOLDEN = [
    ({"side": 32}, CHANNELS),
    ({"blocks": 2, "weight_cycle": 10.0, "weight_content": 3.0, "norm": "instance"}, (3, 3)),
    ({"halvings": 1, "up": "transposed", "weight_style": 5.0, "scales": 1}, (3, 1)),
    ({"objective": "non-saturating", "weight_gan": 2.0, "norm": "batch", "scales": 1}, (1, 1)),
]


@pytest.mark.parametrize(("options", "channels"), GOLDEN, ids=str)
def test_five_steps_equal_pytorch(options, channels):
    side = options.get("side", SIDE)
    options = {"schedule": "constant"} | {k: v for k, v in options.items() if k != "side"}
    ours = build(channels=channels, side=side, **options)
    theirs = twin(ours, channels, side, **options)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(5):
        pairs = examples(2, 100 + step, channels, side=side)
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


def total_loss(made, o, x, y):
    """munit.5, and munit.cyc, from forward passes alone, with a generator's draws."""
    AE, rng = made.AE, make_rng(7)
    pictures = {"X": x, "Y": y}
    c = {d: through(AE.content[d], p) for d, p in pictures.items()}
    s = {d: through(AE.style[d], p) for d, p in pictures.items()}
    shape = (len(x), o.z_dim)
    drawn = {d: rng.standard_normal(shape).astype(np.float32).astype(float) for d in "YX"}
    total = 0.0
    for own, other in ("XY", "YX"):
        fake = through(AE.G[other], c[own], drawn[other])
        found = through(AE.content[other], fake)
        n = len(x)
        small = fake.reshape(n, fake.shape[1] // 2, 2, fake.shape[2] // 2, 2, -1).mean((2, 4))
        for k, seen in enumerate((fake, small), 1):
            logits = through(made.networks[f"D_{other}{k}"], seen)
            total += o.weight_gan * ((logits - 1) ** 2).mean()
        same = through(AE.G[own], c[own], s[own])
        back = through(AE.G[own], found, s[own])
        total += o.weight_reconstruction * np.abs(same - pictures[own]).mean()
        total += o.weight_content * np.abs(found - c[own]).mean()
        total += o.weight_style * np.abs(through(AE.style[other], fake) - drawn[other]).mean()
        total += o.weight_cycle * np.abs(back - pictures[own]).mean()
    return total


@pytest.mark.parametrize(
    "weights", [{"weight_cycle": 2.0, "weight_style": 3.0, "weight_content": 0.7}, {}], ids=str
)
def test_the_networks_descend_the_total_loss(weights):
    """Up to three live applications of an encoder and of a decoder before a step."""
    options = {"halvings": 1, **weights}
    made = build(side=8, scales=2, **options)
    for i, (name, net) in enumerate(made.networks.items()):
        moved(net, i)
        made.optimizers[name] = optim.SGD(net.flat, 0.0)
    o = recipe("munit").options.of(**SMALL | options)
    pairs = examples(2, 3, side=8)
    x, y = made.split(pairs)
    net = made.AE

    def loss(weights):
        net.flat.load(weights)
        made.rng = make_rng(7)
        made.step(pairs)
        return total_loss(made, o, x, y), net.flat.grad.copy()

    check_loss(loss, net.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def test_who_moves_and_what_is_logged():
    made = build()
    before = snapshot(made)
    scalars = made.step(examples(2, 1))
    assert moving(before, snapshot(made)) == NETWORKS == set(made.networks)
    terms = {f"{term}_{end}" for term in ("reconstruction", "content", "style") for end in "xy"}
    assert terms | {"GAN_G", "GAN_F", "loss_AE", "score(G(x))", "score(F(y)/2)"} <= set(scalars)
    assert not any(key.startswith("cycle") for key in scalars)
    assert {"cycle_x", "cycle_y"} <= set(build(weight_cycle=1.0).step(examples(2, 1)))
    assert made.translators.keys() == {"G", "F"}


# --- content and style ----------------------------------------------------------------------------


def test_a_content_does_not_see_how_bright_or_contrasted_its_picture_is():
    """Section 5.1: instance norm takes it away; the style encoder, which has none, sees it."""
    made = build(side=32)
    x = examples(2, 1, side=32)[..., :1]
    other = 0.3 * x + 0.5
    E, S = made.AE.content["X"], made.AE.style["X"]
    np.testing.assert_allclose(through(E, other), through(E, x), rtol=1e-2, atol=5e-3)  # eps
    assert np.abs(through(S, other) - through(S, x)).max() > 0.1


def test_each_network_has_the_norm_that_its_code_needs():
    AE = build(blocks=2).AE

    def kinds(net):
        norms = (AdaIN, GroupNorm, InstanceNorm)
        return [type(layer) for _, layer in net.walk() if isinstance(layer, norms)]

    assert set(kinds(AE.content["X"])) == {InstanceNorm}
    assert not any(
        layer.affine for _, layer in AE.content["X"].walk() if isinstance(layer, InstanceNorm)
    )
    assert kinds(AE.style["X"]) == []
    assert kinds(AE.G["X"]) == [AdaIN, InstanceNorm] * 4 + [GroupNorm] * 2


@pytest.mark.parametrize("name", ["G", "F"])
def test_each_style_is_another_answer_and_the_same_style_the_same(name):
    made = build()
    x, y = made.split(examples(3, 1))
    source, own, other = (x, "X", "Y") if name == "G" else (y, "Y", "X")
    z = make_rng(3).standard_normal((3, 3))
    one = made.translate(source, make_rng(0), name=name, z=z)
    np.testing.assert_array_equal(one, made.translate(source, make_rng(9), name=name, z=z))
    turned = made.translate(source, make_rng(0), name=name, z=-z)
    assert (one != turned).any((1, 2, 3)).all()
    expected = through(made.AE.G[other], through(made.AE.content[own], source), z)
    np.testing.assert_allclose(one, expected, rtol=1e-9, atol=1e-12)
    assert made.varies


def test_pictures_of_other_sizes_go_through():
    made = build()
    z = make_rng(3).standard_normal((1, 3))
    assert made.translate(examples(1, 1, side=24)[..., :1], make_rng(0), z=z).shape == (
        1,
        24,
        24,
        3,
    )


def test_resumes_to_the_bit():
    unbroken = build(dtype=np.float32)
    batches = [examples(2, seed, dtype=np.float32) for seed in range(4)]
    assert_resumes(unbroken, build(seed=8, dtype=np.float32), batches)


def test_defaults_are_the_papers():
    o = recipe("munit").options(width=1)
    task = Task((256, 256, 4), "pairs", 1_000_000, channels=CHANNELS)
    made = recipe("munit").build(o, task, Streams(0))
    assert made.weights == (10, 1, 1, 0)
    assert (made.prior.name, made.prior.dim) == ("normal", 8)
    assert (made.weight_G, made.weight_D, made.objective.name) == (2, 2, "lsgan")  # of halved ones
    rate = made.optimizers["AE"].schedule
    assert [rate(t) for t in (0, 99_999, 100_000, 250_000)] == [1e-4, 1e-4, 5e-5, 2.5e-5]
    assert "D_Y3 judges patches of 70x70 pixels in pictures of 64x64" in made.notes()


def test_style_encoders_halve_four_times_while_two_places_are_left():
    found = {s: style_halvings(*s) for s in [(256, 256), (32, 48), (20, 60), (16, 16), (4, 9)]}
    assert found == {(256, 256): 4, (32, 48): 4, (20, 60): 3, (16, 16): 3, (4, 9): 1}
    with pytest.raises(OptionError, match="3x8 are too small for a style encoder"):
        style_halvings(3, 8)


REFUSED = {
    "a size": ({"side": 18}, "nearest legal sizes: 16x16 and 20x20"),
    "blocks": ({"blocks": 0}, "--blocks 0 must be at least 1: a style enters G through it"),
    "less blocks": ({"blocks": -1}, "at least 0 residual blocks"),
    "units": ({"mlp_width": 0}, "--mlp-width 0 must be at least 1"),
    "numbers of z": ({"z_dim": 0}, "z_dim=0 must be at least 1"),
    "scales": ({"scales": 9}, "--scales 9: pictures of 16x16"),
    "a weight": ({"weight_style": -0.1}, "--weight-style -0.1 must be at least 0"),
}


@pytest.mark.parametrize(("given", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build(**given)
