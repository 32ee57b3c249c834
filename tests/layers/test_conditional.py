"""Layers of (x, c) beyond the tables: parts that see no c, penalties that look at one input."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import ShapeError
from minigan.layers.base import add
from tests.layers.cases import CONDITIONAL_CRITIC, CONDITIONAL_GENERATOR, case
from tests.oracles.torch_twins import spec, zero_grad

NETS = {
    "critic": case(CONDITIONAL_CRITIC, (3, 5, 6, 2), (3, 3)),
    "generator": case(CONDITIONAL_GENERATOR, (4, 2), (4, 4)),
    "projection": case(spec(L.Projection, 4, 3), (5, 4), (5, 3)),
    "modulation": case(spec(L.Modulation, 2, 3), (2, 5, 4, 2), (2, 3)),
}


def second(layer, gctx, ddx):
    zero_grad(layer)
    ddy, extras = layer.double_backward(ddx, gctx)
    return [ddy, *extras, *(p.grad.copy() for p in layer.params.values())]


@pytest.mark.parametrize("name", NETS)
def test_what_a_penalty_owes_through_x_and_through_c_is_added(name):
    """(v, w) as a whole, and (v, None) and (None, w): a missing direction is one of zeros."""
    made = NETS[name]
    layer, xs = made.build(), made.inputs()
    y, ctx = layer.forward(*xs, update_stats=False)
    dy, (v, w) = made.directions(y)
    _, gctx = layer.input_gradient(dy, ctx)
    whole, of_x, of_c = (second(layer, gctx, d) for d in ((v, w), (v, None), (None, w)))
    for a, b, c in zip(whole, of_x, of_c, strict=True):
        total = add(b, c)
        assert (a is None) == (total is None)
        if a is not None:
            np.testing.assert_allclose(a, total, rtol=1e-10, atol=1e-10 * np.abs(a).max())
    zeros = second(layer, gctx, (v, np.zeros_like(w)))
    for a, b in zip(zeros, of_x, strict=True):
        np.testing.assert_allclose(0 if a is None else a, 0 if b is None else b, atol=1e-12)


@pytest.mark.parametrize("container", [L.ConditionalSequential, L.ConditionalConcat])
def test_parts_that_see_no_condition_owe_it_nothing(container):
    rng = np.random.default_rng(0)
    parts = [L.Dense(3, 3, rng=rng), L.Tanh()]
    layer = container(*parts).astype(np.float64)
    x, c = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    y, ctx = layer.forward(x, c)
    plain = (L.Sequential if container is L.ConditionalSequential else L.Concat)(*parts)
    expected, plain_ctx = plain.forward(x)
    np.testing.assert_array_equal(y, expected)
    dy = rng.standard_normal(y.shape)
    dx, dc = layer.backward(dy, ctx)
    assert dc is None
    np.testing.assert_array_equal(dx, plain.backward(dy, plain_ctx))
    assert layer.backward(dy, ctx, need_dx=False) is None
    (_, dc), gctx = layer.input_gradient(dy, ctx)
    assert dc is None
    _, (_, c_extra) = layer.double_backward((dx, None), gctx)
    assert c_extra is None


def test_c_equal_for_all_examples_is_one_gain_and_one_shift():
    """Conditional batch norm of one class is batch norm with that class's row."""
    rng = np.random.default_rng(0)
    layer = L.ConditionalBatchNorm(3, 2, bias=False, rng=rng).astype(np.float64)
    layer.flat.load(rng.standard_normal(layer.flat.size))
    x = rng.standard_normal((4, 5, 3))
    y, _ = layer.forward(x, np.tile([0.0, 1.0], (4, 1)))
    norm = L.BatchNorm(3).astype(np.float64)
    norm.params["weight"].data[...] = 1 + layer.params["1.scale.weight"].data[1]
    norm.params["bias"].data[...] = layer.params["1.shift.weight"].data[1]
    np.testing.assert_allclose(y, norm.forward(x)[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        layer.buffers["0.running_mean"], norm.buffers["running_mean"], rtol=1e-12
    )


def test_parts_may_be_given_with_spectral_norm():
    rng = np.random.default_rng(0)
    embed = L.SpectralNorm(L.Dense(2, 3, bias=False, rng=rng), rng=rng)
    layer = L.Projection(3, 2, embed=embed, rng=rng)
    scale = L.SpectralNorm(L.Dense(2, 3, rng=rng), rng=rng)
    modulation = L.Modulation(3, 2, scale=scale, rng=rng)
    assert layer.embed is embed
    assert modulation.scale is scale
    x, c = np.ones((2, 3), np.float32), np.ones((2, 2), np.float32)
    expected = (x * embed.forward(c, update_stats=False)[0]).sum(1, keepdims=True)
    expected = expected + layer.score.forward(x)[0]
    np.testing.assert_allclose(layer.forward(x, c, update_stats=False)[0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    "c",
    [np.ones((3, 2)), np.ones((2, 3)), np.ones(3), np.ones((3, 3), np.float32), [[1.0] * 3] * 3],
)
@pytest.mark.parametrize(
    "layer",
    [
        lambda rng: L.Modulation(2, 3, rng=rng),
        lambda rng: L.JoinCondition(3),
        lambda rng: L.Projection(2, 3, rng=rng),
        lambda rng: L.AdaIN(2, 3, rng=rng),
    ],
)
def test_a_condition_of_another_shape_or_dtype_is_refused(layer, c):
    made = layer(np.random.default_rng(0)).astype(np.float64)
    x = np.ones((3, 4, 2)) if not isinstance(made, L.Projection) else np.ones((3, 2))
    with pytest.raises(ShapeError, match=r"wanted|float64"):
        made.forward(x, c)
    with pytest.raises(ShapeError, match="wanted an input and a condition, got 1 inputs"):
        made.forward(x)
