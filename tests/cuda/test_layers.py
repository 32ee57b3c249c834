"""Every layer and network computes on a card what it computes on the CPU: the whole case tables.

The CPU's passes are themselves checked against PyTorch and finite differences. Both sides add the
same numbers in another order, so what is left is rounding:

    float64    a few hundred rounding errors of 1e-16, relative to the largest number
    float32    as many of 6e-8, and some operations differ (exp, tanh) in their last bit

Precisions of products below float32 are tested at the products (tests/cuda/test_ops.py).
"""

import numpy as np
import pytest

from minigan.backend import make_rng, to_device, to_host
from tests.layers.cases import CASES, VARIED
from tests.models.cases import NETWORKS
from tests.oracles.torch_twins import each, own_derivatives

TOLERANCE = {np.float64: 1e-11, np.float32: 2e-4}
dtypes = pytest.mark.parametrize("dtype", TOLERANCE, ids=lambda dtype: dtype.__name__)


def moved(arrays, device):
    return tuple(to_device(a, device) for a in arrays)


def read(table):
    return {name: None if a is None else to_host(a) for name, a in table.items()}


def assert_near(ours, theirs, dtype):
    """Array by array, relative to the largest number of all derivatives of its kind.

    That of a bias in front of a norm is 0 but for rounding errors of the others' size.
    """
    assert ours.keys() == theirs.keys()
    sizes = {}
    for name, b in theirs.items():
        kind = name.partition(" ")[0]
        sizes[kind] = max(sizes.get(kind, 0), 0 if b is None else np.abs(b).max(initial=0))
    for name, a in ours.items():
        b = theirs[name]
        assert (a is None) == (b is None), name
        if a is not None:
            error = np.abs(a - b).max(initial=0)
            assert error <= TOLERANCE[dtype] * sizes[name.partition(" ")[0]], name


@dtypes
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_layer_and_its_derivatives(case, dtype, device):
    here, there = case.build(dtype), case.build(dtype).to(device)
    xs = case.inputs(dtype)
    y, _ = here.forward(*xs, train=case.train, update_stats=False)
    dy, vs = case.directions(y)
    how = {"train": case.train, "second": case.second}
    theirs = own_derivatives(here, xs, dy, vs, **how)
    ours = own_derivatives(
        there, moved(xs, device), to_device(dy, device), moved(vs, device), **how
    )
    ours = read(ours)
    for name, a in ours.items():
        if a is not None:
            assert a.dtype == dtype, name
            assert a.shape == theirs[name].shape, name
    assert_near(ours, theirs, dtype)


@pytest.mark.parametrize("case", [c for c in VARIED if c.build().buffers], ids=str)
def test_the_state_of_a_layer_moves_alike(case, device):
    here, there = case.build(), case.build().to(device)
    for seed in (1, 2):
        xs = case.inputs(seed=seed)
        here.forward(*xs, train=case.train)
        there.forward(*moved(xs, device), train=case.train)
    for name, buffer in there.buffers.items():
        mine, theirs = to_host(buffer), here.buffers[name]
        assert mine.dtype == theirs.dtype
        if mine.dtype == np.uint64:  # counters of noise
            np.testing.assert_array_equal(mine, theirs)
        else:
            np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-11)


@dtypes
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_network(network, dtype, device):
    here = network.build(make_rng(0)).astype(dtype)
    there = network.build(make_rng(0)).astype(dtype).to(device)
    rng = make_rng(1)
    xs = network.drawn(rng, dtype)
    dy = rng.standard_normal(network.gives).astype(dtype)
    tables = []
    for net, inputs, upstream in (
        (here, xs, dy),
        (there, moved(xs, device), to_device(dy, device)),
    ):
        y, ctx = net.forward(*inputs)
        dxs = each(net.backward(upstream, ctx), len(xs))
        table = {"y": y, **{f"dx {i}": dx for i, dx in enumerate(dxs)}}
        table |= {f"d {k}": p.grad for k, p in net.params.items()}
        table |= {f"state {k}": b for k, b in net.buffers.items() if b.dtype == dtype}
        tables.append(read(table))
    assert_near(tables[1], tables[0], dtype)


def test_a_network_goes_to_a_device_and_comes_back(device):
    network = next(n for n in NETWORKS if n.function == "dcgan_discriminator")
    net = network.build(make_rng(0))
    before = {**{k: p.data.copy() for k, p in net.params.items()}, **net.buffers}
    net.flat.grad[...] = np.arange(net.flat.size)
    version = net.flat.version.count
    net.to(device).to("cpu")
    assert net.flat.version.count > version  # contexts of before are stale
    np.testing.assert_array_equal(net.flat.grad, np.arange(net.flat.size))
    for name, array in {**{k: p.data for k, p in net.params.items()}, **net.buffers}.items():
        assert type(array) is np.ndarray
        np.testing.assert_array_equal(array, before[name])
    for p in net.params.values():
        assert np.shares_memory(p.data, net.flat.data)
