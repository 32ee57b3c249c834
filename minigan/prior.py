"""Priors p_z(z) over the generator's input noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigan.backend import Array, DTypeLike, check_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.noise import Rng

PRIORS: dict[str, Callable[[Rng, tuple[int, int]], Array]] = {
    "uniform": lambda rng, shape: rng.uniform(-1, 1, shape),
    "normal": lambda rng, shape: rng.standard_normal(shape),
}


class Prior:
    """z (n, dim): independent numbers, "uniform" in (-1, 1) or "normal", drawn in float64 and cast.

    Raises UnknownNameError for another name, OptionError for dim below 1.
    """

    def __init__(self, name: str, dim: int, dtype: DTypeLike = np.float32) -> None:
        if name not in PRIORS:
            raise UnknownNameError("prior", name, PRIORS)
        if dim < 1:
            raise OptionError(f"z_dim={dim} must be at least 1")
        self.name, self.dim, self.dtype = name, dim, dtype

    def draw(self, n: int, rng: Rng) -> Array:
        """n samples, made where the state of rng lives. Raises OptionError for no generator."""
        return PRIORS[self.name](check_rng(rng), (n, self.dim)).astype(self.dtype)
