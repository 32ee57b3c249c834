"""Fair times of two sides.

Each side runs in its own process and is asked for one sample at a time. A repeat takes a sample of
both, A B in one repeat and B A in the next, so that a machine that speeds up or slows down does so
for both. The figure is the median of the pairs' ratios: what disturbs one pair does not move it.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bench.cards import Card, card_of
from bench.errors import BenchError
from bench.where import Where

SAMPLE_SECONDS = 0.2  # the least that a sample lasts: the clock and the scheduler vanish in it
WARM_SECONDS = 0.5
PAUSE = 0.05  # the threads of the side that just ran stop spinning


class Timer:
    """Wall time on the CPU, where a call that has returned is done."""

    def synchronize(self) -> None:
        """Wait for the device."""

    def seconds(self, run: Callable[[], object], calls: int = 1) -> float:
        """Seconds that `calls` calls took, without Python's garbage collector."""
        gc.disable()
        try:
            self.synchronize()
            start = time.perf_counter()
            for _ in range(calls):
                run()
            self.synchronize()
            return time.perf_counter() - start
        finally:
            gc.enable()


class EventTimer(Timer):
    """The card's own time from one event to another.

    A call that has returned is only queued there. The first event is recorded on an idle card, so
    what the processor needs to launch the calls counts where the card waits for it.
    """

    def __init__(self, card: Card) -> None:
        self.card = card

    def synchronize(self) -> None:
        self.card.synchronize()

    def seconds(self, run: Callable[[], object], calls: int = 1) -> float:
        start, end = self.card.event(), self.card.event()

        def between() -> None:
            start.record()
            for _ in range(calls):
                run()
            end.record()

        super().seconds(between)
        return self.card.elapsed_ms(start, end) / 1e3


def timer_for(where: Where, side: str) -> Timer:
    """The timer of one side's process. Raises DeviceError or Unavailable where it has no card."""
    return EventTimer(card_of(side)) if where.on_card else Timer()


def calibrate(
    timer: Timer, run: Callable[[], object], *, warm: float, sample: float
) -> tuple[int, float]:
    """Warm up; then how many calls make a sample of that many seconds, and seconds per call."""
    calls, spent = 0, 0.0
    while calls < 2 or spent < warm:
        latest = timer.seconds(run)
        spent += latest
        calls += 1
        if calls >= 1000:
            break
    return max(1, math.ceil(sample / max(latest, 1e-9))), latest


class Side(Protocol):
    """One side of a comparison."""

    def seconds(self, calls: int) -> float:
        """Seconds that so many calls took."""


@dataclass(frozen=True)
class Pairs:
    """Seconds per call of each side, pair by pair."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.ours, self.peer, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the pairwise ratios, ours / peer."""
        return statistics.median(self.ratios)

    @property
    def ours_ms(self) -> float:
        return 1e3 * statistics.median(self.ours)

    @property
    def peer_ms(self) -> float:
        return 1e3 * statistics.median(self.peer)

    def spread(self) -> dict[str, float]:
        """The smallest and largest ratio, and the number of pairs."""
        return {
            "ratio_min": min(self.ratios),
            "ratio_max": max(self.ratios),
            "repeats": len(self.ours),
        }


def interleave(
    ours: Side, peer: Side, ours_calls: int, peer_calls: int, repeats: int, pause: float = PAUSE
) -> Pairs:
    """`repeats` pairs: A B, B A, A B, ..."""
    if repeats < 1:
        raise BenchError(f"--repeats {repeats} must be at least 1")
    times: tuple[list[float], list[float]] = ([], [])
    sides = ((ours, ours_calls), (peer, peer_calls))
    for repeat in range(repeats):
        for i in (0, 1) if repeat % 2 == 0 else (1, 0):
            time.sleep(pause)
            side, calls = sides[i]
            times[i].append(side.seconds(calls) / calls)
    return Pairs(tuple(times[0]), tuple(times[1]))
