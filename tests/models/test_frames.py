"""Frames from coarse to fine: the paper's table, predictions of all sizes, and their gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minigan.backend import make_rng
from minigan.errors import OptionError, ShapeError
from minigan.gradcheck import check_loss
from minigan.layers import Conv2d, Dense, MaxPool2d
from minigan.models import frame_discriminator, frame_pyramid
from minigan.models.frames import sizes
from tests.oracles import gan_twin
from tests.oracles.sequence_twin import Judge, Pyramid
from tests.oracles.torch_twins import channels_first, channels_last

# The paper's table: feature maps and kernels of G, the same of D, and units of D's dense layers.
PAPER_G = [
    ([128, 256, 128], [3, 3, 3, 3]),
    ([128, 256, 128], [5, 3, 3, 5]),
    ([128, 256, 512, 256, 128], [5, 3, 3, 3, 3, 5]),
    ([128, 256, 512, 256, 128], [7, 5, 5, 5, 5, 7]),
]
PAPER_D = [
    ([64], [3], [512, 256]),
    ([64, 128, 128], [3, 3, 3], [1024, 512]),
    ([128, 256, 256], [5, 5, 5], [1024, 512]),
    ([128, 256, 512, 128], [7, 7, 5, 5], [1024, 512]),
]


def layers(net, kind):
    return [layer for _, layer in net.walk() if isinstance(layer, kind)]


def test_networks_are_those_of_the_papers_table():
    G = frame_pyramid((32, 32, 12), 3, rng=make_rng(0))
    for k, (part, (maps, kernels)) in enumerate(zip(G.parts, PAPER_G, strict=True)):
        convs = layers(part, Conv2d)
        assert [c.out_channels for c in convs] == [*maps, 3]
        assert [c.kernel_size[0] for c in convs] == kernels
        assert convs[0].in_channels == (15 if k else 12)
    for k, (maps, kernels, units) in enumerate(PAPER_D):
        side = 4 << k
        D = frame_discriminator((side, side, 3), beside=12, k=k, rng=make_rng(0))
        assert [c.out_channels for c in layers(D, Conv2d)] == maps
        assert [c.kernel_size[0] for c in layers(D, Conv2d)] == kernels
        assert [d.out_features for d in layers(D, Dense)] == [*units, 1]
        assert len(layers(D, MaxPool2d)) == (k == 3)


@pytest.mark.parametrize(
    ("side", "scales", "expected"),
    [
        ((32, 32), None, [4, 8, 16, 32]),
        ((64, 64), None, [8, 16, 32, 64]),
        ((64, 64), 5, [4, 8, 16, 32, 64]),
        ((16, 32), None, [4, 8, 16]),
        ((5, 4), None, [5]),
        ((30, 28), None, [15, 30]),
    ],
)
def test_sizes_double_from_the_coarsest_on(side, scales, expected):
    found = sizes(*side, scales)
    assert [h for h, _ in found] == expected
    assert found[-1] == side


@pytest.mark.parametrize(
    ("side", "scales", "says"),
    [
        ((32, 32), 5, "--scales 5: frames of 32x32 .* these have 4; give --scales 4 or less"),
        ((30, 30), 3, "--scales 3: .* these have 2"),
        ((3, 8), None, "frames of 3x8 are halved .* 4x4 at least; give .* another --size"),
    ],
)
def test_frames_that_cannot_be_halved_so_often_are_refused(side, scales, says):
    with pytest.raises(OptionError, match=says):
        frame_pyramid((*side, 4), 1, width=2, scales=scales, rng=make_rng(0))


def test_an_odd_width_is_refused():
    with pytest.raises(OptionError, match="a width of 3: the first layers of D_1"):
        frame_discriminator((8, 8, 1), beside=1, k=0, width=3, rng=make_rng(0))


def test_other_sizes_than_it_was_built_for_are_taken_or_refused():
    G = frame_pyramid((8, 8, 2), 1, width=2, rng=make_rng(0))
    assert G.forward(np.zeros((1, 12, 20, 2), np.float32))[0].shape == (1, 12, 20, 1)
    with pytest.raises(ShapeError, match="cannot be halved 1 times"):
        G.forward(np.zeros((1, 9, 8, 2), np.float32))


def moved(net, seed):
    """Away from weights near 0, which hide mistakes."""
    rng = make_rng(seed)
    for p in net.params.values():
        p.data[...] += 0.1 * rng.standard_normal(p.shape)
    net.flat.touch()
    return net.astype(np.float64)


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_all_predictions_and_their_gradients_equal_pytorch(scales):
    G = moved(frame_pyramid((16, 24, 4), 2, width=2, scales=scales, rng=make_rng(0)), 1)
    theirs = Pyramid(4, 2, 2, scales)
    gan_twin.load(theirs, {k: p.data for k, p in G.params.items()})
    x = make_rng(2).standard_normal((3, 16, 24, 4))
    _, ctx = G.forward(x)
    t = channels_first(torch.tensor(x)).requires_grad_()
    found = theirs(t)
    assert [p.shape[1] for p in ctx.predictions] == [16 >> k for k in reversed(range(scales))]
    dys = [make_rng(3).standard_normal(p.shape) for p in ctx.predictions]
    total = 0
    for made, expected, dy in zip(ctx.predictions, found, dys, strict=True):
        np.testing.assert_allclose(made, channels_last(expected).detach(), rtol=1e-9, atol=1e-12)
        total = total + (channels_last(expected) * torch.tensor(dy)).sum()
    total.backward()
    G.flat.zero_grad()
    dx = G.backward_all(dys, ctx)
    np.testing.assert_allclose(dx, channels_last(t.grad), rtol=1e-8, atol=1e-10)
    for q in theirs.parameters():
        q.data = q.grad
    gradients = gan_twin.arrays(theirs)
    for name, p in G.params.items():
        np.testing.assert_allclose(p.grad, gradients[name], rtol=1e-8, atol=1e-9, err_msg=name)


def test_the_gradient_of_the_last_prediction_alone_reaches_every_scale():
    G = moved(frame_pyramid((8, 8, 2), 1, width=2, rng=make_rng(0)), 1)
    x, dy = make_rng(2).standard_normal((2, 8, 8, 2)), make_rng(3).standard_normal((2, 8, 8, 1))

    def loss(weights):
        G.flat.load(weights)
        G.flat.zero_grad()
        y, ctx = G.forward(x)
        assert G.backward(dy, ctx, need_dx=False) is None
        return float((y * dy).sum()), G.flat.grad.copy()

    check_loss(loss, G.flat.data.copy(), rng=make_rng(4), exhaustive=False)
    assert all(p.grad.any() for p in G.params.values())


@pytest.mark.parametrize("k", range(4))
def test_a_discriminator_equals_pytorch(k):
    side = 4 << k
    D = moved(frame_discriminator((side, side, 1), beside=2, k=k, width=2, rng=make_rng(0)), 1)
    theirs = Judge(3, 2, k, side)
    gan_twin.load(theirs, {name: p.data for name, p in D.params.items()})
    x, y = make_rng(2).standard_normal((3, side, side, 2)), make_rng(3).random((3, side, side, 1))
    found, _ = D.forward(x, y)
    expected = theirs(*(channels_first(torch.tensor(a)) for a in (x, y)))
    np.testing.assert_allclose(found, expected.detach(), rtol=1e-9, atol=1e-12)


def test_frames_are_halved_by_means():
    G = frame_pyramid((8, 8, 1), 1, width=2, rng=make_rng(0))
    x = make_rng(1).standard_normal((1, 8, 8, 1)).astype(np.float32)
    half, _ = G.pool.forward(x)
    expected = F.avg_pool2d(channels_first(torch.tensor(x)), 2)
    np.testing.assert_allclose(half, channels_last(expected), rtol=1e-6)
