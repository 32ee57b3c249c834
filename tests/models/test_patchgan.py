"""PatchGAN's logits see patches of the size that is asked for, and of the paper's layers."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.models import patch_discriminator, receptive_field
from minigan.models.patchgan import largest_patch, smallest_side


def build(shape, **options):
    return patch_discriminator(shape, rng=make_rng(0), **options)


# section 6.1.2: filters in units of the first layer's, and strides
PAPER = {
    1: ([1, 2], [1, 1, 1]),
    16: ([1, 2], [2, 1, 1]),
    70: ([1, 2, 4, 8], [2, 2, 2, 1, 1]),
    286: ([1, 2, 4, 8, 8, 8], [2, 2, 2, 2, 2, 1, 1]),
}


@pytest.mark.parametrize("patch", PAPER)
def test_the_papers_layers(patch):
    net = build((256, 256, 3), patch=patch, width=2)
    convs = [layer for layer in net.layers if isinstance(layer, L.Conv2d)]
    filters, strides = PAPER[patch]
    assert [conv.out_channels for conv in convs] == [*(2 * f for f in filters), 1]
    assert [conv.stride[0] for conv in convs] == strides
    assert receptive_field(net) == patch
    kinds = [type(layer) for layer in net.layers]
    assert kinds.count(L.BatchNorm) == len(filters) - 1  # no norm in the first
    assert kinds[1] is L.LeakyReLU


@pytest.mark.parametrize("patch", [1, 7, 16, 34])
def test_a_logit_sees_a_patch_of_that_size_and_nothing_else(patch):
    """The input gradient of one logit is not zero in a square of `patch` pixels, and only there."""
    side = 48
    net = build((side, side, 1), patch=patch, width=2, norm="none").astype(np.float64)
    # every weight positive and no bias: nothing cancels, no unit is off
    net.flat.load(np.abs(net.flat.data) + 0.01)
    x = np.abs(make_rng(1).standard_normal((1, side, side, 1))) + 0.1
    y, ctx = net.forward(x)
    dy = np.zeros_like(y)
    middle = y.shape[1] // 2
    dy[0, middle, middle] = 1
    seen = net.backward(dy, ctx, need_dw=False)[0, :, :, 0] != 0
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert len(rows) == len(columns) == patch
    assert seen[np.ix_(rows, columns)].all()
    assert rows[-1] - rows[0] == patch - 1


def test_it_judges_a_picture_beside_another():
    net = build((16, 16, 3), beside=1, patch=16, width=2).astype(np.float64)
    x, y = make_rng(1).standard_normal((2, 16, 16, 1)), make_rng(2).standard_normal((2, 16, 16, 3))
    logits, ctx = net.forward(x, y)
    assert logits.shape == (2, 6, 6, 1)
    dx, dy = net.backward(np.ones_like(logits), ctx)
    assert (dx.shape, dy.shape) == (x.shape, y.shape)
    assert np.abs(net.forward(-x, y)[0] - logits).max() > 0


@pytest.mark.parametrize(
    ("shape", "patch", "says"),
    [
        ((64, 64), 50, r"receptive field of 50: .* 1, 7, 16, 34, .*286, \.\.\.; nearest: 34 and"),
        ((64, 64), 0, r"nearest: 1 and 7"),
        ((16, 40), 70, r"16x40 are too small for patches of 70x70: .* use --patch 34 or larger"),
        ((2, 2), 7, r"use --patch 1 or larger"),
        ((1, 8), 1, r"pictures of 1x8 are too small for a PatchGAN: use 2x2 or larger \(--size\)"),
    ],
)
def test_a_patch_that_cannot_be_is_refused(shape, patch, says):
    with pytest.raises(OptionError, match=says):
        build((*shape, 3), patch=patch)


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize(("side", "patch"), [(2, 1), (3, 7), (6, 16), (12, 34), (24, 70)])
def test_the_smallest_legal_picture_is_judged(side, patch, norm):
    net = build((side, side, 1), patch=patch, width=1, norm=norm)
    x = make_rng(1).standard_normal((1, side, side, 1)).astype(np.float32)
    y, _ = net.forward(x)
    assert y.shape == ((1, 1, 1, 1) if patch > 1 else (1, side, side, 1))
    assert np.abs(net.forward(-x)[0] - y).max() > 1e-4  # no norm has taken everything out
    assert smallest_side(patch) == side
    assert largest_patch(side, side + 9) == patch
    with pytest.raises(OptionError, match="too small"):
        build((side - 1, side, 1), patch=patch)


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (1, 64), (64, 0)])
def test_no_patch_fits_what_is_no_picture(size):
    with pytest.raises(OptionError, match="too small for a PatchGAN: use 2x2 or larger"):
        largest_patch(*size)
