"""What a good PyTorch user would find out first: which of PyTorch's ways is the fastest here."""

from __future__ import annotations

import math
import statistics

from bench.peers.networks import MAXOUTS
from bench.peers.step import DEFAULTS, TorchStep
from bench.timing import Timer
from bench.work import Work

WAYS = {
    "layout": ("channels_last", "contiguous"),
    "optimizer": ("fused", "foreach"),
    "maxout": tuple(MAXOUTS),
}


def choose(work: Work, threads: int, seconds: float = 0.3) -> dict[str, str]:
    """The fastest way of each kind, one kind after the other, measured with the usual script."""
    chosen = dict(DEFAULTS)
    for kind in TorchStep(work, "torch", threads, chosen).notes["choices"]:
        ways = {way: TorchStep(work, "torch", threads, chosen | {kind: way}) for way in WAYS[kind]}
        chosen[kind] = fastest(ways, seconds)
    return chosen


def fastest(ways: dict[str, TorchStep], seconds: float) -> str:
    """The name with the least median time, the ways taking turns."""
    timer = Timer()
    once = max(timer.seconds(step.run) for step in ways.values())
    once = max(timer.seconds(step.run) for step in ways.values()) or once
    turns = min(15, max(3, math.ceil(seconds / once)))
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(turns):
        for way, step in ways.items():
            times[way].append(timer.seconds(step.run))
    return min(times, key=lambda way: statistics.median(times[way]))
