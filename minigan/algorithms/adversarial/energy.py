"""EBGAN and BEGAN: Algorithm 1 with an auto-encoder for D, whose number is an energy.

EBGAN (Zhao, Mathieu, LeCun 2017, arXiv:1609.03126): a margin, and for G the pulling-away term on
the codes of what it made. BEGAN (Berthelot, Schumm, Metz 2017, arXiv:1703.10717): absolute
differences for energies, and a weight k_t that holds their ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from minigan.algorithms.checks import check_counts, check_network, check_units, check_weights
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import AdversarialOptions, Streams, Task
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer, ReconstructionError
from minigan.losses import OBJECTIVES, Objective
from minigan.losses.energy import EnergyMargin, pulling_away
from minigan.losses.objective import Value
from minigan.models import (
    began_decoder,
    began_encoder,
    conv_decoder,
    conv_encoder,
    mlp_decoder,
    mlp_encoder,
)
from minigan.prior import PRIORS

# G, and D's encoder and decoder.
Networks = tuple[Layer, Layer, Layer]
Builder = Callable[["EnergyOptions", Task, np.random.Generator], Networks]


class PullingAway:
    """G's loss: the energies of its examples, plus `weight` times the pulling-away term."""

    def __init__(self, objective: Objective, weight: float) -> None:
        self.objective, self.weight = objective, weight

    def __call__(self, D: ReconstructionError, fake: Array, real: Array) -> tuple[Value, Array]:
        energies, ctx = D.forward(fake, update_stats=False)
        loss, d_energies = self.objective.generator(energies)
        term, d_code = pulling_away(ctx.code)
        dfake = D.backward(d_energies, ctx, need_dw=False)
        assert dfake is not None
        return loss + self.weight * term, dfake + D.code_backward(self.weight * d_code, ctx)


def perceptrons(o: EnergyOptions, task: Task, rng: np.random.Generator) -> Networks:
    """For data of any shape."""
    bounded = task.kind == "image"
    return (
        mlp_decoder(o.z_dim, task.shape, hidden=o.hidden_G, bounded=bounded, rng=rng),
        mlp_encoder(task.shape, o.code_dim, hidden=o.hidden_D, rng=rng),
        mlp_decoder(o.code_dim, task.shape, hidden=o.hidden_D[::-1], bounded=bounded, rng=rng),
    )


def dcgan(o: EnergyOptions, task: Task, rng: np.random.Generator) -> Networks:
    """DCGAN's convolutions with batch norm, as in EBGAN's experiments on pictures."""
    return (
        conv_decoder(o.z_dim, task.shape, width=o.width, rng=rng),
        conv_encoder(task.shape, o.code_dim, width=o.width, rng=rng),
        conv_decoder(o.code_dim, task.shape, width=o.width, rng=rng),
    )


def began(o: EnergyOptions, task: Task, rng: np.random.Generator) -> Networks:
    """BEGAN's own."""
    return (
        began_decoder(o.z_dim, task.shape, width=o.width, rng=rng),
        began_encoder(task.shape, o.code_dim, width=o.width, rng=rng),
        began_decoder(o.code_dim, task.shape, width=o.width, rng=rng),
    )


NETWORKS: dict[str, Builder] = {"mlp": perceptrons, "conv": dcgan, "began": began}


@dataclass(frozen=True, kw_only=True)
class EnergyOptions(AdversarialOptions):
    """The game's options, and those of an auto-encoder."""

    only_with: ClassVar[Company] = {
        "hidden_G": Needs(("network",), ("mlp",)),
        "hidden_D": Needs(("network",), ("mlp",)),
        "width": Needs(("network",), ("conv", "began")),
    }

    network: str = option("mlp", "networks: perceptrons, DCGAN's, or BEGAN's", NETWORKS)
    power: int = option(2, "energies are mean differences to this power: 1 or 2")
    code_dim: int = option(32, "numbers in D's code of an example")
    hidden_G: tuple[int, ...] = option((256, 256), "units of G's hidden layers (mlp)")
    hidden_D: tuple[int, ...] = option((256,), "units of D's encoder, and of its decoder (mlp)")
    width: int = option(32, "channels next to the picture (conv, began)")

    def build_networks(self, task: Task, streams: Streams) -> tuple[Layer, ReconstructionError]:
        """G and D. Raises OptionError for values that cannot be."""
        known("network", self.network, NETWORKS)
        check_network(self, task.shape)
        check_counts(self, "code_dim", "width")
        check_units(self, "hidden_G", "hidden_D")
        G, encoder, decoder = NETWORKS[self.network](self, task, streams.weights)
        return G, ReconstructionError(encoder, decoder, power=self.power)


@dataclass(frozen=True, kw_only=True)
class EBGANOptions(EnergyOptions):
    """With the paper's pulling-away weight of 0.1.

    A margin depends on the energies' scale, and this one is ours: ten times what real digits have.
    """

    objective: str = option("ebgan", "what the players descend", OBJECTIVES)
    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    margin: float | None = option(0.3, "energy up to which D raises generated examples")
    pull_away: float = option(0.1, "weight of the pulling-away term in G's loss; 0: none")


@dataclass(frozen=True, kw_only=True)
class BEGANOptions(EnergyOptions):
    """With the paper's settings: Adam at 1e-4, absolute differences, z and codes of 64 numbers.

    Left out: the paper halves the rate when convergence stalls. Its networks are `--network began`,
    for pictures; perceptrons stand first because they take points too and a CPU carries them.
    """

    objective: str = option("began", "what the players descend", OBJECTIVES)
    lr: float = option(1e-4, "learning rate")
    prior: str = option("uniform", "distribution of the noise z", PRIORS)
    z_dim: int = option(64, "numbers in z")
    power: int = option(1, "energies are mean differences to this power: 1 or 2")
    code_dim: int = option(64, "numbers in D's code of an example")


def build_ebgan(options: EBGANOptions, task: Task, streams: Streams) -> GAN:
    """EBGAN, with the pulling-away term if it has a weight. Raises OptionError."""
    G, D = options.build_networks(task, streams)
    check_weights(options, "pull_away")
    if not options.pull_away:
        return options.build_game(G, D, task, streams)
    objective = options.build_objective()
    if not isinstance(objective, EnergyMargin):
        raise OptionError(
            f"--pull-away is a part of --objective ebgan, and --objective {options.objective} has "
            "another loss of G; give --pull-away 0"
        )
    term = PullingAway(objective, options.pull_away)
    return options.build_game(G, D, task, streams, generator_loss=term)


def build_began(options: BEGANOptions, task: Task, streams: Streams) -> GAN:
    """BEGAN. Raises OptionError."""
    return options.build_game(*options.build_networks(task, streams), task, streams)
