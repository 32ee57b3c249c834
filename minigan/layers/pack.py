r"""PacGAN's packing: a discriminator that judges m examples at a time (Lin et al. 2018).

    D(X_1, ..., X_m):  the m examples joined along the channels, one logit for all of them

Real packs hold m draws of the data, generated packs m draws of G. A generator that repeats itself
makes packs that are easy to tell: what is judged is the m-fold product of each distribution, and
losing modes moves the two products far apart (Theorem 3 of the paper). Nothing else of the game
changes: every objective averages over the logits, of which there are N / m.
"""

from __future__ import annotations

import math

from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.layers.shape import Linear

PAPER = "Lin et al. 2018, PacGAN: The power of two samples, arXiv:1712.04086, section 2"

EQUATIONS = {
    "pack.game": r"\min_G \max_D \mathbb{E}_{x_1, ..., x_m \sim p_{data}}[\log D(x_1, ..., x_m)]"
    r" + \mathbb{E}_{z_1, ..., z_m \sim p_z}[\log(1 - D(G(z_1), ..., G(z_m)))]",
}


class Pack(Linear):
    """(N, ..., C) -> (N / m, ..., m C): m neighbours of the batch become one example.

    Raises OptionError for m below 1, ShapeError for a batch that m does not divide.
    """

    def __init__(self, m: int) -> None:
        super().__init__()
        if m < 1:
            raise OptionError(f"m={m!r}: a pack holds at least 1 example")
        self.m = m

    def describe(self) -> str:
        return str(self.m)

    def apply(self, x: Array) -> Array:
        self.check_array(x, "(N, ..., C)", x.ndim >= 2)
        if len(x) % self.m:
            raise ShapeError(
                f"{self!r} wanted a batch that can be split into packs of {self.m}, got shape "
                f"{x.shape}; use a --batch that {self.m} divides"
            )
        n, *places, channels = x.shape
        rows = x.reshape(n // self.m, self.m, math.prod(places), channels)
        return rows.swapaxes(1, 2).reshape(  # eq: pack.game
            n // self.m, *places, self.m * channels
        )

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        _, *places, channels = x_shape
        rows = dy.reshape(len(dy), math.prod(places), self.m, channels)
        return rows.swapaxes(1, 2).reshape(x_shape)
