"""Distances of pictures against PyTorch and sums by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minigan.errors import ShapeError
from minigan.losses.distance import DISTANCES

TORCH = {"l1": F.l1_loss, "l2": F.mse_loss}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", DISTANCES)
def test_value_and_gradient_equal_pytorch(name, dtype):
    rng = np.random.default_rng(0)
    y, x = rng.standard_normal((2, 3, 5, 4, 2)).astype(dtype)
    y[0] = x[0]  # where both agree the gradient is 0
    kept = y.copy(), x.copy()
    loss, dy = DISTANCES[name](y, x)
    t = torch.tensor(y, requires_grad=True)
    expected = TORCH[name](t, torch.tensor(x))
    expected.backward()
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    assert loss == pytest.approx(expected.item(), rel=tolerance)
    assert isinstance(loss, float)
    assert dy.dtype == dtype
    np.testing.assert_allclose(dy, t.grad.numpy(), rtol=tolerance, atol=0)
    np.testing.assert_array_equal((y, x), kept)


@pytest.mark.parametrize("name", DISTANCES)
def test_it_is_per_number(name):
    """Twice as large pictures that are as far apart have the same distance."""
    small, large = np.full((1, 2, 2, 1), 3.0), np.full((2, 4, 4, 3), 3.0)
    value = {"l1": 3.0, "l2": 9.0}[name]
    for y in (small, large):
        assert DISTANCES[name](y, np.zeros_like(y))[0] == value


@pytest.mark.parametrize("name", DISTANCES)
def test_unlike_shapes_are_refused(name):
    with pytest.raises(ShapeError, match=r"\(1, 2, 2, 1\) and \(1, 2, 2, 3\)"):
        DISTANCES[name](np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 2, 3)))
