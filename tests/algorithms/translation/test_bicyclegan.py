"""BicycleGAN and its parts equal PyTorch; E learns what the paper says; z makes the answers."""

import math

import numpy as np
import pytest

from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.gradcheck import check_loss
from minigan.layers import JoinCondition
from minigan.models.encoders import encoder_halvings
from tests.algorithms.games import assert_resumes
from tests.algorithms.translation.cases import optimizer_of
from tests.algorithms.translation.test_golden import assert_close
from tests.algorithms.translation.test_updates import moved, moving, snapshot, through
from tests.oracles import bicyclegan_twin as twins
from tests.oracles import conditional_twin, gan_twin
from tests.oracles.translation_twin import patch, resnet

SIDE, CHANNELS = 16, (1, 3)
SMALL = {"width": 2, "patch": 7, "halvings": 3, "z_dim": 3, "blocks": 1}


def build(seed=0, dtype=np.float64, channels=CHANNELS, side=SIDE, **options):
    o = recipe("bicyclegan").options.of(**SMALL | options)
    task = Task((side, side, sum(channels)), "pairs", 100, channels=channels)
    made = recipe("bicyclegan").build(o, task, Streams(seed))
    for name, net in made.networks.items():
        net.astype(dtype)
        made.optimizers[name] = o.build_optimizer(net.flat, task)
    made.rng = make_rng(seed, 1)
    return made


def examples(n, seed, channels=CHANNELS, dtype=np.float64, side=SIDE):
    return np.tanh(make_rng(seed).standard_normal((n, side, side, sum(channels)))).astype(dtype)


def twin(made, channels=CHANNELS, side=SIDE, **options):
    o = recipe("bicyclegan").options.of(**SMALL | options)
    (cx, cy), z = channels, o.z_dim
    if o.z_into == "all":
        skips = o.generator == "unet"
        G = twins.unet_of_z(cx, cy, z, o.width, o.halvings, o.norm, skips=skips, up=o.up)
    else:
        net = resnet(cx + z, cy, o.width, o.blocks, o.norm, up=o.up)
        G = conditional_twin.Chain(conditional_twin.Join(), net).double()
    nets = {"G": G}
    if o.method != "noise":
        n = encoder_halvings((side, side))
        nets["E"] = twins.ENCODERS[o.encoder](cy, 2 * z, o.width, n, o.norm)
    beside, n = cx if o.judge == "pair" else 0, int(math.log2((o.patch + 2) / 9))
    for judge in made.judges:
        for k in range(o.scales):
            nets[f"{judge}{k + 1}"] = patch(cy, beside, o.width, n, o.norm)
    assert nets.keys() == made.networks.keys()
    for name, net in nets.items():
        own = made.networks[name]
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    return twins.BicycleGAN(
        nets,
        {name: optimizer_of(o, net) for name, net in nets.items()},
        o.objective,
        channels,
        o.method,
        made.judges,
        o.scales,
        o.judge == "pair",
        z,
        (o.weight_l1, o.weight_latent, o.weight_kl),
        make_rng(0, 1).standard_normal,
    )


GOLDEN = [
    ({"side": 32}, CHANNELS),
    ({"norm": "batch", "encoder": "conv", "side": 32, "weight_latent": 2.0}, (3, 1)),
    ({"share_D": True, "judge": "pair", "weight_kl": 1.0, "up": "resize"}, (3, 3)),
    ({"z_into": "input", "generator": "resnet", "z_dim": 2, "scales": 1}, CHANNELS),
    ({"method": "cvae-gan", "generator": "encoder-decoder", "side": 32}, CHANNELS),
    ({"method": "clr-gan", "objective": "non-saturating", "side": 32, "norm": "batch"}, (1, 1)),
    ({"method": "noise", "judge": "pair", "norm": "none"}, CHANNELS),
]


@pytest.mark.parametrize(("options", "channels"), GOLDEN, ids=str)
def test_five_steps_equal_pytorch(options, channels):
    side = options.get("side", SIDE)
    options = {k: v for k, v in options.items() if k != "side"}
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


def total_loss(made, o, x, y, *, latent=True):
    """bicyclegan.9 from forward passes alone, with the draws of a generator in that state."""
    G, E, rng = made.G, made.E, make_rng(7)
    mu, log_var = np.split(through(E, y), 2, -1)
    z = mu + np.exp(log_var / 2) * rng.standard_normal(mu.shape)
    drawn = rng.standard_normal(mu.shape).astype(np.float32).astype(np.float64)
    total = 0.0
    for judge, fake in (("D_VAE", through(G, x, z)), ("D_LR", through(G, x, drawn))):
        small = fake.reshape(len(x), 4, 2, 4, 2, -1).mean((2, 4))
        for k, seen in enumerate((fake, small), 1):
            total += ((through(made.networks[f"{judge}{k}"], seen) - 1) ** 2).mean()
        if judge == "D_VAE":
            total += o.weight_l1 * np.abs(fake - y).mean()
            kl = (mu**2 + np.exp(log_var) - log_var - 1).sum() / 2 / len(x)
            total += o.weight_kl * kl
        elif latent:
            found = through(E, fake)[:, : o.z_dim]
            total += o.weight_latent * np.abs(found - drawn).mean()
    return total


@pytest.mark.parametrize("name", ["G", "E"])
def test_G_descends_the_total_loss_and_E_all_but_the_latent_term(name):
    """Two live applications of each before a step; section 4: E is left out of bicyclegan.7."""
    options = {"halvings": 2, "weight_l1": 3.0, "weight_latent": 2.0, "weight_kl": 0.7}
    made = build(side=8, **options)
    for i, (key, net) in enumerate(made.networks.items()):
        moved(net, i)
        made.optimizers[key] = optim.SGD(net.flat, 0.0)
    o = recipe("bicyclegan").options.of(**SMALL | options)
    pairs = examples(2, 3, side=8)
    x, y = made.split(pairs)
    net = made.networks[name]

    def loss(weights):
        net.flat.load(weights)
        made.rng = make_rng(7)
        made.step(pairs)
        return total_loss(made, o, x, y, latent=name == "G"), net.flat.grad.copy()

    check_loss(loss, net.flat.data.copy(), rng=make_rng(1), exhaustive=False)


MOVED = {
    "bicycle": {"G", "E", "D_VAE1", "D_VAE2", "D_LR1", "D_LR2"},
    "cvae-gan": {"G", "E", "D1", "D2"},
    "clr-gan": {"G", "E", "D1", "D2"},
    "noise": {"G", "D1", "D2"},
}
TERMS = {
    "bicycle": {"GAN_VAE", "GAN_LR", "L1", "KL", "latent", "score(G(x, z)/2)"},
    "cvae-gan": {"GAN_VAE", "L1", "KL"},
    "clr-gan": {"GAN_LR", "latent"},
    "noise": {"GAN_LR", "L1"},
}


@pytest.mark.parametrize("method", MOVED)
def test_who_moves_and_what_is_logged(method):
    made = build(method=method)
    before = snapshot(made)
    scalars = made.step(examples(2, 1))
    assert moving(before, snapshot(made)) == MOVED[method] == set(made.networks)
    known = {"GAN_VAE", "GAN_LR", "L1", "KL", "latent"}
    assert TERMS[method] <= scalars.keys()
    assert scalars.keys() & known == TERMS[method] & known


def test_one_D_for_both_games_sees_both_answers():
    made = build(share_D=True)
    assert set(made.networks) == {"G", "E", "D1", "D2"}
    seen = []
    D = made.networks["D1"]
    forward = D.forward

    def watched(*xs, **how):
        seen.append(len(xs[-1]))
        return forward(*xs, **how)

    D.forward = watched
    made.step(examples(2, 1))
    assert seen == [4, 4, 2, 2]  # real and made ones of both games, then each game's own


def test_the_log_does_not_show_D_x_unless_told():
    assert build().networks["D_LR1"].layers[0].in_channels == 3
    assert build(judge="pair").networks["D_LR1"].layers[1].in_channels == 4


# --- z --------------------------------------------------------------------------------------------


def test_z_stands_at_every_layer_of_the_encoder_or_at_the_input():
    def joins(net):
        return sum(isinstance(layer, JoinCondition) for _, layer in net.walk())

    assert joins(build(halvings=4).G) == 4
    assert joins(build(z_into="input").G) == 1


@pytest.mark.parametrize("z_into", ["all", "input"])
def test_each_z_is_another_answer_and_the_same_z_the_same(z_into):
    made = build(z_into=z_into)
    x, _ = made.split(examples(3, 1))
    z = make_rng(3).standard_normal((3, 3))
    one = made.translate(x, make_rng(0), z=z)
    np.testing.assert_array_equal(one, made.translate(x, make_rng(9), z=z))
    assert (one != made.translate(x, make_rng(0), z=-z)).any((1, 2, 3)).all()
    drawn = made.translate(x, make_rng(0))
    np.testing.assert_array_equal(drawn, made.translate(x, make_rng(0)))
    assert (drawn != made.translate(x, make_rng(1))).any((1, 2, 3)).all()
    expected = through(made.G, x[1:2], z[1:2])
    np.testing.assert_allclose(one[1:2], expected, rtol=1e-9, atol=1e-12)


def test_resumes_to_the_bit():
    unbroken = build(dtype=np.float32)
    batches = [examples(2, seed, dtype=np.float32) for seed in range(4)]
    assert_resumes(unbroken, build(seed=8, dtype=np.float32), batches)


def test_defaults_are_the_papers():
    o = recipe("bicyclegan").options(width=1)
    task = Task((256, 256, 4), "pairs", 9, channels=CHANNELS)
    made = recipe("bicyclegan").build(o, task, Streams(0))
    assert made.weights == (10, 0.5, 0.01)
    assert (made.prior.name, made.prior.dim) == ("normal", 8)
    assert (made.weight_G, made.weight_D, made.objective.name) == (2, 1, "lsgan")  # of halved ones
    assert set(made.networks) == MOVED["bicycle"]
    assert "D_LR1 judges patches of 70x70 pixels in pictures of 256x256" in made.notes()
    assert "D_LR2 judges patches of 70x70 pixels in pictures of 128x128" in made.notes()


REFUSED = {
    "a size": ({"side": 18}, "nearest legal sizes: 16x16 and 24x24"),
    "numbers of z": ({"z_dim": 0}, "z_dim=0 must be at least 1"),
    "scales": ({"scales": 9}, "--scales 9: pictures of 16x16"),
    "a weight": ({"weight_kl": -0.1}, "--weight-kl -0.1 must be at least 0"),
    "z in a resnet": ({"generator": "resnet"}, "use one of these, or --z-into input"),
}


@pytest.mark.parametrize(("given", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build(**given)


@pytest.mark.parametrize("name", ["method", "judge", "z_into", "encoder", "generator"])
def test_unknown_names_are_refused(name):
    with pytest.raises(UnknownNameError, match="bicicle"):
        build(**{name: "bicicle"})


@pytest.mark.parametrize("shape", [(15, 16), (2, 8), (16, 7)])
def test_pictures_that_no_encoder_halves_are_refused(shape):
    with pytest.raises(OptionError, match=f"those of {shape[0]}x{shape[1]} it cannot"):
        encoder_halvings(shape)


def test_encoders_halve_to_a_side_of_8_while_they_can():
    found = {s: encoder_halvings(s) for s in [(256, 256), (32, 32), (16, 48), (12, 12), (20, 60)]}
    assert found == {(256, 256): 5, (32, 32): 2, (16, 48): 1, (12, 12): 1, (20, 60): 2}
