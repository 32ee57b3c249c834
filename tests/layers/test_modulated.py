"""Modulated convolution against a kernel for each example, in loops; see test_torch.py too."""

import math

import numpy as np
import pytest

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError, ShapeError


def by_loops(x, s, weight, bias, *, eps, gain):
    """The paper's equations 1 to 3, number by number."""
    size, _, cin, cout = weight.shape
    half = size // 2
    y = np.zeros((*x.shape[:3], cout))
    padded = np.pad(x, ((0, 0), (half, half), (half, half), (0, 0)))
    for n in range(len(x)):
        kernel = weight / math.sqrt(size * size * cin) * s[n][:, None]
        for j in range(cout):
            own = kernel[..., j] / math.sqrt((kernel[..., j] ** 2).sum() + eps)
            for a in range(x.shape[1]):
                for b in range(x.shape[2]):
                    patch = padded[n, a : a + size, b : b + size]
                    y[n, a, b, j] = gain * (patch * own).sum() + bias[j]
    return y


def test_it_is_a_convolution_with_each_example_s_own_kernel():
    rng = make_rng(0)
    layer = L.ModulatedConv2d(3, 2, 3, gain=1.5, eps=0.1, rng=rng).astype(np.float64)
    layer.params["bias"].data[...] = [0.3, -0.7]
    x, s = rng.standard_normal((2, 4, 3, 3)), rng.standard_normal((2, 3))
    y, _ = layer.forward(x, s)
    weight, bias = (layer.params[name].data for name in ("weight", "bias"))
    np.testing.assert_allclose(y, by_loops(x, s, weight, bias, eps=0.1, gain=1.5), rtol=1e-12)


def test_demodulated_outputs_do_not_grow_with_the_style():
    rng = make_rng(0)
    layer = L.ModulatedConv2d(16, 32, 3, gain=2.0, rng=rng).astype(np.float64)
    x, s = rng.standard_normal((4, 12, 12, 16)), 1 + 0.3 * rng.standard_normal((4, 16))
    y, _ = layer.forward(x, s)
    np.testing.assert_allclose(layer.forward(x, 1000 * s)[0], y, rtol=1e-6)
    inner = y[:, 1:-1, 1:-1]  # the border sums over fewer numbers
    assert inner.std() == pytest.approx(2.0, rel=0.1)
    plain = L.ModulatedConv2d(16, 32, 3, demodulate=False, rng=rng).astype(np.float64)
    np.testing.assert_allclose(plain.forward(x, 3 * s)[0], 3 * plain.forward(x, s)[0], rtol=1e-9)


def test_what_it_cannot_take_is_refused():
    rng = make_rng(0)
    for size in (0, 2, 4):
        with pytest.raises(OptionError, match=f"kernel_size={size} must be odd"):
            L.ModulatedConv2d(2, 2, size, rng=rng)
    with pytest.raises(OptionError, match=r"eps=0 and gain=1\.0 must be above 0"):
        L.ModulatedConv2d(2, 2, 1, eps=0, rng=rng)
    layer = L.ModulatedConv2d(2, 3, 1, rng=rng)
    x = np.zeros((2, 4, 4, 2), np.float32)
    with pytest.raises(ShapeError, match="a picture and a style, got 1 inputs"):
        layer.forward(x)
    with pytest.raises(ShapeError, match=r"a style \(2, 2\) for a picture .*got shape \(1, 2\)"):
        layer.forward(x, np.zeros((1, 2), np.float32))
    noise = L.AddNoise()
    with pytest.raises(ShapeError, match="a picture and noise, got 1 inputs"):
        noise.forward(x)
    with pytest.raises(ShapeError, match=r"noise \(2, 4, 4, 1\).*got shape \(2, 4, 4, 2\)"):
        noise.forward(x, x)
