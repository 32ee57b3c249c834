"""Next-frame prediction equals PyTorch, descends its loss, and predicts one frame after another."""

import numpy as np
import pytest
import torch

from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.backend import make_rng
from minigan.errors import CheckpointError, NonFiniteError, OptionError, UnknownNameError
from minigan.gradcheck import check_loss
from minigan.losses import gradient_difference
from minigan.models import frame_pyramid
from tests.algorithms.games import assert_resumes
from tests.algorithms.translation.test_golden import assert_close
from tests.algorithms.translation.test_updates import moved, moving, snapshot
from tests.oracles import gan_twin
from tests.oracles import sequence_twin as twins

SIDE, CHANNELS = 8, (4, 2)  # two frames of two channels
SMALL = {"width": 2, "frames": 2, "optimizer": "adam", "lr": 1e-3}


def build(seed=0, dtype=np.float64, side=SIDE, channels=CHANNELS, **options):
    o = recipe("next-frame").options.of(**SMALL | options)
    task = Task(
        (side, side, sum(channels)),
        "pairs",
        100,
        examples=lambda n: examples(n, 5, side, channels, dtype),
        channels=channels,
    )
    made = recipe("next-frame").build(o, task, Streams(seed))
    for i, net in enumerate(made.networks.values()):
        net.astype(dtype)
        moved(net, 10 * seed + i)
    for name, optimizer in o.build_optimizers(task, dict(made.networks)).items():
        made.optimizers[name] = optimizer
    return made


def examples(n, seed, side=SIDE, channels=CHANNELS, dtype=np.float64):
    numbers = make_rng(seed).standard_normal((n, side, side, sum(channels)))
    return np.tanh(numbers + 0.3).astype(dtype)


def twin(made, side, channels, **options):
    o = recipe("next-frame").options.of(**SMALL | options)
    n = made.scales
    nets = {"G": twins.Pyramid(*channels, o.width, n)}
    if o.weight_adv:
        nets |= {
            f"D{k + 1}": twins.Judge(sum(channels), o.width_D or o.width, k, side >> (n - 1 - k))
            for k in range(n)
        }
    for name, net in nets.items():
        gan_twin.load(net, {k: p.data for k, p in made.networks[name].params.items()})
    lr_D = o.lr / 2 if o.lr_D is None else o.lr_D
    rules = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    optimizers = {
        name: rules[o.optimizer](net.parameters(), lr=o.lr if name == "G" else lr_D)
        for name, net in nets.items()
    }
    weights = o.weight_adv, o.weight_lp, o.weight_gdl
    return twins.NextFrame(nets, optimizers, o.objective, channels, int(o.p), o.gdl_alpha, *weights)


GOLDEN = [
    ({}, SIDE, CHANNELS),
    ({"optimizer": "sgd", "lr": 0.04, "gdl_alpha": 2, "weight_adv": 0.5}, SIDE, CHANNELS),
    ({"p": "1", "objective": "lsgan", "lr_D": 3e-3, "width": 3, "width_D": 4}, SIDE, (2, 1)),
    ({"weight_adv": 0.0}, SIDE, CHANNELS),
    ({"weight_gdl": 0.0, "weight_lp": 0.0, "scales": 1}, SIDE, (1, 1)),
    ({"weight_adv": 0.3}, 32, (2, 1)),
]


@pytest.mark.parametrize(("options", "side", "channels"), GOLDEN, ids=str)
def test_five_steps_equal_pytorch(options, side, channels):
    ours = build(side=side, channels=channels, **options)
    theirs = twin(ours, side, channels, **options)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(5):
        x = examples(2 * ours.minibatches, 100 + step, side, channels)
        kept = x.copy()
        scalars = ours.step(x)
        np.testing.assert_array_equal(x, kept)
        found = {k: np.float64(v) for k, v in scalars.items()}
        assert_close(found, theirs.step(x), f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()}
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
        dead = 0.95 if len(start[name]) < 1000 else 0.5  # of a few ReLUs some never fire
        assert (net.flat.data != start[name]).mean() > 1 - dead, name


# --- the loss -------------------------------------------------------------------------------------


def total_loss(made, x, y, adv, lp, gdl):
    """nextframe.loss from forward passes alone, D's logits through log(1 + exp(-t))."""
    _, ctx = made.G.forward(x)
    total = 0.0
    for k, guess in enumerate(ctx.predictions):
        own, true = made.pyramid(x)[k], made.pyramid(y)[k]
        total += lp * ((guess - true) ** 2).mean() + gdl * gradient_difference(guess, true)[0]
        if adv:
            logits, _ = made.networks[f"D{k + 1}"].forward(own, guess)
            total += adv * np.log1p(np.exp(-logits)).mean()
    return total


@pytest.mark.parametrize("weights", [(0.7, 1.0, 0.5), (0.7, 0.0, 0.0), (0.0, 0.0, 0.5)], ids=str)
def test_the_generator_descends_the_loss_and_no_discriminator_has_a_gradient(weights):
    names = ("weight_adv", "weight_lp", "weight_gdl")
    made = build(**dict(zip(names, weights, strict=True)))
    made.optimizers = {name: optim.SGD(net.flat, 0.0) for name, net in made.networks.items()}
    x, y = made.split(examples(2, 3))
    net = made.G

    def loss(numbers):
        net.flat.load(numbers)
        for D in made.discriminators.values():
            D.flat.zero_grad()
        value = made.update_generator(x, y)["loss_G"]
        assert not any(D.flat.grad.any() for D in made.discriminators.values())
        assert value == pytest.approx(total_loss(made, x, y, *weights), rel=1e-10)
        return value, net.flat.grad.copy()

    check_loss(loss, net.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def test_each_player_moves_on_a_minibatch_of_its_own():
    """The paper's Algorithm 1 draws new samples for G."""
    made, other = build(), build()
    assert made.minibatches == 2
    x = examples(4, 1)
    before = snapshot(made)
    made.update_discriminators(*made.split(x[:2]))
    assert moving(before, middle := snapshot(made)) == {"D1", "D2"}
    made.update_generator(*made.split(x[2:]))
    assert moving(middle, after := snapshot(made)) == {"G"}
    other.step(x)
    assert moving(after, snapshot(other)) == set()


def test_what_the_log_shows():
    scalars = build().step(examples(4, 1))
    games = {f"loss_D{k}" for k in (1, 2)} | {f"grad_norm_D{k}" for k in (1, 2)}
    seen = {f"D({what}{end})" for what in ("y", "G(x)") for end in ("", "/2")}
    terms = {f"{term}{end}" for term in ("L2", "GDL", "adv") for end in ("", "/2")}
    assert set(scalars) == games | seen | terms | {"loss_G", "grad_norm_G"}
    alone = build(weight_adv=0.0, p="1", scales=1)
    assert alone.minibatches == 1
    assert set(alone.step(examples(2, 1))) == {"L1", "GDL", "loss_G", "grad_norm_G"}
    assert alone.notes() == ["2 frames tell the next one"]
    assert build().notes() == [
        "2 frames tell the next one; whole frames are judged by D1 of 4x4, D2 of 8x8"
    ]


@pytest.mark.parametrize("options", [{}, {"weight_adv": 0.0}], ids=str)
def test_resumes_to_the_bit(options):
    unbroken = build(dtype=np.float32, **options)
    batches = [examples(2 * unbroken.minibatches, seed, dtype=np.float32) for seed in range(6)]
    arrays = assert_resumes(unbroken, build(seed=8, dtype=np.float32, **options), batches)
    with pytest.raises(CheckpointError, match="belongs to another architecture"):
        build(scales=1).load_state_dict(arrays)


# --- predictions ----------------------------------------------------------------------------------


def test_each_predicted_frame_is_among_the_last_of_the_next():
    made = build()
    x, _ = made.split(examples(3, 1))
    found = made.predict(x, 3, make_rng(0))
    assert found.shape == (3, 3, SIDE, SIDE, 2)
    seen = [x[..., :2], x[..., 2:]]
    for t in range(3):
        y, _ = made.G.forward(np.concatenate(seen[-2:], -1))
        np.testing.assert_allclose(found[:, t], y, rtol=1e-9, atol=1e-12)
        seen.append(found[:, t])


def test_a_sample_is_the_next_frame_of_examples():
    made = build()
    x, _ = made.split(examples(2, 5))
    np.testing.assert_array_equal(
        made.sample(2, make_rng(0)), made.predict(x, 1, make_rng(1))[:, 0]
    )
    made.G.flat.data[...] = np.nan
    made.G.flat.touch()
    with pytest.raises(NonFiniteError, match="is not finite"):
        made.predict(x, 2, make_rng(0))


# --- what the options build -----------------------------------------------------------------------


def test_defaults_are_the_papers():
    o = recipe("next-frame").options()
    assert (o.frames, o.width, o.p, o.gdl_alpha) == (4, 128, "2", 1)
    assert (o.weight_adv, o.weight_lp, o.weight_gdl) == (0.05, 1.0, 1.0)
    assert recipe("next-frame").batch == 8
    task = Task((32, 32, 5), "pairs", 100, channels=(4, 1))
    made = recipe("next-frame").build(recipe("next-frame").options(width=2), task, Streams(0))
    assert set(made.networks) == {"G", "D1", "D2", "D3", "D4"}
    assert {type(rule) for rule in made.optimizers.values()} == {optim.SGD}
    rates = {name: rule.schedule(0) for name, rule in made.optimizers.items()}
    assert rates.pop("G") == 0.04
    assert set(rates.values()) == {0.02}
    assert (made.weight_D, made.weight_G) == (1.0, 0.05)


REFUSED = {
    "nothing to descend": (
        {"weight_adv": 0.0, "weight_lp": 0.0, "weight_gdl": 0.0},
        "--weight-adv, --weight-lp and --weight-gdl are all 0",
    ),
    "scales": ({"scales": 3}, "--scales 3: frames of 8x8 .* give --scales 2 or less"),
    "no scale": ({"scales": 0}, "--scales 0 must be at least 1"),
    "an odd width": ({"width": 3}, "a width of 3: .* even --width, or --width-D"),
    "a weight": ({"weight_gdl": -1.0}, "--weight-gdl -1.0 must be at least 0"),
    "alpha": ({"gdl_alpha": 3}, "--gdl-alpha 3: give 1 or 2"),
    "an unbounded D": ({"objective": "wasserstein"}, "--objective wasserstein has no lower bound"),
}


@pytest.mark.parametrize(("given", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build(**given)


def test_an_unknown_power_is_refused():
    with pytest.raises(UnknownNameError, match="known: 1, 2"):
        build(p="3")


def test_pictures_that_are_no_frames_are_refused():
    with pytest.raises(OptionError, match="give --data moving-digits or a folder of clips"):
        build(channels=(1, 3))


def test_as_many_discriminators_as_scales_are_wanted():
    made = build()
    shared = {
        "p": "2",
        "gdl_alpha": 1,
        **dict.fromkeys(("weight_adv", "weight_lp", "weight_gdl"), 1.0),
        "optimizers": {},
        "objective": made.objective,
        "shape": (8, 8),
        "channels": CHANNELS,
        "rng": make_rng(0),
    }
    G = frame_pyramid((8, 8, 4), 2, width=2, rng=make_rng(0))
    with pytest.raises(OptionError, match="1 discriminators for 2 scales"):
        type(made)(G, [made.networks["D1"]], **shared)
