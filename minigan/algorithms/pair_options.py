"""Options of every algorithm whose data has two pictures in each example."""

from __future__ import annotations

from dataclasses import dataclass

from minigan.algorithms.settings import option


@dataclass(frozen=True, kw_only=True)
class AugmentOptions:
    """How training pictures are varied."""

    flip: bool = option(False, "mirror half of the training pictures, pairs together")
    jitter: int = option(0, "pixels to enlarge training pictures by before cutting as many off")


@dataclass(frozen=True, kw_only=True)
class PairDataOptions(AugmentOptions):
    """Which picture is x and which y, their channels, and how they are varied."""

    direction: str = option("AtoB", "x is A and y is B, or the other way", ["AtoB", "BtoA"])
    x_channels: int | None = option(None, "of x: 1 for grey, 3 for colour (default: its own)")
    y_channels: int | None = option(None, "of y: 1 for grey, 3 for colour (default: its own)")
