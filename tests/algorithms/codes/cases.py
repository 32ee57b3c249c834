"""Small GANs with codes, as their builders make them, and their twins in PyTorch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from minigan import optim
from minigan.algorithms import ALGORITHMS, Streams, Task
from minigan.algorithms.codes.prior import CodePrior
from minigan.algorithms.codes.semi import Labelled
from minigan.algorithms.gan import GAN
from minigan.backend import make_rng
from minigan.models.heads import UNITS
from minigan.prior import Prior
from tests.oracles import autoencoder_twin, codes_twin, gan_twin

Array = np.ndarray
POINTS, PICTURES = (2,), (8, 8, 1)
HIDDEN, WIDTH, HALVINGS, Z_DIM = (9, 8), 3, 1, 5
CHANNELS = (1, 3)
CLASSES, LABELS = 3, 6
SMALL = {"z_dim": Z_DIM, "width": WIDTH, "hidden_G": HIDDEN, "hidden_D": HIDDEN}
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


@dataclass(frozen=True)
class Case:
    """An algorithm, its kind of networks, and its options."""

    algorithm: str
    network: str = "conv"
    options: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = PICTURES
    optimizer: str = "momentum"

    def __str__(self) -> str:
        said = " ".join(f"{k}={v}" for k, v in self.options.items())
        return f"{self.algorithm} {self.network} {self.optimizer} {said}".strip()

    @property
    def paired(self) -> bool:
        return ALGORITHMS[self.algorithm].takes == "domains"

    @property
    def example(self) -> tuple[int, ...]:
        return (*self.shape[:2], sum(CHANNELS)) if self.paired else self.shape

    @property
    def chosen(self) -> Any:
        recipe = ALGORITHMS[self.algorithm]
        few = {"labels": LABELS} if self.algorithm == "semi-supervised" else {}
        return recipe.options.of(network=self.network, **{**SMALL, **few, **self.options})

    def examples(self, n: int, seed: int, dtype: Any = np.float64) -> Array:
        """Numbers in (-1, 1), unlike from example to example."""
        x = make_rng(seed).standard_normal((n, *self.example))
        return np.tanh(x + 0.5).astype(dtype)

    def task(self) -> Task:
        labelled = self.algorithm == "semi-supervised"
        kind = "pairs" if self.paired else "image" if len(self.shape) == 3 else "points"
        return Task(
            self.example,
            kind,
            100,
            batch=6,
            channels=CHANNELS if self.paired else None,
            label_names={"kind": ("a", "b", "c")} if labelled else {},
            balanced=self.balanced if labelled else None,
        )

    def balanced(self, n: int) -> tuple[Array, Array]:
        return self.examples(n, 77, np.float32), np.repeat(np.arange(CLASSES), n // CLASSES)[
            :, None
        ]

    def build(self) -> Any:
        """As the command line builds it, in float32."""
        return ALGORITHMS[self.algorithm].build(self.chosen, self.task(), Streams(0))

    def ours(self, dtype: Any = np.float64, seed: int = 0) -> Any:
        """In `dtype`, with noise of NumPy's generator."""
        made: GAN = ALGORITHMS[self.algorithm].build(self.chosen, self.task(), Streams(seed))
        for net in made.networks.values():
            net.astype(dtype)
        rule = OPTIMIZERS[self.optimizer][0]
        made.optimizers = {name: rule(net.flat) for name, net in made.networks.items()}
        made.prior.dtype = dtype
        if isinstance(made.prior, CodePrior):
            made.prior.noise = Prior(made.prior.noise.name, made.prior.noise.dim, dtype)
        if self.algorithm == "semi-supervised":
            made.labelled = Labelled(*(a.astype(dtype) for a in made.labelled))
        made.rng = make_rng(seed, 1)
        return made

    def theirs(self, ours: Any, seed: int = 0) -> codes_twin.Twin:
        """With the weights of `ours`, and noise from the same stream."""
        nets = NETS[self.algorithm](self)
        for name, net in nets.items():
            own = ours.networks[name]
            gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
        rule = OPTIMIZERS[self.optimizer][1]
        optimizers = {name: rule(net.parameters()) for name, net in nets.items()}
        rng = make_rng(seed, 1)
        return TWINS[self.algorithm](
            self,
            ours,
            nets=nets,
            optimizers=optimizers,
            normal=rng.standard_normal,
            uniform=lambda shape: rng.uniform(0, 1, shape),
        )

    # PyTorch's networks

    def generator(self, z_dim: int, shape: tuple[int, ...] | None = None) -> torch.nn.Sequential:
        shape = shape or self.shape
        if self.network == "conv":
            return gan_twin.dcgan_generator(z_dim, shape, WIDTH, HALVINGS)
        parts: list[torch.nn.Module] = []
        for a, b in zip((z_dim, *HIDDEN), HIDDEN, strict=False):
            parts += [torch.nn.Linear(a, b, bias=False), torch.nn.BatchNorm1d(b), torch.nn.ReLU()]
        parts.append(torch.nn.Linear(HIDDEN[-1], int(np.prod(shape))))
        if len(shape) == 3:
            parts += [torch.nn.Tanh(), gan_twin.ToPictures(*shape)]
        return torch.nn.Sequential(*parts).double()

    def discriminator(self, shape: tuple[int, ...] | None = None) -> torch.nn.Sequential:
        shape = shape or self.shape
        if self.network == "conv":
            return gan_twin.dcgan_discriminator(shape, WIDTH, HALVINGS)
        return autoencoder_twin.dense_discriminator(shape, HIDDEN)

    def encoder(self, outputs: int) -> torch.nn.Sequential:
        if self.network == "conv":
            return autoencoder_twin.conv_encoder(self.shape, outputs, WIDTH, HALVINGS)
        return autoencoder_twin.mlp_encoder(self.shape, outputs, HIDDEN, False)


def semi_nets(case: Case) -> dict[str, torch.nn.Module]:
    maxout = gan_twin.mlp_discriminator(case.shape, HIDDEN, case.chosen.pieces)
    D = codes_twin.classifying(maxout if case.network == "mlp" else case.discriminator(), CLASSES)
    return {"G": case.generator(Z_DIM), "D": D}


def info_nets(case: Case) -> dict[str, torch.nn.Module]:
    o = case.chosen
    outputs = sum(o.categorical) + o.continuous * (1 + o.learned_spread)
    D = codes_twin.recognising(case.discriminator(), outputs, UNITS)
    return {"G": case.generator(Z_DIM + sum(o.categorical) + o.continuous), "D": D}


def cluster_nets(case: Case) -> dict[str, torch.nn.Module]:
    numbers = Z_DIM + case.chosen.clusters
    return {"G": case.generator(numbers), "D": case.discriminator(), "E": case.encoder(numbers)}


# Where the layers that are shared begin, with one layer for each domain alone: in G of conv after
# dense, reshape, norm, ReLU; in D after the convolution and its activation.
CUTS = {"conv": (4, 3), "mlp": (6, 3)}


def coupled_nets(case: Case) -> dict[str, torch.nn.Module]:
    shapes = [(*case.shape[:2], c) for c in CHANNELS]
    cut_G, cut_D = CUTS[case.network]
    G = [case.generator(Z_DIM, shape) for shape in shapes]
    D = [case.discriminator(shape) for shape in shapes]
    return {
        "G": codes_twin.coupled_generator(*G, cut_G),
        "D": codes_twin.coupled_discriminator(*D, CHANNELS, cut_D),
    }


NETS = {
    "semi-supervised": semi_nets,
    "infogan": info_nets,
    "clustergan": cluster_nets,
    "cogan": coupled_nets,
}
TWINS = {
    "semi-supervised": lambda case, ours, **shared: codes_twin.SemiSupervised(
        **shared,
        x=codes_twin.to_tensor(ours.labelled.x),
        classes=torch.tensor(ours.labelled.classes.argmax(1)),
        z_dim=Z_DIM,
        matching=case.chosen.generator_loss == "feature-matching",
        weight=case.chosen.supervised_weight,
        supervised_only=case.chosen.supervised_only,
    ),
    "infogan": lambda case, ours, **shared: codes_twin.InfoGAN(
        **shared,
        z_dim=Z_DIM,
        categorical=case.chosen.categorical,
        continuous=case.chosen.continuous,
        weight=case.chosen.info_weight,
        learned_spread=case.chosen.learned_spread,
    ),
    "clustergan": lambda case, ours, **shared: codes_twin.ClusterGAN(
        **shared,
        z_dim=Z_DIM,
        clusters=case.chosen.clusters,
        sigma=case.chosen.sigma,
        beta_n=case.chosen.beta_n,
        beta_c=case.chosen.beta_c,
        k=case.chosen.k,
        critic=case.chosen.objective == "wasserstein",
    ),
    "cogan": lambda case, ours, **shared: codes_twin.CoGAN(
        **shared, z_dim=Z_DIM, channels=CHANNELS
    ),
}

VANILLA = {"objective": "non-saturating", "penalty": "none", "k": 1, "norm_D": "batch"}
PLAIN = {"norm_D": "batch", "dropout": 0.0}
MAXOUT = {"norm_D": "none", "dropout": 0.0}
CASES = [
    Case("semi-supervised", "conv", PLAIN),
    Case("semi-supervised", "mlp", {**MAXOUT, "supervised_weight": 0.7}, optimizer="adam"),
    Case("semi-supervised", "conv", {**PLAIN, "generator_loss": "objective"}, optimizer="adam"),
    Case("semi-supervised", "mlp", {**MAXOUT, "supervised_only": True}, POINTS),
    Case("infogan", "conv", {"categorical": (4,), "continuous": 2, "info_weight": 0.6}),
    Case("infogan", "mlp", {"categorical": (2, 3), "learned_spread": True}, POINTS),
    Case("infogan", "conv", {"categorical": (), "continuous": 1}, optimizer="adam"),
    Case("clustergan", "mlp", {"k": 2, "clusters": 3}, POINTS),
    Case("clustergan", "mlp", {"k": 1, "clusters": 4, "beta_n": 3.0}, optimizer="adam"),
    Case("clustergan", "conv", {**VANILLA, "clusters": 3, "beta_c": 2.0}),
    Case("cogan", "conv"),
    Case("cogan", "mlp", optimizer="adam"),
]
