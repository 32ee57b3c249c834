"""The gradient difference loss against PyTorch, a loop over pixels, and pictures worked by hand."""

import numpy as np
import pytest
import torch

from minigan.errors import OptionError, ShapeError
from minigan.losses import gradient_difference


def in_torch(y, x, alpha):
    """With autograd, as the paper writes it; means over each direction's differences."""
    total = 0
    for axis in (1, 2):
        short = x.diff(dim=axis).abs() - y.diff(dim=axis).abs()
        total = total + (short.abs() ** alpha).mean()
    return total


def by_pixels(y, x, alpha):
    down, right = [], []
    n, h, w, c = y.shape
    for place in np.ndindex(n, h, w, c):
        b, i, j, k = place
        for found, (u, v) in ((down, (i - 1, j)), (right, (i, j - 1))):
            if u >= 0 and v >= 0:
                edges = [abs(p[b, i, j, k] - p[b, u, v, k]) for p in (x, y)]
                found.append(abs(edges[0] - edges[1]) ** alpha)
    return np.mean(down) + np.mean(right)


@pytest.mark.parametrize("alpha", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_and_gradient_equal_pytorch_and_a_loop(alpha, dtype):
    y, x = np.random.default_rng(0).standard_normal((2, 2, 5, 4, 3)).astype(dtype)
    kept = y.copy(), x.copy()
    loss, dy = gradient_difference(y, x, alpha=alpha)
    t = torch.tensor(y, requires_grad=True)
    expected = in_torch(t, torch.tensor(x), alpha)
    expected.backward()
    near = {"rtol": 2e-6, "atol": 1e-8} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-16}
    np.testing.assert_allclose(loss, expected.item(), rtol=near["rtol"])
    np.testing.assert_allclose(loss, by_pixels(y.astype(float), x, alpha), rtol=near["rtol"])
    np.testing.assert_allclose(dy, t.grad.numpy(), **near)
    assert isinstance(loss, float)
    assert dy.dtype == dtype
    np.testing.assert_array_equal((y, x), kept)


def test_a_smoothed_edge_costs_and_one_of_the_other_sign_does_not():
    """An edge of 2 in one of three columns' steps; half of it in two of them."""
    sharp = np.array([[-1.0, -1, 1, 1]] * 2)[None, ..., None]
    smooth = np.array([[-1.0, -0.5, 0.5, 1]] * 2)[None, ..., None]
    assert gradient_difference(smooth, sharp)[0] == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert gradient_difference(smooth, sharp, alpha=2)[0] == pytest.approx((0.25 + 1 + 0.25) / 3)
    for same in (sharp, -sharp, sharp + 0.3):
        loss, dy = gradient_difference(same, sharp)
        assert loss == 0
        assert not dy.any()


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ShapeError, match=r"\(1, 2, 2, 1\) and \(1, 2, 2, 3\)"):
        gradient_difference(np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 2, 3)))
    with pytest.raises(ShapeError, match="2x2 at least"):
        gradient_difference(*np.zeros((2, 1, 1, 5, 1)))
    with pytest.raises(OptionError, match="alpha 3: give 1 or 2"):
        gradient_difference(*np.zeros((2, 1, 4, 5, 1)), alpha=3)
