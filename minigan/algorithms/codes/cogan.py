r"""Coupled GANs: pairs of two domains, learned without pairs (Liu and Tuzel 2016).

One z becomes a picture of either domain. G_1 and G_2 share their first layers, which decide what is
shown; their last ones, each for itself, how it looks. D_1 and D_2 share their last layers. Each
pair plays the game in its domain, and only the shared weights tie the domains together:

    min_{G_1, G_2} max_{D_1, D_2}  E log D_1(x_1) + E log(1 - D_1(G_1(z)))     cogan.4
                                 + E log D_2(x_2) + E log(1 - D_2(G_2(z)))
    subject to  theta_{G_1^(i)} = theta_{G_2^(i)}        for the first layers i
                theta_{D_1^(n_1-j)} = theta_{D_2^(n_2-j)}  for the last layers j

with the signs turned: the paper prints max over G, min over D, and minus the logarithms.

A sample is a pair: the channels of both pictures, one behind the other. That is also how data of
two domains comes, where the two pictures of an example have nothing to do with one another.

A shared layer is one layer that both networks hold. D applies it twice, and what both applications
owe to its weights adds up; in G both would be given the same z, so it is applied once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigan.algorithms.codes.options import CodeOptions
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.pair_options import PairDataOptions
from minigan.algorithms.settings import option
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import Objective
from minigan.losses.objective import Value
from minigan.models import coupled_discriminator, coupled_generator

PAPER = "Liu and Tuzel 2016, Coupled generative adversarial networks, arXiv:1606.07536, section 3"

EQUATIONS = {
    "cogan.4": r"\min_{g_1, g_2} \max_{f_1, f_2} V(f_1, f_2, g_1, g_2)"
    r" = \mathbb{E}_{x_1}[\log f_1(x_1)] + \mathbb{E}_z[\log(1 - f_1(g_1(z)))]"
    r" + \mathbb{E}_{x_2}[\log f_2(x_2)] + \mathbb{E}_z[\log(1 - f_2(g_2(z)))]",
    "cogan.g": r"\theta_{g_1^{(i)}} = \theta_{g_2^{(i)}}, \quad i = 1, ..., k",
    "cogan.f": r"\theta_{f_1^{(n_1 - j)}} = \theta_{f_2^{(n_2 - j)}}, \quad j = 0, ..., l - 1",
}

DOMAINS = 2


class Coupled(Objective):
    """An objective in each domain, the losses added; D gives a column of numbers for each."""

    name: ClassVar[str] = "coupled"
    summary: ClassVar[str] = "the game of each domain, added up"
    explains = ("cogan",)

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.needs_real = objective.needs_real  # type: ignore[misc]  # of the one that it holds

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        each = [
            self.objective.discriminator(r, f)
            for r, f in zip(_columns(real), _columns(fake), strict=True)
        ]
        loss = sum(loss for loss, _, _ in each)  # eq: cogan.4
        return loss, *(np.concatenate([one[i] for one in each], 1) for i in (1, 2))

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        reals = [None] * DOMAINS if real is None else _columns(real)
        each = [self.objective.generator(f, r) for f, r in zip(_columns(fake), reals, strict=True)]
        return sum(loss for loss, _ in each), np.concatenate([d for _, d in each], 1)

    def report(self, real: Array, fake: Array) -> dict[str, Value]:
        """What the objective reports of each domain, its number behind the names."""
        return {
            f"{name} {i}": value
            for i, (r, f) in enumerate(zip(_columns(real), _columns(fake), strict=True), 1)
            for name, value in self.objective.report(r, f).items()
        }

    def check(self, D: Layer) -> None:
        for judge in D.children.values():
            self.objective.check(judge)


def _columns(x: Array) -> list[Array]:
    """Each domain's numbers, (N, 1)."""
    return [x[:, i : i + 1].copy() for i in range(DOMAINS)]


class CoGAN(GAN):
    """Algorithm 1 on coupled networks: examples and samples are (N, H, W, C_1 + C_2).

    channels: C_1 and C_2.
    """

    def __init__(
        self,
        G: Layer,
        D: Layer,
        *,
        objective: Objective,
        channels: tuple[int, int],
        **shared: Any,
    ) -> None:
        super().__init__(G, D, objective=Coupled(objective), **shared)
        self.channels = channels

    def split(self, pairs: Array) -> tuple[Array, Array]:
        """The pictures of both domains, as views."""
        return pairs[..., : self.channels[0]], pairs[..., self.channels[0] :]


@dataclass(frozen=True, kw_only=True)
class Options(PairDataOptions, CodeOptions):
    """Adam as in DCGAN, and how much of the networks is each domain's own."""

    bounds: ClassVar[tuple[str, ...]] = ("clip_weights",)  # `build` refuses penalties

    own_G: int = option(1, "layers at G's end that each domain has for its own")
    own_D: int = option(1, "layers at D's start that each domain has for its own")


def build(options: Options, task: Task, streams: Streams) -> GAN:
    """Raises OptionError for values that cannot be, and for data that has not two domains."""
    if task.channels is None:
        raise OptionError(
            "CoGAN learns from two domains: give --data digits-negative, digits-edges, "
            "kittens-edges, kittens-recolour or a folder with the folders A and B"
        )
    options.check(task)
    if options.penalty != "none":
        raise OptionError(
            f"--penalty {options.penalty} is of one D's gradient, and CoGAN has two that share "
            "layers; leave it out"
        )
    shapes = [(*task.shape[:2], channels) for channels in task.channels]
    G_1, G_2 = (options.generator(options.z_dim, shape, streams) for shape in shapes)
    D_1, D_2 = (options.discriminator(shape, streams) for shape in shapes)
    own_G, own_D = options.own_G, options.own_D
    return options.build_game(
        coupled_generator(G_1, G_2, own=own_G),  # eq: cogan.g
        coupled_discriminator(D_1, D_2, task.channels, own=own_D),  # eq: cogan.f
        task,
        streams,
        game=CoGAN,
        channels=task.channels,
    )
