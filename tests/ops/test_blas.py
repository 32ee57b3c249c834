"""Products warn of nothing, and are NumPy's."""

import numpy as np

from minigan.ops.blas import multiply


def test_a_product_is_numpy_s_and_goes_where_it_is_told():
    rng = np.random.default_rng(0)
    a, b, out = rng.standard_normal((3, 5)), rng.standard_normal((5, 4)), np.empty((3, 4))
    np.testing.assert_array_equal(multiply(a, b), a @ b)
    assert multiply(a, b, out=out) is out
    np.testing.assert_array_equal(out, a @ b)


def test_an_invalid_operation_is_not_warned_of():
    """Warnings are errors here; what is not finite is still seen in the result."""
    assert np.isnan(multiply(np.array([[np.inf]]), np.zeros((1, 1)))).all()
