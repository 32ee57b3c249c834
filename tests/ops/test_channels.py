"""Sums and batch norm's passes against plain NumPy, whether rows are gathered into runs or not."""

import numpy as np
import pytest

from minigan.ops import channels

# Few rows, more than FEW of a number that 2, 16 or nothing divides, and several axes.
SHAPES = [(1, 5), (100, 7), (channels.FEW, 3), (1024, 6), (514, 3), (521, 4), (3, 20, 16, 2)]


def draw(shape, count):
    return [np.random.default_rng(i).standard_normal(shape) + 1 for i in range(count)]


@pytest.mark.parametrize("shape", SHAPES)
def test_sums_and_moments(shape):
    (x,) = draw(shape, 1)
    rows = x.reshape(-1, shape[-1])
    np.testing.assert_allclose(channels.channel_sum(x), rows.sum(0), rtol=1e-12)
    mean, s, scale = channels.batch_statistics(x, None, 1e-3)
    np.testing.assert_allclose(mean, rows.mean(0), rtol=1e-12)
    np.testing.assert_allclose(s, (rows.var(0) + 1e-3) ** -0.5, rtol=1e-11)
    np.testing.assert_array_equal(scale, s)


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_running_statistics_move_towards_those_of_the_batch(shape):
    (x,), (gamma, average, spread) = draw(shape, 1), draw(shape[-1:], 3)
    before = average.copy(), spread.copy()
    mean, s, scale = channels.batch_statistics(x, gamma, 1e-3, (average, spread), 0.1)
    np.testing.assert_allclose(scale, gamma * s, rtol=1e-15)
    rows = x.reshape(-1, shape[-1])
    np.testing.assert_allclose(average, 0.9 * before[0] + 0.1 * mean, rtol=1e-12)
    np.testing.assert_allclose(spread, 0.9 * before[1] + 0.1 * rows.var(0, ddof=1), rtol=1e-11)


@pytest.mark.parametrize("factor", [1.0, -0.3])
def test_sums_are_added_up(factor):
    x, out = draw((6, 4), 1)[0], draw((4,), 2)[1]
    expected = out + factor * x.sum(0)
    assert channels.add_channel_sum(out, x, factor) is out
    np.testing.assert_allclose(out, expected, rtol=1e-13)


def test_gradients_of_gamma_and_beta_are_added_up():
    dgamma, dbeta, s, along, centred = draw((5,), 5)
    expected = dgamma + s * centred, dbeta + along
    channels.add_affine_grads(dgamma, dbeta, s, along, centred)
    np.testing.assert_allclose((dgamma, dbeta), expected, rtol=1e-15)


@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norms_passes(shape):
    x, dy = draw(shape, 2)
    mean, s, scale, shift = draw(shape[-1:], 4)
    kept = [a.copy() for a in (x, dy, mean, s, scale, shift)]
    m = x.size // shape[-1]
    axes = tuple(range(x.ndim - 1))
    y = channels.scale_and_shift(x, mean, scale, shift)
    np.testing.assert_allclose(y, (x - mean) * scale + shift, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(
        channels.scale_and_shift(x, mean, scale, None), (x - mean) * scale, rtol=1e-12
    )
    sums = channels.batch_norm_sums(dy, x, mean)
    expected = dy.sum(axes), (dy * (x - mean)).sum(axes)
    np.testing.assert_allclose(sums, expected, rtol=1e-11, atol=1e-11)
    dx = channels.batch_norm_dx(dy, x, mean, s, scale, *sums)
    centred = (x - mean) * s * s * expected[1] / m
    np.testing.assert_allclose(dx, scale * (dy - expected[0] / m - centred), rtol=1e-10, atol=1e-11)
    for a, b in zip((x, dy, mean, s, scale, shift), kept, strict=True):
        np.testing.assert_array_equal(a, b)
