"""What a discriminator can be built with against mode collapse and instability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigan.errors import OptionError
from minigan.layers import (
    Layer,
    MinibatchDiscrimination,
    MinibatchStdDev,
    SpectralNorm,
)


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """Parts of a discriminator, each off unless asked for.

    pac: examples that are judged together (PacGAN). spectral_norm: every weight divided by its
    largest singular value. minibatch_stddev: a channel with the batch's deviation before the last
    layer. minibatch_discrimination: the number of kernels that compare examples there, 0 for none.
    """

    pac: int = 1
    spectral_norm: bool = False
    minibatch_stddev: bool = False
    minibatch_discrimination: int = 0

    def __post_init__(self) -> None:
        if self.pac < 1:
            raise OptionError(f"pac={self.pac}: D judges at least 1 example at a time")
        if self.minibatch_discrimination < 0:
            raise OptionError(
                f"minibatch_discrimination={self.minibatch_discrimination}: wanted a number of "
                "kernels, or 0 for none"
            )

    def weighted(self, layer: Layer, rng: np.random.Generator) -> Layer:
        """A layer with weights as D holds it."""
        return SpectralNorm(layer, rng=rng) if self.spectral_norm else layer

    def deviation(self) -> list[Layer]:
        """What adds one channel, `minibatch_stddev`, to the last features."""
        return [MinibatchStdDev()] if self.minibatch_stddev else []

    def comparison(self, features: int, rng: np.random.Generator) -> list[Layer]:
        """What joins `minibatch_discrimination` numbers to the last features (N, features)."""
        kernels = self.minibatch_discrimination
        return [MinibatchDiscrimination(features, kernels, rng=rng)] if kernels else []
