"""Options and networks that the autoencoders share."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol

import numpy as np

from minigan.algorithms.autoencoding.posterior import POSTERIORS, Posterior
from minigan.algorithms.checks import check_clip_norm, check_counts, check_network, check_units
from minigan.algorithms.options import OptimizerOptions, Streams, Task
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.layers import Layer
from minigan.losses import OBJECTIVES
from minigan.models import (
    conv_decoder,
    conv_encoder,
    conv_joint_discriminator,
    dcgan_discriminator,
    dense_discriminator,
    mlp_decoder,
    mlp_encoder,
    mlp_joint_discriminator,
)
from minigan.optim import Optimizer
from minigan.prior import PRIORS, Prior

Rng = np.random.Generator


class Family(Protocol):
    """How the networks of one kind are built for a task, from the options of their sizes."""

    def encoder(self, o: AutoencoderOptions, task: Task, outputs: int, rng: Rng) -> Layer:
        """Examples -> (N, outputs)."""

    def decoder(self, o: AutoencoderOptions, task: Task, bounded: bool, rng: Rng) -> Layer:
        """Codes -> examples, in (-1, 1) if `bounded`."""

    def discriminator(self, o: JudgedOptions, task: Task, rng: Rng) -> Layer:
        """Examples -> logits."""

    def joint_discriminator(self, o: JudgedOptions, task: Task, rng: Rng) -> Layer:
        """Examples and codes -> logits."""


class Perceptrons(Family):
    """For data of any shape."""

    def encoder(self, o: AutoencoderOptions, task: Task, outputs: int, rng: Rng) -> Layer:
        return mlp_encoder(task.shape, outputs, hidden=o.hidden_E, batch_norm=o.batch_norm, rng=rng)

    def decoder(self, o: AutoencoderOptions, task: Task, bounded: bool, rng: Rng) -> Layer:
        return mlp_decoder(
            o.z_dim,
            task.shape,
            hidden=o.hidden_G,
            bounded=bounded,
            batch_norm=o.batch_norm,
            rng=rng,
        )

    def discriminator(self, o: JudgedOptions, task: Task, rng: Rng) -> Layer:
        return dense_discriminator(task.shape, hidden=o.hidden_D, rng=rng)

    def joint_discriminator(self, o: JudgedOptions, task: Task, rng: Rng) -> Layer:
        return mlp_joint_discriminator(
            task.shape, o.z_dim, hidden=o.hidden_D, batch_norm=o.batch_norm, rng=rng
        )


class Convolutions(Family):
    """DCGAN's networks, for pictures."""

    def encoder(self, o: AutoencoderOptions, task: Task, outputs: int, rng: Rng) -> Layer:
        return conv_encoder(task.shape, outputs, width=o.width, rng=rng)

    def decoder(self, o: AutoencoderOptions, task: Task, bounded: bool, rng: Rng) -> Layer:
        return conv_decoder(o.z_dim, task.shape, width=o.width, bounded=bounded, rng=rng)

    def discriminator(self, o: JudgedOptions, task: Task, rng: Rng) -> Layer:
        return dcgan_discriminator(task.shape, width=o.width, rng=rng)

    def joint_discriminator(self, o: JudgedOptions, task: Task, rng: Rng) -> Layer:
        return conv_joint_discriminator(task.shape, o.z_dim, width=o.width, rng=rng)


FAMILIES: dict[str, Family] = {"mlp": Perceptrons(), "conv": Convolutions()}


@dataclass(frozen=True, kw_only=True)
class AutoencoderOptions(OptimizerOptions):
    """The optimiser, the code, and the sizes of encoder and decoder."""

    batch_norm: ClassVar[bool] = False  # whether perceptrons hold it
    only_with: ClassVar[Company] = {
        "hidden_E": Needs(("network",), ("mlp",)),
        "hidden_G": Needs(("network",), ("mlp",)),
        "width": Needs(("network",), ("conv",)),
    }
    lr: float = option(1e-3, "learning rate")
    network: str = option("mlp", "networks: perceptrons, or DCGAN's for pictures", FAMILIES)
    z_dim: int = option(32, "numbers in a code z")
    hidden_E: tuple[int, ...] = option((512, 512), "units of E's hidden layers (mlp)")
    hidden_G: tuple[int, ...] = option((512, 512), "units of G's hidden layers (mlp)")
    width: int = option(32, "channels next to the picture, doubled by every halving (conv)")

    def family(self, task: Task) -> Family:
        """The networks' builder. Raises OptionError for options that cannot be."""
        known("network", self.network, FAMILIES)
        check_network(self, task.shape)
        check_counts(self, "z_dim", "width")
        check_units(self, *(f.name for f in fields(self) if f.name.startswith("hidden_")))
        check_clip_norm(self)
        return FAMILIES[self.network]

    def build_optimizers(self, task: Task, **networks: Layer) -> dict[str, Optimizer]:
        """One for each network, by its name. Raises as `build_optimizer`."""
        return {name: self.build_optimizer(net.flat, task) for name, net in networks.items()}

    @property
    def max_grad_norm(self) -> float:
        """The longest gradient that is not scaled down."""
        return math.inf if self.clip_norm is None else self.clip_norm


@dataclass(frozen=True, kw_only=True)
class JudgedOptions(AutoencoderOptions):
    """And a discriminator, with the objective of its game."""

    objective: str = option("non-saturating", "the game with the discriminator", OBJECTIVES)
    prior: str = option("normal", "distribution of the codes", PRIORS)
    encoder: str = option("deterministic", "how E gives a code of an example", POSTERIORS)
    hidden_D: tuple[int, ...] = option((512, 512), "units of D's hidden layers")

    def posterior(self) -> Posterior:
        """Raises UnknownNameError."""
        known("encoder", self.encoder, POSTERIORS)
        return POSTERIORS[self.encoder]()

    def shared(self, streams: Streams) -> dict[str, Any]:
        """What every algorithm with a discriminator is given."""
        return {
            "prior": Prior(self.prior, self.z_dim),
            "posterior": self.posterior(),
            "max_grad_norm": self.max_grad_norm,
            "rng": streams.noise,
        }
