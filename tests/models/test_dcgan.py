"""DCGAN: its sizes, its guidelines read off the structure, its initialisation."""

import math
import re

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.models import dcgan_discriminator, dcgan_generator
from minigan.models.dcgan import halvings

# (H, W, C), and how often it is halved
LEGAL = {
    (8, 8, 1): 1,
    (14, 14, 3): 1,
    (16, 16, 3): 2,
    (20, 20, 1): 2,
    (28, 28, 1): 2,
    (32, 32, 3): 3,
    (64, 64, 3): 4,
    (16, 24, 3): 2,
    (48, 32, 1): 3,
    (8, 50, 3): 1,
    (40, 8, 4): 1,
}
every_shape = pytest.mark.parametrize("shape", LEGAL, ids=str)


def pair(shape, width=2, z_dim=3, seed=0):
    rng = make_rng(seed)
    return (
        dcgan_generator(z_dim, shape, width=width, rng=rng),
        dcgan_discriminator(shape, width=width, rng=rng),
    )


@every_shape
def test_sizes(shape):
    G, D = pair(shape)
    z = make_rng(1).standard_normal((2, 3)).astype(np.float32)
    x, _ = G.forward(z)
    assert x.shape == (2, *shape)
    assert np.abs(x).max() < 1
    logits, _ = D.forward(x)
    assert logits.shape == (2, 1)


@every_shape
def test_channels_double_with_each_halving(shape):
    """D: width, 2 width, ... down to the base; G: the same upwards."""
    n = LEGAL[shape]
    assert halvings(shape) == n
    G, D = pair(shape, width=4)
    down = [layer.out_channels for layer in D.layers if isinstance(layer, L.Conv2d)]
    assert down == [4 << i for i in range(n)]
    up = [layer for layer in G.layers if isinstance(layer, L.ConvTranspose2d)]
    assert [layer.in_channels for layer in up] == down[::-1]
    assert [layer.out_channels for layer in up] == [*down[-2::-1], shape[2]]
    base = (shape[0] >> n, shape[1] >> n, 4 << (n - 1))
    assert G.layers[1].shape == base
    assert D.layers[-1].in_features == math.prod(base)


# --- sizes that cannot be -------------------------------------------------------------------------


def is_legal(h, w):
    """By the rule in words: halve while the shorter side is above 7; it must end at 4 to 7."""
    times = 0
    while min(h, w) > 7:
        if h % 2 or w % 2:
            return False
        h, w, times = h // 2, w // 2, times + 1
    return times > 0 and min(h, w) >= 4


def distance(a, b):
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


SQUARES = [(side, side) for side in (1, 2, 3, 4, 5, 7, 9, 11, 13, 15, 17, 18, 22, 25, 26, 27)]
SQUARES += [(side, side) for side in (30, 31, 33, 36, 45, 50, 60, 63, 65, 90, 100, 127, 300)]
OBLONGS = [(4, 6), (7, 100), (28, 30), (32, 33), (15, 17), (27, 64), (1, 50), (62, 34), (100, 48)]


@pytest.mark.parametrize("size", SQUARES + OBLONGS, ids=str)
def test_an_illegal_size_names_the_nearest_legal_ones(size):
    assert not is_legal(*size)
    for build in (
        lambda: dcgan_generator(3, (*size, 3), width=2, rng=make_rng(0)),
        lambda: dcgan_discriminator((*size, 3), width=2, rng=make_rng(0)),
    ):
        with pytest.raises(OptionError, match=rf"of {size[0]}x{size[1]}: .*--size") as caught:
            build()
    named = re.search(r"nearest legal sizes: (\d+)x(\d+) and (\d+)x(\d+)", str(caught.value))
    a, b, c, d = map(int, named.groups())
    assert (a, b) != (c, d)
    assert is_legal(a, b)
    assert is_legal(c, d)

    # Every size that could be nearer than the farther of the two, by brute force.
    reach = distance((c, d), size)
    square = size[0] == size[1]
    assert not square or (a == b and c == d)
    near = [
        distance((h, w), size)
        for h in range(max(1, size[0] - reach), size[0] + reach + 1)
        for w in ([h] if square else range(max(1, size[1] - reach), size[1] + reach + 1))
        if is_legal(h, w)
    ]
    assert [distance((a, b), size), reach] == sorted(near)[:2]


def test_legal_is_legal():
    """The module's rule is the rule in words, over all small sizes."""
    for h in range(1, 41):
        for w in range(1, 41):
            if is_legal(h, w):
                assert halvings((h, w, 3)) >= 1
            else:
                with pytest.raises(OptionError):
                    halvings((h, w, 3))


# --- the guidelines of section 3 ------------------------------------------------------------------


def kinds(net):
    return [type(layer) for layer in net.layers]


@every_shape
class TestGuidelines:
    def test_strided_convolutions_for_pooling(self, shape):
        pools = (L.MaxPool2d, L.AvgPool2d, L.GlobalAvgPool, L.GlobalMaxPool, L.GlobalSumPool)
        for net in pair(shape):
            assert not any(isinstance(layer, (*pools, L.Upsample)) for _, layer in net.walk())
            convolutions = [
                layer for layer in net.layers if isinstance(layer, L.Conv2d | L.ConvTranspose2d)
            ]
            assert len(convolutions) == LEGAL[shape]
            assert {layer.stride for layer in convolutions} == {(2, 2)}
            assert {layer.kernel_size for layer in convolutions} == {(4, 4)}
            assert {layer.padding for layer in convolutions} == {(1, 1)}

    def test_batch_norm_but_at_gs_output_and_ds_input(self, shape):
        """After every weight but the last of G, the first of D and D's final logit."""
        G, D = pair(shape)
        weighted = (L.Dense, L.Conv2d, L.ConvTranspose2d)

        def normalised(net):
            after = [kind for kind in kinds(net) if kind not in (L.Reshape, L.Flatten)]
            following = zip(after, [*after[1:], None], strict=True)
            return [b is L.BatchNorm for a, b in following if a in weighted]

        n = LEGAL[shape]
        assert normalised(G) == [True] * n + [False]
        assert normalised(D) == [False] + [True] * (n - 1) + [False]

    def test_relu_and_tanh_in_g(self, shape):
        G, _ = pair(shape)
        assert kinds(G)[-1] is L.Tanh
        activations = [kind for kind in kinds(G) if issubclass(kind, L.Activation)]
        assert activations == [L.ReLU] * LEGAL[shape] + [L.Tanh]

    def test_leaky_relu_in_d(self, shape):
        _, D = pair(shape)
        activations = [layer for layer in D.layers if isinstance(layer, L.Activation)]
        assert [type(layer) for layer in activations] == [L.LeakyReLU] * LEGAL[shape]
        assert {layer.negative_slope for layer in activations} == {0.2}

    def test_dense_only_at_the_ends(self, shape):
        G, D = pair(shape)
        assert [i for i, kind in enumerate(kinds(G)) if kind is L.Dense] == [0]
        assert [i for i, kind in enumerate(kinds(D)) if kind is L.Dense] == [len(D.layers) - 1]

    def test_no_bias_under_batch_norm(self, shape):
        """Its mean would take the bias out again."""
        for net in pair(shape):
            following = [*kinds(net)[1:], None]
            for i, layer in enumerate(net.layers):
                under = following[i] is L.BatchNorm or (
                    following[i] is L.Reshape and following[i + 1] is L.BatchNorm
                )
                if under:
                    assert "bias" not in layer.own_params


def test_the_papers_network():
    """Figure 1: 100 -> 4x4x1024 -> ... -> 64x64x3, at width 128."""
    G = dcgan_generator(100, (64, 64, 3), width=128, rng=make_rng(0))
    assert (G.layers[0].in_features, G.layers[1].shape) == (100, (4, 4, 1024))
    ups = [layer.out_channels for layer in G.layers if isinstance(layer, L.ConvTranspose2d)]
    assert ups == [512, 256, 128, 3]


# --- section 4: N(0, 0.02^2) for weights, N(1, 0.02^2) for gamma ----------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_initialisation(seed):
    """Each mean and deviation within five standard errors of the drawn distribution's."""
    for net in pair((32, 32, 3), width=32, z_dim=100, seed=seed):
        for path, layer in net.walk():
            for name, p in layer.own_params.items():
                values, n = p.data.astype(np.float64), p.data.size
                if name == "bias":
                    assert not values.any(), path
                    continue
                centre = 1.0 if isinstance(layer, L.BatchNorm) else 0.0
                assert abs(values.mean() - centre) < 5 * 0.02 / math.sqrt(n), path
                deviation = math.sqrt(np.square(values - centre).mean())
                assert abs(deviation - 0.02) < 5 * 0.02 / math.sqrt(2 * n), path
        assert any(isinstance(layer, L.BatchNorm) for _, layer in net.walk())
