"""Norms: running statistics, ill-conditioned input and options. Parity: test_torch.py."""

import numpy as np
import pytest
import torch

from minigan import layers as L
from minigan.errors import OptionError, ShapeError
from tests.oracles import gan_twin
from tests.oracles.torch_twins import relative_error


def in_torch(x):
    return torch.tensor(np.moveaxis(x, -1, 1).copy())


@pytest.mark.parametrize("momentum", [0.1, 0.0, 1.0, 0.35])
@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 5, 3), (1, 2, 3)], ids=str)
def test_running_statistics_equal_pytorch_after_several_steps(momentum, shape):
    twins = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}
    twin = twins[len(shape)](3, momentum=momentum).double()
    layer = L.BatchNorm(3, momentum=momentum).astype(np.float64)
    rng = np.random.default_rng(0)
    for _ in range(5):
        x = 2 * rng.standard_normal(shape) + 1
        layer.forward(x)
        twin(in_torch(x))
    for name, buffer in layer.buffers.items():
        assert relative_error(buffer, getattr(twin, name).numpy()) < 1e-12, name

    twin.eval()
    y, _ = layer.forward(x, train=False)
    expected = np.moveaxis(twin(in_torch(x)).detach().numpy(), 1, -1)
    assert relative_error(y, expected) < 1e-12


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_norm_is_pytorchs(groups):
    rng = np.random.default_rng(0)
    layer = L.GroupNorm(groups, 6, eps=1e-3).astype(np.float64)
    layer.flat.load(rng.standard_normal(layer.flat.size))
    twin = torch.nn.GroupNorm(groups, 6, eps=1e-3).double()
    gan_twin.load(twin, {name: p.data for name, p in layer.params.items()})
    x = rng.standard_normal((3, 5, 4, 6))
    expected = np.moveaxis(twin(in_torch(x)).detach().numpy(), 1, -1)
    assert relative_error(layer.forward(x)[0], expected) < 1e-12


def test_one_group_is_layer_norm_and_a_group_for_each_channel_instance_norm():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 4))
    for groups, same in ((1, L.LayerNorm((3, 5, 4), affine=False)), (4, L.InstanceNorm(4))):
        y, _ = L.GroupNorm(groups, 4, affine=False).forward(x)
        np.testing.assert_allclose(y, same.forward(x)[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("groups", [0, -1, 3])
def test_groups_that_do_not_divide_the_channels_are_refused(groups):
    with pytest.raises(OptionError, match=f"num_groups={groups} must be at least 1 and divide"):
        L.GroupNorm(groups, 4)


def test_momentum_is_the_share_of_the_new_batch():
    layer = L.BatchNorm(1, momentum=0.25).astype(np.float64)
    x = np.array([[0.0], [4.0], [8.0]])  # mean 4, unbiased variance 16
    layer.forward(x)
    assert layer.buffers["running_mean"][0] == pytest.approx(0.25 * 4)
    assert layer.buffers["running_var"][0] == pytest.approx(0.75 * 1 + 0.25 * 16)


def test_only_batch_norm_has_state():
    assert sorted(L.BatchNorm(2).buffers) == ["running_mean", "running_var"]
    assert sorted(L.BatchNorm(2, affine=False).buffers) == ["running_mean", "running_var"]
    assert not L.InstanceNorm(2, affine=True).buffers
    assert not L.LayerNorm(2).buffers


def test_training_output_has_mean_beta_and_deviation_gamma():
    rng = np.random.default_rng(0)
    layer = L.BatchNorm(3).astype(np.float64)
    layer.gamma.data[...], layer.beta.data[...] = [1, 2, 3], [4, 5, 6]
    y, _ = layer.forward(5 * rng.standard_normal((8, 7, 3)) - 3)
    np.testing.assert_allclose(y.mean((0, 1)), [4, 5, 6], rtol=1e-12)
    np.testing.assert_allclose(y.std((0, 1)), [1, 2, 3], rtol=1e-5)  # eps / variance = 4e-7


@pytest.mark.parametrize("value", [0.7, -1000.1])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (L.BatchNorm(3), (4, 5, 5, 3)),
        (L.InstanceNorm(3, affine=True), (4, 5, 5, 3)),
        (L.LayerNorm((5, 3)), (4, 5, 5, 3)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, L.Layer) else str(value),
)
def test_a_constant_input_in_float32_stays_within_what_rounding_allows(layer, shape, value):
    """The truth is y = beta. xhat = (x - mean) / sqrt(eps) carries the mean's rounding, which is
    up to a few units of |x| 6e-8 and grows by 1 / sqrt(eps) = 316: 1e-5 cannot be had."""
    layer.beta.data[...] = 0.25
    y, ctx = layer.forward(np.full(shape, value, np.float32))
    bound = 8 * abs(value) * np.finfo(np.float32).eps / 1e-5**0.5
    assert np.abs(y - 0.25).max() <= bound

    rng = np.random.default_rng(0)
    dy = rng.standard_normal(shape).astype(np.float32)
    dx = layer.backward(dy, ctx)
    # And dx = (dy - mean dy) / sqrt(eps), up to the square of that error.
    expected = (dy - dy.astype(float).mean(ctx.axes, keepdims=True)) / 1e-5**0.5
    assert relative_error(dx, expected) < 1e-5 + 2 * bound**2


def test_float32_holds_over_a_large_batch():
    """65,536 numbers per channel, the mean ten deviations from zero, against float64.

    Added one after the other, their rounding errors would walk to some 1e-5 of the sum and reach
    xhat ten times enlarged. What stays are a few roundings of the mean itself, 10 times 6e-8.
    """
    rng = np.random.default_rng(0)
    x = (10 + rng.standard_normal((64, 32, 32, 2))).astype(np.float32)
    dy = (1 + rng.standard_normal(x.shape)).astype(np.float32)

    def run(dtype):
        layer = L.BatchNorm(2).astype(dtype)
        y, ctx = layer.forward(x.astype(dtype))
        return y, layer.backward(dy.astype(dtype), ctx), layer.beta.grad, layer.gamma.grad

    *single, gamma = run(np.float32)
    *double, true_gamma = run(np.float64)
    for ours, true in zip(single, double, strict=True):
        assert relative_error(ours, true) < 1e-5
    # d gamma = sum dy xhat: each of its terms, of mean 1, carries that same error of xhat.
    assert np.abs(gamma - true_gamma).max() < 4 * 10 * 6e-8 * dy[..., 0].size


@pytest.mark.parametrize("affine", [True, False])
def test_instances_and_batches_do_not_see_each_other(affine):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 5, 5, 4)).astype(np.float32)
    for layer in (L.InstanceNorm(4, affine=affine), L.LayerNorm((5, 5, 4), affine=affine)):
        whole, _ = layer.forward(x)
        alone, _ = layer.forward(x[1:2])
        np.testing.assert_allclose(whole[1:2], alone, rtol=1e-5, atol=1e-6)


def test_gamma_can_be_drawn_as_in_dcgan():
    from minigan import init

    layer = L.BatchNorm(4000, init=init.normal(0.02, 1.0), rng=np.random.default_rng(0))
    gamma = layer.params["weight"].data
    assert abs(gamma.mean() - 1) < 5 * 0.02 / np.sqrt(gamma.size)
    assert abs(gamma.std() - 0.02) < 5 * 0.02 / np.sqrt(2 * gamma.size)
    assert not layer.params["bias"].data.any()


def test_one_value_per_channel_is_refused_in_training_only():
    layer = L.BatchNorm(3)
    x = np.ones((1, 1, 1, 3), np.float32)
    with pytest.raises(ShapeError, match=r"more than one value per channel.*train=False"):
        layer.forward(x)
    layer.forward(x, train=False)


def test_options_out_of_range_are_refused():
    for kind in (L.BatchNorm, L.InstanceNorm, L.LayerNorm):
        with pytest.raises(OptionError, match="eps=0 must be above 0"):
            kind(3, eps=0)
        with pytest.raises(TypeError):
            kind(3, 0.8)  # eps or momentum by place would be read as the other one
    with pytest.raises(OptionError, match=r"momentum=1.5 must lie in \[0, 1\]"):
        L.BatchNorm(3, momentum=1.5)


def test_running_statistics_move_by_a_tenth_unless_told() -> None:
    assert L.BatchNorm(3).momentum == 0.1


@pytest.mark.parametrize("layer", [L.InstanceNorm, L.BatchNorm])
def test_gradients_of_many_places_are_summed_exactly_enough(layer):
    """A float32 sum of 65,536 numbers one after the other is off by some 1e-6."""
    rng = np.random.default_rng(0)
    x, dy = (rng.standard_normal((16, 64, 64, 2)).astype(np.float32) for _ in range(2))
    dy += 1
    net = layer(2, affine=True)
    _, ctx = net.forward(x)
    net.backward(dy, ctx)
    exact = dy.sum((0, 1, 2), dtype=np.float64)
    np.testing.assert_allclose(net.params["bias"].grad, exact, rtol=2e-7)
