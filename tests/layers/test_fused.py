"""A layer and its activation in one step give what the two layers give one after the other.

The reference is the same chain run layer by layer on the same device. Steps of one pass round as
the two do but in a few places (sums of dy f'(y) taken in another order): relative to the largest
number, some rounding errors of 1e-16 in float64 and of 6e-8 in float32.
"""

from collections import Counter

import numpy as np
import pytest

from minigan import backend, cuda, models
from minigan import layers as L
from minigan.algorithms.gan import GAN
from minigan.backend import make_rng, to_device, to_host
from minigan.errors import ShapeError, StaleContextError
from minigan.layers.fused import FUNCTIONS, FUSES, fused_steps
from minigan.noise import Stream
from minigan.optim import Adam
from minigan.prior import Prior
from tests.emulator import build
from tests.emulator.arrays import emulated
from tests.emulator.runtime import EmulatorRuntime
from tests.oracles.torch_twins import own_derivatives

TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
dtypes = pytest.mark.parametrize("dtype", TOLERANCE, ids=lambda dtype: dtype.__name__)
ABOVE = {
    "relu": L.ReLU,
    "leaky_relu": lambda: L.LeakyReLU(negative_slope=0.2),
    "tanh": L.Tanh,
}
BELOW = {
    "norm": (lambda rng: L.BatchNorm(3, eps=1e-3), (2, 3, 4, 3)),
    "plain norm": (lambda rng: L.BatchNorm(3, affine=False), (2, 5, 3)),
    "convolution": (lambda rng: L.Conv2d(3, 5, 3, stride=2, padding=1, rng=rng), (2, 5, 4, 3)),
    "without a bias": (lambda rng: L.Conv2d(4, 8, 2, bias=False, rng=rng), (2, 5, 4, 4)),
    "transposed": (lambda rng: L.ConvTranspose2d(3, 2, 4, stride=2, rng=rng), (2, 3, 2, 3)),
    "dense": (lambda rng: L.Dense(3, 7, rng=rng), (4, 2, 3)),
}
pairs = pytest.mark.parametrize("below", BELOW)
functions = pytest.mark.parametrize("above", ABOVE)


@pytest.fixture
def runtime():
    """A pretended card, with the names of the kernels that it ran."""
    if build.COMPILER is None:
        pytest.skip("no C++ compiler (g++ or clang++) to run kernels with")
    before = cuda.precision()
    cuda.set_precision("fp32")
    with backend.stand_in_for_cuda(emulated), cuda.use_runtime(EmulatorRuntime()) as runtime:
        yield runtime
    cuda.set_precision(before)


class Apart(L.Sequential):
    """The reference: every layer by itself, on a card too."""

    def _steps(self, x):
        return self._single


def chain(kind, below, above, dtype):
    """Two layers between two others, with every number random; on a card."""
    make, shape = BELOW[below]
    rng = make_rng(0)
    net = kind(L.Sigmoid(), make(rng), ABOVE[above](), L.Sigmoid()).astype(dtype)
    net.flat.load(rng.uniform(0.3, 1, net.flat.size) * rng.choice([-1.0, 1.0], net.flat.size))
    for name, buffer in net.buffers.items():
        draws = rng.uniform(0.5, 2, buffer.shape)
        buffer[...] = draws if name.endswith("var") else draws - 1
    return net.to("cuda"), to_device(rng.standard_normal(shape).astype(dtype), "cuda")


def like(y, seed=2):
    return to_device(make_rng(seed).standard_normal(y.shape).astype(y.dtype), "cuda")


def assert_same(ours, theirs, dtype):
    assert ours.keys() == theirs.keys()
    for name, a in ours.items():
        b = theirs[name]
        assert (a is None) == (b is None), name
        if a is not None:
            a, b = to_host(a), to_host(b)
            assert a.dtype == dtype, name
            error = np.abs(a - b).max(initial=0)
            assert error <= TOLERANCE[dtype] * np.abs(b).max(initial=0), name


def test_every_activation_and_layer_that_fuses_is_tested():
    assert set(FUNCTIONS.values()) == ABOVE.keys()
    assert {type(make(make_rng(0))) for make, _ in BELOW.values()} == FUSES.keys()


@dtypes
@functions
@pairs
@pytest.mark.parametrize("train", [True, False])
def test_all_derivatives_are_the_two_layers_own(below, above, train, dtype, runtime):
    tables = []
    for kind in (L.Sequential, Apart):
        net, x = chain(kind, below, above, dtype)
        y, _ = net.forward(x, train=train, update_stats=False)
        how = {"train": train, "second": True}
        tables.append(own_derivatives(net, (x,), like(y), (like(x, 3),), **how))
    assert_same(*tables, dtype)


@dtypes
@functions
@pairs
def test_the_derivative_through_parameters_gradients_too(below, above, dtype, runtime):
    tables = []
    for kind in (L.Sequential, Apart):
        net, x = chain(kind, below, above, dtype)
        y, ctx = net.forward(x, update_stats=False)
        _, gctx = net.input_gradient(like(y), ctx)
        ddw = net.flat.direction(like(net.flat.data, 4))
        ddy, extra = net.weight_double_backward(ddw, gctx)
        table = {"ddy": ddy, "extra": extra}
        tables.append(table | {k: p.grad for k, p in net.params.items()})
    assert_same(*tables, dtype)


@functions
@pairs
@pytest.mark.parametrize(("need_dx", "need_dw"), [(True, False), (False, True), (False, False)])
def test_only_what_is_asked_for(below, above, need_dx, need_dw, runtime):
    tables = []
    for kind in (L.Sequential, Apart):
        net, x = chain(kind, below, above, np.float64)
        y, ctx = net.forward(x)
        dx = net.backward(like(y), ctx, need_dx, need_dw)
        assert (dx is not None) == need_dx
        tables.append({"dx": dx} | {k: p.grad for k, p in net.params.items()})
    assert_same(*tables, np.float64)


@functions
def test_running_statistics_are_identical(above, runtime):
    states = []
    for kind in (L.Sequential, Apart):
        net, x = chain(kind, "norm", above, np.float32)
        start = {k: to_host(b).copy() for k, b in net.buffers.items()}
        net.forward(x, update_stats=False)
        net.forward(x, train=False)
        for name, buffer in net.buffers.items():
            np.testing.assert_array_equal(to_host(buffer), start[name])
        net.forward(x)
        states.append({k: to_host(b) for k, b in net.buffers.items()})
    for name, state in states[0].items():
        np.testing.assert_array_equal(state, states[1][name])
        assert (state != start[name]).any()


def test_a_context_serves_twice_and_inputs_stay(runtime):
    net, x = chain(L.Sequential, "norm", "leaky_relu", np.float64)
    y, ctx = net.forward(x)
    dy = like(y)
    before = to_host(x).copy(), to_host(dy).copy()
    first = to_host(net.backward(dy, ctx)).copy()
    once = to_host(net.flat.grad).copy()
    np.testing.assert_array_equal(to_host(net.backward(dy, ctx)), first)
    np.testing.assert_allclose(to_host(net.flat.grad), 2 * once, rtol=1e-12)
    np.testing.assert_array_equal(to_host(x), before[0])
    np.testing.assert_array_equal(to_host(dy), before[1])


@pytest.mark.parametrize("below", [name for name in BELOW if name != "plain norm"])
def test_a_stale_context_is_refused(below, runtime):
    net, x = chain(L.Sequential, below, "relu", np.float64)
    y, ctx = net.forward(x)
    net.flat.touch()
    with pytest.raises(StaleContextError):
        net.backward(like(y), ctx)


def test_a_misfit_names_the_layer(runtime):
    rng = make_rng(0)
    net = L.Sequential(L.Dense(3, 2, rng=rng), L.Tanh(), L.Dense(3, 2, rng=rng), L.ReLU())
    with pytest.raises(ShapeError, match=r"layer 2 > Dense\(3, 2\)"):
        net.to("cuda").forward(to_device(np.zeros((4, 3), np.float32), "cuda"))


def kinds(*layers):
    return [(step.start, step.stop) for step in fused_steps(layers)]


def test_what_is_a_step():
    rng = make_rng(0)
    norm, relu, dense = L.BatchNorm(3), L.ReLU(), L.Dense(3, 3, rng=rng)

    class OwnNorm(L.BatchNorm):
        pass

    class OwnReLU(L.ReLU):
        pass

    assert kinds() == []
    assert kinds(relu, norm) == [(0, 1), (1, 2)]
    assert kinds(dense, norm, relu, relu, dense) == [(0, 1), (1, 3), (3, 4), (4, 5)]
    assert kinds(dense, L.Tanh(), norm, L.LeakyReLU()) == [(0, 2), (2, 4)]
    for lower, above in (
        (OwnNorm(3), relu),
        (norm, OwnReLU()),
        (norm, L.Sigmoid()),
        (norm, L.ELU()),
        (L.InstanceNorm(3), relu),
        (L.LayerNorm(3), relu),
        (L.SpectralNorm(L.Dense(3, 3, rng=rng), rng=rng), relu),
        (L.Conv1d(3, 3, 1, rng=rng), relu),
    ):
        assert kinds(lower, above) == [(0, 1), (1, 2)]


def test_a_step_is_no_part_of_the_network():
    layers = [L.BatchNorm(3), L.ReLU()]
    net = L.Sequential(*layers)
    assert list(net.children.values()) == net.layers == layers
    assert [path for path, _ in net.walk()] == ["", "0.", "1."]
    assert list(net.params) == ["0.weight", "0.bias"]
    assert repr(net) == "Sequential(BatchNorm(3), ReLU())"


def test_on_the_cpu_layers_run_one_after_the_other():
    net = L.Sequential(L.BatchNorm(3), L.ReLU())
    x, dy = make_rng(0).standard_normal((2, 4, 3)).astype(np.float32)
    y, ctxs = net.forward(x)
    norm = net.layers[0]
    z, below = norm.forward(x)
    assert len(ctxs) == 2
    np.testing.assert_array_equal(y, np.maximum(z, 0))
    np.testing.assert_array_equal(net.backward(dy, ctxs), norm.backward(dy * (z > 0), below))


def step_of_dcgan(runtime):
    """The kernels of one step of both players."""
    rng = make_rng(0, 1)
    G = models.dcgan_generator(3, (16, 16, 3), width=2, rng=rng).to("cuda")
    D = models.dcgan_discriminator((16, 16, 3), width=2, rng=rng).to("cuda")
    game = GAN(
        G,
        D,
        optimizer_G=Adam(G.flat, 2e-4, beta1=0.5),
        optimizer_D=Adam(D.flat, 2e-4, beta1=0.5),
        prior=Prior("normal", 3),
        rng=Stream(0, 2),
    ).to("cuda")
    x = to_device(make_rng(3).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32), "cuda")
    runtime.launched.clear()
    game.step(x)
    return Counter(runtime.launched), to_host(G.flat.data), to_host(D.flat.data)


def test_a_step_of_dcgan_launches_fewer_kernels(runtime, monkeypatch):
    ours, *fused = step_of_dcgan(runtime)
    monkeypatch.setattr(L.Sequential, "_steps", Apart._steps)
    theirs, *apart = step_of_dcgan(runtime)
    for a, b in zip(fused, apart, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert sum(ours.values()) < sum(theirs.values())
    for f in ("relu", "leaky_relu"):
        for kernel in ("apply", "apply_sums", "apply_dx"):
            assert ours[f"norm.{kernel}_{f}_f32"] > 0 == theirs[f"norm.{kernel}_{f}_f32"]
    # No norm stands at D's input and at G's end: their derivatives are kernels of their own.
    assert theirs["activation.relu_f32"] > 0 < theirs["activation.relu_dx_f32"]
    for f in ("relu", "relu_dx", "leaky_relu", "tanh"):
        assert ours[f"activation.{f}_f32"] == 0 < theirs[f"activation.{f}_f32"]
