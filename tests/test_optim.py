"""Every optimiser equals PyTorch's, resumes to the bit, and says what it refuses."""

import math

import numpy as np
import pytest
import torch

from minigan import layers as L
from minigan import optim, schedule
from minigan.errors import CheckpointError, OptionError
from minigan.layers.params import FlatParams, Param

torch.set_num_threads(1)

LR = 0.05
SHAPES = {"weight": (4, 3), "bias": (3,)}

# ours, PyTorch's with the same options
PAIRS = {
    "SGD": (optim.SGD, {}, torch.optim.SGD, {}),
    "Momentum": (optim.Momentum, {}, torch.optim.SGD, {"momentum": 0.9}),
    "Momentum 0.5": (optim.Momentum, {"momentum": 0.5}, torch.optim.SGD, {"momentum": 0.5}),
    "Nesterov": (
        optim.Nesterov,
        {"momentum": 0.8},
        torch.optim.SGD,
        {"momentum": 0.8, "nesterov": True},
    ),
    "RMSProp": (optim.RMSProp, {}, torch.optim.RMSprop, {}),
    "RMSProp 0.9": (
        optim.RMSProp,
        {"alpha": 0.9, "eps": 1e-3},
        torch.optim.RMSprop,
        {"alpha": 0.9, "eps": 1e-3},
    ),
    "Adam": (optim.Adam, {}, torch.optim.Adam, {}),
    "Adam of DCGAN": (
        optim.Adam,
        {"beta1": 0.5, "beta2": 0.99, "eps": 1e-3},
        torch.optim.Adam,
        {"betas": (0.5, 0.99), "eps": 1e-3},
    ),
    "Adam, weight decay": (
        optim.Adam,
        {"weight_decay": 0.1},
        torch.optim.AdamW,
        {"weight_decay": 0.1},
    ),
    "AdamW": (optim.AdamW, {}, torch.optim.AdamW, {}),
    "AdamW 0.2": (
        optim.AdamW,
        {"weight_decay": 0.2, "beta1": 0.0},
        torch.optim.AdamW,
        {"weight_decay": 0.2, "betas": (0.0, 0.999)},
    ),
}
SCHEDULES = {
    "constant": LR,
    "cosine": schedule.cosine(LR, end=15, floor=0.001),
    "warm-up": schedule.warm_up(schedule.linear_decay(LR, start=5, end=30), steps=4),
}
# Each step rounds a handful of times: 20 of them stay within 1e-12 (unit 1e-16), or 1e-6 (6e-8).
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-6}


def make_params(dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return FlatParams(
        {name: Param(rng.standard_normal(s).astype(dtype)) for name, s in SHAPES.items()}
    )


def gradients(steps, dtype=np.float64, seed=1):
    """Of many sizes, so that a wrong eps or correction shows."""
    rng = np.random.default_rng(seed)
    size = sum(math.prod(s) for s in SHAPES.values())
    scales = 10.0 ** rng.uniform(-4, 1, (steps, 1))
    return (scales * rng.standard_normal((steps, size))).astype(dtype)


def run(optimizer, grads):
    for g in grads:
        optimizer.params.grad[...] = g
        optimizer.step()


@pytest.mark.parametrize("dtype", TOLERANCE, ids=["float64", "float32"])
@pytest.mark.parametrize("lr", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize(("ours", "options", "theirs", "twin_options"), PAIRS.values(), ids=PAIRS)
def test_equals_pytorch_over_twenty_steps(ours, options, theirs, twin_options, lr, dtype):
    params = make_params(dtype)
    optimizer = ours(params, lr, **options)
    theta = torch.tensor(params.data, requires_grad=True)
    twin = theirs([theta], lr=LR, **twin_options)
    plan = torch.optim.lr_scheduler.LambdaLR(twin, lambda t: optimizer.schedule(t) / LR)

    for g in gradients(20, dtype):
        run(optimizer, [g])
        theta.grad = torch.tensor(g)
        twin.step()
        plan.step()
        expected = theta.detach().numpy()
        assert params.data.dtype == dtype
        assert np.abs(params.data - expected).max() < TOLERANCE[dtype] * np.abs(expected).max()


@pytest.mark.parametrize(("kind", "options"), [(p[0], p[1]) for p in PAIRS.values()], ids=PAIRS)
class TestEveryOptimizer:
    def test_moves_the_layers_own_parameters_in_place(self, kind, options):
        net = L.Dense(4, 3, rng=np.random.default_rng(0))
        data, before = net.flat.data, net.weight.data.copy()
        optimizer = kind(net.flat, LR, **options)
        net.flat.grad[...] = 1
        optimizer.step()
        assert net.flat.data is data
        assert np.shares_memory(net.weight.data, data)
        assert (net.weight.data != before).all()

    def test_moves_the_version_and_leaves_the_gradient(self, kind, options):
        optimizer = kind(make_params(), LR, **options)
        (g,) = gradients(1)
        for steps in (1, 2):
            optimizer.params.grad[...] = g
            optimizer.step()
            assert optimizer.t == steps
            assert optimizer.params.version.count == steps
            np.testing.assert_array_equal(optimizer.params.grad, g)

    def test_resumes_to_the_bit(self, kind, options):
        lr = SCHEDULES["cosine"]
        grads = gradients(9, np.float32)
        unbroken = kind(make_params(np.float32), lr, **options)
        run(unbroken, grads)

        first = kind(make_params(np.float32), lr, **options)
        run(first, grads[:4])
        stored = {name: array.copy() for name, array in first.state_dict().items()}
        kept = {name: array.copy() for name, array in stored.items()}
        second = kind(make_params(np.float32, seed=7), lr, **options)
        second.params.load(first.params.data)
        second.load_state_dict(stored)
        run(second, grads[4:])
        np.testing.assert_array_equal(second.params.data, unbroken.params.data)
        for name, array in unbroken.state_dict().items():
            np.testing.assert_array_equal(second.state_dict()[name], array)
            np.testing.assert_array_equal(stored[name], kept[name])  # it was copied

    def test_state_is_named_arrays(self, kind, options):
        optimizer = kind(make_params(), LR, **options)
        run(optimizer, gradients(3))
        state = optimizer.state_dict()
        assert set(state) == {*kind.state_names, "t"}
        assert state["t"].tolist() == [3]
        assert all(state[name].shape == optimizer.params.data.shape for name in kind.state_names)


WRONG_STATES = {
    "of SGD": (lambda s: {"t": s["t"]}, r"\['t'\] is not that of Adam.*\['m', 't', 'v'\]"),
    "without t": (lambda s: {k: a for k, a in s.items() if k != "t"}, "not that of Adam"),
    "with more": (lambda s: {**s, "w": s["m"]}, "not that of Adam"),
    "of another network": (lambda s: {**s, "v": s["v"][:-1]}, "v has 14 numbers, the network 15"),
}


@pytest.mark.parametrize(("spoil", "says"), WRONG_STATES.values(), ids=WRONG_STATES)
def test_a_wrong_state_is_refused(spoil, says):
    optimizer = optim.Adam(make_params(), LR)
    with pytest.raises(CheckpointError, match=says):
        optimizer.load_state_dict(spoil(optimizer.state_dict()))


BAD_OPTIONS = [
    (optim.SGD, {"lr": -0.1}, r"learning rate -0\.1"),
    (optim.SGD, {"lr": math.nan}, "learning rate nan"),
    (optim.Adam, {"lr": math.inf}, "learning rate inf"),
    (optim.SGD, {"lr": lambda step: -1.0}, r"learning rate -1\.0"),
    (optim.Momentum, {"lr": LR, "momentum": 1.0}, r"momentum=1\.0 must lie in \[0, 1\)"),
    (optim.Nesterov, {"lr": LR, "momentum": -0.1}, r"momentum=-0\.1"),
    (optim.RMSProp, {"lr": LR, "alpha": 1.5}, r"alpha=1\.5"),
    (optim.Adam, {"lr": LR, "beta1": 1.0}, r"beta1=1\.0"),
    (optim.Adam, {"lr": LR, "eps": 0.0}, r"eps=0\.0 must be above 0"),
    (optim.RMSProp, {"lr": LR, "eps": -1e-8}, r"eps=-1e-08 must be above 0"),
    (optim.Adam, {"lr": LR, "beta2": -0.9}, r"beta2=-0\.9"),
    (optim.AdamW, {"lr": LR, "beta2": math.nan}, "beta2=nan"),
]


@pytest.mark.parametrize(("kind", "options", "says"), BAD_OPTIONS)
def test_bad_options_are_refused(kind, options, says):
    with pytest.raises(OptionError, match=says):
        kind(make_params(), **options)


# --- clipping -------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 3.0, 1e6, math.inf])
def test_clip_grad_norm_equals_pytorch(max_norm):
    params = make_params()
    for g in gradients(10):
        params.grad[...] = g
        leaves = [torch.zeros(p.shape, dtype=torch.float64) for p in params.params.values()]
        for leaf, p in zip(leaves, params.params.values(), strict=True):
            leaf.grad = torch.tensor(p.grad)
        norm = optim.clip_grad_norm(params, max_norm)
        expected = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
        assert norm == pytest.approx(float(expected), rel=1e-14)
        clipped = np.concatenate([leaf.grad.numpy().ravel() for leaf in leaves])
        # PyTorch divides by norm + 1e-6; without that both agree to rounding.
        np.testing.assert_allclose(params.grad, clipped, rtol=1.01e-6 / max(norm, max_norm))
        assert np.linalg.norm(params.grad) == pytest.approx(min(norm, max_norm), rel=1e-14)


def test_a_short_gradient_is_not_touched():
    params = make_params()
    (g,) = gradients(1)
    params.grad[...] = g
    optim.clip_grad_norm(params, float(np.linalg.norm(g)) * 1.001)
    np.testing.assert_array_equal(params.grad, g)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_left_to_be_seen(bad):
    params = make_params()
    params.params["bias"].grad[1] = bad
    kept = params.grad.copy()
    assert not math.isfinite(optim.clip_grad_norm(params, 1.0))
    np.testing.assert_array_equal(params.grad, kept)
    assert params.first_nonfinite() == "bias"
