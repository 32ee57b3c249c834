"""What every layer promises, whatever it computes: see minigan/layers/base.py.

Each test runs over the whole table of cases. The mathematics is checked in test_torch.py.
"""

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import (
    NoSecondDerivativeError,
    OptionError,
    ShapeError,
    StaleContextError,
)
from minigan.layers.base import add
from tests.layers.cases import CONTAINERS, VARIED, non_contiguous
from tests.oracles.torch_twins import each, own_derivatives, relative_error, zero_grad

every_case = pytest.mark.parametrize("case", VARIED, ids=str)
smooth_case = pytest.mark.parametrize("case", [c for c in VARIED if c.second], ids=str)
trained_case = pytest.mark.parametrize(
    "case", [c for c in VARIED if c.build().flat.size > 0], ids=str
)
# Additions in another order: a few rounding errors of float64.
REORDERED = 1e-12


def ready(case, dtype=np.float64, **forward):
    """A built layer after one forward: layer, xs, y, ctx, dy, vs."""
    layer = case.build(dtype)
    xs = case.inputs(dtype)
    y, ctx = layer.forward(*xs, train=case.train, **{"update_stats": False, **forward})
    dy, vs = case.directions(y)
    return layer, xs, y, ctx, dy, vs


def as_ddx(vs):
    return vs if len(vs) > 1 else vs[0]


def grads_of(layer):
    return {name: p.grad.copy() for name, p in layer.params.items()}


def assert_same(a, b):
    """Bit for bit; for tables and tuples, entry by entry."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same(one, other)
    elif a is None:
        assert b is None
    else:
        np.testing.assert_array_equal(a, b)


def assert_close(a, b, tolerance=REORDERED):
    for name in a:
        if a[name] is None or b[name] is None:
            assert a[name] is b[name], name
        else:
            assert relative_error(a[name], b[name]) < tolerance, name


def everything_in(layer):
    """All that can be reached from a layer, by value: arrays as bytes."""

    def value(thing):
        if isinstance(thing, np.ndarray):
            return (id(thing), thing.dtype.str, thing.shape, thing.tobytes())
        if isinstance(thing, L.Param):
            return (id(thing), value(thing.data), value(thing.grad), thing.version)
        if isinstance(thing, L.FlatParams):
            return (id(thing), value(thing.data), value(thing.grad), thing.version.count)
        if isinstance(thing, dict):
            return {key: value(inner) for key, inner in thing.items()}
        if isinstance(thing, list):
            return [value(inner) for inner in thing]
        return id(thing) if isinstance(thing, L.Layer) else repr(thing)

    return {path: value(vars(part)) for path, part in layer.walk()}


# --- forward --------------------------------------------------------------------------------------


@every_case
def test_forward_keeps_nothing_on_the_layer(case):
    layer = case.build()
    before = everything_in(layer)
    layer.forward(*case.inputs(), train=case.train, update_stats=False)
    assert everything_in(layer) == before


@every_case
def test_only_buffers_move_with_update_stats_and_only_in_training(case):
    layer = case.build()
    before = {name: buffer.copy() for name, buffer in layer.buffers.items()}
    layer.forward(*case.inputs(), train=False, update_stats=True)
    assert_same(layer.buffers, before)

    params = layer.flat.data.copy()
    names = {path: set(vars(part)) for path, part in layer.walk()}
    layer.forward(*case.inputs(), train=case.train, update_stats=True)
    if case.train and layer.buffers and case.spec.args != (0.0,):
        moved = {name for name, b in layer.buffers.items() if not np.array_equal(b, before[name])}
        # the examples of a reference batch never move
        assert moved == {name for name in before if not name.endswith("reference")}
    np.testing.assert_array_equal(layer.flat.data, params)
    assert {path: set(vars(part)) for path, part in layer.walk()} == names


@every_case
def test_arguments_are_never_written_to(case):
    layer, xs, y, _, dy, vs = ready(case)
    for a in (*xs, dy, *vs):
        a.flags.writeable = False
    copies = [a.copy() for a in (*xs, dy, *vs)]
    own_derivatives(layer, xs, dy, vs, train=case.train, second=case.second)
    assert_same(tuple(copies), (*xs, dy, *vs))
    assert y.shape == dy.shape


# --- backward -------------------------------------------------------------------------------------


@every_case
def test_backward_may_run_twice_and_adds_to_the_gradients(case):
    layer, xs, _, ctx, dy, _ = ready(case)
    first = each(layer.backward(dy, ctx), len(xs))
    once = grads_of(layer)
    second = each(layer.backward(dy, ctx), len(xs))
    assert_same(first, second)
    assert_close(grads_of(layer), {name: 2 * g for name, g in once.items()})

    start = np.random.default_rng(5).standard_normal(layer.flat.size)
    layer.flat.grad[...] = start
    layer.backward(dy, ctx)
    for name, place in layer.flat.slices.items():
        expected = start[place] + once[name].ravel()
        np.testing.assert_allclose(layer.flat.grad[place], expected, rtol=0, atol=1e-12)


@every_case
def test_the_input_gradient_is_a_new_array(case):
    """A caller sums input gradients in place; that must reach neither dy nor the context."""
    layer, xs, _, ctx, dy, _ = ready(case)
    kept = dy.copy()
    first = each(layer.backward(dy, ctx), len(xs))
    expected = tuple(None if dx is None else dx.copy() for dx in first)
    for dx in first:
        if dx is not None:
            dx += 1
    np.testing.assert_array_equal(dy, kept)
    assert_same(each(layer.backward(dy, ctx), len(xs)), expected)


@every_case
def test_need_dx_and_need_dw_skip_and_change_nothing_else(case):
    layer, xs, _, ctx, dy, _ = ready(case)
    full = each(layer.backward(dy, ctx), len(xs))
    grads = grads_of(layer)

    zero_grad(layer)
    assert layer.backward(dy, ctx, need_dx=False) is None
    assert_same(grads_of(layer), grads)

    zero_grad(layer)
    assert_same(each(layer.backward(dy, ctx, need_dw=False), len(xs)), full)
    assert not layer.flat.grad.any()


@every_case
def test_two_forwards_may_be_run_back_in_either_order(case):
    x1, x2 = case.inputs(seed=11), case.inputs(seed=12)

    alone = case.build()
    dys, apart = [], []
    for seed, xs in ((21, x1), (22, x2)):
        y, ctx = alone.forward(*xs, train=case.train)
        dys.append(case.directions(y, seed)[0])
        zero_grad(alone)
        dx = each(alone.backward(dys[-1], ctx), len(xs))
        apart.append((y, dx, grads_of(alone)))
    total = {name: apart[0][2][name] + apart[1][2][name] for name in apart[0][2]}

    for order in ((0, 1), (1, 0)):
        layer = case.build()
        runs = [layer.forward(*xs, train=case.train) for xs in (x1, x2)]
        zero_grad(layer)
        dxs = {i: each(layer.backward(dys[i], runs[i][1]), len(x1)) for i in order}
        for i in (0, 1):
            assert_same(runs[i][0], apart[i][0])
            assert_same(dxs[i], apart[i][1])
        assert_close(grads_of(layer), total)
        assert_same(layer.buffers, alone.buffers)


@trained_case
def test_a_stale_context_is_refused(case):
    layer, _, _, ctx, dy, vs = ready(case)
    gctx = layer.input_gradient(dy, ctx)[1] if case.second else None
    layer.flat.touch()
    for flags in ({}, {"need_dx": False}, {"need_dw": False}):
        with pytest.raises(StaleContextError, match="run forward again"):
            layer.backward(dy, ctx, **flags)
    if case.second:
        with pytest.raises(StaleContextError, match="run forward again"):
            layer.double_backward(as_ddx(vs), gctx)


# --- second derivatives ---------------------------------------------------------------------------


@smooth_case
def test_input_gradient_is_backward_without_parameter_gradients(case):
    layer, xs, _, ctx, dy, _ = ready(case)
    expected = each(layer.backward(dy, ctx), len(xs))
    zero_grad(layer)
    dx, _ = layer.input_gradient(dy, ctx)
    assert_same(each(dx, len(xs)), expected)
    assert not layer.flat.grad.any()


@smooth_case
def test_double_backward_may_run_twice_and_adds_to_the_gradients(case):
    layer, xs, _, ctx, dy, vs = ready(case)
    _, gctx = layer.input_gradient(dy, ctx)
    runs = []
    for _ in range(2):
        ddy, extra = layer.double_backward(as_ddx(vs), gctx)
        runs.append((ddy, each(extra, len(xs)), grads_of(layer)))
    assert_same(runs[0][:2], runs[1][:2])
    assert_close(runs[1][2], {name: 2 * g for name, g in runs[0][2].items()})


def test_every_layer_of_a_critic_has_a_second_derivative():
    """All but the look-up of integers, what is tested with one in it, and what reads text."""
    without = {c.spec.kind for c in VARIED if not c.second} - set(CONTAINERS)
    text = {L.GRU, L.LSTM, *L.ENCODERS.values()}
    assert without == {L.Embedding} | text
    assert {c.spec.kind for c in VARIED if c.second} | without == {c.spec.kind for c in VARIED}


def test_the_sum_of_two_gradients_is_a_new_array_and_none_is_zero():
    a, b = np.array([1.0, 2]), np.array([10.0, 20])
    np.testing.assert_array_equal(add(a, b), [11, 22])
    np.testing.assert_array_equal(a, [1, 2])
    assert add(a, None) is a
    assert add(None, b) is b
    assert add(None, None) is None


def test_a_layer_without_a_second_derivative_names_itself():
    class Cube(L.Layer):
        def backward(self, dy, ctx, need_dx=True, need_dw=True):
            return dy

    _, gctx = Cube().input_gradient(np.ones(3), None)
    with pytest.raises(NoSecondDerivativeError, match=r"Cube\(\) has no second derivative"):
        Cube().double_backward(np.ones(3), gctx)

    table = L.Embedding(3, 2, rng=np.random.default_rng(0))
    y, ctx = table.forward(np.array([1, 2]))
    with pytest.raises(ShapeError, match=r"Embedding\(3, 2\) takes integers"):
        table.input_gradient(y, ctx)


# --- dtypes and memory ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_case
def test_everything_has_the_dtype_of_the_input(case, dtype):
    layer, xs, _, _, dy, vs = ready(case, dtype)
    table = own_derivatives(layer, xs, dy, vs, train=case.train, second=case.second)
    assert {a.dtype for a in table.values() if a is not None} == {np.dtype(dtype)}
    layer.forward(*xs, train=case.train)
    assert {b.dtype for b in layer.buffers.values()} <= {np.dtype(dtype), np.dtype(np.uint64)}


@every_case
def test_memory_layout_does_not_matter(case):
    layer, xs, _, _, dy, vs = ready(case)
    plain = own_derivatives(layer, xs, dy, vs, train=case.train, second=case.second)
    for how in ("column order", "strided", "reversed"):
        other = tuple(non_contiguous(x)[how] for x in xs)
        odd_vs = tuple(non_contiguous(v)[how] for v in vs)
        table = own_derivatives(
            layer, other, non_contiguous(dy)[how], odd_vs, train=case.train, second=case.second
        )
        assert_close(table, plain)


@every_case
def test_an_upstream_gradient_may_be_a_broadcast(case):
    layer, xs, _, _, dy, vs = ready(case)
    spread = np.broadcast_to(dy[..., :1], dy.shape)
    options = {"train": case.train, "second": case.second}
    assert_close(
        own_derivatives(layer, xs, spread, vs, **options),
        own_derivatives(layer, xs, spread.copy(), vs, **options),
    )


# --- refusals -------------------------------------------------------------------------------------

# Shapes that a layer as in the first entry of its kind in the table cannot take.
WRONG_SHAPES = {
    L.AddNoise: [(5, 7, 3)],
    L.AvgPool2d: [(5, 7, 3), (2, 1, 7, 3)],
    L.BatchNorm: [(5, 4), (3,), (1, 3)],
    L.ChannelwiseDense: [(3, 6, 4), (3, 2, 3, 5), (3, 3, 3, 4)],
    L.Columns: [(3, 5, 2), (2,)],
    L.Conv1d: [(2, 7), (2, 7, 4), (2, 1, 7, 3)],
    L.Conv2d: [(5, 7, 3), (2, 5, 7, 4), (2, 2, 7, 3), (2, 7, 2, 3)],
    L.ConvTranspose1d: [(2, 5), (2, 5, 4), (2, 1, 5, 3)],
    L.ConvTranspose2d: [(3, 5, 3), (2, 3, 5, 4)],
    L.Dense: [(4,), (5, 3), (4, 5)],
    L.GlobalAvgPool: [(3, 5)],
    L.GlobalMaxPool: [(3, 5)],
    L.GlobalSumPool: [(3, 5)],
    L.GroupNorm: [(3,), (2, 5, 7, 5), (3, 1, 1, 1)],
    L.InstanceNorm: [(2, 3), (2, 5, 7, 4), (2, 1, 1, 3)],
    L.JoinCondition: [(5,)],
    L.LayerNorm: [(5,), (3, 4)],
    L.InnerProduct: [(4,), (4, 3)],
    L.LogSumExp: [(5,)],
    L.MaxPool2d: [(5, 7, 3), (2, 1, 7, 3)],
    L.Maxout: [(4, 5)],
    L.GRU: [(2, 5, 3), (5, 4), (2, 0, 4)],
    L.LSTM: [(2, 5, 3), (5, 4), (2, 0, 4)],
    L.Highway: [(4,), (5, 3)],
    L.RecurrentEncoder: [(5,), (2, 0)],
    L.ConvolutionalEncoder: [(5,), (2, 0)],
    L.MinibatchDiscrimination: [(5, 3), (5, 4, 4)],
    L.MinibatchStdDev: [(3,)],
    L.ModulatedConv2d: [(5, 4, 3), (2, 5, 4, 4)],
    L.Modulation: [(5,), (2, 5, 4, 3)],
    L.PReLU: [(5, 4), (2, 3, 1)],
    L.Pack: [(5, 2, 5, 2), (6,)],
    L.PixelNorm: [(3,)],
    L.PixelShuffle: [(3, 5, 8), (2, 3, 5, 6)],
    L.Projection: [(5, 3), (5, 2, 4)],
    L.ReflectionPad2d: [(4, 5, 3), (2, 3, 5, 3), (2, 5, 3, 3)],
    L.Reshape: [(3, 29), (3,)],
    L.SelfAttention: [(4, 5, 8), (2, 4, 5, 7), (2, 1, 5, 8)],
    L.VirtualBatchNorm: [(6, 2), (4, 3), (6,)],
    L.Upsample: [(3, 5, 3)],
}
TAKES_ANY_SHAPE = {
    *(L.ReLU, L.LeakyReLU, L.ELU, L.Tanh, L.Hardtanh, L.Sigmoid, L.Softplus),
    *(L.Dropout, L.Embedding, L.Flatten, L.GaussianNoise, L.Identity, L.Scale),
}
FIRST = {c.spec.kind: c for c in reversed(VARIED)}


def test_every_layer_says_which_shapes_it_refuses():
    assert set(WRONG_SHAPES) | TAKES_ANY_SHAPE | set(CONTAINERS) == set(FIRST)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [(kind, shape) for kind, shapes in WRONG_SHAPES.items() for shape in shapes],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_wrong_shape_is_refused_with_the_layer_and_both_shapes(kind, shape):
    layer = FIRST[kind].build()
    with pytest.raises(ShapeError) as caught:
        layer.forward(np.zeros(shape))
    message = str(caught.value)
    assert repr(layer) in message
    sizes = "x".join(map(str, shape[1:3]))
    assert str(shape) in message or sizes in message
    assert any(word in message for word in ("wanted", "needs", "does not fit"))


@pytest.mark.parametrize("kind", sorted(FIRST, key=lambda kind: kind.__name__))
def test_lists_and_wrong_dtypes_are_refused(kind):
    case = FIRST[kind]
    layer = case.build()
    named = kind.__name__
    if kind in CONTAINERS:  # the first part refuses, and is named
        first = next(iter(layer.children.values()))
        named = type(next(iter(first.children.values()), first)).__name__
    xs = case.inputs()

    with pytest.raises(ShapeError, match=rf"{named}\(.*wanted.*got list"):
        layer.forward(*(x.tolist() for x in xs))
    wrong = xs[0].astype(np.float64 if 0 in case.integers else np.int64)
    with pytest.raises(ShapeError, match=rf"{named}\(.*wanted.*got {wrong.dtype}"):
        layer.forward(wrong, *xs[1:])


@pytest.mark.parametrize(
    "case", [c for c in VARIED if c.build().flat.size > 0 and not c.integers], ids=str
)
def test_an_input_of_another_dtype_than_the_parameters_is_refused(case):
    layer = case.build(np.float32)
    with pytest.raises(ShapeError, match=r"float32 parameters, got float64; cast"):
        layer.forward(*case.inputs(np.float64), train=case.train)


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (L.Conv2d(3, 4, 3, rng=make_rng(0)), (4, 8, 8, 3)),
        (L.ConvTranspose2d(3, 4, 3, stride=2, rng=make_rng(0)), (4, 8, 8, 3)),
        (L.Dense(3, 4, rng=make_rng(0)), (4, 3)),
    ],
    ids=["conv", "transposed", "dense"],
)
def test_a_gradient_of_another_shape_than_the_output_is_refused(layer, x):
    y, ctx = layer.forward(np.ones(x, np.float32))
    for wrong in (y[:1], y[..., :2], np.moveaxis(y, -1, 1)[:, :1]):
        with pytest.raises(ShapeError, match=r"gave \(4, .*got a gradient of"):
            layer.backward(wrong, ctx)


@pytest.mark.parametrize("sizes", [(0, 2), (2, 0), (-1, 2)])
def test_layers_without_features_are_refused(sizes):
    with pytest.raises(OptionError, match="give 1 or more features"):
        L.Dense(*sizes, rng=make_rng(0))
    with pytest.raises(OptionError, match="give 1 or more channels"):
        L.Conv2d(*sizes, 3, rng=make_rng(0))
