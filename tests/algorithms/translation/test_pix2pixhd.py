"""pix2pixHD equals PyTorch stage by stage, descends its total loss, and moves who is trained."""

import math
from dataclasses import replace

import numpy as np
import pytest

from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.translation.base import named_report
from minigan.backend import make_rng
from minigan.errors import CheckpointError, OptionError, UnknownNameError
from minigan.gradcheck import check_loss
from minigan.layers import AvgPool2d
from minigan.models import receptive_field
from minigan.models.pix2pixhd import CoarseToFine, until_activations
from tests.algorithms.games import assert_resumes
from tests.algorithms.translation.cases import optimizer_of
from tests.algorithms.translation.test_golden import assert_close
from tests.algorithms.translation.test_updates import moved, moving, snapshot
from tests.oracles import gan_twin
from tests.oracles import pix2pixhd_twin as twins
from tests.oracles.translation_twin import patch

SIDE, CHANNELS = 16, (1, 3)
SMALL = {
    "width": 2,
    "patch": 7,
    "blocks": 1,
    "local_blocks": 1,
    "halvings": 1,
    "scales": 2,
    "schedule": "constant",
}


def build(seed=0, dtype=np.float64, channels=CHANNELS, steps=100, side=SIDE, **options):
    o = recipe("pix2pixhd").options.of(**SMALL | options)
    task = Task((side, side, sum(channels)), "pairs", steps, channels=channels)
    made = recipe("pix2pixhd").build(o, task, Streams(seed))
    for name, net in made.networks.items():
        net.astype(dtype)
        made.optimizers[name] = o.build_optimizer(net.flat, task)
    return made


def examples(n, seed, channels=CHANNELS, dtype=np.float64):
    numbers = make_rng(seed).standard_normal((n, SIDE, SIDE, sum(channels)))
    return np.tanh(numbers + 0.3).astype(dtype)


def twin(made, channels=CHANNELS, **options):
    o = recipe("pix2pixhd").options.of(**SMALL | options)
    (cx, cy), common = channels, (o.norm, o.up)
    nets = {"G1": twins.global_generator(cx, cy, o.width, o.halvings, o.blocks, *common)}
    if o.generator == "coarse-to-fine":
        nets["G2"] = twins.Enhancer(cx, cy, o.width, o.local_blocks, *common)
    n = int(math.log2((o.patch + 2) / 9))
    for k in range(o.scales):
        nets[f"D{k + 1}"] = patch(cy, cx, o.width, n, o.norm)
    for name, net in nets.items():
        own = made.networks[name]
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    optimizers = {name: optimizer_of(o, net) for name, net in nets.items()}
    return twins.Pix2PixHD(nets, optimizers, o.objective, channels, o.weight_features, *made.stages)


STAGED = {"stage_steps": 2}  # coarse, coarse, fine, fine, both
GOLDEN = [
    (STAGED, CHANNELS),
    ({"joint": True, "norm": "batch", "up": "resize"}, (3, 1)),
    ({"joint": True, "scales": 3, "objective": "non-saturating", "weight_features": 3.0}, (1, 1)),
    ({"generator": "global", "halvings": 2, "scales": 1, "patch": 16}, CHANNELS),
    ({**STAGED, "norm": "none", "scales": 3}, (3, 3)),
]


@pytest.mark.parametrize(("options", "channels"), GOLDEN, ids=str)
def test_five_steps_equal_pytorch(options, channels):
    ours = build(channels=channels, **options)
    theirs = twin(ours, channels, **options)
    start = {
        name: {k: p.data.copy() for k, p in net.params.items()}
        for name, net in ours.networks.items()
    }
    for step in range(5):
        x = examples(2, 100 + step, channels)
        kept = x.copy()
        scalars = ours.step(x)
        np.testing.assert_array_equal(x, kept)
        found = {k: np.float64(v) for k, v in scalars.items()}
        assert_close(found, theirs.step(x), f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
        head = f"{len(ours.G1.layers) - 2}." if name == "G1" and ours.stages == (0, 0) else "none"
        for key, p in net.params.items():
            idle = key.startswith(head) and ours.G2 is not None  # only G1 alone makes pictures
            assert (p.data != start[name][key]).mean() > 0.9 or idle, f"{name}.{key}"


# --- the total loss -------------------------------------------------------------------------------


def through(net, *xs):
    return net.forward(*xs, update_stats=False)[0]


def total_loss(made, x, y, weight_features):
    """pix2pixhd.5 of both stages' ends, from forward passes alone."""
    pool = AvgPool2d(2)
    fake = through(CoarseToFine(made.G1, made.G2), x)
    total = 0.0
    for name in made.parts:
        D = made.networks[name]
        total += ((through(D, x, fake) - 1) ** 2).mean()
        real, made_up = (x, y), (x, fake)
        for part in until_activations(D)[:-1]:
            real, made_up = (through(part, *real),), (through(part, *made_up),)
            total += weight_features * np.abs(made_up[0] - real[0]).mean()
        x, y, fake = (pool.forward(p)[0] for p in (x, y, fake))
    return total


@pytest.mark.parametrize("name", ["G1", "G2"])
@pytest.mark.parametrize("stage", ["fine", "both"])
def test_generators_descend_the_total_loss(stage, name):
    """In G1 only where it is trained; no weight of D and no true picture has a gradient."""
    weight = 0.7
    made = build(weight_features=weight, joint=True)
    for i, net in enumerate(made.networks.values()):
        moved(net, i)
    for key, net in made.networks.items():
        made.optimizers[key] = optim.SGD(net.flat, 0.0)
    x, y = made.split(examples(2, 3))
    net = made.networks[name]
    trained = ("G2",) if stage == "fine" else ("G1", "G2")

    def loss(weights):
        net.flat.load(weights)
        net.flat.zero_grad()
        fake, back = made.generated(x, stage)
        scales = made.seen_by([*made.parts], x, y, fake)
        for D in made.discriminators.values():
            D.flat.zero_grad()
        made.update_generators(trained, scales, back)
        assert not any(D.flat.grad.any() for D in made.discriminators.values())
        return total_loss(made, x, y, weight), net.flat.grad.copy()

    if name not in trained:
        assert not loss(net.flat.data.copy())[1].any()
        return
    check_loss(loss, net.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def test_features_of_equal_pictures_agree_and_those_of_others_do_not():
    made = build(joint=True)
    x, y = made.split(examples(2, 3))
    same, other = (made.judged(made.seen_by(["D1"], x, y, fake)[0]) for fake in (y, -y))
    assert same[1] == 0
    assert other[1] > 0


# --- stages ---------------------------------------------------------------------------------------


def test_who_moves_in_each_stage():
    made = build(stage_steps=1, norm="batch", scales=3)
    moves = {
        "coarse": {"G1", "D2", "D3"},
        "fine": {"G2", "D1", "D2", "D3"},
        "both": {"G1", "G2", "D1", "D2", "D3"},
    }
    for i, (stage, who) in enumerate(moves.items()):
        assert made.step_kind == stage
        before = snapshot(made)
        scalars = made.step(examples(2, i))
        assert moving(before, snapshot(made)) == who
        assert {k[10:] for k in scalars if k.startswith("grad_norm_")} == who
        judged = sorted(name for name in who if name[0] == "D")
        ends = ["" if name == "D1" else f"/{2 ** (int(name[1]) - 1)}" for name in judged]
        terms = {f"{term}{end}" for end in ends for term in ("GAN", "features")}
        assert {k for k in scalars if k.startswith(("GAN", "features"))} == terms
    assert made.step_kind == "both"


def test_stages_are_thirds_of_the_run_unless_told():
    assert build(steps=90).stages == (30, 30)
    assert build(steps=90, stage_steps=7).stages == (7, 7)
    assert build(steps=90, joint=True).stages == (0, 0)
    assert build(steps=90, generator="global").stages == (0, 0)


def test_each_rate_falls_to_nothing_when_the_run_ends():
    o = recipe("pix2pixhd").options.of(**SMALL | {"schedule": "linear"})
    task = Task((SIDE, SIDE, 4), "pairs", 90, channels=CHANNELS)
    rates = recipe("pix2pixhd").build(o, task, Streams(0)).optimizers
    for name, steps in (("G1", 60), ("G2", 60), ("D1", 60), ("D2", 90)):
        schedule = rates[name].schedule
        assert (schedule(steps), schedule(steps // 2)) == (0, 2e-4)
        assert schedule(steps - 1) > 0


def test_while_g1_is_trained_alone_its_pictures_are_shown_enlarged():
    made = build(stage_steps=1)
    x, _ = made.split(examples(3, 1))
    y = made.translate(x, make_rng(0))
    assert y.shape == (3, SIDE, SIDE, 3)
    np.testing.assert_array_equal(y[:, ::2, ::2], y[:, 1::2, 1::2])
    np.testing.assert_allclose(y[:, ::2, ::2], through(made.G1, AvgPool2d(2).forward(x)[0]), 1e-9)
    made.step(examples(2, 2))
    y = made.translate(x, make_rng(0))
    np.testing.assert_allclose(y, through(CoarseToFine(made.G1, made.G2), x), rtol=1e-9)


@pytest.mark.parametrize("at", [1, 3, 4])
def test_resumes_to_the_bit_from_any_stage(at):
    unbroken = build(stage_steps=2, dtype=np.float32)
    batches = [examples(2, seed, dtype=np.float32) for seed in range(6)]
    arrays = assert_resumes(unbroken, build(seed=8, stage_steps=2, dtype=np.float32), batches, at)
    with pytest.raises(CheckpointError, match="belongs to another architecture"):
        build(generator="global").load_state_dict(arrays)


# --- what the options build -----------------------------------------------------------------------


def test_defaults_are_the_papers():
    o = recipe("pix2pixhd").options(width=2)
    task = Task((128, 256, 4), "pairs", 100, channels=CHANNELS)
    made = recipe("pix2pixhd").build(o, task, Streams(0))
    assert set(made.networks) == {"G1", "G2", "D1", "D2", "D3"}
    assert (made.weight_features, made.weight_D, made.weight_G) == (10, 1, 2)
    assert made.notes() == [
        "D1 judges patches of 70x70 pixels in pictures of 128x256",
        "D2 judges patches of 70x70 pixels in pictures of 64x128",
        "D3 judges patches of 70x70 pixels in pictures of 32x64",
    ]
    assert recipe("pix2pixhd").options().width == 64


@pytest.mark.parametrize(("side", "scales", "patch"), [(32, 3, 16), (32, 1, 70), (512, 3, 70)])
def test_patches_fit_the_smallest_scale_unless_told(side, scales, patch):
    o = recipe("pix2pixhd").options(width=2, scales=scales)
    D = o.build_judges((side, side), CHANNELS, make_rng(0))
    assert {receptive_field(net) for net in D.values()} == {patch}
    assert len(D) == scales


@pytest.mark.parametrize(
    ("side", "options", "most"),
    [
        (64, {"patch": 0}, 5),  # 7x7 patches of 4x4 pixels
        (64, {"patch": 1}, 6),  # instance norm over 2x2 pixels
        (64, {"patch": 34}, 3),
        (32, {"discriminator": "image"}, 3),
        (4096, {"patch": 7, "width": 1}, 11),
    ],
)
def test_the_most_scales_are_trained_and_no_more(side, options, most):
    o = recipe("pix2pixhd").options(**{"width": 2, "scales": most} | options)
    D = o.build_judges((side, side), CHANNELS, make_rng(0))
    assert [*D] == [f"D{k + 1}" for k in range(most)]
    small = side >> (most - 1)
    x, y = (make_rng(1).standard_normal((2, small, small, c)) for c in CHANNELS)
    last = D[f"D{most}"].astype(np.float64)
    scores = last.forward(x, y)[0]
    assert np.abs(last.forward(x, -y)[0] - scores).max() > 1e-6
    with pytest.raises(OptionError, match=f"--scales {most + 1}: .* --scales {most} or less"):
        replace(o, scales=most + 1).build_judges((side, side), CHANNELS, make_rng(0))


def test_any_number_of_scales_is_named():
    names = [f"D{k}" for k in (1, 2, 4, 9, 11)]
    found = [named_report({"D(x)": 0.5, "D(G(z))": 0.1, "loss": 1.0}, name) for name in names]
    ends = ["", "/2", "/8", "/256", "/1024"]
    assert [[*report] for report in found] == [
        [f"D(y{end})", f"D(G(x){end})", f"loss{name[1:]}"]
        for name, end in zip(names, ends, strict=True)
    ]


REFUSED = {
    "a size": ({"side": 18}, "nearest legal sizes: 16x16 and 20x20"),
    "a depth": ({"halvings": 4}, "nearest legal sizes: 64x64"),
    "no halving": ({"halvings": 0}, "--halvings 0: G1 halves its pictures at least once"),
    "a width": ({"width": 3}, "--width 3: the local enhancer has half as many"),
    "scales": ({"scales": 0}, "--scales 0 must be at least 1"),
    "one scale": ({"scales": 1}, "give --scales 2 or more, or train both .* with --joint"),
    "too many scales": (
        {"scales": 4},
        "--scales 4: pictures of 16x16, .* end at 2x2, and patches of 7x7 need 3x3; give "
        r"--scales 3 or less, a --patch below 7, or larger pictures \(--size\)",
    ),
    "more scales than halvings": (
        {"scales": 9, "patch": 0},
        "--scales 9: .* end at 0x0, .* give --scales 3 or less, or larger pictures",
    ),
    "scales of single pixels": (
        {"scales": 5, "patch": 1},
        "--scales 5: .* end at 1x1, and patches of 1x1 need 2x2; give --scales 4 or less, or",
    ),
    "a patch that no scale has": ({"scales": 2, "patch": 142}, "give a --patch below 142, or"),
    "no patch": ({"patch": 50}, "no PatchGAN has a receptive field of 50"),
    "scales of whole pictures": (
        {"scales": 4, "patch": 70, "discriminator": "image"},
        r"--scales 4: DCGAN cannot make pictures of 4x4: .*, or --scales 2 or less",
    ),
    "stages": ({"stage_steps": -1}, "--stage-steps -1 must be at least 0"),
    "a weight": ({"weight_features": -1.0}, "--weight-features -1.0 must be at least 0"),
}


@pytest.mark.parametrize(("given", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build(**given)


def test_an_unknown_generator_is_refused():
    with pytest.raises(UnknownNameError, match="known: coarse-to-fine, global"):
        build(generator="unet")
