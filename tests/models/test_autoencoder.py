"""Encoders, decoders and joint discriminators: what they are made of."""

import math

import numpy as np
import pytest

from minigan import layers as L
from minigan import models
from minigan.backend import make_rng
from minigan.errors import OptionError


def kinds(net):
    return [type(layer) for layer in net.layers]


def dense(net):
    return [layer for _, layer in net.walk() if isinstance(layer, L.Dense)]


@pytest.mark.parametrize("shape", [(2,), (3, 4, 1)])
def test_perceptrons(shape):
    flat = [L.Flatten] * (len(shape) > 1)
    E = models.mlp_encoder(shape, 6, hidden=(8, 7), rng=make_rng(0))
    assert kinds(E) == [*flat, L.Dense, L.ReLU, L.Dense, L.ReLU, L.Dense]
    D = models.dense_discriminator(shape, hidden=(8,), rng=make_rng(0))
    assert kinds(D) == [*flat, L.Dense, L.LeakyReLU, L.Dense]
    J = models.mlp_joint_discriminator(shape, 5, hidden=(8,), rng=make_rng(0))
    assert kinds(J) == [L.Parallel, L.Dense, L.LeakyReLU, L.Dense]
    sizes = [[(x.in_features, x.out_features) for x in dense(net)] for net in (E, D, J)]
    n = math.prod(shape)
    assert sizes == [[(n, 8), (8, 7), (7, 6)], [(n, 8), (8, 1)], [(n + 5, 8), (8, 1)]]
    slopes = {x.negative_slope for net in (D, J) for x in net.layers if isinstance(x, L.LeakyReLU)}
    assert slopes == {0.2}


@pytest.mark.parametrize(("bounded", "end"), [(True, [L.Tanh]), (False, [])])
def test_decoders_end_in_tanh_if_bounded(bounded, end):
    G = models.mlp_decoder(5, (4, 4, 1), hidden=(8,), bounded=bounded, rng=make_rng(0))
    assert kinds(G) == [L.Dense, L.ReLU, L.Dense, *end, L.Reshape]
    C = models.conv_decoder(5, (16, 16, 1), width=4, bounded=bounded, rng=make_rng(0))
    assert kinds(C)[-1 - len(end) :] == [L.ConvTranspose2d, *end]


def test_a_bounded_perceptron_decoder_is_the_generator():
    """The same draws of the same layers."""
    ours = models.mlp_decoder(5, (4, 4, 1), hidden=(8, 7), rng=make_rng(0))
    theirs = models.mlp_generator(5, (4, 4, 1), hidden=(8, 7), rng=make_rng(0))
    assert kinds(ours) == kinds(theirs)
    np.testing.assert_array_equal(ours.flat.data, theirs.flat.data)


def test_batch_norm_of_perceptrons():
    """On every hidden layer but the first, parameter-free, in place of a bias."""
    net = models.mlp_encoder((2,), 3, hidden=(8, 7, 6), batch_norm=True, rng=make_rng(0))
    block = [L.Dense, L.BatchNorm, L.ReLU]
    assert kinds(net) == [L.Dense, L.ReLU, *block, *block, L.Dense]
    assert [layer.bias is not None for layer in dense(net)] == [True, False, False, True]
    norms = [layer for layer in net.layers if isinstance(layer, L.BatchNorm)]
    assert all(layer.params == {} for layer in norms)


def test_convolutions_are_dcgans():
    """The same draws but for the end, which has as many outputs as were asked for."""
    D = models.dcgan_discriminator((16, 24, 3), width=4, rng=make_rng(0))
    E = models.conv_encoder((16, 24, 3), 6, width=4, rng=make_rng(0))
    assert kinds(E) == kinds(D)
    for ours, theirs in zip(E.layers[:-1], D.layers[:-1], strict=True):
        for name, p in theirs.params.items():
            np.testing.assert_array_equal(ours.params[name].data, p.data)
    assert (E.layers[-1].in_features, E.layers[-1].out_features) == (D.layers[-1].in_features, 6)


def test_a_joint_discriminator_joins_late():
    """The code meets the picture where it has become features, in as many units as were asked."""
    D = models.conv_joint_discriminator((16, 24, 3), 5, width=4, units=7, rng=make_rng(0))
    picture, code = D.layers[0].branches
    assert kinds(picture)[-1] is L.Flatten
    assert kinds(code) == [L.Dense, L.LeakyReLU]
    features = 4 * 6 * 8  # 16x24 halved twice, and 4 channels doubled once
    sizes = [(x.in_features, x.out_features) for x in dense(D)]
    assert sizes == [(5, 7), (features + 7, 7), (7, 1)]


@pytest.mark.parametrize("pairs", [models.mlp_joint_discriminator, models.conv_joint_discriminator])
def test_a_joint_discriminator_depends_on_both(pairs):
    """On either input, and on how they are paired."""
    D = pairs((16, 16, 1), 5, rng=make_rng(0))
    rng = make_rng(1)
    x = rng.standard_normal((3, 16, 16, 1)).astype(np.float32)
    z = rng.standard_normal((3, 5)).astype(np.float32)
    own, _ = D.forward(x, z, train=False)
    for other in (D.forward(x, z[::-1], train=False), D.forward(x[::-1], z, train=False)):
        assert np.abs(other[0] - own)[[0, 2]].min() > 0


def test_initialisation():
    """Under batch norm N(0, 0.02^2), else He and at the end Glorot; biases 0.

    Five standard errors of a variance: sqrt(2 / n) of a normal number's, sqrt(0.8 / n) of a uniform
    one's.
    """
    plain = models.mlp_encoder((200,), 90, hidden=(300,), rng=make_rng(0))
    normed = models.mlp_encoder((200,), 90, hidden=(300,), batch_norm=True, rng=make_rng(0))
    expected = [2 / 200, 2 / 390, 4e-4, 4e-4]
    for layer, variance in zip([*dense(plain), *dense(normed)], expected, strict=True):
        w = layer.weight.data.astype(np.float64)
        assert abs(np.square(w).mean() / variance - 1) < 5 * math.sqrt(2 / w.size)
        assert not layer.bias.data.any()


@pytest.mark.parametrize("build", [models.conv_encoder, models.conv_joint_discriminator])
def test_sizes_that_cannot_be_halved(build):
    with pytest.raises(OptionError, match="15x15"):
        build((15, 15, 1), 5, rng=make_rng(0))
