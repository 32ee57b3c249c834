"""Learning-rate schedules: functions from the number of steps taken so far to a rate."""

from __future__ import annotations

import math
from collections.abc import Callable

from minigan.errors import OptionError

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """lr throughout."""
    return lambda step: lr


def linear_decay(lr: float, *, start: int, end: int) -> Schedule:
    """lr until `start`, then a straight line to 0 at `end` (CycleGAN's rule); 0 beyond."""
    if not 0 <= start < end:
        raise OptionError(f"linear decay from step {start} to step {end}: wanted 0 <= start < end")

    def schedule(step: int) -> float:
        return lr * min(1.0, max(0.0, (end - step) / (end - start)))

    return schedule


def cosine(lr: float, *, end: int, floor: float = 0.0) -> Schedule:
    """Half a cosine from lr to `floor` at `end` (Loshchilov and Hutter 2017, eq. 5)."""
    if end < 1:
        raise OptionError(f"cosine decay until step {end}: wanted at least 1")

    def schedule(step: int) -> float:
        return floor + (lr - floor) * (1 + math.cos(math.pi * min(step / end, 1))) / 2

    return schedule


def halving(lr: float, *, every: int) -> Schedule:
    """lr, halved after every so many steps (Huang et al. 2018, arXiv:1804.04732, appendix B)."""
    if every < 1:
        raise OptionError(f"halving every {every} steps: wanted at least 1")
    return lambda step: lr * 0.5 ** (step // every)


def per_iteration(inner: Schedule, *, k: int) -> Schedule:
    """`inner` over iterations, for a player that takes k steps in each of them."""
    return lambda step: inner(step // k)


def warm_up(inner: Schedule, *, steps: int) -> Schedule:
    """`inner`, scaled up in a straight line over the first `steps` steps; none of them is 0."""
    if steps < 0:
        raise OptionError(f"warm-up over {steps} steps: wanted at least 0")
    return lambda step: inner(step) * min(1.0, (step + 1) / (steps + 1))
