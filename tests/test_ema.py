"""The moving average of a network: its formula, its running statistics, its way in and out."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.ema import EMA
from minigan.errors import OptionError, StaleContextError


def make_net():
    rng = make_rng(0)
    return L.Sequential(
        L.Dense(3, 4, rng=rng), L.BatchNorm(4), L.Dropout(0.5, rng=rng), L.Dense(4, 2, rng=rng)
    )


def wander(net, steps, seed=1):
    """Random weights and running statistics after each of some steps."""
    rng, dtype = make_rng(seed), net.flat.data.dtype
    for _ in range(steps):
        net.flat.load(rng.standard_normal(net.flat.size).astype(dtype))
        net.forward(rng.standard_normal((5, 3)).astype(dtype))
        yield snapshot(net)


def snapshot(net):
    return {"params": net.flat.data.copy()} | {k: b.copy() for k, b in net.buffers.items()}


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.999])
def test_closed_form(decay):
    """average_T = d^T theta_0 + (1 - d) sum_t d^(T - t) theta_t, for statistics as for weights."""
    net = make_net().astype(np.float64)
    ema = EMA(net, decay)
    history = [snapshot(net)]
    for state in wander(net, 6):
        ema.update()
        history.append(state)
    for name in ("params", "1.running_mean", "1.running_var"):
        weights = [decay**6, *((1 - decay) * decay ** (6 - t) for t in range(1, 7))]
        expected = sum(w * h[name] for w, h in zip(weights, history, strict=True))
        # Six sums of terms of order one.
        np.testing.assert_allclose(ema.average[name], expected, rtol=0, atol=1e-14)


def test_starts_as_the_network_and_leaves_it_alone():
    net = make_net()
    before = snapshot(net)
    ema = EMA(net, 0.9)
    assert set(ema.average) == {"params", "1.running_mean", "1.running_var"}
    for name, array in ema.average.items():
        np.testing.assert_array_equal(array, before[name])
        assert array.dtype == np.float32
    ema.update()
    assert_same(snapshot(net), before)


def moved():
    """A network after some steps, and its average."""
    net = make_net()
    ema = EMA(net, 0.8)
    for _ in wander(net, 3):
        ema.update()
    return net, ema


def test_within_applied_the_network_holds_the_average():
    net, ema = moved()
    own, average = snapshot(net), {name: a.copy() for name, a in ema.average.items()}
    x = make_rng(3).standard_normal((4, 3)).astype(np.float32)
    twin = make_net()
    twin.flat.load(average["params"])
    for name in ("1.running_mean", "1.running_var"):
        twin.buffers[name][...] = average[name]
    with ema.applied() as inside:
        assert inside is net
        held = snapshot(net)
        y, _ = net.forward(x, train=False)
    np.testing.assert_array_equal(y, twin.forward(x, train=False)[0])
    assert_same({name: held[name] for name in average}, average)
    assert (own["params"] != average["params"]).any()
    assert_same(snapshot(net), own)
    assert_same(ema.average, average)


def test_an_exception_within_applied_restores_too():
    net, ema = moved()
    own, average = snapshot(net), {name: a.copy() for name, a in ema.average.items()}
    with pytest.raises(KeyboardInterrupt), ema.applied():
        raise KeyboardInterrupt
    assert_same(snapshot(net), own)
    assert_same(ema.average, average)


def test_a_context_from_before_applied_is_stale():
    net, ema = moved()
    _, ctx = net.forward(np.ones((4, 3), np.float32), update_stats=False)
    with ema.applied(), pytest.raises(StaleContextError):
        net.backward(np.ones((4, 2), np.float32), ctx)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2.0, float("nan")])
def test_bad_decay_is_refused(decay):
    with pytest.raises(OptionError, match=r"decay=.* must lie in \[0, 1\)"):
        EMA(make_net(), decay)


def test_vectors_of_a_spectral_norm_are_those_of_the_average():
    """Averages of unit vectors are none: sigma would be too small, and every weight too large."""
    net = L.Sequential(L.SpectralNorm(L.Dense(6, 5, rng=make_rng(0)), rng=make_rng(1)))
    net.astype(np.float64)
    ema = EMA(net, 0.9)
    for _ in wander_in(net, 6, steps=40):
        ema.update()
    before = snapshot(net)
    averaged = {name: array.copy() for name, array in ema.average.items()}
    with ema.applied():
        layer = net.layers[0]
        for name in ("u", "v"):
            assert np.linalg.norm(layer.own_buffers[name]) == pytest.approx(1, abs=1e-12)
        sigma = np.linalg.svd(layer.normalized_weight(), compute_uv=False)[0]
        assert sigma == pytest.approx(1, abs=0.02)  # 15 rounds of the power method
    assert_same(snapshot(net), before)
    assert_same(ema.average, averaged)


def wander_in(net, inputs, steps):
    rng = make_rng(2)
    for _ in range(steps):
        net.flat.load(rng.standard_normal(net.flat.size))
        net.forward(rng.standard_normal((5, inputs)))
        yield


def test_a_layer_that_stands_in_two_places_is_exchanged_once():
    norm = L.BatchNorm(3)
    net = L.Concat(norm, L.Sequential(norm)).astype(np.float64)
    ema = EMA(net, 0.9)
    net.forward(make_rng(0).standard_normal((8, 3)))
    ema.update()
    before = norm.own_buffers["running_mean"].copy()
    with ema.applied():
        assert (norm.own_buffers["running_mean"] != before).all()
    np.testing.assert_array_equal(norm.own_buffers["running_mean"], before)
