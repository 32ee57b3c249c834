"""What every network promises, whatever it is made of."""

import numpy as np
import pytest

from minigan import models
from minigan.backend import make_rng
from tests.models.cases import NETWORKS, exported_networks

every_network = pytest.mark.parametrize("network", NETWORKS, ids=str)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def test_every_network_is_in_the_table():
    assert {network.function for network in NETWORKS} == exported_networks()
    assert {name for name in vars(models) if name.endswith(("_generator", "_discriminator"))} <= (
        exported_networks()
    )


def build(network, dtype=np.float64, seed=0):
    return network.build(make_rng(seed)).astype(dtype)


def inputs(network, dtype=np.float64, seed=1):
    return network.drawn(make_rng(seed), dtype)


def gradients(network, dx):
    """One for each input."""
    return (dx,) if network.also is None else dx


def assert_same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def blind(network):
    """Whether it is not shown its condition: it has to say it, or does without."""
    return network.label == "auxiliary" or str(network) == "midinet_discriminator none"


@both_dtypes
@every_network
def test_shape_and_dtype(network, dtype):
    net = build(network, dtype)
    for train in (True, False):
        y, ctx = net.forward(*inputs(network, dtype), train=train, update_stats=False)
        assert y.shape == network.gives
        assert y.dtype == dtype
        for dx, shape in zip(gradients(network, net.backward(y, ctx)), network.inputs, strict=True):
            if network.words is not None or (blind(network) and shape == network.also):
                assert dx is None
                continue
            assert dx.shape == shape
            assert dx.dtype == dtype


@every_network
def test_two_forwards_and_both_orders_of_backward_equal_two_runs(network):
    """The contract of layers/base.py: nothing of a forward pass is kept in the network."""
    xs = [inputs(network, seed=seed) for seed in (1, 2)]
    dys = [make_rng(seed).standard_normal(network.gives) for seed in (3, 4)]

    apart = build(network)
    runs = []
    for x, dy in zip(xs, dys, strict=True):
        y, ctx = apart.forward(*x)
        apart.flat.zero_grad()
        dx = apart.backward(dy, ctx)
        runs.append((y, dx, apart.flat.grad.copy()))
    total = runs[0][2] + runs[1][2]
    assert all(np.abs(grad).max() > 0 for _, _, grad in runs)

    for order in ((0, 1), (1, 0)):
        net = build(network)
        both = [net.forward(*x) for x in xs]
        net.flat.zero_grad()
        for i in order:
            dx = net.backward(dys[i], both[i][1])
            np.testing.assert_array_equal(both[i][0], runs[i][0])
            assert_same(gradients(network, dx), gradients(network, runs[i][1]))
        # One addition, of two numbers, in either order: equal to the bit but for the sum of a
        # bias's gradient with what is there already.
        np.testing.assert_allclose(net.flat.grad, total, rtol=0, atol=1e-13 * np.abs(total).max())
        for name, buffer in net.buffers.items():
            np.testing.assert_array_equal(buffer, apart.buffers[name])


@every_network
def test_need_dx_and_need_dw_change_nothing_else(network):
    net, x = build(network), inputs(network)
    y, ctx = net.forward(*x)
    dy = make_rng(5).standard_normal(y.shape)
    dx = net.backward(dy, ctx)
    grad = net.flat.grad.copy()
    net.flat.zero_grad()
    assert net.backward(dy, ctx, need_dx=False) is None
    np.testing.assert_array_equal(net.flat.grad, grad)
    net.flat.zero_grad()
    assert_same(gradients(network, net.backward(dy, ctx, need_dw=False)), gradients(network, dx))
    assert not net.flat.grad.any()


@every_network
def test_the_rng_decides_every_weight(network):
    first, same, other = (build(network, np.float32, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.flat.data, same.flat.data)
    weights = [p.data for name, p in first.params.items() if name.endswith("weight")]
    # The scale of most norms starts at 1, a PReLU's slope at 1/4.
    drawn = [((w != 1) & (w != 0.25)).any() for w in weights]
    others = [p.data for name, p in other.params.items() if name.endswith("weight")]
    assert [(a != b).any() for a, b in zip(weights, others, strict=True)] == drawn
    assert any(drawn)


@every_network
def test_out_of_training_an_example_does_not_depend_on_its_batch(network):
    net, x = build(network), inputs(network)
    whole, _ = net.forward(*x, train=False)
    for i in range(len(whole)):
        alone, _ = net.forward(*(part[i : i + 1] for part in x), train=False)
        # Matrix products of other sizes add in another order.
        np.testing.assert_allclose(alone[0], whole[i], rtol=1e-12, atol=1e-14)
