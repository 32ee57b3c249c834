"""Mixtures of equal round Gaussians, drawn without end: data whose density is known.

    p(x) = 1/K  sum_k  N(x; centre_k, sigma² I)

Source of ring and grid: Lin et al. (2018), "PacGAN: The power of two samples in generative
adversarial networks", table 1.
"""

from __future__ import annotations

import itertools

import numpy as np

from minigan.data.base import Batch, Endless
from minigan.data.options import Options


class Mixture(Endless):
    """K Gaussians of standard deviation `sigma` around `centres`, float64 (K, D).

    With more than one of them, the label "mode" is the number of the one that a point came from.
    There is no test split to ask for: every draw is fresh, so either split is the distribution.
    """

    def __init__(self, name: str, centres: np.ndarray, sigma: float) -> None:
        modes, dimensions = centres.shape
        names = {"mode": tuple(map(str, range(modes)))} if modes > 1 else {}
        super().__init__(name, (dimensions,), names)
        self.centres = centres
        self.sigma = sigma

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        modes = rng.integers(len(self.centres), size=n)
        noise = rng.standard_normal((n, *self.shape))
        x = (self.centres[modes] + self.sigma * noise).astype(np.float32)
        return Batch(x, modes[:, None] if self.label_names else None)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """log p(x) in nats, float64 (N,), at the points `x`, (N, D)."""
        modes, dimensions = self.centres.shape
        distance = ((x[:, None, :] - self.centres) ** 2).sum(axis=2)
        normaliser = 0.5 * dimensions * np.log(2 * np.pi * self.sigma**2) + np.log(modes)
        return np.logaddexp.reduce(-distance / (2 * self.sigma**2), axis=1) - normaliser


def ring() -> Mixture:
    """Eight Gaussians of sigma 0.01, evenly spaced on the unit circle."""
    angles = 2 * np.pi * np.arange(8) / 8  # 0 and 2 pi are one centre, so the end is left out
    return Mixture("ring", np.stack([np.cos(angles), np.sin(angles)], axis=1), sigma=0.01)


def grid() -> Mixture:
    """Twenty-five Gaussians of sigma 0.05 at the whole even coordinates from -4 to 4."""
    line = np.arange(-4.0, 5.0, 2.0)
    return Mixture("grid", np.array(list(itertools.product(line, line))), sigma=0.05)


def gaussian1d(mu: float = 4.0, sigma: float = 1.25) -> Mixture:
    """The normal distribution N(mu, sigma²) on the line, off the 0 where a generator starts."""
    return Mixture("gaussian1d", np.array([[mu]]), sigma)


def open_ring(options: Options) -> Mixture:
    """The ring. Raises OptionError for a size or channels."""
    options.refuse_picture_options("ring")
    return ring()


def open_grid(options: Options) -> Mixture:
    """The grid. Raises OptionError for a size or channels."""
    options.refuse_picture_options("grid")
    return grid()


def open_gaussian1d(options: Options) -> Mixture:
    """The Gaussian on the line. Raises OptionError for a size or channels."""
    options.refuse_picture_options("gaussian1d")
    return gaussian1d()
