"""A prior whose draws are noise and codes side by side: one-hot classes and numbers in [-1, 1]."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minigan.backend import Array, array_module, joined
from minigan.errors import OptionError
from minigan.noise import Rng
from minigan.prior import Prior


@dataclass(frozen=True, slots=True)
class Code:
    """A part of z with a meaning of its own: `size` numbers from `start` on.

    categorical: one-hot, each class as likely; else one number of U(-1, 1).
    """

    name: str
    categorical: bool
    start: int
    size: int

    @property
    def where(self) -> slice:
        """Its columns of z."""
        return slice(self.start, self.start + self.size)

    @property
    def entropy(self) -> float:
        """H(c), in nats."""
        return math.log(self.size if self.categorical else 2)


class CodePrior(Prior):
    """z = (noise, c_1, ..., c_L): `noise` times `scale`, a one-hot code for each number of classes
    in `categorical`, then `continuous` numbers of U(-1, 1).

    Raises OptionError for codes that cannot be.
    """

    def __init__(
        self,
        noise: Prior,
        *,
        categorical: Sequence[int] = (),
        continuous: int = 0,
        scale: float = 1.0,
    ) -> None:
        if any(classes < 2 for classes in categorical) or continuous < 0:
            raise OptionError(
                f"categorical codes of {', '.join(map(str, categorical)) or 'none'} classes and "
                f"{continuous} continuous ones: wanted 2 or more classes in each, 0 or more numbers"
            )
        if not 0 < scale < math.inf:
            raise OptionError(f"noise of scale {scale!r}: wanted above 0 and finite")
        self.noise, self.scale = noise, scale
        sizes = [(True, size) for size in categorical] + [(False, 1)] * continuous
        codes, start = [], noise.dim
        for i, (is_categorical, size) in enumerate(sizes, 1):
            codes.append(Code(f"c{i}", is_categorical, start, size))
            start += size
        self.codes = tuple(codes)
        self.name, self.dim, self.dtype = noise.name, start, noise.dtype

    def draw(self, n: int, rng: Rng) -> Array:
        """n samples: noise first, then the codes in their order."""
        parts = [self.noise.draw(n, rng) * np.dtype(self.dtype).type(self.scale)]
        parts += [self._draw(code, n, rng) for code in self.codes]
        return joined(parts, 1)

    def _draw(self, code: Code, n: int, rng: Rng) -> Array:
        if not code.categorical:
            return rng.uniform(-1, 1, (n, 1)).astype(self.dtype)
        chosen = np.floor(code.size * rng.uniform(0, 1, (n, 1)))
        return (chosen == array_module(chosen).arange(code.size)).astype(self.dtype)
