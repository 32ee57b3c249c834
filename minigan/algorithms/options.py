"""Options that a user sets: dataclasses, whose fields are the command line's options too."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from minigan import optim, schedule
from minigan.algorithms.gan import GAN
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.layers import FlatParams, Layer
from minigan.losses import objectives
from minigan.prior import PRIORS, Prior

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
}


class Task(NamedTuple):
    """What an algorithm is built for."""

    shape: tuple[int, ...]  # of one example: (H, W, C) or (D,)
    kind: Literal["image", "points"]
    steps: int  # the length of the run, for schedules


class Streams:
    """The independent random streams of one run, all from its seed."""

    def __init__(self, seed: int) -> None:
        self.weights = make_rng(seed, 1)
        self.noise = make_rng(seed, 2)


def option(default: Any, help: str, choices: Any = None) -> Any:
    """A dataclass field with what the command line shows of it."""
    return field(default=default, metadata={"help": help, "choices": choices and tuple(choices)})


@dataclass(frozen=True, kw_only=True)
class OptimizerOptions:
    """The optimiser of both players; an option left out is the optimiser's own default."""

    optimizer: str = option("adam", "rule that moves the weights", OPTIMIZERS)
    lr: float = option(2e-4, "learning rate")
    momentum: float | None = option(None, "mu of momentum and nesterov")
    alpha: float | None = option(None, "averaging factor of rmsprop")
    beta1: float | None = option(None, "averaging factor of adam's first moment")
    beta2: float | None = option(None, "averaging factor of adam's second moment")
    weight_decay: float | None = option(None, "decoupled weight decay of adam and adamw")
    schedule: str = option("constant", "learning rate over time; linear: from half-way", SCHEDULES)
    decay_end: int | None = option(None, "step at which a schedule ends (default: --steps)")
    warm_up: int = option(0, "steps over which the learning rate rises to its value")
    clip_norm: float | None = option(None, "longest gradient that is not scaled down")

    def build_optimizer(self, params: FlatParams, task: Task) -> optim.Optimizer:
        """Raises OptionError for an option that the chosen optimiser does not have."""
        _known("optimiser", self.optimizer, OPTIMIZERS)
        _known("schedule", self.schedule, SCHEDULES)
        if self.decay_end is not None and self.decay_end < 1:
            raise OptionError(f"--decay-end {self.decay_end} must be at least 1")
        rule = OPTIMIZERS[self.optimizer]
        own = [name for name in inspect.signature(rule).parameters if name not in ("params", "lr")]
        settings = ("momentum", "alpha", "beta1", "beta2", "weight_decay")
        given = {s: getattr(self, s) for s in settings if getattr(self, s) is not None}
        for name in given:
            chosen = given[name] != getattr(type(self), name)  # not just this class's default
            if name not in own and chosen:
                raise OptionError(
                    f"--{name.replace('_', '-')} is no option of --optimizer {self.optimizer}, "
                    f"which has: {', '.join(own) or 'none'}"
                )
        rate = SCHEDULES[self.schedule](self.lr, self.decay_end or max(task.steps, 1))
        if self.warm_up:
            rate = schedule.warm_up(rate, steps=self.warm_up)
        return rule(params, rate, **{k: v for k, v in given.items() if k in own})


@dataclass(frozen=True, kw_only=True)
class AdversarialOptions(OptimizerOptions):
    """What every two-player game of Algorithm 1 has."""

    objective: str = option("non-saturating", "what G descends", objectives.OBJECTIVES)
    k: int = option(1, "discriminator steps per generator step")
    prior: str = option("normal", "distribution of the noise z", PRIORS)
    z_dim: int = option(100, "numbers in z")
    ema: float = option(0.0, "decay of the moving average of G to sample from; 0: none")

    def build_game(self, G: Layer, D: Layer, task: Task, streams: Streams) -> GAN:
        """Algorithm 1 over the two networks. Raises OptionError for values that cannot be."""
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise OptionError(f"--clip-norm {self.clip_norm} must be above 0")
        return GAN(
            G,
            D,
            optimizer_G=self.build_optimizer(G.flat, task),
            optimizer_D=self.build_optimizer(D.flat, task),
            prior=Prior(self.prior, self.z_dim),
            objective=objectives.get(self.objective),
            k=self.k,
            ema=self.ema,
            max_grad_norm=math.inf if self.clip_norm is None else self.clip_norm,
            rng=streams.noise,
        )


def _known(kind: str, name: str, table: dict[str, Any]) -> None:
    if name not in table:
        raise UnknownNameError(kind, name, table)
