"""Moments of unions that are never formed, against unions that are."""

import numpy as np
import pytest

from minigan.ops.virtual_norm import union_moments


def test_moments_of_explicit_unions():
    rng = np.random.default_rng(0)
    reference, x = rng.standard_normal((4, 5, 3)), 2 * rng.standard_normal((6, 5, 3)) + 1
    found = union_moments(x, reference, 0.1)
    assert found.count == 25
    for i in range(6):
        union = np.concatenate([reference, x[i : i + 1]]).reshape(-1, 3)
        np.testing.assert_allclose(found.mean[i, 0], union.mean(0), rtol=1e-12)
        np.testing.assert_allclose(found.s[i, 0], (union.var(0) + 0.1) ** -0.5, rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_float32_keeps_its_digits_far_from_zero(offset):
    """E[x^2] - mean^2 would lose all of them at 1000: float32 has seven digits."""
    rng = np.random.default_rng(0)
    reference, x = (rng.standard_normal((8, 4, 2)) + offset for _ in range(2))
    exact = union_moments(x, reference, 1e-5)
    found = union_moments(x.astype(np.float32), reference.astype(np.float32), 1e-5)
    # A number near 1000 is rounded by 3e-5, and its deviation of 1 with it.
    np.testing.assert_allclose(found.s, exact.s, rtol=3e-4)
