"""Options and networks that GANs with codes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from minigan.algorithms.checks import check_counts, check_network, check_units
from minigan.algorithms.options import AdversarialOptions, Streams, Task
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.layers import Sequential
from minigan.models import (
    conv_encoder,
    dcgan_discriminator,
    dcgan_generator,
    dense_discriminator,
    mlp_encoder,
    mlp_generator,
)
from minigan.models.norms import NORMS, WITH_REFERENCE

NETWORKS = ("conv", "mlp")
PLAIN_NORMS = [name for name in NORMS if name not in WITH_REFERENCE]


@dataclass(frozen=True, kw_only=True)
class CodeOptions(AdversarialOptions):
    """The game's options, and networks of either kind: DCGAN's for pictures, or perceptrons."""

    only_with: ClassVar[Company] = {
        "hidden_G": Needs(("network",), ("mlp",)),
        "hidden_D": Needs(("network",), ("mlp",)),
        "width": Needs(("network",), ("conv",)),
    }

    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    network: str = option("conv", "networks: DCGAN's for pictures, or perceptrons", NETWORKS)
    hidden_G: tuple[int, ...] = option((512, 512), "units of G's hidden layers (mlp)")
    hidden_D: tuple[int, ...] = option((512, 512), "units of D's hidden layers (mlp)")
    width: int = option(32, "channels next to the picture, doubled by every halving (conv)")
    norm_D: str = option("batch", "norm in D (conv)", PLAIN_NORMS)

    def check(self, task: Task) -> None:
        """Raise OptionError for options that cannot be."""
        known("network", self.network, dict.fromkeys(NETWORKS))
        known("norm", self.norm_D, dict.fromkeys(PLAIN_NORMS))
        check_network(self, task.shape)
        check_counts(self, "z_dim", "width")
        check_units(self, "hidden_G", "hidden_D")

    def generator(self, z_dim: int, shape: tuple[int, ...], streams: Streams) -> Sequential:
        """z (N, z_dim) -> examples (N, *shape), pictures in (-1, 1)."""
        if self.network == "conv":
            return dcgan_generator(z_dim, shape, width=self.width, rng=streams.weights)
        bounded = len(shape) == 3
        return mlp_generator(
            z_dim, shape, hidden=self.hidden_G, bounded=bounded, norm="batch", rng=streams.weights
        )

    def discriminator(self, shape: tuple[int, ...], streams: Streams) -> Sequential:
        """Examples (N, *shape) -> logits (N, 1), its last layer dense."""
        if self.network == "conv":
            return dcgan_discriminator(
                shape, width=self.width, norm=self.norm_D, rng=streams.weights
            )
        return dense_discriminator(shape, hidden=self.hidden_D, rng=streams.weights)

    def encoder(self, shape: tuple[int, ...], outputs: int, streams: Streams) -> Sequential:
        """Examples (N, *shape) -> (N, outputs): D's kind of network with another end."""
        if self.network == "conv":
            return conv_encoder(shape, outputs, width=self.width, rng=streams.weights)
        return mlp_encoder(shape, outputs, hidden=self.hidden_D, rng=streams.weights)
