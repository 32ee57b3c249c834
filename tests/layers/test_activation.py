"""Activations: options. Values and derivatives: tests/ops/test_activation.py and test_torch.py."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import OptionError


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (L.LeakyReLU, {"negative_slope": 1.0}, r"negative_slope=1.0 must lie in \[0, 1\)"),
        (L.LeakyReLU, {"negative_slope": -0.1}, "negative_slope=-0.1"),
        (L.ELU, {"alpha": 0.0}, "alpha=0.0 must be above 0"),
        (L.Softplus, {"beta": -1.0}, "beta=-1.0 must be above 0"),
        (L.Hardtanh, {"min_val": 1.0}, "min_val=1.0 must lie below max_val=1.0"),
    ],
)
def test_options_out_of_range_are_refused(kind, options, message):
    with pytest.raises(OptionError, match=message):
        kind(**options)


def test_numeric_options_are_keyword_only():
    for kind in (L.LeakyReLU, L.ELU, L.Hardtanh, L.Softplus):
        with pytest.raises(TypeError):
            kind(0.5)


@pytest.mark.parametrize("kind", [L.ReLU, L.LeakyReLU, L.Hardtanh])
def test_piecewise_linear_activations_have_no_curvature(kind):
    layer, x = kind(), np.array([-1.5, 2.0])
    _, ctx = layer.forward(x)
    _, gctx = layer.input_gradient(np.ones(2), ctx)
    assert layer.double_backward(np.ones(2), gctx)[1] is None


def test_maxout_takes_the_largest_of_neighbours():
    layer = L.Maxout(3)
    x = np.array([[1.0, 5, 2, -3, -1, -2]])
    y, ctx = layer.forward(x)
    np.testing.assert_array_equal(y, [[5, -1]])
    dx = layer.backward(np.array([[10.0, 20]]), ctx)
    np.testing.assert_array_equal(dx, [[0, 10, 0, 0, 20, 0]])
    with pytest.raises(OptionError, match="num_pieces=1"):
        L.Maxout(1)
