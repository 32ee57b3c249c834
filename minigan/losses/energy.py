r"""Objectives of an energy: D is an auto-encoder, and its number is how badly it reconstructs.

EBGAN: D lowers the energy of real examples and raises that of generated ones up to a margin m; the
pulling-away term keeps the codes of one batch of generated examples from pointing one way.
BEGAN: D balances the two energies by a weight k_t that a proportional control moves.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from minigan.backend import Array, array_module, scalar
from minigan.errors import OptionError, ShapeError
from minigan.layers import Layer, ReconstructionError
from minigan.losses.objective import Objective, Value, column, last_layer, mean
from minigan.ops.linear import matmul

PAPER = (
    "Zhao et al. 2017, Energy-based GAN, arXiv:1609.03126, eq. 1 and 2, section 2.4;"
    " Berthelot et al. 2017, BEGAN, arXiv:1703.10717, section 3.4"
)

EQUATIONS = {
    "ebgan.d": r"L_D(x, z) = D(x) + [m - D(G(z))]^+",
    "ebgan.g": r"L_G(z) = D(G(z))",
    "ebgan.pt": r"f_{PT}(S) = \frac{1}{N(N - 1)} \sum_i \sum_{j \ne i} \left("
    r"\frac{S_i^\top S_j}{\|S_i\| \|S_j\|} \right)^2",
    "began.d": r"L_D = L(x) - k_t L(G(z_D))",
    "began.g": r"L_G = L(G(z_G))",
    "began.k": r"k_{t+1} = k_t + \lambda_k (\gamma L(x) - L(G(z_G))), \quad k_t \in [0, 1]",
    "began.m": r"M_{global} = L(x) + |\gamma L(x) - L(G(z_G))|",
}


class Energy(Objective):
    """Base of objectives that take the energies of an auto-encoder; G lowers that of its own."""

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        return mean(fake), column(fake, 1 / fake.size)  # eq: ebgan.g, began.g

    def report(self, real: Array, fake: Array) -> dict[str, Value]:
        """Mean energies."""
        return {"energy(x)": mean(real), "energy(G(z))": mean(fake)}

    def check(self, D: Layer) -> None:
        end = last_layer(D)
        if not isinstance(end, ReconstructionError):
            raise OptionError(
                f"objective {self.name!r} takes the energies of an auto-encoder, and D ends in "
                f"{end!r}, which has no decoder; train ebgan or began, or end D in a "
                "ReconstructionError(encoder, decoder)"
            )


class EnergyMargin(Energy):
    """EBGAN: energies of generated examples count for D as long as they are below the margin."""

    name: ClassVar[str] = "ebgan"
    summary: ClassVar[str] = "energies: D lowers that of real, raises that of generated to a margin"
    explains = ("ebgan",)

    def __init__(self, *, margin: float = 1.0) -> None:
        if not 0 < margin < np.inf:
            raise OptionError(f"margin={margin!r} must be above 0 and finite")
        self.margin = margin

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        short = np.maximum(self.margin - fake, 0)
        loss = real.mean() + short.mean()  # eq: ebgan.d
        return scalar(loss), column(real, 1 / real.size), -np.sign(short) / fake.size


class Equilibrium(Energy):
    """BEGAN: D weighs the energy of generated examples by k_t, which starts at 0.

    gamma, the diversity ratio in (0, 1], is the ratio of generated to real energies that the
    control of k_t holds; rate is the control's lambda_k.
    """

    name: ClassVar[str] = "began"
    summary: ClassVar[str] = "energies in equilibrium: that of generated gamma times that of real"
    explains = ("began", "ebgan")

    def __init__(self, *, gamma: float = 0.5, rate: float = 0.001) -> None:
        if not 0 < gamma <= 1:
            raise OptionError(f"gamma={gamma!r} must lie in (0, 1]")
        if not 0 < rate < np.inf:
            raise OptionError(f"rate={rate!r} must be above 0 and finite")
        self.gamma, self.rate = gamma, rate
        self.k = np.zeros(1)

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        self._move(fake)
        loss = real.mean() - (self.k * fake.mean())[0]  # eq: began.d
        d_fake = column(fake, -1 / fake.size) * self.k.astype(fake.dtype)
        return scalar(loss), column(real, 1 / real.size), d_fake

    def settle(self, scalars: dict[str, Value]) -> dict[str, Value]:
        """Move k_t by the energies of this iteration; k_t and the measure of convergence."""
        balance = self.gamma * scalars["energy(x)"] - scalars["loss_G"]
        self.k[...] = np.clip(self.k + self.rate * balance, 0, 1)  # eq: began.k
        convergence = scalars["energy(x)"] + abs(balance)  # eq: began.m
        return {"k_t": scalar(self.k[0]), "convergence": convergence}

    def state_dict(self) -> dict[str, Array]:
        return {"k": self.k}

    def _move(self, like: Array) -> None:
        """Keep k_t where the energies are."""
        module = array_module(like)
        if array_module(self.k) is not module:
            self.k = module.asarray(self.k)


def pulling_away(codes: Array) -> tuple[Value, Array]:
    """The mean squared cosine between the codes of a batch, (N, ...), and its gradient.

    In [0, 1]: 0 where all are orthogonal, 1 where all point one way. Raises ShapeError below two.
    """
    n = len(codes)
    if n < 2:
        raise ShapeError(f"the pulling-away term compares codes; wanted 2 or more, got {n}")
    rows = codes.reshape(n, -1)
    squares = (rows * rows).sum(1, keepdims=True)
    norms = np.sqrt(np.maximum(squares, np.finfo(rows.dtype).tiny))  # no row ends longer than 1
    unit = rows / norms
    cosines = matmul(unit, unit.T)
    diagonal = array_module(codes).arange(n)
    cosines[diagonal, diagonal] = 0
    value = (cosines * cosines).sum() / (n * (n - 1))  # eq: ebgan.pt
    d_unit = 4 / (n * (n - 1)) * matmul(cosines, unit)
    d_rows = (d_unit - unit * (d_unit * unit).sum(1, keepdims=True)) / norms
    return scalar(value), d_rows.reshape(codes.shape)
