"""The residual generator has the paper's layers, and says which pictures it cannot halve."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.models import resnet_generator


def build(shape=(16, 16, 3), channels=3, **options):
    return resnet_generator(shape, channels, rng=make_rng(0), **options)


def convolutions(net):
    return [
        (layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0])
        for _, layer in net.walk()
        if isinstance(layer, L.Conv2d | L.ConvTranspose2d)
    ]


@pytest.mark.parametrize(("side", "blocks"), [(128, 6), (256, 9)])
def test_the_papers_layers(side, blocks):
    """c7s1-64, d128, d256, R256 ..., u128, u64, c7s1-3 (section 7.2)."""
    net = build((side, side, 3), width=2)
    assert convolutions(net) == [
        *[(3, 2, 7, 1), (2, 4, 3, 2), (4, 8, 3, 2)],
        *[(8, 8, 3, 1)] * (2 * blocks),
        *[(8, 4, 3, 2), (4, 2, 3, 2), (2, 3, 7, 1)],
    ]
    kinds = [type(layer) for _, layer in net.walk()]
    assert kinds.count(L.Residual) == blocks
    assert kinds.count(L.InstanceNorm) == 2 * blocks + 5
    assert kinds.count(L.ReflectionPad2d) == 2 * blocks + 2


def test_resizing_takes_the_place_of_transposed_convolutions():
    kinds = [type(layer) for _, layer in build(width=1, blocks=1, up="resize").walk()]
    assert kinds.count(L.Upsample) == 2
    assert L.ConvTranspose2d not in kinds
    with pytest.raises(UnknownNameError, match="known: resize, transposed"):
        build(up="bilinear")


def test_a_picture_of_another_legal_size_goes_through():
    y, _ = build(width=2, blocks=1).forward(np.zeros((1, 12, 20, 3), np.float32), train=False)
    assert y.shape == (1, 12, 20, 3)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((30, 30), r"nearest legal sizes: 28x28 and 32x32"),
        ((4, 4), r"multiples of 4, 8 or more; nearest legal sizes: 8x8"),
        ((16, 18), r"nearest legal sizes: 16x16 and 16x20"),
    ],
)
def test_a_size_that_cannot_be_halved_is_refused(shape, says):
    with pytest.raises(OptionError, match=says):
        build((*shape, 3))


def test_a_number_of_blocks_below_none_is_refused():
    with pytest.raises(OptionError, match="at least 0 residual blocks"):
        build(blocks=-1)
