r"""Objectives of a critic, whose numbers are scores: high for real, low for generated examples.

The Wasserstein distance is a supremum over 1-Lipschitz critics; what keeps D near them (clipped
weights, a gradient penalty, spectral norms) is a part of the algorithm. The hinge loss stops where
D is right by a margin, for each example alone; GoGAN's margin is between a real and a generated
example, and without its hinge (epsilon large) it is Wasserstein's.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from minigan.backend import Array, scalar
from minigan.errors import OptionError
from minigan.losses.objective import Objective, Value, column, mean, paired
from minigan.ops.loss import Term, mean_loss, mean_losses

PAPER = {
    "wgan": "Arjovsky et al. 2017, Wasserstein GAN, arXiv:1701.07875, Algorithm 1",
    "hinge": "Lim and Ye 2017, Geometric GAN, arXiv:1705.02894",
    "gogan": "Juefei-Xu et al. 2017, Gang of GANs, arXiv:1704.04865",
}

EQUATIONS = {
    "wgan.d": r"\max_{\|D\|_L \le 1} \mathbb{E}_x[D(x)] - \mathbb{E}_z[D(G(z))]",
    "wgan.g": r"\min_G -\mathbb{E}_z[D(G(z))]",
    "hinge.d": r"\min_D \mathbb{E}_x[\max(0, 1 - D(x))] + \mathbb{E}_z[\max(0, 1 + D(G(z)))]",
    "gogan.d": r"\min_D \mathbb{E}_{x, z}[\max(0, D(G(z)) + \epsilon - D(x))]",
}


class Wasserstein(Objective):
    """The critic's estimate of the Wasserstein distance, which it ascends and G descends."""

    name: ClassVar[str] = "wasserstein"
    summary: ClassVar[str] = "the mean score of real minus that of generated examples"
    has_lower_bound: ClassVar[bool] = False
    explains = ("wgan",)

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        loss = fake.mean() - real.mean()  # eq: wgan.d
        return scalar(loss), column(real, -1 / real.size), column(fake, 1 / fake.size)

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        return scalar(-fake.mean()), column(fake, -1 / fake.size)  # eq: wgan.g

    def report(self, real: Array, fake: Array) -> dict[str, Value]:
        """Mean scores, and their difference: the estimate of the distance."""
        distance = scalar(real.mean() - fake.mean())
        return {**super().report(real, fake), "wasserstein": distance}


class Hinge(Objective):
    """D pays for scores of real examples below 1 and of generated ones above -1."""

    name: ClassVar[str] = "hinge"
    summary: ClassVar[str] = "D pays where it is right by less than 1; G as in Wasserstein"
    explains = ("hinge", "wgan")

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        below, above = Term("below", parameter=1.0), Term("above", parameter=-1.0)
        loss, d_real, d_fake = mean_losses(real, fake, below, above)  # eq: hinge.d
        return scalar(loss), d_real, d_fake

    def negative(self, fake: Array) -> tuple[Value, Array]:
        loss, d_fake = mean_loss(fake, Term("above", parameter=-1.0))
        return scalar(loss), d_fake

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        return scalar(-fake.mean()), column(fake, -1 / fake.size)  # eq: wgan.g


class Margin(Objective):
    """D pays where a real example's score is above a generated one's by less than epsilon.

    The first stage of GoGAN, and with `Ranking` (algorithms/adversarial/gogan.py) its later ones.
    """

    name: ClassVar[str] = "margin"
    summary: ClassVar[str] = "GoGAN: real above generated scores by epsilon; G as in Wasserstein"
    explains = ("gogan", "wgan")

    def __init__(self, *, epsilon: float = 1.0) -> None:
        if not 0 < epsilon < np.inf:
            raise OptionError(f"epsilon={epsilon!r} must be above 0 and finite")
        self.epsilon = epsilon

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        paired(self, real, fake)
        short = np.maximum(fake + self.epsilon - real, 0)
        slope = np.sign(short) / real.size
        return mean(short), -slope, slope  # eq: gogan.d

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        return scalar(-fake.mean()), column(fake, -1 / fake.size)  # eq: wgan.g
