r"""The encoder's distribution of codes q(z | x), from the output h of the network E.

    deterministic   z = h
    gaussian        h = (mu, log sigma^2),  z = mu + sigma eps,  eps ~ N(0, I)

The second is the reparameterisation of Kingma and Welling 2014 (section 2.4): with eps drawn apart,
z is a differentiable function of h,

    dmu = dz,    d(log sigma^2) = 1/2 sigma eps dz.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigan.backend import Array
from minigan.noise import Rng
from minigan.prior import Prior

PAPER = "Kingma and Welling 2014, Auto-encoding variational Bayes, arXiv:1312.6114"

EQUATIONS = {
    "posterior.reparameterisation": r"z^{(i,l)} = \mu^{(i)} + \sigma^{(i)} \odot \epsilon^{(l)},"
    r" \quad \epsilon^{(l)} \sim \mathcal{N}(0, I)",
}


class Posterior(ABC):
    """How a code is drawn from E's output h (N, numbers * J), J numbers in a code."""

    name: ClassVar[str]
    numbers: ClassVar[int]  # that E gives for each number of a code

    @abstractmethod
    def draw(self, h: Array, rng: Rng) -> tuple[Array, Any]:
        """A code for each row of h, (N, J), and what `backward` needs."""

    @abstractmethod
    def backward(self, dz: Array, ctx: Any) -> Array:
        """The gradient of h from that of the drawn codes."""

    @abstractmethod
    def mean(self, h: Array) -> Array:
        """The codes' means, (N, J)."""


class Deterministic(Posterior):
    """z = h: nothing is drawn."""

    name = "deterministic"
    numbers = 1

    def draw(self, h: Array, rng: Rng) -> tuple[Array, None]:
        return h, None

    def backward(self, dz: Array, ctx: None) -> Array:
        return dz

    def mean(self, h: Array) -> Array:
        return h


@dataclass(frozen=True, slots=True)
class Spread:
    """sigma eps, by which the drawn codes differ from their means."""

    noise: Array


class Gaussian(Posterior):
    """q(z | x) = N(mu, diag(sigma^2)) with h = (mu, log sigma^2)."""

    name = "gaussian"
    numbers = 2

    def split(self, h: Array) -> tuple[Array, Array]:
        """mu and log sigma^2, each (N, J)."""
        mu, log_var = np.split(h, 2, axis=-1)
        return mu, log_var

    def draw(self, h: Array, rng: Rng) -> tuple[Array, Spread]:
        mu, log_var = self.split(h)
        epsilon = Prior("normal", mu.shape[-1], mu.dtype).draw(len(mu), rng)
        spread = np.exp(log_var / 2) * epsilon
        return mu + spread, Spread(spread)  # eq: posterior.reparameterisation

    def backward(self, dz: Array, ctx: Spread) -> Array:
        return np.concatenate([dz, dz * ctx.noise / 2], -1)

    def mean(self, h: Array) -> Array:
        return self.split(h)[0]


POSTERIORS: dict[str, type[Posterior]] = {p.name: p for p in (Deterministic, Gaussian)}
