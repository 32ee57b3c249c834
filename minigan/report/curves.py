"""The numbers of a log as curves, thinned to what a screen can show."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minigan.training.curves import NOT_CURVES
from minigan.training.log import Record

Point = tuple[int, float | None]  # a step and a value; None for one that is not finite
POINTS = 800  # of a curve: more than a chart has columns of pixels


def curves(records: Sequence[Record]) -> dict[str, list[Point]]:
    """Each logged quantity over steps, in the order of the log."""
    found: dict[str, list[Point]] = {}
    for record in records:
        for name, value in record.items():
            if name not in NOT_CURVES and isinstance(value, int | float):
                finite = math.isfinite(value)
                found.setdefault(name, []).append((record["step"], value if finite else None))
    return {name: thinned(points) for name, points in found.items()}


def thinned(points: list[Point], limit: int = POINTS) -> list[Point]:
    """At most `limit` of the points, the first and the last and every peak among them.

    Equal stretches of the curve are stood for by their lowest and highest point. A value that is
    not finite breaks the curve, so it stays where its stretch has one.
    """
    if len(points) <= limit:
        return points
    inner, stretches = points[1:-1], (limit - 2) // 3
    kept = {0, len(points) - 1}
    for i in range(stretches):
        low = 1 + i * len(inner) // stretches
        high = 1 + (i + 1) * len(inner) // stretches
        values = [(v, n) for n, (_, v) in enumerate(points[low:high], low) if v is not None]
        kept |= {min(values)[1], max(values)[1]} if values else set()
        kept |= {next((n for n in range(low, high) if points[n][1] is None), low)}
    return [points[n] for n in sorted(kept)]
