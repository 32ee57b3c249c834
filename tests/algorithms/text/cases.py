"""Small games about captions, here and in PyTorch, with the same weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.text.base import TextGame
from minigan.backend import make_rng
from minigan.ema import EMA
from minigan.prior import Prior
from tests.oracles import gan_twin
from tests.oracles import text_twin as twins

Array = np.ndarray
SIDE, LENGTH = 16, 5
WORDS = ("", "a", "b", "c", "d", "e")
LABEL_NAMES = {f"word {i + 1}": WORDS for i in range(LENGTH)}
SMALL = {
    "width": 2,
    "z_dim": 3,
    "embedding_dim": 4,
    "text_dim": 5,
    "code_dim": 3,
    "lr": 1e-3,
}
# Stages from 0 that iteration i trains, with two iterations a stage.
TRAINED = {
    "staged": lambda n: lambda i: [min(i // 2, n - 1)],
    "added": lambda n: lambda i: range(min(i // 2, n - 1) + 1),
    "jointly": lambda n: lambda i: range(n),
}


def captions(n: int, rng: np.random.Generator) -> Array:
    """Numbers (n, LENGTH): captions of one to LENGTH words."""
    text = rng.integers(1, len(WORDS), (n, LENGTH))
    return np.where(np.arange(LENGTH) < rng.integers(1, LENGTH + 1, (n, 1)), text, 0)


@dataclass(frozen=True)
class Case:
    """A recipe with its options, on pictures of SIDE x SIDE."""

    algorithm: str
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.algorithm} " + " ".join(f"{k}={v}" for k, v in self.options.items())

    @property
    def chosen(self) -> Any:
        own = {"stage_steps": 2, "blocks": 1} if self.algorithm == "stackgan" else {}
        return recipe(self.algorithm).options.of(**SMALL | own | self.options)

    def task(self, **changes: Any) -> Task:
        task = Task((SIDE, SIDE, 3), "image", 10, label_names=LABEL_NAMES, labels=captions)
        return task._replace(**changes)

    def batch(self, n: int, seed: int, dtype: Any = np.float64) -> tuple[Array, Array]:
        rng = make_rng(seed)
        x = np.tanh(rng.standard_normal((n, SIDE, SIDE, 3)) + 0.3).astype(dtype)
        return x, captions(n, rng)

    def ours(self, seed: int = 0, dtype: Any = np.float64) -> Any:
        """As `build` makes it; in another dtype, with what depends on it made again."""
        task = self.task()
        made: TextGame = recipe(self.algorithm).build(self.chosen, task, Streams(seed))
        for name, net in made.networks.items():
            net.astype(dtype)
            # Weights of 0.02 leave gradients too small to tell a fault from rounding.
            net.flat.load(net.flat.data + 0.2 * make_rng(7, seed).standard_normal(net.flat.size))
            made.optimizers[name] = self.chosen.build_optimizer(net.flat, task)  # type: ignore[index]
        if made.averages:
            made.averages = {
                name: EMA(made.networks[name], self.chosen.ema) for name in made.averages
            }
        made.prior = Prior(self.chosen.prior, self.chosen.z_dim, dtype)
        made.rng = make_rng(seed, 1)
        return made

    def theirs(self, ours: TextGame, seed: int = 0) -> Any:
        """With the weights of `ours`."""
        o = self.chosen
        nets = self.networks()
        for name, net in nets.items():
            own = ours.networks[name]
            named = {k: p.data for k, p in own.params.items()}
            if name == "E":
                twins.load_encoder(net, named)
            else:
                gan_twin.load(net, named | own.buffers)
        optimizers = {
            name: torch.optim.Adam(net.parameters(), lr=o.lr, betas=(o.beta1, 0.999))
            for name, net in nets.items()
        }
        rng = make_rng(seed, 1)
        shared = (nets, optimizers, o.objective, lambda n, j: rng.standard_normal((n, j)), o.z_dim)
        if self.algorithm == "gan-cls":
            return twins.GANCLS(*shared)
        trained = TRAINED[o.training](o.stages)
        kl_weight = 2 / o.code_dim if o.kl_weight is None else o.kl_weight
        return twins.StackGAN(*shared, o.stages, o.code_dim, kl_weight, trained)

    def networks(self) -> dict[str, torch.nn.Module]:
        o = self.chosen
        encoder = twins.ENCODERS[o.encoder](len(WORDS), o.embedding_dim, o.text_dim)
        nets = {"E": encoder.double()}
        stages = o.stages if self.algorithm == "stackgan" else 1
        for i in range(stages):
            side = SIDE >> (stages - 1 - i)
            n = int(math.log2(side)) - 2
            number = str(i + 1) if self.algorithm == "stackgan" else ""
            nets[f"D{number}"] = twins.discriminator(
                o.d_sees, o.text_dim, o.code_dim, side, o.width, n
            )
            if not number:
                text = twins.code(o.text_dim, o.code_dim)
                nets["G"] = twins.generator(text, o.code_dim + o.z_dim, side, o.width, n)
                continue
            nets[f"C{number}"] = torch.nn.Linear(o.text_dim, 2 * o.code_dim).double()
            nets[f"G{number}"] = (
                twins.refining(o.code_dim, side // 2, o.width, o.blocks)
                if i
                else twins.generator(torch.nn.Identity(), o.code_dim + o.z_dim, side, o.width, n)
            )
        return nets


def arrays(name: str, net: torch.nn.Module) -> dict[str, Array]:
    """A twin's parameters and running statistics, by minigan's names."""
    return twins.encoder_arrays(net) if name == "E" else gan_twin.arrays(net)
