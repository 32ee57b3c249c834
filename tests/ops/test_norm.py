"""Normalisation: loops, the Jacobian written out, and PyTorch's autograd."""

import numpy as np
import pytest
import torch

from minigan.ops import norm as ops
from tests.oracles import naive
from tests.oracles.torch_twins import relative_error

TOLERANCE = 1e-10
EPS = 1e-3

CASES = [
    ((4, 3), (0,)),
    ((2, 3, 5, 2), (0, 1, 2)),
    ((3, 2, 5, 1), (1, 2)),
    ((2, 3, 4), (1, 2)),
    ((3, 7), (1,)),
    ((1, 2, 1), (1,)),
]
every_case = pytest.mark.parametrize(("shape", "axes"), CASES, ids=str)


def draw(shape):
    rng = np.random.default_rng(0)
    return (rng.standard_normal(shape) for _ in range(3))


def normalize_in_torch(x, axes):
    centred = x - x.mean(axes, keepdim=True)
    return centred / torch.sqrt((centred**2).mean(axes, keepdim=True) + EPS)


@every_case
def test_normalize_equals_loops(shape, axes):
    x, _, _ = draw(shape)
    xhat, s, mean, var = ops.normalize(x, axes, EPS)
    assert relative_error(xhat, naive.normalize(x, axes, EPS)) < TOLERANCE
    assert relative_error(mean, x.mean(axes, keepdims=True)) < TOLERANCE
    assert relative_error(var, x.var(axes, keepdims=True)) < TOLERANCE
    assert relative_error(s, (var + EPS) ** -0.5) < TOLERANCE


@every_case
def test_the_derivatives_equal_autograd(shape, axes):
    x, g, u = draw(shape)
    xt, gt, ut = (torch.tensor(a, requires_grad=True) for a in (x, g, u))
    (dx,) = torch.autograd.grad(normalize_in_torch(xt, axes), xt, gt, create_graph=True)
    second = torch.autograd.grad((ut * dx).sum(), [gt, xt])

    xhat, s, _, _ = ops.normalize(x, axes, EPS)
    assert relative_error(ops.normalize_dx(g, xhat, s, axes), dx.detach().numpy()) < TOLERANCE
    ours = ops.normalize_ddx(u, g, xhat, s, axes)
    for a, b in zip(ours, second, strict=True):
        assert relative_error(a, b.numpy()) < TOLERANCE


def test_the_backward_pass_is_the_jacobian_written_out():
    """d xhat_i / d x_j = s (delta_ij - 1/M - xhat_i xhat_j / M), a symmetric matrix."""
    x, g, _ = draw((6,))
    xhat, s, _, _ = ops.normalize(x, (0,), EPS)
    jacobian = s * (np.eye(6) - 1 / 6 - np.outer(xhat, xhat) / 6)
    assert relative_error(ops.normalize_dx(g, xhat, s, (0,)), jacobian.T @ g) < TOLERANCE
    step = 1e-6
    for j, unit in enumerate(np.eye(6)):
        up, down = (ops.normalize(x + h * unit, (0,), EPS)[0] for h in (step, -step))
        # Central differences: error of order step^2 plus rounding over step, about 1e-9.
        np.testing.assert_allclose((up - down) / (2 * step), jacobian[:, j], atol=1e-7)


def test_constant_input_is_mapped_to_zero_without_a_division_by_zero():
    xhat, s, _, var = ops.normalize(np.full((4, 2), 0.5), (0,), 1e-5)
    assert not xhat.any()
    assert not var.any()
    np.testing.assert_allclose(s, 1e-5**-0.5)
