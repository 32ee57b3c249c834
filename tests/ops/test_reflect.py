"""Reflection against loops; the backward pass is the adjoint of the forward pass."""

import numpy as np
import pytest

from minigan.ops.reflect import reflect, reflect_dx

CASES = [
    ((2, 4, 5, 3), (3, 3, 3, 3)),
    ((1, 2, 3, 1), (2, 0, 1, 1)),
    ((1, 5, 2, 2), (0, 1, 4, 0)),
    ((2, 1, 1, 2), (0, 0, 0, 0)),
]


def bounced(i, n):
    """The pixel that place i of a mirrored axis of n pixels shows."""
    return -i if i < 0 else 2 * (n - 1) - i if i >= n else i


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "sides"), CASES, ids=str)
def test_equals_loops_and_the_adjoint(shape, sides, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    kept = x.copy()
    left, right, top, bottom = sides
    n, h, w, c = shape
    expected = np.empty((n, top + h + bottom, left + w + right, c), dtype)
    for i in range(expected.shape[1]):
        for j in range(expected.shape[2]):
            expected[:, i, j] = x[:, bounced(i - top, h), bounced(j - left, w)]
    y = reflect(x, sides)
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == dtype

    dy = rng.standard_normal(y.shape).astype(dtype)
    dx = reflect_dx(dy, sides)
    assert dx.dtype == dtype
    # <A x, dy> = <x, A^T dy>; a hundred products in float32 keep four digits.
    inner = np.vdot(y.astype(np.float64), dy.astype(np.float64))
    assert np.vdot(x.astype(np.float64), dx.astype(np.float64)) == pytest.approx(inner, abs=1e-4)
    # every pixel is shown somewhere, and what it got is the sum over where it is shown
    slow = np.zeros(shape)
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            slow[:, bounced(i - top, h), bounced(j - left, w)] += dy[:, i, j]
    np.testing.assert_allclose(dx, slow, rtol=0, atol=1e-5 if dtype == np.float32 else 1e-13)
    np.testing.assert_array_equal(x, kept)
