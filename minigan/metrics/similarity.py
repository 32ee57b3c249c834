r"""How like two pictures are: mean absolute error, signal to noise, structural similarity.

With x and y in [-1, 1], so that the range is L = 2 (SSIM is of numbers from 0 to L: 1 is added),

    PSNR = 10 log10(L^2 / mean (x - y)^2)

    SSIM(x, y) = (2 mu_x mu_y + C_1)(2 sigma_xy + C_2)
                 / ((mu_x^2 + mu_y^2 + C_1)(sigma_x^2 + sigma_y^2 + C_2))

where mu, sigma^2 and sigma_xy are means, variances and the covariance under a round Gaussian window
of 11x11 with a deviation of 1.5, C_1 = (K_1 L)^2 and C_2 = (K_2 L)^2. SSIM of a picture is the mean
over all places where the window fits, and over the channels.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import DataError, ShapeError

PAPER = (
    "Wang et al. 2004, Image quality assessment: from error visibility to structural similarity,"
    " IEEE Transactions on Image Processing 13(4), eq. 13 and section III.C"
)

EQUATIONS = {
    "ssim.13": r"\mathrm{SSIM}(x, y) = \frac{(2 \mu_x \mu_y + C_1)(2 \sigma_{xy} + C_2)}"
    r"{(\mu_x^2 + \mu_y^2 + C_1)(\sigma_x^2 + \sigma_y^2 + C_2)}",
    "ssim.14": r"\mu_x = \sum_{i=1}^N w_i x_i",
}

RANGE = 2.0  # of pictures in [-1, 1]
WINDOW, DEVIATION = 11, 1.5
K1, K2 = 0.01, 0.03


def l1(x: Array, y: Array) -> Array:
    """mean |x - y| of each of the pictures (N, H, W, C): (N,). Raises ShapeError."""
    return np.abs(_apart(x, y)).mean((1, 2, 3))


def psnr(x: Array, y: Array) -> Array:
    """In decibels, of each of the pictures (N, H, W, C): (N,); infinite for equal ones.

    Raises ShapeError for unlike shapes.
    """
    squares = np.square(_apart(x, y)).mean((1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(RANGE**2 / squares)


def ssim(x: Array, y: Array) -> Array:
    """At most 1, for equal pictures; of each of the pictures (N, H, W, C): (N,).

    Raises ShapeError for unlike shapes, DataError for pictures smaller than the window.
    """
    _apart(x, y)
    if min(x.shape[1:3]) < WINDOW:
        raise DataError(
            f"SSIM looks at pictures through windows of {WINDOW}x{WINDOW}; these are "
            f"{x.shape[1]}x{x.shape[2]}: leave ssim out"
        )
    x, y = x.astype(np.float64) + 1, y.astype(np.float64) + 1
    mx, my = _windowed(x), _windowed(y)  # eq: ssim.14
    vx, vy = _windowed(x * x) - mx * mx, _windowed(y * y) - my * my
    vxy = _windowed(x * y) - mx * my
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    above = (2 * mx * my + c1) * (2 * vxy + c2)
    return (above / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean((1, 2, 3))  # eq: ssim.13


def sharpness_difference(y: Array, x: Array) -> Array:
    """In decibels, of predictions y before truths x, (N, H, W, C): (N,); the higher, the sharper.

    10 log10(L^2 / mean |g(x) - g(y)|), g the sum of absolute differences to the neighbours above
    and to the left, on pictures in [-1, 1] with L = 2, over the places that have both (Mathieu et
    al. 2016, section 4). Infinite for equal edges. Raises ShapeError for unlike shapes.
    """
    _apart(y, x)
    apart = np.abs(_edges(x) - _edges(y)).mean((1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(RANGE**2 / apart)


def _edges(x: Array) -> Array:
    """Sum of absolute differences to the neighbours above and to the left."""
    x = x.astype(np.float64)
    here = x[:, 1:, 1:]
    return np.abs(here - x[:, :-1, 1:]) + np.abs(here - x[:, 1:, :-1])


def gradient_energy(x: Array) -> Array:
    """Sharpness: mean squared difference of neighbours, down plus right; (N, H, W, C) -> (N,)."""
    down, right = (np.square(np.diff(x.astype(np.float64), axis=axis)) for axis in (1, 2))
    return down.mean((1, 2, 3)) + right.mean((1, 2, 3))


def _windowed(x: Array) -> Array:
    """Weighted means under the window wherever it fits; a round Gaussian goes axis by axis."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-np.square(offsets) / (2 * DEVIATION**2))
    weights /= weights.sum()
    for axis in (1, 2):
        length = x.shape[axis] - WINDOW + 1
        shifted = (np.take(x, range(i, i + length), axis) for i in range(WINDOW))
        x = np.sum([w * part for w, part in zip(weights, shifted, strict=True)], axis=0)
    return x


def _apart(x: Array, y: Array) -> Array:
    if x.shape != y.shape or x.ndim != 4:
        raise ShapeError(f"pictures {x.shape} and {y.shape}: give (N, H, W, C) of one shape")
    return x.astype(np.float64) - y
