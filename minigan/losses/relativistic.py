r"""Relativistic objectives: how much more real an example looks than one of the other kind.

C is the critic, x_r a real and x_f a generated example. The pairwise form compares each with its
partner, the average form with the mean of the other kind. G's losses look at real examples too,
whose scores do not depend on G.
"""

from __future__ import annotations

from typing import ClassVar

from minigan.backend import Array, scalar
from minigan.losses.objective import Objective, Value, mean, paired, real_scores
from minigan.ops.activation import sigmoid, softplus

PAPER = "Jolicoeur-Martineau 2019, The relativistic discriminator, arXiv:1807.00734, sec. 4"

EQUATIONS = {
    "rgan.d": r"L_D = -\mathbb{E}_{x_r, x_f}[\log \sigma(C(x_r) - C(x_f))]",
    "rgan.g": r"L_G = -\mathbb{E}_{x_r, x_f}[\log \sigma(C(x_f) - C(x_r))]",
    "ragan.d": r"L_D = -\mathbb{E}_{x_r}[\log \sigma(C(x_r) - \mathbb{E}_{x_f} C(x_f))]"
    r" - \mathbb{E}_{x_f}[\log(1 - \sigma(C(x_f) - \mathbb{E}_{x_r} C(x_r)))]",
    "ragan.g": r"L_G = -\mathbb{E}_{x_f}[\log \sigma(C(x_f) - \mathbb{E}_{x_r} C(x_r))]"
    r" - \mathbb{E}_{x_r}[\log(1 - \sigma(C(x_r) - \mathbb{E}_{x_f} C(x_f)))]",
}


class Relativistic(Objective):
    """-log sigmoid(C(x_r) - C(x_f)) for D, and with the two exchanged for G (RSGAN)."""

    name: ClassVar[str] = "relativistic"
    summary: ClassVar[str] = "whether a real example looks more real than a generated one"
    explains = ("rgan",)
    needs_real = True

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        paired(self, real, fake)
        loss = softplus(fake - real)  # eq: rgan.d
        slope = sigmoid(fake - real) / real.size
        return mean(loss), -slope, slope  # eq: rgan.d

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        loss, d_fake, _ = self.discriminator(fake, real_scores(self, real))  # eq: rgan.g
        return loss, d_fake


class RelativisticAverage(Objective):
    """Each example against the mean score of the other kind (RaSGAN)."""

    name: ClassVar[str] = "relativistic-average"
    summary: ClassVar[str] = "whether an example looks more real than the average of the others"
    explains = ("ragan",)
    needs_real = True

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        over, under = real - fake.mean(), fake - real.mean()
        loss = softplus(-over).mean() + softplus(under).mean()  # eq: ragan.d
        d_over, d_under = -sigmoid(-over) / real.size, sigmoid(under) / fake.size
        # Each score also moves the mean that the other kind is compared with.
        d_real = d_over - d_under.sum() / real.size
        d_fake = d_under - d_over.sum() / fake.size
        return scalar(loss), d_real, d_fake

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        loss, d_fake, _ = self.discriminator(fake, real_scores(self, real))  # eq: ragan.g
        return loss, d_fake
