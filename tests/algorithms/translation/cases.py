"""Small translations of every kind, here and in PyTorch, with the same weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.cyclegan import CYCLES
from minigan.backend import make_rng
from tests.oracles import gan_twin
from tests.oracles import translation_twin as twins

Array = np.ndarray
SIDE = 16


@dataclass(frozen=True)
class Case:
    """An algorithm with its options, on pictures of `side` with `channels`."""

    algorithm: str
    options: dict[str, Any] = field(default_factory=dict)
    channels: tuple[int, int] = (1, 3)
    side: int = SIDE

    def __str__(self) -> str:
        said = " ".join(f"{k}={v}" for k, v in self.options.items())
        return f"{self.algorithm} {self.channels} {said}"

    @property
    def chosen(self) -> Any:
        small = {"width": 2, "patch": 16, "blocks": 1, "dropout": 0.0, "halvings": 3}
        return recipe(self.algorithm).options.of(**small | self.options)

    def examples(self, n: int, seed: int, dtype: Any = np.float64) -> Array:
        """Numbers in (-1, 1), unlike from example to example."""
        shape = (n, self.side, self.side, sum(self.channels))
        return np.tanh(make_rng(seed).standard_normal(shape) + 0.3).astype(dtype)

    def ours(self, seed: int = 0, dtype: Any = np.float64) -> Translating:
        """As `build` makes it; in another dtype, with what depends on it made again."""
        task = Task(
            (self.side, self.side, sum(self.channels)),
            "pairs",
            100,
            examples=lambda n: self.examples(n, 5, dtype),
            channels=self.channels,
        )
        made = recipe(self.algorithm).build(self.chosen, task, Streams(seed))
        for name, net in made.networks.items():
            net.astype(dtype)
            made.optimizers[name] = self.chosen.build_optimizer(net.flat, task)
        for pool in getattr(made, "pools", {}).values():
            pool.state["pictures"] = pool.state["pictures"].astype(dtype)
        made.rng = make_rng(seed, 1)
        return made

    def theirs(self, ours: Translating, seed: int = 0) -> twins.Twin:
        """With the weights of `ours`."""
        o, (cx, cy) = self.chosen, self.channels
        nets = {"G": self.generator(cx, cy)}
        if self.algorithm != "pix2pix":
            nets |= {
                "F": self.generator(cy, cx),
                "D_X": self.discriminator(cx, 0),
                "D_Y": self.discriminator(cy, 0),
            }
        elif o.judge != "none":
            nets["D"] = self.discriminator(cy, cx if o.judge == "pair" else 0)
        for name, net in nets.items():
            own = ours.networks[name]
            gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
        optimizers = {name: optimizer_of(o, net) for name, net in nets.items()}
        shared = (nets, optimizers, o.objective, self.channels)
        if self.algorithm == "pix2pix":
            return twins.Pix2Pix(*shared, o.judge, o.weight_l1)
        forward, backward = CYCLES[o.cycle]
        rng = make_rng(seed, 1)
        return twins.CycleGAN(
            *shared,
            forward * o.weight_cycle,
            backward * o.weight_cycle,
            o.weight_identity * o.weight_cycle,
            o.distance,
            o.pool,
            lambda n: rng.uniform(0.0, 1.0, (n, 2)),
            o.k,
            o.clip_weights,
        )

    def generator(self, cin: int, cout: int) -> torch.nn.Module:
        o = self.chosen
        if o.generator == "resnet":
            return twins.resnet(cin, cout, o.width, o.blocks, o.norm, up=o.up)
        skips = o.generator == "unet"
        return twins.unet(cin, cout, o.width, o.halvings, o.norm, skips=skips, up=o.up)

    def discriminator(self, channels: int, beside: int) -> torch.nn.Module:
        o = self.chosen
        if o.discriminator == "image":
            return twins.image(channels, beside, o.width, self.side)
        return twins.patch(channels, beside, o.width, int(math.log2((o.patch + 2) / 9)), o.norm)


def optimizer_of(o: Any, net: torch.nn.Module) -> torch.optim.Optimizer:
    if o.optimizer == "rmsprop":
        return torch.optim.RMSprop(net.parameters(), lr=o.lr, alpha=0.99, eps=1e-8)
    return torch.optim.Adam(net.parameters(), lr=o.lr, betas=(o.beta1, 0.999))


def still(made: Translating) -> Translating:
    """The algorithm with optimisers that move nothing: gradients stay to be looked at."""
    for name, net in made.networks.items():
        made.optimizers[name] = optim.SGD(net.flat, 0.0)
    return made
