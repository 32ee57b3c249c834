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
class Truncating(Protocol):
    """Its z are truncated in a space of its own, such as StyleGAN's w."""

    prior: Prior

    def truncate(self, z: Array, psi: float) -> Array:
        """Samples of z, pulled to the typical one: by nothing at psi = 1, wholly at psi = 0."""


@runtime_checkable
class Reconstructing(Protocol):
    """It has an encoder: an example can be sent through its code."""

    def reconstruct(self, x: Array) -> Array:
        """Examples as they come back, in x's shape."""


@runtime_checkable
class Classifying(Protocol):
    """It names the class of an example, of the data's label that it was trained with."""

    label: str

    def classify(self, x: Array) -> Array:
        """Class numbers, int (N,)."""


@runtime_checkable
class Clustering(Protocol):
    """It sorts examples into clusters that nobody has named; `clusters` is how many, 0 for none."""

    clusters: int

    def cluster(self, x: Array) -> Array:
        """Cluster numbers, int (N,)."""
