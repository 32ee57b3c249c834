"""PacGAN's packing: which examples meet, and where their numbers go."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import OptionError, ShapeError


@pytest.mark.parametrize("shape", [(6, 2), (6, 3, 2), (6, 2, 3, 2)], ids=str)
def test_neighbours_are_joined_along_the_channels(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    y, _ = L.Pack(3).forward(x)
    assert y.shape == (2, *shape[1:-1], 6)
    for pack in range(2):
        for member in range(3):
            channels = slice(2 * member, 2 * member + 2)
            np.testing.assert_array_equal(y[pack, ..., channels], x[3 * pack + member])


def test_backward_takes_the_packs_apart():
    x = np.random.default_rng(0).standard_normal((4, 3, 5, 2))
    layer = L.Pack(2)
    y, ctx = layer.forward(x)
    np.testing.assert_array_equal(layer.backward(y, ctx), x)


def test_refused():
    with pytest.raises(OptionError, match="m=0: a pack holds at least 1 example"):
        L.Pack(0)
    with pytest.raises(ShapeError, match=r"packs of 2, got shape \(5, 3\); use a --batch that 2"):
        L.Pack(2).forward(np.ones((5, 3)))
