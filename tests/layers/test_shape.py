"""Reshaping and resizing: options and layouts. Parity: test_torch.py."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import OptionError


def test_flatten_keeps_channels_last_order():
    x = np.arange(12.0).reshape(1, 2, 3, 2)
    y, ctx = L.Flatten().forward(x)
    np.testing.assert_array_equal(y, np.arange(12.0)[None])
    assert L.Flatten().backward(y, ctx).shape == (1, 2, 3, 2)


def test_reshape_and_flatten_are_each_other_s_inverse():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 2))
    flat, _ = L.Flatten().forward(x)
    np.testing.assert_array_equal(L.Reshape(3, 5, 2).forward(flat)[0], x)


def test_upsampling_keeps_a_constant_and_the_mean_of_a_ramp():
    for mode in ("nearest", "bilinear"):
        layer = L.Upsample(scale_factor=(2, 3), mode=mode)
        assert layer.forward(np.full((1, 2, 3, 1), 0.5))[0].shape == (1, 4, 9, 1)
        assert (layer.forward(np.full((1, 2, 3, 1), 0.5))[0] == 0.5).all()
        ramp = np.arange(5.0).reshape(1, 1, 5, 1)
        assert layer.forward(ramp)[0].mean() == pytest.approx(2)


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(OptionError, match="mode='cubic'; allowed: nearest, bilinear"):
        L.Upsample(mode="cubic")
    with pytest.raises(OptionError, match="scale_factor=0"):
        L.Upsample(scale_factor=0)
    with pytest.raises(OptionError, match="upscale_factor=0"):
        L.PixelShuffle(0)
