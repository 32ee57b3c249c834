r"""Least squares: D's numbers are drawn to targets, so that G is told how far off it is.

a: D's target for generated examples; b: for real ones; c: what G wants D to say of its own.
Both choices of the paper: (a, b, c) = (-1, 1, 0), with which G minimises Pearson's chi^2 between
p_data + p_g and 2 p_g (any b - c = 1, b - a = 2 does), and the 0-1 coding (0, 1, 1), with which G
makes D take its examples for real ones.
"""

from __future__ import annotations

import math
from typing import ClassVar

from minigan.backend import Array, scalar
from minigan.errors import OptionError
from minigan.losses.objective import Objective, Value
from minigan.ops.loss import Term, mean_loss, mean_losses

PAPER = "Mao et al. 2017, Least squares GAN, arXiv:1611.04076, eq. 2, 8 and 9"

EQUATIONS = {
    "lsgan.d": r"\min_D \frac{1}{2} \mathbb{E}_x[(D(x) - b)^2] + \frac{1}{2} \mathbb{E}_z"
    r"[(D(G(z)) - a)^2]",
    "lsgan.g": r"\min_G \frac{1}{2} \mathbb{E}_z[(D(G(z)) - c)^2]",
}


class LeastSquares(Objective):
    """Half the mean squared distance to targets a (generated), b (real) and c (for G)."""

    name: ClassVar[str] = "lsgan"
    summary: ClassVar[str] = "least squares to targets: a=0, b=1, c=1, or the paper's -1, 1, 0"
    explains = ("lsgan",)

    def __init__(self, *, a: float = 0.0, b: float = 1.0, c: float = 1.0) -> None:
        if not all(map(math.isfinite, (a, b, c))) or a == b:
            raise OptionError(f"a={a!r}, b={b!r}, c={c!r}: wanted finite targets with a unlike b")
        self.a, self.b, self.c = a, b, c

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        to_b, to_a = Term("square", parameter=self.b), Term("square", parameter=self.a)
        loss, d_real, d_fake = mean_losses(real, fake, to_b, to_a)  # eq: lsgan.d
        return scalar(loss), d_real, d_fake

    def negative(self, fake: Array) -> tuple[Value, Array]:
        loss, d_fake = mean_loss(fake, Term("square", parameter=self.a))
        return scalar(loss), d_fake

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        loss, d_fake = mean_loss(fake, Term("square", parameter=self.c))  # eq: lsgan.g
        return scalar(loss), d_fake
