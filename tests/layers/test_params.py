"""Parameters, and the one buffer that a network's parameters live in."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import CheckpointError, OptionError


def make_net():
    rng = np.random.default_rng(0)
    return L.Sequential(L.Dense(2, 3, rng=rng), L.Tanh(), L.Dense(3, 1, rng=rng))


def test_packing_keeps_the_values_in_the_order_of_the_names():
    net = make_net()
    loose = {name: p.data.copy() for name, p in net.params.items()}
    net.params["2.weight"].grad[...] = 7
    flat = net.flat
    assert list(flat.slices) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert flat.size == 6 + 3 + 3 + 1
    np.testing.assert_array_equal(flat.data, np.concatenate([a.ravel() for a in loose.values()]))
    np.testing.assert_array_equal(flat.grad[flat.slices["2.weight"]], 7)
    assert flat.grad.sum() == 21
    assert net.flat is flat
    ends = [place.stop for place in flat.slices.values()]
    assert [place.start for place in flat.slices.values()] == [0, *ends[:-1]]


def test_a_small_bias_keeps_no_later_weight_off_16_bytes():
    rng = np.random.default_rng(0)
    parts = [L.Dense(4, 3, rng=rng), L.Dense(3, 8, rng=rng), L.Dense(8, 1, rng=rng)]
    net = L.Sequential(*parts)
    loose = {name: p.data.copy() for name, p in net.params.items()}
    flat = net.flat
    assert list(flat.slices) == list(loose)  # the names keep their order
    order = ["0.weight", "1.weight", "1.bias", "2.weight", "0.bias", "2.bias"]
    np.testing.assert_array_equal(flat.data, np.concatenate([loose[k].ravel() for k in order]))
    for name, place in flat.slices.items():
        np.testing.assert_array_equal(flat.data[place], loose[name].ravel())
        assert place.start % 4 == 0 or loose[name].size % 4, name
    assert flat.size == sum(a.size for a in loose.values())
    flat.grad[flat.slices["0.bias"]] = np.nan
    flat.grad[flat.slices["1.weight"]] = np.nan
    assert flat.first_nonfinite() == "1.weight"  # nearest the output, wherever it lies


def test_the_layers_hold_views():
    net = make_net()
    flat = net.flat
    for name, p in net.params.items():
        assert np.shares_memory(p.data, flat.data), name
        assert np.shares_memory(p.grad, flat.grad), name
    flat.data[flat.slices["0.bias"]] = [1, 2, 3]
    np.testing.assert_array_equal(net.params["0.bias"].data, [1, 2, 3])
    net.params["2.bias"].grad += 5
    assert flat.grad[-1] == 5

    x = np.ones((4, 2), np.float32)
    y, ctx = net.forward(x)
    net.backward(np.ones_like(y), ctx)
    assert np.count_nonzero(flat.grad) == flat.size
    flat.zero_grad()
    assert not net.params["0.weight"].grad.any()


def test_a_cast_keeps_the_values_and_the_views_and_moves_the_version():
    net = make_net()
    flat = net.flat
    single, version = flat.data.copy(), flat.version.count
    places = dict(flat.slices)
    flat.grad[...] = np.arange(flat.size)
    assert net.astype(np.float64) is net
    assert net.flat is flat
    assert flat.data.dtype == flat.grad.dtype == np.float64
    assert flat.slices == places
    np.testing.assert_array_equal(flat.data, single)
    np.testing.assert_array_equal(flat.grad, np.arange(flat.size))
    assert flat.version.count > version
    for p in net.params.values():
        assert p.data.dtype == np.float64
        assert np.shares_memory(p.data, flat.data)


def test_a_cast_reaches_floating_buffers_and_leaves_counters():
    net = L.Sequential(L.BatchNorm(2), L.Dropout(rng=np.random.default_rng(0)))
    net.forward(np.random.default_rng(1).standard_normal((4, 2)).astype(np.float32))
    before = {name: b.copy() for name, b in net.buffers.items()}
    net.astype(np.float64)
    kinds = {name.split(".")[1]: b.dtype for name, b in net.buffers.items()}
    double, counter = np.dtype(np.float64), np.dtype(np.uint64)
    assert kinds == {
        "running_mean": double,
        "running_var": double,
        "noise": counter,
    }
    for name, b in net.buffers.items():
        np.testing.assert_array_equal(b, before[name])


def test_shared_parameters_are_counted_once():
    inner = L.Dense(2, 2, rng=np.random.default_rng(0))
    net = L.Sequential(inner, L.Tanh(), inner)
    assert list(net.params) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert list(net.flat.slices) == ["0.weight", "0.bias"]
    assert net.flat.size == 6
    assert np.shares_memory(net.params["2.weight"].data, net.flat.data)


def test_packing_a_part_of_a_packed_network_is_refused_and_the_other_way_round():
    net = make_net()
    assert net.flat.size == 13
    with pytest.raises(OptionError, match=r"'weight' already lives in another buffer; .*outermost"):
        _ = net.layers[0].flat
    part = L.Dense(2, 2, rng=np.random.default_rng(0))
    assert part.flat.size == 6
    with pytest.raises(OptionError, match=r"'0.weight' already lives in another buffer"):
        _ = L.Sequential(part).flat


def test_parameters_of_several_dtypes_are_refused():
    params = {"a": L.Param(np.zeros(2, np.float32)), "b": L.Param(np.zeros(2))}
    with pytest.raises(OptionError, match=r"several dtypes: \['float32', 'float64'\]"):
        L.FlatParams(params)


def test_a_network_without_parameters_has_an_empty_buffer():
    flat = L.Sequential(L.Tanh()).flat
    assert flat.size == 0
    assert flat.data.dtype == np.float32
    assert flat.grad_norm() == 0
    assert flat.first_nonfinite() is None


def test_load_overwrites_all_and_moves_the_version():
    net = make_net()
    version = net.flat.version.count
    values = np.arange(13.0)
    net.flat.load(values)
    assert net.flat.data.dtype == np.float32
    assert net.flat.version.count == version + 1
    np.testing.assert_array_equal(net.params["0.weight"].data, values[:6].reshape(2, 3))
    assert not np.shares_memory(net.flat.data, values)


@pytest.mark.parametrize("size", [12, 14, 1])
def test_load_of_another_architecture_is_refused_and_changes_nothing(size):
    net = make_net()
    before = net.flat.data.copy()
    with pytest.raises(CheckpointError, match=f"{size} stored parameters for a network of 13"):
        net.flat.load(np.zeros(size, np.float32))
    np.testing.assert_array_equal(net.flat.data, before)


def test_the_first_nonfinite_gradient_is_the_one_nearest_the_output():
    net = make_net()
    flat = net.flat
    assert flat.first_nonfinite() is None
    net.params["0.bias"].grad[1] = np.nan
    assert flat.first_nonfinite() == "0.bias"
    net.params["0.weight"].grad[0, 0] = np.inf
    assert flat.first_nonfinite() == "0.bias"
    net.params["2.weight"].grad[2, 0] = -np.inf
    assert flat.first_nonfinite() == "2.weight"


def test_the_gradient_norm_is_euclidean():
    net = make_net()
    net.params["0.bias"].grad[...] = [3, 0, 0]
    net.params["2.bias"].grad[...] = -4
    assert net.flat.grad_norm() == pytest.approx(5)


def test_touch_moves_the_version_of_every_parameter():
    net = make_net()
    before = [p.version for p in net.params.values()]
    net.flat.touch()
    assert [p.version for p in net.params.values()] == [v + 1 for v in before]
    other = make_net()
    net.flat.touch()
    assert all(p.version == 0 for p in other.params.values())


def test_the_norm_of_large_finite_gradients_is_finite():
    flat = L.Dense(2, 2, rng=np.random.default_rng(0)).flat
    flat.grad[...] = np.float32(1e30)
    np.testing.assert_allclose(flat.grad_norm(), np.sqrt(6) * 1e30, rtol=1e-6)
    flat.grad[1] = np.inf
    assert flat.grad_norm() == np.inf
