"""What an algorithm can do beyond `Algorithm`, for commands and pictures that ask for it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from minigan.backend import Array
from minigan.prior import Prior


@runtime_checkable
class Latent(Protocol):
    """Its samples are made of a latent z, which can be drawn, walked through and given."""

    prior: Prior

    def generate(self, z: Array) -> Array:
        """The samples that draws z (N, z_dim) of the prior stand for."""


@runtime_checkable
class Reconstructing(Protocol):
    """It has an encoder: an example can be sent through its code."""

    def reconstruct(self, x: Array) -> Array:
        """Examples as they come back, in x's shape."""
