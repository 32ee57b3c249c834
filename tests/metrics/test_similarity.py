"""PSNR, SSIM and sharpness against loops over windows and closed forms."""

import math

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.errors import DataError, ShapeError
from minigan.metrics.similarity import gradient_energy, l1, psnr, sharpness_difference, ssim


def naive_ssim(x, y):
    """Of one picture (H, W): a round Gaussian laid on every place where it fits, number by number.

    As the paper has it, of grey levels from 0 to 255; variances are means of squared deviations.
    """
    x, y = (x + 1) * 127.5, (y + 1) * 127.5
    size, sigma = 11, 1.5
    window = np.array(
        [
            [math.exp(-((i - 5) ** 2 + (j - 5) ** 2) / (2 * sigma**2)) for j in range(size)]
            for i in range(size)
        ]
    )
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = []
    for top in range(x.shape[0] - size + 1):
        for left in range(x.shape[1] - size + 1):
            a, b = (p[top : top + size, left : left + size] for p in (x, y))
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
            cov = (window * (a - ma) * (b - mb)).sum()
            light = (2 * ma * mb + c1) / (ma**2 + mb**2 + c1)
            found.append(light * (2 * cov + c2) / (va + vb + c2))
    return np.mean(found)


def pictures(*shape, seed=0):
    return np.tanh(make_rng(seed).standard_normal(shape))


@pytest.mark.parametrize("shape", [(2, 14, 13, 3), (1, 11, 11, 1), (3, 11, 20, 1)])
def test_ssim_is_that_of_a_loop_over_windows(shape):
    x = pictures(*shape)
    y = 0.6 * x + 0.4 * pictures(*shape, seed=1)
    found = ssim(x, y)
    assert found.shape == shape[:1]
    for n in range(shape[0]):
        channels = [naive_ssim(x[n, ..., c], y[n, ..., c]) for c in range(shape[-1])]
        assert found[n] == pytest.approx(np.mean(channels), rel=1e-10)


def test_ssim_of_equal_opposite_and_flat_pictures():
    x = pictures(2, 16, 16, 3)
    np.testing.assert_allclose(ssim(x, x), 1, rtol=1e-12)
    assert (ssim(x, -x) < 0).all()
    a, b, c1 = 1.3, 0.8, 0.02**2
    flat = [np.full((1, 12, 12, 1), value - 1) for value in (a, b)]
    # no variance: what is left is the comparison of means
    assert ssim(*flat)[0] == pytest.approx((2 * a * b + c1) / (a * a + b * b + c1), rel=1e-9)


def test_psnr_and_l1_of_a_known_error():
    x = pictures(3, 5, 4, 3)
    step = np.array([0.1, 0.01, 0.0])[:, None, None, None]
    np.testing.assert_allclose(psnr(x + step, x)[:2], [20 * math.log10(2 / 0.1), 46.0206], 1e-5)
    assert psnr(x, x)[2] == math.inf
    np.testing.assert_allclose(l1(x - step, x), [0.1, 0.01, 0.0], atol=1e-12)


def test_float32_pictures_are_measured_in_float64():
    x, y = (pictures(2, 12, 12, 1, seed=s).astype(np.float32) for s in (0, 1))
    for measure in (l1, psnr, ssim):
        expected = measure(x.astype(np.float64), y.astype(np.float64))
        np.testing.assert_allclose(measure(x, y), expected, rtol=1e-12)
        assert measure(x, y).dtype == np.float64


def test_gradient_energy_of_stripes_a_ramp_and_nothing():
    stripes = np.zeros((1, 4, 6, 1))
    stripes[:, :, ::2] = 1  # every neighbour to the right differs by 1, none below
    ramp = np.linspace(0, 1, 5)[None, :, None, None] * np.ones((1, 5, 3, 2))
    assert gradient_energy(stripes) == pytest.approx(1)
    assert gradient_energy(ramp) == pytest.approx(1 / 16)
    assert gradient_energy(np.ones((2, 3, 3, 1))).tolist() == [0, 0]


def test_blurring_takes_gradient_energy_away():
    x = pictures(4, 16, 16, 3)
    blurred = (x + np.roll(x, 1, 1) + np.roll(x, 1, 2)) / 3
    assert (gradient_energy(blurred) < gradient_energy(x)).all()


def test_sharpness_difference_is_that_of_a_loop_over_places():
    y, x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 5, 4, 2))
    total = []
    for n in range(3):
        apart = []
        for i, j, c in np.ndindex(4, 3, 2):
            here = [
                abs(p[n, i + 1, j + 1, c] - p[n, i, j + 1, c])
                + abs(p[n, i + 1, j + 1, c] - p[n, i + 1, j, c])
                for p in (x, y)
            ]
            apart.append(abs(here[0] - here[1]))
        total.append(10 * np.log10(4 / np.mean(apart)))
    np.testing.assert_allclose(sharpness_difference(y, x), total, rtol=1e-12)
    assert np.isinf(sharpness_difference(-x, x)).all()  # an edge of the other sign is as strong
    smooth = (x[:, :-1] + x[:, 1:]) / 2
    noisy = x[:, 1:] + 0.1 * np.random.default_rng(1).standard_normal(smooth.shape)
    assert (sharpness_difference(noisy, x[:, 1:]) > sharpness_difference(smooth, x[:, 1:])).all()


def test_what_cannot_be_compared_is_refused():
    x = pictures(1, 12, 12, 3)
    for measure in (l1, psnr, ssim):
        with pytest.raises(ShapeError, match=r"give \(N, H, W, C\) of one shape"):
            measure(x, x[..., :1])
    with pytest.raises(DataError, match="windows of 11x11; these are 10x12"):
        ssim(x[:, :10], x[:, :10])
