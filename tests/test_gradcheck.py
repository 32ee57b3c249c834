"""The gradient checker: passes every layer, loss and network, and fails on everything broken."""

import inspect

import numpy as np
import pytest

from minigan import gradcheck, losses
from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.gradcheck import GradcheckError, check_layer, check_loss
from minigan.gradcheck_cases import CASES, LAYERS, LOSSES, NETWORKS
from minigan.ops.norm import normalize_dx
from tests.models.cases import exported_networks


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def shifted(layer, seed=1):
    """In float64 and away from zeros and ones, which hide mistakes."""
    layer.astype(np.float64)
    layer.flat.data[...] += 0.3 * normal(layer.flat.size, seed=seed)
    return layer


# --- everything passes ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.name}")
def test_passes(case):
    results = case.check(make_rng(1, CASES.index(case)))
    assert all(0 <= r.error < 1e-6 for r in results)
    assert {r.order for r in results} == ({1} if case.kind == "loss" or no_second(case) else {1, 2})


def no_second(case):
    """Integers have no gradient to differentiate again, text is given to critics as numbers, and
    the generator of frames stands in no critic."""
    text = {"GRU", "LSTM", *(encoder.__name__ for encoder in L.ENCODERS.values())}
    networks = {"frame_pyramid", "sentence_generator", "sentence_discriminator"}
    return case.name.split(" ")[0] in {"Embedding"} | networks | text


def exported(module, kind):
    return {name for name in module.__all__ if kind(getattr(module, name))}


def is_layer(thing):
    abstract = {L.Layer, L.Activation}
    return isinstance(thing, type) and issubclass(thing, L.Layer) and thing not in abstract


def first_words(table):
    return {name.split(" ")[0] for name in table}


def test_the_tables_leave_nothing_out():
    assert first_words(LAYERS) == exported(L, is_layer)
    assert first_words(NETWORKS) == exported_networks()
    functions = exported(losses, inspect.isfunction)
    terms = {"penalty", "orthogonal", "path_length"}  # of a network's weights or gradients
    assert first_words(LOSSES) == {*losses.OBJECTIVES} | functions | terms
    penalties = {name for name in LOSSES if name.startswith("penalty ")}
    assert penalties == {f"penalty {name}" for name in losses.PENALTIES}
    assert len(CASES) == len(LAYERS) + len(LOSSES) + len(NETWORKS)


def test_names_every_array_that_it_checked():
    both = L.Parallel(L.Dense(3, 2, rng=make_rng(0)), L.Tanh())
    results = check_layer(shifted(both), normal(4, 3), normal(4, 2), rng=make_rng(0))
    arrays = ["input 0", "input 1", "0.weight", "0.bias"]
    expected = [(1, a) for a in arrays] + [(2, a) for a in ["dy", *arrays]]
    assert [(r.order, r.array) for r in results] == expected


# --- everything broken fails ----------------------------------------------------------------------


class WrongSign(L.Dense):
    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        dx = super().backward(dy, ctx, need_dx, need_dw)
        return None if dx is None else -dx


class NoBiasGradient(L.Dense):
    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        kept = self.bias.grad.copy()
        dx = super().backward(dy, ctx, need_dx, need_dw)
        self.bias.grad[...] = kept
        return dx


class Overwrites(L.Dense):
    """`=` where `+=` belongs."""

    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        if need_dw:
            self.weight.grad[...] = 0
        return super().backward(dy, ctx, need_dx, need_dw)


class WrongWeightFactor(L.Dense):
    def double_backward(self, ddx, gctx):
        kept = self.weight.grad.copy()
        result = super().double_backward(ddx, gctx)
        self.weight.grad += self.weight.grad - kept
        return result


class WrongDdy(L.Dense):
    def double_backward(self, ddx, gctx):
        ddy, extra = super().double_backward(ddx, gctx)
        return 1.001 * ddy, extra


class NoMeanTerm(L.BatchNorm):
    """The batch's mean taken for a constant."""

    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        dx = super().backward(dy, ctx, need_dx, need_dw)
        g = self._scaled(dy)
        return dx if dx is None else dx + ctx.s * g.mean(ctx.axes, keepdims=True)


class NoVarianceTerm(L.BatchNorm):
    """The batch's variance taken for a constant."""

    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        super().backward(dy, ctx, need_dx, need_dw)
        g = self._scaled(dy)
        return normalize_dx(g, np.zeros_like(ctx.xhat), ctx.s, ctx.axes)


def forgets_x_extra(kind):
    def double_backward(self, ddx, gctx):
        return super(broken, self).double_backward(ddx, gctx)[0], None

    broken = type(f"Flat{kind.__name__}", (kind,), {"double_backward": double_backward})
    return broken


class NaN(L.Tanh):
    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        dx = super().backward(dy, ctx, need_dx, need_dw)
        dx[0, 0] = np.nan
        return dx


class Infinite(L.Dense):
    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        dx = super().backward(dy, ctx, need_dx, need_dw)
        self.weight.grad[0, 0] = np.inf
        return dx


class OneEntry(L.Tanh):
    """Right but in a single entry."""

    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        dx = super().backward(dy, ctx, need_dx, need_dw)
        dx[-1, -1] *= 1.01
        return dx


def dense(kind):
    return kind(3, 2, rng=make_rng(0))


def twice(layer):
    """The same layer at two places: its gradients must be summed."""
    return L.Concat(layer, L.Sequential(L.Tanh(), layer))


# what is broken, the order that must find it, and the array it must name
BROKEN = {
    "sign of dx": (lambda: dense(WrongSign), 1, "input 0"),
    "bias gradient": (lambda: dense(NoBiasGradient), 1, "bias"),
    "= over two uses": (lambda: twice(dense(Overwrites)), 1, "0.weight"),
    "= over double_backward": (lambda: L.Sequential(dense(Overwrites), L.Tanh()), 2, "0.weight"),
    "batch norm without the mean": (lambda: NoMeanTerm(3), 1, "input 0"),
    "batch norm without the variance": (lambda: NoVarianceTerm(3), 1, "input 0"),
    "tanh without x_extra": (forgets_x_extra(L.Tanh), 2, "input 0"),
    "softplus without x_extra": (forgets_x_extra(L.Softplus), 2, "input 0"),
    "batch norm without x_extra": (lambda: forgets_x_extra(L.BatchNorm)(3), 2, "input 0"),
    "factor of the second weight term": (lambda: dense(WrongWeightFactor), 2, "weight"),
    "factor of ddy": (lambda: dense(WrongDdy), 2, "dy"),
    "NaN": (NaN, 1, "input 0"),
    "infinity": (lambda: dense(Infinite), 1, "weight"),
    "one entry": (OneEntry, 1, "input 0"),
    "deep inside": (
        lambda: L.Residual(L.Sequential(L.Tanh(), L.Concat(NoMeanTerm(3)))),
        1,
        "input 0",
    ),
}


@pytest.mark.parametrize("exhaustive", [False, True], ids=["directional", "exhaustive"])
@pytest.mark.parametrize(("build", "order", "array"), BROKEN.values(), ids=BROKEN)
def test_fails_and_names_layer_and_array(build, order, array, exhaustive):
    layer = shifted(build())
    x = normal(4, 3)
    with pytest.raises(GradcheckError) as caught:
        check_layer(layer, x, rng=make_rng(0), orders=(order,), exhaustive=exhaustive)
    message = str(caught.value)
    assert message.startswith(repr(layer))
    assert f"order-{order} derivative in {array} is off by" in message
    # With both orders asked for it fails as well.
    with pytest.raises(GradcheckError):
        check_layer(layer, x, rng=make_rng(0), exhaustive=exhaustive)


class IgnoresNeedDw(L.Dense):
    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        return super().backward(dy, ctx, need_dx, True)


class KeepsItsInput(L.Dense):
    """Right as long as nothing else is run in between."""

    def forward(self, x, train=True, update_stats=True):
        self.last = x
        return super().forward(x, train=train, update_stats=update_stats)

    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        if need_dw:
            self.weight.grad += self.last.T @ dy
            self.bias.grad += dy.sum(0)
        return dy @ self.weight.data.T if need_dx else None


@pytest.mark.parametrize("kind", [Overwrites, IgnoresNeedDw, KeepsItsInput])
def test_what_breaks_the_contract_fails_though_its_derivatives_are_right(kind):
    with pytest.raises(GradcheckError, match="the gradient of weight is not twice that of one"):
        check_layer(dense(kind).astype(np.float64), normal(4, 3), rng=make_rng(0), orders=(1,))


def test_a_loss_in_float32_is_refused():
    x = np.ones(3, np.float32)
    with pytest.raises(OptionError, match="gradcheck of a loss wanted float64, got float32"):
        check_loss(lambda a: (a.sum(), np.ones_like(a)), x, rng=make_rng(0))


def test_the_second_of_two_inputs_is_checked_too():
    layer = shifted(L.Parallel(dense(L.Dense), dense(WrongSign)))
    with pytest.raises(GradcheckError, match="in input 1 is off by"):
        check_layer(layer, normal(4, 3), normal(4, 3, seed=2), rng=make_rng(0))


BROKEN_LOSSES = {
    "twice": (lambda d: 2 * d, r"in input 0 is off by 5\.0e-01"),
    "sign": (lambda d: -d, r"in input 0 is off by 2\.0e\+00"),
    "sum for mean": (lambda d: d * len(d), "in input 0 is off by"),
    "zero": (np.zeros_like, "in input 0 is off by"),
    "NaN": (lambda d: d * np.nan, "in input 0 is off by inf"),
}


@pytest.mark.parametrize("exhaustive", [False, True], ids=["directional", "exhaustive"])
@pytest.mark.parametrize(("spoil", "says"), BROKEN_LOSSES.values(), ids=BROKEN_LOSSES)
def test_a_broken_loss_fails(spoil, says, exhaustive):
    def doubtful(logits):
        loss, gradient = losses.NonSaturating().generator(logits)
        return loss, spoil(gradient)

    with pytest.raises(GradcheckError, match=f"doubtful.*{says}"):
        check_loss(doubtful, normal(5, 1), rng=make_rng(0), exhaustive=exhaustive)


# --- kinks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("exhaustive", [False, True], ids=["directional", "exhaustive"])
@pytest.mark.parametrize("offset", [0.0, 1e-13, -1e-9, 1e-7, -2e-6, 3e-6, 9e-6])
@pytest.mark.parametrize(
    "layer",
    [L.ReLU(), L.LeakyReLU(negative_slope=0.2), L.Maxout(2), L.MaxPool2d(2), L.GlobalMaxPool()],
    ids=repr,
)
def test_a_kink_at_the_point_or_near_it_is_stepped_around(layer, offset, exhaustive):
    """The entries tie, or stand at zero, but for `offset`."""
    x = normal(2, 2, 2, 2)
    x[0, :, :, 0] = x[0, :, :, 1] = 0
    x[0, 0, 0, 0] = offset
    results = check_layer(layer, x, rng=make_rng(0), exhaustive=exhaustive)
    assert all(r.error < 1e-6 for r in results)


class Rounded(L.Tanh):
    """A staircase of steps of 1e-7."""

    def f(self, x):
        y, saved = super().f(x)
        return np.round(y, 7), saved


def test_a_discontinuous_function_is_reported():
    with pytest.raises(GradcheckError, match=r"Rounded\(\): no point without a kink .*continuous"):
        check_layer(Rounded(), normal(3, 4), rng=make_rng(0))


# --- what it asks for and what it leaves alone ----------------------------------------------------


def test_float32_is_refused():
    layer, x = dense(L.Dense), normal(4, 3)
    with pytest.raises(OptionError, match=r"Dense\(3, 2\) wanted float64, got float32"):
        check_layer(layer, x.astype(np.float32), rng=make_rng(0))
    with pytest.raises(OptionError, match="float64"):
        check_layer(layer, x, rng=make_rng(0))
    with pytest.raises(OptionError, match="float64"):
        check_layer(layer.astype(np.float64), x.astype(np.float32), rng=make_rng(0))
    with pytest.raises(OptionError, match="float64"):
        check_layer(L.ReLU(), x.astype(np.float32), rng=make_rng(0))


@pytest.mark.parametrize("exhaustive", [False, True], ids=["directional", "exhaustive"])
def test_state_and_inputs_stay_as_they_were(exhaustive):
    net = shifted(
        L.Sequential(
            L.Dense(3, 4, rng=make_rng(0)),
            L.BatchNorm(4),
            L.ReLU(),
            L.Dropout(0.4, rng=make_rng(1)),
            L.Dense(4, 2, rng=make_rng(0)),
        )
    )
    x = normal(5, 3)
    net.forward(x)  # statistics and count that are not the first ones
    kept = {name: b.copy() for name, b in net.buffers.items()}
    data, version, x_kept = net.flat.data.copy(), net.flat.version.count, x.copy()
    check_layer(net, x, rng=make_rng(0), exhaustive=exhaustive)
    assert net.buffers.keys() == kept.keys()
    for name, buffer in net.buffers.items():
        np.testing.assert_array_equal(buffer, kept[name])
    np.testing.assert_array_equal(net.flat.data, data)
    np.testing.assert_array_equal(x, x_kept)
    assert net.flat.version.count == version


@pytest.mark.parametrize(
    ("exhaustive", "directions"), [(False, gradcheck.DIRECTIONS), (True, 12)], ids=["some", "all"]
)
def test_exhaustive_takes_every_entry(exhaustive, directions):
    """Each direction is tried at four points, besides the middle and the gradient."""
    calls = 0

    def counted(x):
        nonlocal calls
        calls += 1
        return losses.NonSaturating().generator(x)

    check_loss(counted, normal(12, 1), rng=make_rng(0), exhaustive=exhaustive)
    assert calls == 2 + 4 * directions


def test_an_allowed_error_is_allowed():
    layer = shifted(dense(WrongDdy))
    results = check_layer(layer, normal(4, 3), rng=make_rng(0), tolerance=1e-2)
    worst = max(results, key=lambda r: r.error)
    assert (worst.order, worst.array) == (2, "dy")
    assert worst.error == pytest.approx(1e-3, rel=1e-2)
