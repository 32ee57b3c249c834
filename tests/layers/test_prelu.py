"""What the tables of layers do not show of PReLU: the kink, slopes of either sign, refusals."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import OptionError


def test_the_slope_starts_where_pytorchs_does_and_may_be_negative_or_steep():
    layer = L.PReLU(3)
    np.testing.assert_array_equal(layer.weight.data, [0.25] * 3)
    layer.weight.data[...] = [-1, 0, 2]
    y, ctx = layer.forward(np.array([[-3, -3, -3], [5, 5, 5]], np.float32))
    np.testing.assert_array_equal(y, [[3, 0, -6], [5, 5, 5]])
    dx = layer.backward(np.ones((2, 3), np.float32), ctx)
    np.testing.assert_array_equal(dx, [[-1, 0, 2], [1, 1, 1]])
    np.testing.assert_array_equal(layer.weight.grad, [-3, -3, -3])


def test_at_zero_the_derivative_is_the_one_from_the_left():
    layer = L.PReLU()
    x = np.array([[0.0, -0.0]], np.float32)
    y, ctx = layer.forward(x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(layer.backward(np.ones_like(x), ctx), [[0.25, 0.25]])


def test_no_slope_is_refused():
    with pytest.raises(OptionError, match=r"num_parameters=0: give 1, or the channels"):
        L.PReLU(0)
