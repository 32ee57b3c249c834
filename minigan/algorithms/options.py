"""Options that a user sets: dataclasses, whose fields are the command line's options too."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np

from minigan import optim, schedule
from minigan.algorithms.checks import check_clip_norm, check_counts, check_weights
from minigan.algorithms.gan import GAN
from minigan.algorithms.objective_options import ObjectiveOptions
from minigan.algorithms.parts import CriticTerm, InstanceNoise, WeightClipping
from minigan.algorithms.settings import Company, flag, known, option, settings_for
from minigan.backend import Array, make_rng
from minigan.errors import OptionError
from minigan.layers import FlatParams, Layer
from minigan.noise import Stream
from minigan.prior import PRIORS, Prior
from minigan.streams import Purpose

OPTIMIZERS: dict[str, type[optim.Optimizer]] = {
    "sgd": optim.SGD,
    "momentum": optim.Momentum,
    "nesterov": optim.Nesterov,
    "rmsprop": optim.RMSProp,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
}

SCHEDULES = {
    "constant": lambda lr, end: schedule.constant(lr),
    "linear": lambda lr, end: schedule.linear_decay(lr, start=end // 2, end=end),
    "cosine": lambda lr, end: schedule.cosine(lr, end=end),
    "halving": lambda lr, end: schedule.halving(lr, every=max(1, end // 10)),
}


LabelNames = Mapping[str, tuple[str, ...]]  # label -> names of its classes


class Task(NamedTuple):
    """What an algorithm is built for: examples of one shape and kind, and a run of some length."""

    shape: tuple[int, ...]  # of one example: (H, W, C), (D,) or (T, 2)
    kind: Literal["image", "points", "pairs", "bars", "sounds", "sentences"]
    steps: int  # the length of the run, for schedules
    batch: int | None = None  # examples of a minibatch
    examples: Callable[[int], Array] | None = None  # as many of the data set, always the same
    channels: tuple[int, int] | None = None  # of x and of y, where an example is a pair
    label_names: LabelNames = MappingProxyType({})  # of the condition, in its columns' order
    labels: Callable[[int, np.random.Generator], Array] | None = None  # (n, L) as the data has
    balanced: Callable[[int], tuple[Array, Array]] | None = None  # examples and labels, by class
    rate: int | None = None  # samples a second, of sounds
    words: int | None = None  # that sentences are made of, 0 among them
    ends: bool = False  # whether 0 ends a sentence


class Streams:
    """The independent random streams of one run, all from its seed."""

    def __init__(self, seed: int) -> None:
        self.weights = make_rng(seed, Purpose.WEIGHTS)
        self.noise = Stream(seed, Purpose.NOISE)


@dataclass(frozen=True, kw_only=True)
class OptimizerOptions:
    """The optimiser of both players; an option left out is the optimiser's own default.

    only_with: of an option that some choices leave without effect, the choices that do not.
    """

    only_with: ClassVar[Company] = MappingProxyType({})

    optimizer: str = option("adam", "rule that moves the weights", OPTIMIZERS)
    lr: float = option(2e-4, "learning rate")
    momentum: float | None = option(None, "mu of momentum and nesterov")
    alpha: float | None = option(None, "averaging factor of rmsprop")
    beta1: float | None = option(None, "averaging factor of adam's first moment")
    beta2: float | None = option(None, "averaging factor of adam's second moment")
    weight_decay: float | None = option(None, "decoupled weight decay of adam and adamw")
    schedule: str = option(
        "constant",
        "learning rate over time; linear: from half-way; halving: after each tenth",
        SCHEDULES,
    )
    decay_end: int | None = option(None, "iteration at which a schedule ends (default: --steps)")
    warm_up: int = option(0, "iterations over which the learning rate rises to its value")
    clip_norm: float | None = option(None, "longest gradient that is not scaled down")

    @classmethod
    def of(cls, **given: Any) -> Self:
        """The options with those that were given; what is not given is the class's default."""
        return cls(**given)

    def build_optimizer(
        self, params: FlatParams, task: Task, *, lr: float | None = None, k: int = 1
    ) -> optim.Optimizer:
        """The rule at its rate, or at `lr`, for a player that takes k steps in an iteration.

        Raises OptionError for an option that the chosen optimiser does not have.
        """
        known("optimiser", self.optimizer, OPTIMIZERS)
        known("schedule", self.schedule, SCHEDULES)
        check_counts(self, "decay_end")
        if self.decay_end is not None and self.schedule == "constant":
            others = " or ".join(name for name in SCHEDULES if name != "constant")
            raise OptionError(f"--decay-end {self.decay_end} needs --schedule {others}")
        settings = ("momentum", "alpha", "beta1", "beta2", "weight_decay")
        rule = OPTIMIZERS[self.optimizer]
        own = settings_for(
            self,
            rule,
            {name: name for name in settings},
            f"--optimizer {self.optimizer}",
            besides=("params", "lr"),
        )
        base = self.lr if lr is None else lr
        rate = SCHEDULES[self.schedule](base, self.decay_end or max(task.steps, 1))
        if self.warm_up:
            rate = schedule.warm_up(rate, steps=self.warm_up)
        if k > 1:  # schedules count iterations
            rate = schedule.per_iteration(rate, k=k)
        return rule(params, rate, **own)


@dataclass(frozen=True, kw_only=True)
class AdversarialOptions(ObjectiveOptions, OptimizerOptions):
    """What every two-player game of Algorithm 1 has."""

    lr_G: float | None = option(None, "learning rate of G (default: --lr)")
    lr_D: float | None = option(None, "learning rate of D (default: --lr)")
    clip_weights: float | None = option(None, "largest weight of D after each of its steps; 0: any")
    instance_noise: float = option(0.0, "deviation of noise on all D sees, falling to 0; 0: none")
    k: int = option(1, "discriminator steps per generator step")
    prior: str = option("normal", "distribution of the noise z", PRIORS)
    z_dim: int = option(100, "numbers in z")
    ema: float = option(0.0, "decay of the moving average of G to sample from; 0: none")

    @classmethod
    def of(cls, **given: Any) -> Self:
        """As its base's. Raises OptionError for a rate that another one's own default hides."""
        hidden = [n for n in ("lr_G", "lr_D") if n not in given and getattr(cls, n) is not None]
        if "lr" in given and hidden:
            own = " and ".join(f"{flag(name)} (here {getattr(cls, name):g})" for name in hidden)
            raise OptionError(f"--lr does not set {own}; give each player's rate by its own name")
        return super().of(**given)

    def build_prior(self) -> Prior:
        """The distribution of z. Raises UnknownNameError and OptionError."""
        return Prior(self.prior, self.z_dim)

    def build_game(
        self,
        G: Layer,
        D: Layer,
        task: Task,
        streams: Streams,
        *,
        game: type[GAN] = GAN,
        terms: Sequence[CriticTerm] = (),
        **parts: Any,
    ) -> GAN:
        """Algorithm 1 over the two networks, or the `game` that is made of it.

        terms, parts: what the options do not say. Raises OptionError for values that cannot be.
        """
        check_clip_norm(self)
        check_weights(self, "clip_weights", "instance_noise")
        noise, bound = self.instance_noise, self.clip_weights
        return game(
            G,
            D,
            optimizer_G=self.build_optimizer(G.flat, task, lr=self.lr_G),
            optimizer_D=self.build_optimizer(D.flat, task, lr=self.lr_D, k=self.k),
            prior=self.build_prior(),
            objective=self.build_objective(),
            terms=[*self.build_terms(), *terms],
            instance_noise=InstanceNoise(noise, steps=task.steps) if noise else None,
            weight_clipping=WeightClipping(bound) if bound else None,
            k=self.k,
            ema=self.ema,
            max_grad_norm=math.inf if self.clip_norm is None else self.clip_norm,
            rng=streams.noise,
            **parts,
        )
