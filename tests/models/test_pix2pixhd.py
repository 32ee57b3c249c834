"""pix2pixHD's generators have the paper's layers, and their parts their gradients."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError, ShapeError
from minigan.gradcheck import check_layer
from minigan.models import local_enhancer, patch_discriminator, resnet_generator, unit_encoder
from minigan.models.pix2pixhd import (
    CoarseToFine,
    coarse_features,
    global_halvings,
    until_activations,
)


def convolutions(net):
    return [
        (layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0])
        for _, layer in net.walk()
        if isinstance(layer, L.Conv2d | L.ConvTranspose2d)
    ]


def generators(side=16, width=4, dtype=np.float64):
    rng = make_rng(0)
    half = (side // 2, side // 2, 1)
    G1 = resnet_generator(half, 3, width=width, halvings=1, blocks=1, rng=rng)
    return G1, local_enhancer((side, side, 1), 3, width=width, blocks=1, rng=rng)


def test_the_papers_layers():
    """G1: c7s1-64, d128 to d1024, nine blocks, back again. G2: c7s1-32, d64, three, u32."""
    G1 = resnet_generator((64, 64, 3), 3, width=2, halvings=4, blocks=9, rng=make_rng(0))
    assert convolutions(G1) == [
        *[(3, 2, 7, 1), (2, 4, 3, 2), (4, 8, 3, 2), (8, 16, 3, 2), (16, 32, 3, 2)],
        *[(32, 32, 3, 1)] * 18,
        *[(32, 16, 3, 2), (16, 8, 3, 2), (8, 4, 3, 2), (4, 2, 3, 2), (2, 3, 7, 1)],
    ]
    G2 = local_enhancer((64, 64, 3), 3, width=2, rng=make_rng(0))
    assert convolutions(G2) == [
        *[(3, 1, 7, 1), (1, 2, 3, 2)],
        *[(2, 2, 3, 1)] * 6,
        *[(2, 1, 3, 2), (1, 3, 7, 1)],
    ]


def test_both_generators_together_have_the_gradients_of_finite_differences():
    net = CoarseToFine(*generators(8)).astype(np.float64)
    net.flat.load(net.flat.data + 0.2 * make_rng(1).standard_normal(net.flat.size))
    x = make_rng(2).standard_normal((2, 8, 8, 1))
    check_layer(net, x, rng=make_rng(3), orders=(1,), exhaustive=False)


def test_the_coarse_gradient_alone_is_that_of_both():
    G1, G2 = generators()
    for net in (G1, G2):
        net.astype(np.float64)
    x, coarse = (
        make_rng(1).standard_normal((2, 16, 16, 1)),
        make_rng(2).standard_normal((2, 8, 8, 4)),
    )
    y, ctx = G2.forward(x, coarse)
    dy = make_rng(3).standard_normal(y.shape)
    _, expected = G2.backward(dy, ctx)
    grad = G2.flat.grad.copy()
    G2.flat.zero_grad()
    np.testing.assert_array_equal(G2.backward_to_coarse(dy, ctx), expected)
    np.testing.assert_array_equal(G2.flat.grad, grad)


def test_features_of_another_size_are_refused():
    G1, G2 = generators()
    x = np.zeros((1, 16, 16, 1), np.float32)
    whole, _ = coarse_features(G1).forward(x)
    with pytest.raises(ShapeError, match="give G1 pictures of half the size"):
        G2.forward(x, whole)


def test_a_discriminator_is_cut_behind_its_activations():
    D = patch_discriminator((16, 16, 3), beside=1, patch=34, width=2, rng=make_rng(0))
    D.astype(np.float64)
    parts = until_activations(D)
    assert [type(part.layers[-1]) for part in parts] == [L.LeakyReLU] * 3 + [L.Conv2d]
    xs = make_rng(1).standard_normal((2, 16, 16, 1)), make_rng(2).standard_normal((2, 16, 16, 3))
    expected, _ = D.forward(*xs, update_stats=False)
    for part in parts:
        y, _ = part.forward(*xs, update_stats=False)
        xs = (y,)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize(
    ("size", "enhanced", "halvings"),
    [
        ((512, 1024), True, 4),
        ((64, 64), False, 4),
        ((64, 64), True, 4),
        ((32, 48), True, 3),
        ((12, 32), True, 1),
    ],
)
def test_g1_halves_four_times_or_while_it_can(size, enhanced, halvings):
    assert global_halvings(size, None, enhanced=enhanced) == halvings


def test_a_picture_of_another_legal_size_goes_through():
    y, _ = CoarseToFine(*generators()).forward(np.zeros((1, 24, 32, 1), np.float32), train=False)
    assert y.shape == (1, 24, 32, 3)
    with pytest.raises(OptionError, match="nearest legal sizes: 16x16 and 24x24"):
        global_halvings((18, 18), 2, enhanced=True)
    with pytest.raises(OptionError, match="nearest legal sizes: 16x16 and 20x20"):
        unit_encoder((18, 18, 3), rng=make_rng(0))
