"""Containers: names, shared parts, messages. Parity, first and second order: test_torch.py."""

import numpy as np
import pytest
import torch

from minigan import layers as L
from minigan.errors import NoSecondDerivativeError, ShapeError
from tests.oracles.torch_twins import relative_error


def rng():
    return np.random.default_rng(0)


def test_parameters_are_reached_by_dotted_path():
    net = L.Sequential(
        L.Dense(3, 4, rng=rng()),
        L.Residual(L.Sequential(L.Tanh(), L.Dense(4, 4, bias=False, rng=rng()))),
        L.Concat(L.Identity(), L.Sequential(L.BatchNorm(4))),
    )
    assert list(net.params) == [
        "0.weight",
        "0.bias",
        "1.body.1.weight",
        "2.1.0.weight",
        "2.1.0.bias",
    ]
    assert list(net.buffers) == ["2.1.0.running_mean", "2.1.0.running_var"]
    assert repr(L.Residual(L.Tanh())) == "Residual(Tanh(), Identity())"


def test_a_layer_used_twice_gets_the_gradient_of_both_uses():
    """First and second order, against PyTorch with the weight shared."""
    inner = L.Dense(3, 3, rng=rng())
    net = L.Sequential(inner, L.Tanh(), inner).astype(np.float64)
    x, dy, v = np.random.default_rng(1).standard_normal((3, 4, 3))
    xt, dyt, vt, w, b = (
        torch.tensor(a, requires_grad=True) for a in (x, dy, v, inner.weight.data, inner.bias.data)
    )
    yt = torch.tanh(xt @ w + b) @ w + b
    first = torch.autograd.grad(yt, [xt, w, b], dyt, create_graph=True)
    second = torch.autograd.grad((vt * first[0]).sum(), [dyt, xt, w, b])

    def check(ours, theirs):
        for a, t in zip(ours, theirs, strict=True):
            assert relative_error(a, t.detach().numpy()) < 1e-12

    y, ctx = net.forward(x)
    assert relative_error(y, yt.detach().numpy()) < 1e-12
    check((net.backward(dy, ctx), inner.weight.grad, inner.bias.grad), first)
    net.flat.zero_grad()
    _, gctx = net.input_gradient(dy, ctx)
    check((*net.double_backward(v, gctx), inner.weight.grad, inner.bias.grad), second)


def test_a_penalty_on_the_gradient_norm_equals_pytorch():
    """P = mean (||dx|| - 1)^2 through a critic: what a gradient penalty does with the passes."""
    net = L.Sequential(L.Dense(3, 5, rng=rng()), L.Softplus(), L.Dense(5, 1, rng=rng()))
    net.astype(np.float64)
    x = np.random.default_rng(1).standard_normal((4, 3))
    weights = [torch.tensor(p.data, requires_grad=True) for p in net.params.values()]
    xt = torch.tensor(x, requires_grad=True)
    w1, b1, w2, b2 = weights
    yt = torch.nn.functional.softplus(xt @ w1 + b1) @ w2 + b2
    (dxt,) = torch.autograd.grad(yt.sum(), xt, create_graph=True)
    penalty = ((dxt.norm(dim=1) - 1) ** 2).mean()
    expected = torch.autograd.grad(penalty, weights, allow_unused=True)

    y, ctx = net.forward(x)
    dx, gctx = net.input_gradient(np.ones_like(y), ctx)
    norm = np.linalg.norm(dx, axis=1, keepdims=True)
    net.double_backward(2 * (norm - 1) * dx / norm / len(x), gctx)
    for (name, p), t in zip(net.params.items(), expected, strict=True):
        if t is None:
            assert not p.grad.any(), name  # the last bias moves no gradient
        else:
            assert relative_error(p.grad, t.numpy()) < 1e-10, name


def test_errors_carry_the_path_to_the_layer():
    net = L.Sequential(L.Tanh(), L.Concat(L.Identity(), L.Sequential(L.Dense(3, 2, rng=rng()))))
    with pytest.raises(ShapeError) as caught:
        net.forward(np.zeros((2, 4), np.float32))
    assert str(caught.value).startswith(
        "layer 1 > branch 1 > layer 0 > Dense(3, 2) wanted (..., 3), got shape (2, 4)"
    )


def test_branches_that_do_not_fit_together_are_refused():
    x = np.zeros((2, 4, 4, 1))
    with pytest.raises(ShapeError, match=r"body made \(2, 16\), the shortcut \(2, 4, 4, 1\)"):
        L.Residual(L.Flatten()).forward(x)
    with pytest.raises(ShapeError, match=r"Concat: branch 0 made \(2, 4, 4, 1\), branch 1 \(2, 2,"):
        L.Concat(L.Identity(), L.AvgPool2d(2)).forward(x)
    with pytest.raises(ShapeError, match=r"Parallel\(.* wanted 2 inputs, got 1"):
        L.Parallel(L.Identity(), L.Identity()).forward(x)
    with pytest.raises(TypeError, match="Sequential takes layers, got 3"):
        L.Sequential(L.Tanh(), 3)


def test_a_part_without_a_second_derivative_is_named_from_inside_a_network():
    class Steps(L.Identity):
        def double_backward(self, ddx, gctx):
            return L.Layer.double_backward(self, ddx, gctx)

    net = L.Sequential(L.Dense(3, 3, rng=rng()), L.Residual(Steps()))
    y, ctx = net.forward(np.ones((2, 3), np.float32))
    _, gctx = net.input_gradient(y, ctx)
    with pytest.raises(NoSecondDerivativeError, match=r"Steps\(\) has no second derivative"):
        net.double_backward(y, gctx)


class Spy(L.Identity):
    """Notes which gradients it was asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []
        self.add_param("weight", np.zeros(1, np.float32))  # for a chain to go down to it

    def backward(self, dy, ctx, need_dx=True, need_dw=True):
        self.asked.append((need_dx, need_dw))
        return super().backward(dy, ctx, need_dx, need_dw)


@pytest.mark.parametrize("need_dw", [True, False])
def test_no_part_computes_a_gradient_that_nobody_reads(need_dw):
    """The first part of a chain is the one whose dx is dear and often unread."""
    bottom, top, body, skip, one, other = (Spy() for _ in range(6))
    x = np.ones((2, 3))
    for net, unread, read in (
        (L.Sequential(bottom, top), [bottom], [top]),
        (L.Residual(body, skip), [body, skip], []),
        (L.Concat(one, other), [one, other], []),
    ):
        y, ctx = net.forward(x)
        net.backward(y, ctx, need_dx=False, need_dw=need_dw)
        assert all(spy.asked == [(False, need_dw)] for spy in unread)
        assert all(spy.asked == [(True, need_dw)] for spy in read)


def test_a_chain_does_not_go_down_below_its_first_trained_part():
    flatten, trained = L.Flatten(), Spy()
    flatten.backward = None  # calling it would raise
    net = L.Sequential(flatten, trained)
    y, ctx = net.forward(np.ones((2, 3, 1)))
    assert net.backward(y, ctx, need_dx=False) is None
    assert trained.asked == [(False, True)]
    untrained = L.Sequential(flatten)
    y, ctx = untrained.forward(np.ones((2, 3, 1)))
    assert untrained.backward(y, ctx, need_dx=False) is None


def test_update_stats_and_train_reach_every_part():
    parts = [L.BatchNorm(3) for _ in range(4)]
    net = L.Sequential(
        parts[0],
        L.Residual(parts[1], L.Sequential(parts[2])),
        L.Concat(parts[3], L.Parallel(L.Dropout(rng=rng()))),
    )
    x = 3 + np.random.default_rng(1).standard_normal((5, 3)).astype(np.float32)

    def moved(**how):
        before = [p.buffers["running_mean"].copy() for p in parts]
        noise = net.buffers["2.1.0.noise"].copy()
        net.forward(x, **how)
        after = [p.buffers["running_mean"] for p in parts]
        norms = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
        return [*norms, not np.array_equal(noise, net.buffers["2.1.0.noise"])]

    assert not any(moved(update_stats=False))
    assert not any(moved(train=False))
    assert all(moved())
