"""Small autoencoders of every kind, here and in PyTorch, with the same weights and noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from minigan import models, optim
from minigan.algorithms.autoencoding.aae import AAE
from minigan.algorithms.autoencoding.alpha_gan import OBJECTIVES as RATIOS
from minigan.algorithms.autoencoding.alpha_gan import AlphaGAN
from minigan.algorithms.autoencoding.autoencoder import Autoencoder
from minigan.algorithms.autoencoding.base import Autoencoding
from minigan.algorithms.autoencoding.bigan import BiGAN
from minigan.algorithms.autoencoding.posterior import POSTERIORS
from minigan.algorithms.autoencoding.vae import VAE, Options
from minigan.algorithms.options import Task
from minigan.backend import make_rng
from minigan.layers import Layer
from minigan.losses import objectives
from minigan.prior import Prior
from tests.oracles import autoencoder_twin as twins
from tests.oracles import gan_twin

Array = np.ndarray
Z_DIM = 3

POINTS, PICTURES = (2,), (16, 16, 1)
HIDDEN, WIDTH, HALVINGS, UNITS = (9, 8), 3, 2, 6


@dataclass(frozen=True)
class Nets:
    """How networks are built, and PyTorch's, by the part they play."""

    shape: tuple[int, ...]
    ours: dict[str, Callable[[int, bool, np.random.Generator], Layer]]
    theirs: dict[str, Callable[[int, bool], torch.nn.Module]]


def perceptrons(shape: tuple[int, ...], norm: bool = False) -> Nets:
    """k: E's outputs for each number of a code; b: whether G ends in tanh; norm: batch norm."""
    codes = (Z_DIM,)
    return Nets(
        shape,
        {
            "E": lambda k, b, r: models.mlp_encoder(
                shape, k * Z_DIM, hidden=HIDDEN, batch_norm=norm, rng=r
            ),
            "G": lambda k, b, r: models.mlp_decoder(
                Z_DIM, shape, hidden=HIDDEN, bounded=b, batch_norm=norm, rng=r
            ),
            "D": lambda k, b, r: models.dense_discriminator(shape, hidden=HIDDEN, rng=r),
            "codes": lambda k, b, r: models.dense_discriminator(codes, hidden=HIDDEN, rng=r),
            "pairs": lambda k, b, r: models.mlp_joint_discriminator(
                shape, Z_DIM, hidden=HIDDEN, batch_norm=norm, rng=r
            ),
        },
        {
            "E": lambda k, b: twins.mlp_encoder(shape, k * Z_DIM, HIDDEN, norm),
            "G": lambda k, b: twins.mlp_decoder(Z_DIM, shape, HIDDEN, b, norm),
            "D": lambda k, b: twins.dense_discriminator(shape, HIDDEN),
            "codes": lambda k, b: twins.dense_discriminator(codes, HIDDEN),
            "pairs": lambda k, b: twins.mlp_joint_discriminator(shape, Z_DIM, HIDDEN, norm),
        },
    )


def convolutions(shape: tuple[int, ...]) -> Nets:
    """With batch norm."""
    plain = perceptrons(shape)
    return Nets(
        shape,
        {
            "E": lambda k, b, r: models.conv_encoder(shape, k * Z_DIM, width=WIDTH, rng=r),
            "G": lambda k, b, r: models.conv_decoder(Z_DIM, shape, width=WIDTH, bounded=b, rng=r),
            "D": lambda k, b, r: models.dcgan_discriminator(shape, width=WIDTH, rng=r),
            "codes": plain.ours["codes"],
            "pairs": lambda k, b, r: models.conv_joint_discriminator(
                shape, Z_DIM, width=WIDTH, units=UNITS, rng=r
            ),
        },
        {
            "E": lambda k, b: twins.conv_encoder(shape, k * Z_DIM, WIDTH, HALVINGS),
            "G": lambda k, b: twins.conv_decoder(Z_DIM, shape, WIDTH, HALVINGS, b),
            "D": lambda k, b: gan_twin.dcgan_discriminator(shape, WIDTH, HALVINGS),
            "codes": plain.theirs["codes"],
            "pairs": lambda k, b: twins.conv_joint_discriminator(
                shape, Z_DIM, WIDTH, HALVINGS, UNITS
            ),
        },
    )


FAMILIES = {
    "points": perceptrons(POINTS),
    "pictures": perceptrons((5, 4, 1)),
    "normed": perceptrons((5, 4, 1), norm=True),
    "conv": convolutions(PICTURES),
}
OPTIMIZERS = {
    "adam": (
        lambda p: optim.Adam(p, 2e-3, beta1=0.5),
        lambda p: torch.optim.Adam(p, lr=2e-3, betas=(0.5, 0.999)),
    ),
    "momentum": (
        lambda p: optim.Momentum(p, 1e-3, momentum=0.5),
        lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.5),
    ),
}

# Which of a family's networks each algorithm has.
PARTS = {
    "autoencoder": {"E": "E", "G": "G"},
    "vae": {"E": "E", "G": "G"},
    "aae": {"E": "E", "G": "G", "D": "codes"},
    "alpha-gan": {"E": "E", "G": "G", "D": "D", "C": "codes"},
    "bigan": {"E": "E", "G": "G", "D": "pairs"},
}


@dataclass(frozen=True)
class Case:
    """An algorithm, its networks and its settings."""

    algorithm: str
    family: str
    optimizer: str = "momentum"
    posterior: str = "deterministic"
    prior: str = "normal"
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        settings = " ".join(map(str, self.settings.values()))
        return f"{self.algorithm} {self.family} {self.posterior} {self.optimizer} {settings}"

    @property
    def shape(self) -> tuple[int, ...]:
        return FAMILIES[self.family].shape

    @property
    def bounded(self) -> bool:
        return len(self.shape) == 3 and self.settings.get("likelihood") != "bernoulli"

    @property
    def numbers(self) -> int:
        return 2 if self.algorithm == "vae" else POSTERIORS[self.posterior].numbers

    def examples(self, n: int, seed: int, dtype: Any = np.float64) -> Array:
        """Numbers in (-1, 1), unlike from example to example."""
        x = make_rng(seed).standard_normal((n, *self.shape))
        return np.tanh(x + 0.5).astype(dtype)

    def ours(self, seed: int = 0, dtype: Any = np.float64) -> Autoencoding:
        build = FAMILIES[self.family].ours
        rng = make_rng(seed)
        nets = {
            name: build[part](self.numbers, self.bounded, rng).astype(dtype)
            for name, part in PARTS[self.algorithm].items()
        }
        optimizer = OPTIMIZERS[self.optimizer][0]
        optimizers = {name: optimizer(net.flat) for name, net in nets.items()}
        if self.algorithm == "aae":
            optimizers["E_game"] = optimizer(nets["E"].flat)
        return MAKE[self.algorithm](
            self,
            nets,
            optimizers=optimizers,
            prior=Prior(self.prior, Z_DIM, dtype),
            rng=make_rng(seed, 1),
        )

    def theirs(self, ours: Autoencoding, seed: int = 0) -> twins.Twin:
        """With the weights of `ours`, and noise from the same stream."""
        build = FAMILIES[self.family].theirs
        nets = {
            name: build[part](self.numbers, self.bounded)
            for name, part in PARTS[self.algorithm].items()
        }
        for name, net in nets.items():
            own = ours.networks[name]
            gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
        optimizer = OPTIMIZERS[self.optimizer][1]
        optimizers = {name: optimizer(net.parameters()) for name, net in nets.items()}
        if self.algorithm == "aae":
            optimizers["E_game"] = optimizer(nets["E"].parameters())
        rng = make_rng(seed, 1)
        draws = {
            "normal": lambda n: rng.standard_normal((n, Z_DIM)),
            "uniform": lambda n: rng.uniform(-1, 1, (n, Z_DIM)),
        }
        return TWINS[self.algorithm](
            self, nets, optimizers, normal=draws["normal"], prior=draws[self.prior]
        )


def make_vae(case: Case, nets: dict[str, Layer], **shared: Any) -> VAE:
    kind = "image" if len(case.shape) == 3 else "points"
    beta = case.settings["beta"]
    options = Options(**case.settings)
    return VAE(
        *nets.values(),
        likelihood=options.build_likelihood(Task(case.shape, kind, 1)),
        beta=beta,
        **shared,
    )


def posterior(case: Case) -> Any:
    return POSTERIORS[case.posterior]()


MAKE: dict[str, Callable[..., Autoencoding]] = {
    "autoencoder": lambda case, nets, **shared: Autoencoder(*nets.values(), **shared),
    "vae": make_vae,
    "aae": lambda case, nets, **shared: AAE(
        *nets.values(),
        objective=objectives.get(case.settings["objective"]),
        posterior=posterior(case),
        **shared,
    ),
    "alpha-gan": lambda case, nets, **shared: AlphaGAN(
        *nets.values(),
        objective=RATIOS[case.settings["objective"]](),
        weight=case.settings["lambda_"] / math.prod(case.shape),
        posterior=posterior(case),
        **shared,
    ),
    "bigan": lambda case, nets, **shared: BiGAN(
        *nets.values(),
        objective=objectives.get(case.settings["objective"]),
        posterior=posterior(case),
        **shared,
    ),
}


def gaussian(case: Case) -> bool:
    return case.posterior == "gaussian"


TWINS: dict[str, Callable[..., twins.Twin]] = {
    "autoencoder": lambda case, *parts, **noise: twins.Autoencoder(*parts, **noise),
    "vae": lambda case, *parts, **noise: twins.VAE(
        *parts,
        **noise,
        likelihood=case.settings["likelihood"],
        scale=case.settings.get("scale", 0.1),
        beta=case.settings["beta"],
    ),
    "aae": lambda case, *parts, **noise: twins.AAE(
        *parts, **noise, objective=case.settings["objective"], gaussian=gaussian(case)
    ),
    "alpha-gan": lambda case, *parts, **noise: twins.AlphaGAN(
        *parts, **noise, gaussian=gaussian(case), **case.settings
    ),
    "bigan": lambda case, *parts, **noise: twins.BiGAN(
        *parts, **noise, objective=case.settings["objective"], gaussian=gaussian(case)
    ),
}
