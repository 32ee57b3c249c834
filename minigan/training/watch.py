"""Warnings that a person at the screen would want: one line each, with what to try."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from minigan.algorithms.settings import flag
from minigan.data import Dataset
from minigan.training.log import Record

SATURATED_LOSS = 0.02  # nats, both terms of D's loss together; 1.39 when D cannot tell
SATURATED_LINES = 20  # logged lines in a row
WITHOUT_PROBABILITIES = {
    "score(x)",
    "score(y)",
    "energy(x)",
    "T(x)",
    "T(y)",
}  # a low loss of D then says nothing
COLLAPSED = 0.2  # of the data's own diversity
COLLAPSE_FROM = 300  # steps: before that G has not spread out yet
FEW_BATCHES = 10


def small_data(dataset: Dataset, batch: int) -> str | None:
    """A warning when an epoch has few batches, so that D can learn the examples by heart."""
    if dataset.size is None or dataset.size >= FEW_BATCHES * batch:
        return None
    return (
        f"{dataset.size} examples make only {dataset.size // batch} batches of {batch}: D may "
        "learn them by heart; try more data or a smaller --batch"
    )


def young_average(decay: float, steps: int) -> str | None:
    """A warning where an average of weights will still hold much of what it began with."""
    left = decay**steps
    if steps == 0 or left < 0.1:
        return None
    return (
        f"samples are drawn from an average of G's weights, of which {left:.0%} will be the "
        f"untrained ones after {steps} steps; try --ema {0.01 ** (1 / steps):.3g} or less, or more "
        "steps"
    )


def calmer(options: Any) -> str:
    """What to try where numbers have run away: a tenth of the learning rates, or clipping.

    options: the algorithm's.
    """
    names = [n for n in ("lr", "lr_G", "lr_D", "lr_game") if getattr(options, n, None) is not None]
    if {"lr_G", "lr_D"} <= set(names):
        names.remove("lr")  # which neither player takes then
    rates = [
        f"{flag(n)} {min(getattr(options, n) / 10, getattr(type(options), n) or math.inf):g}"
        for n in names
    ]
    norm = 1 if options.clip_norm is None else options.clip_norm / 10
    return f"{' '.join(rates)}, or --clip-norm {norm:g}"


class Watch:
    """Looks at the log as it grows. Its memory is the log's: a resumed run replays it."""

    def __init__(self, records: list[Record]) -> None:
        self._saturated = 0
        self._collapsed = False
        for record in records:
            list(self.look(record))

    def look(self, record: Record) -> Iterator[str]:
        """Warnings that this line gives rise to; each once until things get better."""
        if "loss_D" in record and not WITHOUT_PROBABILITIES & record.keys():
            self._saturated = self._saturated + 1 if record["loss_D"] < SATURATED_LOSS else 0
            if self._saturated == SATURATED_LINES:
                yield (
                    f"D is saturated: its loss has been below {SATURATED_LOSS} for "
                    f"{SATURATED_LINES} logged lines, so G learns little; try a lower --lr-D, a "
                    "smaller D, or --instance-noise"
                )
        if "diversity" in record and record["step"] >= COLLAPSE_FROM:
            collapsed = record["diversity"] < COLLAPSED
            if collapsed and not self._collapsed:
                yield (
                    f"samples differ from one another {record['diversity']:.2f} times as much as "
                    "the data: G may have collapsed; try a lower --lr, more steps of D (--k) or "
                    "another --seed"
                )
            self._collapsed = collapsed
