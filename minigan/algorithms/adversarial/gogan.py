r"""GoGAN: GANs one after another, each of which must outrank the one before it.

    stage 1:      D_1 descends E[D_1(G_1(z)) + eps - D_1(x)]_+      G_1 descends -E[D_1(G_1(z))]
    stage i + 1:  starts from G_i, D_i; these are frozen, and D_{i+1} descends besides
                  weight E[D_i(G_i(z)) + 2 eps - D_{i+1}(x)]_+      gogan.rank

so that real examples score above generated ones by eps, and above those of the stage before by
twice that. Weights are clipped as in WGAN, whose loss the margin generalises.

Juefei-Xu, Boddeti, Savvides 2017, "Gang of GANs", arXiv:1704.04865. The ranking term is stated as
published implementations have it; the weight 1/2 and the length of a stage are theirs too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigan.algorithms.adversarial import dcgan, mlp
from minigan.algorithms.adversarial.dcgan import DCGANOptions
from minigan.algorithms.adversarial.mlp import MLPOptions
from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import OPTIMIZERS, Streams, Task
from minigan.algorithms.parts import CriticTerm
from minigan.algorithms.remedies import RemedyOptions
from minigan.algorithms.settings import option
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import OBJECTIVES
from minigan.losses.critic import Margin
from minigan.losses.objective import Value, mean
from minigan.noise import Rng
from minigan.prior import Prior

PAPER = "Juefei-Xu et al. 2017, Gang of GANs, arXiv:1704.04865"

EQUATIONS = {
    "gogan.rank": r"L_{rank} = \mathbb{E}_{x, z}[\max(0, D_i(G_i(z)) + 2 \epsilon - D_{i+1}(x))]",
}


class Ranking:
    """The term of D's loss that ranks it above an earlier, frozen stage."""

    name: ClassVar[str] = "ranking"

    def __init__(
        self, earlier: tuple[Layer, Layer], prior: Prior, *, epsilon: float, weight: float
    ) -> None:
        if not 0 < weight < np.inf:
            raise OptionError(f"rank_weight={weight!r} must be above 0 and finite")
        self.earlier_G, self.earlier_D = earlier
        self.prior, self.epsilon, self.weight = prior, epsilon, weight

    def __call__(self, D: Layer, real: Array, fake: Array, rng: Rng) -> Value:
        z = self.prior.draw(len(real), rng)
        before, _ = self.earlier_G.forward(z, update_stats=False)
        below, _ = self.earlier_D.forward(before, update_stats=False)
        scores, ctx = D.forward(real, update_stats=False)
        short = np.maximum(below + 2 * self.epsilon - scores, 0)  # eq: gogan.rank
        D.backward(-self.weight / scores.size * np.sign(short), ctx, need_dx=False)
        return self.weight * mean(short)

    def check(self, D: Layer) -> None:
        """Any D that gives scores will do."""


class GoGAN(GAN):
    """Algorithm 1 in `stages` of `stage_steps` iterations each; the last goes on for good.

    earlier: two networks of the architectures of G and D, which hold the stage before.
    """

    objective: Margin

    def __init__(
        self,
        G: Layer,
        D: Layer,
        *,
        earlier: tuple[Layer, Layer],
        stages: int,
        stage_steps: int,
        rank_weight: float,
        objective: Margin,
        prior: Prior,
        terms: Sequence[CriticTerm] = (),
        **game: Any,
    ) -> None:
        if stages < 1 or stage_steps < 1:
            raise OptionError(
                f"{stages} stages of {stage_steps} iterations: wanted at least 1 of either"
            )
        self.ranking = Ranking(earlier, prior, epsilon=objective.epsilon, weight=rank_weight)
        all_terms = [*terms, self.ranking]
        super().__init__(G, D, objective=objective, prior=prior, terms=all_terms, **game)
        self.networks = {**self.networks, "earlier_G": earlier[0], "earlier_D": earlier[1]}
        self.stages, self.stage_steps = stages, stage_steps
        self.stage_starts = range(0, stages * stage_steps, stage_steps)

    def skip_to(self, step: int) -> None:
        self.optimizers["G"].t = step

    @property
    def stage(self) -> int:
        """The stage of the next iteration, from 1."""
        return min(1 + self.optimizers["G"].t // self.stage_steps, self.stages)

    @property
    def step_kind(self) -> tuple[int, bool]:
        """The stage of the next iteration, and whether it is the stage's first."""
        stage = self.stage
        return stage, self.optimizers["G"].t == (stage - 1) * self.stage_steps

    def step(self, x: Array) -> Scalars:
        """One iteration of the stage; the first of a new one freezes what there is."""
        stage, first = self.step_kind
        if stage > 1 and first:
            for name in ("G", "D"):
                _copy(self.networks[name], self.networks[f"earlier_{name}"])
        return super().step(x) | {"stage": stage}

    def terms_due(self) -> Sequence[CriticTerm]:
        """All, but for the ranking in the first stage, which has none before it."""
        return [t for t in self.terms if t is not self.ranking or self.stage > 1]


@dataclass(frozen=True, kw_only=True)
class StageOptions(RemedyOptions):
    """The game's options with WGAN's optimiser and bounds, and those of the stages."""

    objective: str = option("margin", "what the players descend", OBJECTIVES)
    optimizer: str = option("rmsprop", "rule that moves the weights", OPTIMIZERS)
    lr: float = option(5e-5, "learning rate")
    clip_weights: float | None = option(0.01, "largest weight of D after each of its steps")
    k: int = option(5, "discriminator steps per generator step")
    stages: int = option(2, "GANs one after another")
    stage_steps: int = option(0, "iterations of a stage (0: the run in equal parts)")
    rank_weight: float = option(0.5, "weight of the ranking above the stage before")


@dataclass(frozen=True, kw_only=True)
class PerceptronOptions(StageOptions, MLPOptions):
    """GoGAN on perceptrons, for pictures and points.

    No dropout, as in every critic here: a frozen D_i's score is the level to beat.
    """

    dropout: float = option(0.0, "share of D's hidden units that a pass leaves out")


@dataclass(frozen=True, kw_only=True)
class ConvolutionOptions(StageOptions, DCGANOptions):
    """GoGAN on DCGAN's networks, for pictures, as in the paper."""


def build_perceptrons(options: PerceptronOptions, task: Task, streams: Streams) -> GAN:
    """Raises OptionError for values that cannot be."""
    pairs = [mlp.networks(options, task, streams) for _ in range(2)]
    return _build(options, task, streams, *pairs)


def build_convolutions(options: ConvolutionOptions, task: Task, streams: Streams) -> GAN:
    """Raises OptionError for points, and for values that cannot be."""
    pairs = [dcgan.networks(options, task, streams) for _ in range(2)]
    return _build(options, task, streams, *pairs)


def _build(
    options: StageOptions,
    task: Task,
    streams: Streams,
    pair: tuple[Layer, Layer],
    earlier: tuple[Layer, Layer],
) -> GAN:
    if options.objective != Margin.name:
        raise OptionError(
            f"gogan ranks by a margin, --objective {options.objective} has none; "
            f"use --objective {Margin.name}"
        )
    if options.unroll:
        raise OptionError(
            f"--unroll {options.unroll} and the stages of gogan are two loops; train gan or dcgan "
            "with --unroll, or gogan without"
        )
    check_counts(options, "stage_steps", least=0)
    return options.build_game(
        *pair,
        task,
        streams,
        game=GoGAN,
        earlier=earlier,
        stages=options.stages,
        stage_steps=options.stage_steps or max(1, task.steps // max(1, options.stages)),
        rank_weight=options.rank_weight,
    )


def _copy(source: Layer, target: Layer) -> None:
    target.flat.load(source.flat.data)
    for name, buffer in target.buffers.items():
        buffer[...] = source.buffers[name]
