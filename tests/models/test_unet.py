"""The U-Net has the paper's layers, and says which pictures it cannot halve."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.models import unet_generator
from minigan.models.unet import unet_halvings


def build(shape=(16, 16, 3), channels=3, **options):
    return unet_generator(shape, channels, rng=make_rng(0), **options)


def convolutions(net):
    """(kind, channels in, channels out) from the input to the output of the nested levels."""
    down, up = [], []
    for _, layer in net.walk():
        if isinstance(layer, L.ConvTranspose2d):
            up.append((layer.in_channels, layer.out_channels))
        elif isinstance(layer, L.Conv2d):
            down.append((layer.in_channels, layer.out_channels))
    return down, up


def test_the_papers_layers():
    """C64-...-C512 and, with skips, inputs twice as wide (section 6.1.1) for 256x256."""
    down, up = convolutions(build((256, 256, 3), width=2))
    filters = [2, 4, 8, *[16] * 5]
    assert down == list(zip([3, *filters], filters, strict=False))
    # walk() meets a level's own up-convolution after what is inside it
    assert up == [(16, 16), *[(32, 16)] * 3, (32, 8), (16, 4), (8, 2), (4, 3)]


def test_without_skips_it_is_an_encoder_decoder():
    net = build(width=2, skips=False)
    assert not any(isinstance(layer, L.Concat) for _, layer in net.walk())
    assert convolutions(net)[1] == [(16, 8), (8, 4), (4, 2), (2, 3)]


def test_dropout_stands_in_the_three_innermost_layers_of_the_decoder():
    for halvings, expected in ((5, 3), (3, 2), (2, 1)):
        net = build((32, 32, 1), 1, width=1, halvings=halvings)
        assert sum(isinstance(layer, L.Dropout) for _, layer in net.walk()) == expected
    outermost = build((32, 32, 1), 1, width=1, halvings=5).layers[1].branches[1]
    assert not any(isinstance(layer, L.Dropout) for layer in outermost.layers)


def test_norms_stand_everywhere_but_at_both_ends_and_innermost():
    net = build((32, 32, 3), width=2, halvings=4)
    norms = [layer for _, layer in net.walk() if isinstance(layer, L.BatchNorm)]
    assert len(norms) == 2 + 3  # of 4 layers down and 3 up, not the first and the innermost down
    biased = [
        "bias" in layer.own_params
        for _, layer in net.walk()
        if isinstance(layer, L.Conv2d | L.ConvTranspose2d)
    ]
    assert sum(biased) == 3  # those without a norm: first, innermost, last


def test_each_skip_reaches_the_output():
    """With what the decoder says of deeper levels cut off, the input still decides the output."""
    net = build(width=2).astype(np.float64)
    inner = net.layers[1].branches[1]
    for p in inner.params.values():
        p.data[...] = 0
    x = make_rng(1).standard_normal((2, 16, 16, 3))
    y, _ = net.forward(x)
    other, _ = net.forward(-x)
    assert np.abs(y - other).max() > 0


def test_a_picture_of_another_legal_size_goes_through():
    net = build((32, 32, 1), 3, width=2, halvings=3)
    y, _ = net.forward(np.zeros((1, 16, 40, 1), np.float32), train=False)
    assert y.shape == (1, 16, 40, 3)


@pytest.mark.parametrize(
    ("shape", "halvings"),
    [((256, 256), 8), ((512, 512), 8), ((32, 32), 5), ((28, 28), 2), ((48, 64), 4), ((4, 12), 2)],
)
def test_it_halves_as_often_as_it_can(shape, halvings):
    assert unet_halvings((*shape, 3)) == halvings


@pytest.mark.parametrize(
    ("shape", "halvings", "says"),
    [
        ((30, 30), None, r"halves pictures 2 times.*30x30.*nearest legal sizes: 28x28 and 32x32"),
        ((31, 64), None, r"nearest legal sizes: 32x64 and 28x64"),
        ((48, 48), 5, r"multiples of 32, 32 or more; nearest legal sizes: 32x32 and 64x64"),
        ((3, 3), None, r"nearest legal sizes: 4x4"),
        ((32, 32), 0, "at least once"),
    ],
)
def test_a_size_that_cannot_be_halved_is_refused(shape, halvings, says):
    with pytest.raises(OptionError, match=says):
        build((*shape, 3), halvings=halvings)
