"""Equalised learning rates and pixel norm: the sizes that they promise; see test_torch.py too."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError


@pytest.mark.parametrize("slow", [1.0, 0.01])
@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_outputs_have_the_deviation_that_gain_says_whatever_the_rate(gain, slow):
    rng = make_rng(0)
    dense = L.Dense(200, 300, rng=rng)
    layer = L.EqualizedLR(dense, gain=gain, lr_multiplier=slow, rng=rng).astype(np.float64)
    # 60,000 weights and numbers: a deviation is off by 1 / sqrt(2 * 60,000) = 0.3 %; five of them.
    assert layer.params["layer.weight"].data.std() == pytest.approx(1 / slow, rel=0.015)
    y, _ = layer.forward(rng.standard_normal((200, 200)))
    assert y.std() == pytest.approx(gain, rel=0.02)


def test_a_slow_layer_moves_less_for_the_same_step_of_its_weights():
    rng = make_rng(0)
    x = rng.standard_normal((4, 9))
    moved = []
    for slow in (1.0, 0.01):
        layer = L.EqualizedLR(L.Dense(9, 5, rng=rng), lr_multiplier=slow, rng=rng)
        layer.astype(np.float64)
        before, _ = layer.forward(x)
        layer.flat.load(layer.flat.data + 0.1)
        moved.append(layer.forward(x)[0] - before)
    np.testing.assert_allclose(moved[1], 0.01 * moved[0], rtol=1e-9, atol=1e-12)


def test_it_takes_over_the_bias_and_refuses_what_it_cannot_wrap():
    rng = make_rng(0)
    layer = L.EqualizedLR(L.Conv2d(2, 3, 1, rng=rng), rng=rng)
    assert set(layer.params) == {"bias", "layer.weight"}
    with pytest.raises(OptionError, match=r"cannot wrap ReLU\(\); it wraps: Dense, Conv2d"):
        L.EqualizedLR(L.ReLU(), rng=rng)
    for numbers in ({"gain": 0.0}, {"lr_multiplier": -1.0}, {"gain": np.inf}):
        with pytest.raises(OptionError, match="above 0 and finite"):
            L.EqualizedLR(L.Dense(2, 2, rng=rng), rng=rng, **numbers)


def test_pixel_norm_leaves_directions_and_takes_lengths():
    x = make_rng(0).standard_normal((3, 5, 7))
    y, _ = L.PixelNorm().forward(x)
    np.testing.assert_allclose(np.square(y).mean(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(L.PixelNorm().forward(9 * x)[0], y, rtol=1e-6)
    with pytest.raises(OptionError, match=r"eps=0 must be above 0"):
        L.PixelNorm(eps=0)
