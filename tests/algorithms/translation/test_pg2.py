"""PG2 equals PyTorch in both stages, descends what it says, and puts persons into poses."""

import numpy as np
import pytest
import torch

from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.translation.pg2 import weighted_l1
from minigan.backend import make_rng
from minigan.errors import CheckpointError, NonFiniteError, OptionError
from minigan.gradcheck import check_loss
from minigan.layers import Conv2d
from tests.algorithms.games import assert_resumes
from tests.algorithms.translation.test_golden import assert_close
from tests.algorithms.translation.test_updates import moved, moving, snapshot
from tests.oracles import gan_twin
from tests.oracles import pg2_twin as twins
from tests.oracles.translation_twin import image

SMALL = {"width": 3, "width_D": 2, "bottleneck": 5, "lr": 1e-3, "stage_steps": 2}
SIDE, CHANNELS = 16, (7, 3)  # four joints


def build(seed=0, dtype=np.float64, side=SIDE, channels=CHANNELS, **options):
    o = recipe("pg2").options.of(**SMALL | options)
    task = Task(
        (side, side, sum(channels) + 1),
        "pairs",
        100,
        examples=lambda n: examples(n, 5, side, channels, dtype),
        channels=channels,
    )
    made = recipe("pg2").build(o, task, Streams(seed))
    for i, net in enumerate(made.networks.values()):
        net.astype(dtype)
        moved(net, 10 * seed + i)
    for name, optimizer in o.build_optimizers(task, dict(made.networks)).items():
        made.optimizers[name] = optimizer
    return made


def examples(n, seed, side=SIDE, channels=CHANNELS, dtype=np.float64):
    """Any pictures and maps, and a mask of 0 and 1."""
    rng = make_rng(seed)
    numbers = np.tanh(rng.standard_normal((n, side, side, sum(channels))) + 0.3)
    mask = rng.random((n, side, side, 1)) < 0.4
    return np.concatenate([numbers, mask], -1).astype(dtype)


def twin(made, side, channels, **options):
    o = recipe("pg2").options.of(**SMALL | options)
    (x, y), n = channels, o.blocks or {8: 1, 16: 2, 32: 3, 64: 4}[side]
    nets = {
        "G1": twins.integrator(side, side, x, y, o.width, n, o.bottleneck),
        "G2": twins.refiner(2 * y, y, o.width, max(1, n - 2)),
        "D": image(y, y, o.width_D, side),
    }
    for name, net in nets.items():
        own = made.networks[name]
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    optimizers = {
        name: torch.optim.Adam(net.parameters(), lr=o.lr, betas=(o.beta1, 0.999))
        for name, net in nets.items()
    }
    weights = o.weight_l1, o.weight_mask, o.weight_gan
    return twins.PG2(nets, optimizers, o.objective, channels, o.stage_steps, *weights)


GOLDEN = [
    ({}, SIDE, CHANNELS),
    ({"blocks": 4, "stage_steps": 1, "weight_mask": 0.5, "objective": "lsgan"}, SIDE, CHANNELS),
    ({"blocks": 5, "stage_steps": 0, "weight_gan": 0.3}, SIDE, (3, 1)),
    ({"blocks": 1, "weight_l1": 3.0, "weight_mask": 0.0}, SIDE, (4, 3)),
]


@pytest.mark.parametrize(("options", "side", "channels"), GOLDEN, ids=str)
def test_five_steps_equal_pytorch(options, side, channels):
    ours = build(side=side, channels=channels, **options)
    theirs = twin(ours, side, channels, **options)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(5):
        x = examples(3, 100 + step, side, channels)
        kept = x.copy()
        scalars = ours.step(x)
        np.testing.assert_array_equal(x, kept)
        found = {k: np.float64(v) for k, v in scalars.items()}
        assert_close(found, theirs.step(x), f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
        changed = (net.flat.data != start[name]).mean()
        # of few ReLUs some never fire; without a stage I G1 stays as it is
        assert changed > 0.5 if ours.first or name != "G1" else changed == 0, name


# --- the losses and the stages --------------------------------------------------------------------


def test_the_body_counts_as_the_mask_says():
    rng = make_rng(0)
    made, true = rng.standard_normal((2, 3, 4, 5, 3))
    weight = 1 + (rng.random((3, 4, 5, 1)) < 0.5)
    value, dmade = weighted_l1(made, true, weight)
    total = sum(
        abs(made[i] - true[i]) * weight[(*i[:3], 0)] for i in np.ndindex(*made.shape)
    )  # fmt: skip
    assert value == pytest.approx(total / made.size, rel=1e-12)

    def loss(numbers):
        value, gradient = weighted_l1(numbers.reshape(made.shape), true, weight)
        return value, gradient.ravel()

    check_loss(loss, made.ravel().copy(), rng=make_rng(1), exhaustive=False)
    assert np.abs(dmade).min() > 0


@pytest.mark.parametrize("weights", [(10.0, 1.0), (0.0, 1.0), (2.0, 0.0)], ids=str)
def test_the_refiner_descends_its_loss_alone(weights):
    l1, gan = weights
    made = build(weight_l1=l1, weight_gan=gan, stage_steps=0)
    made.optimizers = {name: optim.SGD(net.flat, 0.0) for name, net in made.networks.items()}
    batch = examples(2, 3)
    x, y, weight = made.parted(batch)
    np.testing.assert_array_equal(weight, 1 + batch[..., -1:])
    a, net = x[..., :3].copy(), made.G2

    def loss(numbers):
        net.flat.load(numbers)
        for name in ("G1", "D"):
            made.networks[name].flat.zero_grad()
        rough, _ = made.G1.forward(x)
        change, ctx = net.forward(np.concatenate([a, rough], -1))
        fake = rough + change
        value = made.update_refiner(a, y, fake, weight, ctx)["loss_G2"]
        for name in ("G1", "D"):
            assert not made.networks[name].flat.grad.any()
        logits, _ = made.D.forward(a, fake, update_stats=False)
        expected = l1 * (np.abs(fake - y) * weight).mean() + gan * np.log1p(np.exp(-logits)).mean()
        assert value == pytest.approx(expected, rel=1e-10)
        return value, net.flat.grad.copy()

    check_loss(loss, net.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def test_each_stage_moves_its_own_networks():
    made = build()
    assert list(made.stage_starts) == [0, 2]
    kinds, what = [], []
    for seed in range(4):
        before = snapshot(made)
        kinds.append(made.step_kind)
        made.step(examples(2, seed))
        what.append(moving(before, snapshot(made)))
    assert kinds == ["I", "I", "II", "II"]
    assert what == [{"G1"}, {"G1"}, {"G2", "D"}, {"G2", "D"}]
    made.skip_to(0)
    assert made.step_kind == "I"
    made.skip_to(2)
    assert made.step_kind == "II"


def test_d_is_shown_the_person_before_and_not_the_pose():
    """Another pose in x changes what G1 makes, and nothing of D's score of one picture."""
    made = build()
    x, y, _ = made.parted(examples(2, 1))
    loss, _ = made.fool("D", y, y, x[..., :3].copy())
    other = np.concatenate([-x[..., :3], x[..., 3:]], -1)
    assert made.fool("D", y, y, other[..., :3].copy())[0] != loss
    first = next(layer for _, layer in made.D.walk() if isinstance(layer, Conv2d))
    assert first.in_channels == 6


def test_what_the_log_shows():
    made = build()
    assert set(made.step(examples(2, 1))) == {"loss_G1", "grad_norm_G1"}
    made.skip_to(2)
    assert set(made.step(examples(2, 1))) == {
        *("loss_D", "D(y)", "D(G(x))", "grad_norm_D"),
        *("loss_G2", "GAN_G", "pose_mask", "grad_norm_G2"),
    }
    assert made.notes() == [
        "G1 learns alone for 2 steps, then G2 against D",
        "D judges whole pictures of 16x16 beside the person before",
    ]


@pytest.mark.parametrize("options", [{"stage_steps": 2}, {"stage_steps": 4}], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resumes_to_the_bit(options, dtype):
    unbroken = build(dtype=dtype, **options)
    batches = [examples(2, seed, dtype=dtype) for seed in range(6)]
    arrays = assert_resumes(unbroken, build(seed=8, dtype=dtype, **options), batches)
    expected = {"sides"}
    for name, net in unbroken.networks.items():
        expected |= {f"{name}.{k}" for k in (*net.params, *net.buffers)}
        expected |= {f"optimizer.{name}.{k}" for k in ("m", "v", "t")}
    assert set(arrays) == expected
    with pytest.raises(CheckpointError, match="belongs to another architecture"):
        build(blocks=1, dtype=dtype).load_state_dict(arrays)


# --- pictures -------------------------------------------------------------------------------------


def test_the_refined_picture_is_the_rough_one_and_the_difference():
    made = build(stage_steps=0)
    made.step(examples(2, 0))
    made.G2.flat.load(5 * made.G2.flat.data)
    x, _ = made.split(examples(3, 1))
    rough, _ = made.G1.forward(x)
    change, _ = made.G2.forward(np.concatenate([x[..., :3], rough], -1))
    assert np.abs(rough + change).max() > 1
    found = made.stages(x, make_rng(0))
    assert list(found) == ["I", "II"]
    np.testing.assert_allclose(found["I"], np.clip(rough, -1, 1), atol=1e-12)
    np.testing.assert_allclose(found["II"], np.clip(rough + change, -1, 1), atol=1e-12)
    np.testing.assert_allclose(made.translate(x, make_rng(1)), found["II"], atol=1e-12)
    np.testing.assert_allclose(
        made.sample(2, make_rng(1)), made.translate(made.split(examples(2, 5))[0], make_rng(2))
    )
    first = build()
    for seed in range(2):  # all of stage I
        first.step(examples(2, seed))
    np.testing.assert_allclose(
        first.translate(x, make_rng(0)), first.stages(x, make_rng(0))["I"], atol=1e-12
    )
    assert (first.step_kind, list(first.stages(x, make_rng(0)))) == ("II", ["I"])
    made.G1.flat.data[...] = np.nan
    made.G1.flat.touch()
    with pytest.raises(NonFiniteError, match="a picture of stage I is not finite"):
        made.stages(x, make_rng(0))


# --- what the options build -----------------------------------------------------------------------


def test_defaults_are_the_papers():
    o = recipe("pg2").options()
    assert (o.width, o.bottleneck, o.width_D, o.weight_l1, o.weight_mask) == (
        128,
        64,
        64,
        10.0,
        1.0,
    )
    assert recipe("pg2").batch == 16
    task = Task((128, 64, 25), "pairs", 36_000, channels=(21, 3))
    made = recipe("pg2").build(recipe("pg2").options(width=2, width_D=2), task, Streams(0))
    assert made.first == 22_000
    assert {type(rule) for rule in made.optimizers.values()} == {optim.Adam}
    assert {rule.schedule(0) for rule in made.optimizers.values()} == {2e-5}
    filters = {p.data.shape[-1] for k, p in made.G1.params.items() if p.data.ndim == 4}
    assert {2, 4, 6, 8, 10} <= filters  # five blocks, each two filters more
    dense = [p.data.shape for p in made.G1.params.values() if p.data.ndim == 2]
    assert dense == [(8 * 4 * 10, 64), (64, 8 * 4 * 2)]


def test_a_schedule_is_of_the_steps_that_a_network_takes():
    o = recipe("pg2").options.of(**SMALL | {"stage_steps": 60}, schedule="linear")
    task = Task((16, 16, 11), "pairs", 100, channels=CHANNELS)
    made = recipe("pg2").build(o, task, Streams(0))
    for name, end in {"G1": 60, "G2": 40, "D": 40}.items():
        rate = made.optimizers[name].schedule
        assert rate(end // 2) == pytest.approx(1e-3)
        assert rate(end - 1) < 0.1e-3


REFUSED = {
    "a size": ({"blocks": 6}, "nearest legal sizes: 32x32"),
    "no blocks": ({"blocks": 0}, "--blocks 0 must be at least 1"),
    "no numbers": ({"bottleneck": 0}, "--bottleneck 0 must be at least 1"),
    "a stage": ({"stage_steps": -1}, "--stage-steps -1 must be at least 0"),
    "a weight": ({"weight_mask": -1.0}, "--weight-mask -1.0 must be at least 0"),
    "an unbounded D": ({"objective": "wasserstein"}, "--objective wasserstein has no lower bound"),
}


@pytest.mark.parametrize(("given", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build(**given)


@pytest.mark.parametrize("shape", [(16, 16, 10), (16, 16, 6)])
def test_pairs_without_a_pose_are_refused(shape):
    task = Task(shape, "pairs", 100, channels=(shape[2] - 3, 3))
    with pytest.raises(OptionError, match="persons in two poses: give --data figures"):
        recipe("pg2").build(recipe("pg2").options.of(**SMALL), task, Streams(0))
