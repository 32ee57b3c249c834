"""Spectral norm against PyTorch's own, over several passes; its state; what it refuses."""

import warnings

import numpy as np
import pytest
import torch
from torch.nn.utils.parametrizations import spectral_norm

from minigan import layers as L
from minigan.errors import OptionError
from tests.oracles.torch_twins import channels_first, channels_last, relative_error

FLOAT64 = 1e-10  # sums of some hundred terms in float64

# the layer here, PyTorch's, the input, and the order of our weight's axes in PyTorch's
KINDS = {
    "dense": (
        lambda r: L.Dense(5, 4, rng=r),
        lambda: torch.nn.Linear(5, 4),
        (6, 5),
        (1, 0),
    ),
    "convolution": (
        lambda r: L.Conv2d(3, 4, (3, 2), stride=2, padding=1, rng=r),
        lambda: torch.nn.Conv2d(3, 4, (3, 2), stride=2, padding=1),
        (2, 5, 6, 3),
        (3, 2, 0, 1),
    ),
    "transposed": (
        lambda r: L.ConvTranspose2d(3, 2, 4, stride=2, padding=1, rng=r),
        lambda: torch.nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1),
        (2, 3, 4, 3),
        (3, 2, 0, 1),
    ),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def from_torch(kind, v):
    """PyTorch's rows go over (in, *kernel), ours over (*kernel, in)."""
    if kind == "dense":
        return v
    kernel = KINDS[kind][0](np.random.default_rng(0)).kernel_size
    return np.moveaxis(v.reshape(3, *kernel), 0, -1).ravel()


def twins(kind, n_power_iterations=1):
    """Our layer and PyTorch's of the paper's order, with the same weight, bias and u; an input."""
    build, theirs, shape, axes = KINDS[kind]
    rng = np.random.default_rng(3)
    ours = L.SpectralNorm(build(rng), n_power_iterations=n_power_iterations, rng=rng)
    ours = ours.astype(np.float64)
    ours.bias.data[...] = rng.standard_normal(ours.bias.shape)
    with warnings.catch_warnings():
        # The parametrization moves u before v: half a step from the paper's Algorithm 1. The
        # function that it replaced moves v before u, and is deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        module = torch.nn.utils.spectral_norm(
            theirs().double(), n_power_iterations=n_power_iterations
        )
    with torch.no_grad():
        module.weight_orig.copy_(torch.tensor(ours.weight.data.transpose(axes)))
        module.bias.copy_(torch.tensor(ours.bias.data))
    ours.own_buffers["u"][...] = module.weight_u.numpy()
    ours.own_buffers["v"][...] = from_torch(kind, module.weight_v.numpy())
    return ours, module, rng.standard_normal(shape)


def leaf(x):
    return torch.tensor(x, requires_grad=True)


def run(module, x):
    return module(x) if x.ndim == 2 else channels_last(module(channels_first(x).contiguous()))


def compare(ours, y, ctx, x, ty, tx, weight, bias, axes, rng):
    """Value and both orders of gradients, for random dy and v."""
    assert relative_error(y, ty.detach().numpy()) < FLOAT64
    dy, v = rng.standard_normal(y.shape), rng.standard_normal(x.shape)

    ours.flat.zero_grad()
    dx = ours.backward(dy, ctx)
    first = torch.autograd.grad(ty, [tx, weight, bias], torch.tensor(dy), retain_graph=True)
    assert relative_error(dx, first[0].numpy()) < FLOAT64
    assert relative_error(ours.weight.grad.transpose(axes), first[1].numpy()) < FLOAT64
    assert relative_error(ours.bias.grad, first[2].numpy()) < FLOAT64

    ours.flat.zero_grad()
    _, gctx = ours.input_gradient(dy, ctx)
    ddy, extra = ours.double_backward(v, gctx)
    tdy = leaf(dy)
    (tdx,) = torch.autograd.grad(ty, tx, tdy, create_graph=True)
    second = torch.autograd.grad((tdx * torch.tensor(v)).sum(), [tdy, weight])
    assert extra is None
    assert relative_error(ddy, second[0].numpy()) < FLOAT64
    assert relative_error(ours.weight.grad.transpose(axes), second[1].numpy()) < FLOAT64


@every_kind
@pytest.mark.parametrize("n_power_iterations", [1, 3])
def test_it_equals_pytorch_to_the_second_order_while_weight_and_state_move(
    kind, n_power_iterations
):
    ours, module, x = twins(kind, n_power_iterations)
    axes, rng = KINDS[kind][3], np.random.default_rng(4)
    for _ in range(3):
        y, ctx = ours.forward(x)
        tx = leaf(x)
        ty = run(module, tx)
        compare(ours, y, ctx, x, ty, tx, module.weight_orig, module.bias, axes, rng)
        u, v = module.weight_u.numpy(), from_torch(kind, module.weight_v.numpy())
        for name, theirs in (("u", u), ("v", v)):  # of length 1: so large are the rounding errors
            np.testing.assert_allclose(ours.buffers[name], theirs, rtol=1e-12, atol=1e-14)

        moved = rng.standard_normal(ours.weight.shape)  # an optimiser's step
        ours.weight.data[...] += moved
        with torch.no_grad():
            module.weight_orig += torch.tensor(moved.transpose(axes))


@every_kind
def test_it_equals_pytorch_s_parametrization_given_the_same_vectors(kind):
    ours, _, x = twins(kind)
    axes, rng = KINDS[kind][3], np.random.default_rng(4)
    module = spectral_norm(KINDS[kind][1]().double())
    state = module.parametrizations.weight
    with torch.no_grad():
        state.original.copy_(torch.tensor(ours.weight.data.transpose(axes)))
        module.bias.copy_(torch.tensor(ours.bias.data))
    module.eval()
    ours.own_buffers["u"][...] = state[0]._u.numpy()
    ours.own_buffers["v"][...] = from_torch(kind, state[0]._v.numpy())
    for passes in ({"train": False}, {"update_stats": False}):
        y, ctx = ours.forward(x, **passes)
        tx = leaf(x)
        compare(ours, y, ctx, x, run(module, tx), tx, state.original, module.bias, axes, rng)


@every_kind
def test_iterations_lead_to_the_largest_singular_value(kind):
    ours, _, x = twins(kind)
    for _ in range(300):
        ours.forward(x)
    _, ctx = ours.forward(x, train=False)
    weight = ours.weight.data
    rows = weight.swapaxes(-1, -2) if kind == "transposed" else weight
    largest = np.linalg.svd(rows.reshape(-1, rows.shape[-1]), compute_uv=False)[0]
    # Power iteration ends where the two largest values are apart; sigma's error is squared.
    np.testing.assert_allclose(1 / ctx.s, largest, rtol=1e-9)


def test_a_new_layer_starts_near_its_singular_value():
    rng = np.random.default_rng(0)
    layer = L.SpectralNorm(L.Dense(40, 30, rng=rng), rng=rng)
    _, ctx = layer.forward(np.ones((1, 40), np.float32), train=False)
    largest = np.linalg.svd(layer.weight.data, compute_uv=False)[0]
    assert 0.9 * largest < 1 / ctx.s <= largest * (1 + 1e-5)


@pytest.mark.parametrize("update_stats", [True, False])
def test_a_context_keeps_the_vectors_of_its_own_pass(update_stats):
    """A later pass that moves u and v must not reach the backward pass of an earlier one."""
    ours, _, x = twins("dense")
    dy = np.random.default_rng(5).standard_normal((6, 4))
    _, ctx = ours.forward(x, update_stats=update_stats)
    expected = ours.backward(dy, ctx)
    grad = ours.weight.grad.copy()
    ours.flat.zero_grad()
    ours.own_buffers["u"][...] = 1  # so that the next pass moves both far
    ours.forward(x)
    np.testing.assert_array_equal(ours.backward(dy, ctx), expected)
    np.testing.assert_array_equal(ours.weight.grad, grad)


def test_the_bias_is_the_wrapper_s_and_is_not_normalised():
    rng = np.random.default_rng(0)
    layer = L.SpectralNorm(L.Dense(3, 2, rng=rng), rng=rng)
    assert sorted(layer.params) == ["bias", "layer.weight"]
    assert sorted(layer.buffers) == ["u", "v"]
    layer.bias.data[...] = [5, -7]
    y, _ = layer.forward(np.zeros((1, 3), np.float32))
    np.testing.assert_array_equal(y, [[5, -7]])


def test_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(OptionError, match=r"cannot wrap Tanh\(\); it wraps: Dense, Conv1d"):
        L.SpectralNorm(L.Tanh(), rng=rng)
    with pytest.raises(OptionError, match="n_power_iterations=0 must be at least 1"):
        L.SpectralNorm(L.Dense(3, 2, rng=rng), n_power_iterations=0, rng=rng)
    with pytest.raises(OptionError, match="eps=0 must be above 0"):
        L.SpectralNorm(L.Dense(3, 2, rng=rng), eps=0, rng=rng)
