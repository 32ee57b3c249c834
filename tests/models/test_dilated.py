"""The dilated generator widens and narrows again, and says which pictures it cannot take."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.models import dilated_generator, receptive_field


def build(shape=(16, 16, 3), channels=3, **options):
    return dilated_generator(shape, channels, **{"width": 2, "rng": make_rng(0), **options})


def convolutions(net):
    return [
        (layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.dilation[0])
        for _, layer in net.walk()
        if isinstance(layer, L.Conv2d)
    ]


def test_the_layers_of_the_docstring():
    """c7s1, d, blocks of dilation 1, 2 and 4, then 2 and 1 without skips, u, c7s1."""
    net = build()
    blocks = [(4, 4, 3, d) for d in (1, 1, 2, 2, 4, 4)]
    assert convolutions(net) == [
        *[(3, 2, 7, 1), (2, 4, 3, 1), *blocks],
        *[(4, 4, 3, 2), (4, 4, 3, 1), (2, 3, 7, 1)],
    ]
    kinds = [type(layer) for _, layer in net.walk()]
    assert kinds.count(L.Residual) == 3
    assert kinds.count(L.ConvTranspose2d) == 1


def test_it_looks_as_far_as_its_dilations_say():
    """Two 3x3 convolutions of dilation d reach 4 d places; nothing is halved here."""
    net = build((32, 32, 1), 1, halvings=0, norm="none")
    reach = 1 + 6 + 4 * (1 + 2 + 4) + 2 * (2 + 1) + 6
    assert receptive_field(net) == reach
    x = make_rng(1).standard_normal((1, 64, 64, 1)).astype(np.float32)
    moved = x.copy()
    moved[0, 32, 32] += 5
    changed = np.abs(net.forward(x)[0] - net.forward(moved)[0])[0, :, :, 0] > 0
    rows = np.nonzero(changed.any(1))[0]
    assert 0.6 * reach < rows.max() - rows.min() + 1 <= reach


@pytest.mark.parametrize(("shape", "halvings"), [((15, 9, 1), 0), ((12, 20, 3), 2)])
def test_any_picture_that_halves_as_often_goes_through(shape, halvings):
    y, _ = build(shape, 2, halvings=halvings).forward(np.zeros((2, *shape), np.float32))
    assert y.shape == (2, *shape[:2], 2)


@pytest.mark.parametrize(
    ("shape", "options", "says"),
    [
        ((15, 16), {}, "nearest legal sizes: 14x16 and 16x16"),
        ((2, 2), {}, "4 or more"),
        ((3, 8), {"halvings": 0}, "4 or more"),
        ((16, 16), {"halvings": -1}, "halvings=-1: wanted 0 or more"),
        ((16, 16), {"blocks": -1}, "at least 0 residual blocks"),
    ],
)
def test_what_cannot_be_is_refused(shape, options, says):
    with pytest.raises(OptionError, match=says):
        build((*shape, 3), **options)
