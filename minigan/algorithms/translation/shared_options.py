"""What every algorithm that makes pictures of pictures has for options, and can be asked for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from minigan.algorithms.checks import (
    check_bounded,
    check_clip_norm,
    check_counts,
    check_weights,
)
from minigan.algorithms.options import OptimizerOptions, Streams, Task
from minigan.algorithms.settings import known, option
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import OBJECTIVES, Objective, objectives
from minigan.losses.energy import Energy
from minigan.optim import Optimizer
from minigan.prior import Prior

Rng = np.random.Generator
Size = tuple[int, int]

# Those that take scores of either sign, which a map of logits is.
SCORED = {name: o for name, o in OBJECTIVES.items() if not issubclass(o, Energy)}


@dataclass(frozen=True, kw_only=True)
class TranslatingOptions(OptimizerOptions, ABC):
    """The optimiser and the objective; a subclass says which networks there are.

    keeps_size: whether pictures of any size go through G as they are, unless a user names one.
    fills: whether G makes what is missing of a picture, which a user shows by transparent pixels.
    """

    both_ways: ClassVar[bool] = False  # whether there is an F beside G
    with_reference: ClassVar[bool] = False  # whether G takes a reference beside x
    with_pose: ClassVar[bool] = False  # whether G takes a pose beside x
    keeps_size: ClassVar[bool] = False
    fills: ClassVar[bool] = False
    wanted: ClassVar[str]  # what it learns from
    way_back: ClassVar[str]  # what else to do, where there is no F

    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    objective: str = option("non-saturating", "what the players descend", SCORED)

    @property
    def prior(self) -> Prior | None:
        """Of the z that generators take beside a picture; None where they take none."""
        return None

    @property
    def enlarges(self) -> int:
        """How many times larger than x, along either side, G's pictures are."""
        return 1

    @property
    @abstractmethod
    def noisy(self) -> bool:
        """Whether dropout and the statistics of each picture alone stay on in translations."""

    @abstractmethod
    def check_size(self, size: Size, trained: Size) -> None:
        """Raise OptionError unless generators built for `trained` take pictures of `size` too."""

    def check_tiles(self) -> None:
        """Raise OptionError where pictures cannot be translated tile by tile."""

    def picture_channels(self, channels: tuple[int, int], name: str) -> int:
        """Of a user's pictures that generator `name` translates; `channels` are x's and y's."""
        return channels[1] if name == "F" else channels[0]

    def given(self, picture: Array, missing: Array | None) -> Array:
        """The x of a user's picture (1, H, W, C).

        missing: (1, H, W, 1), 1 where the picture is transparent; None where it is nowhere, and
        where nothing is filled. Raises DataError for what G has not learned.
        """
        return picture

    def through(self, make: Callable[[Array], Array], x: Array) -> Array:
        """What becomes of x, by `make`, the generator's forward pass."""
        return make(x)

    @abstractmethod
    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        """Generator `name`, G or F, and the networks by their names that it is made of."""

    def reader(self, parts: dict[str, Layer], name: str) -> Layer | None:
        """What reads a z off pictures like those that generator `name` makes, among its `parts`.

        None where nothing does.
        """
        return None

    def check(self, task: Task) -> tuple[Size, tuple[int, int]]:
        """Size and channels of the task's pictures. Raises OptionError for what cannot be."""
        if task.kind != "pairs" or task.channels is None:
            raise OptionError(f"a translation learns from {self.wanted}")
        names = [f.name for f in fields(self)]
        check_weights(self, *(n for n in names if n.startswith(("weight_", "lambda_", "clip_w"))))
        check_clip_norm(self)
        check_counts(self, "width")
        h, w = task.shape[:2]
        return (h, w), task.channels

    def check_step(self, step: int, steps: int) -> None:
        """Raise OptionError where after `step` of `steps` a part of G has not been trained yet."""

    def build_objective(self) -> Objective:
        """Raises UnknownNameError, and OptionError for one that needs D bounded."""
        known("objective", self.objective, SCORED)
        made = objectives.get(self.objective)
        check_bounded(self, made)
        return made

    def build_optimizers(self, task: Task, networks: dict[str, Layer]) -> dict[str, Optimizer]:
        """One for each network, by its name. Raises as `build_optimizer`."""
        return {
            name: self.build_optimizer(net.flat, task, k=self.steps_per_iteration(name))
            for name, net in networks.items()
        }

    def steps_per_iteration(self, name: str) -> int:
        """How many steps a network takes in an iteration."""
        return 1

    def shared(self, task: Task, streams: Streams) -> dict[str, Any]:
        """What every translation is given besides its networks."""
        size, channels = self.check(task)
        return {
            "objective": self.build_objective(),
            "shape": size,
            "channels": channels,
            "noisy": self.noisy,
            "max_grad_norm": math.inf if self.clip_norm is None else self.clip_norm,
            "examples": task.examples,
            "rng": streams.noise,
        }
