"""Curves: what becomes one, how they are thinned."""

import math

import numpy as np
import pytest

from minigan.report.curves import Point, curves, thinned


def test_every_quantity_is_a_curve() -> None:
    records = [
        {"step": 1, "loss_D": 1.0, "seconds": 0.5},
        {"step": 1, "warning": "!"},
        {"step": 2, "loss_D": math.nan, "fid.distance": 3, "seconds": 0.6},
        {"step": 3, "loss_D": math.inf, "note": "text"},
    ]
    assert curves(records) == {
        "loss_D": [(1, 1.0), (2, None), (3, None)],
        "fid.distance": [(2, 3)],
    }


@pytest.mark.parametrize("n", [0, 1, 2, 99, 100])
def test_a_short_curve_stays(n: int) -> None:
    points: list[Point] = [(i, float(i)) for i in range(n)]
    assert thinned(points, limit=100) == points


@pytest.mark.parametrize("n", [101, 997, 20_000])
def test_a_long_curve_keeps_its_ends_and_its_peaks(n: int) -> None:
    values = np.random.default_rng(n).normal(size=n)
    high, low, lost = n // 2, n // 3, n // 5
    values[high], values[low] = 50, -50
    points: list[Point] = [(3 * i, float(v)) for i, v in enumerate(values)]
    points[lost] = (3 * lost, None)
    kept = thinned(points, limit=100)
    assert 60 <= len(kept) <= 100
    assert kept == sorted(kept, key=lambda p: p[0])
    assert set(kept) <= set(points)
    assert {points[0], points[-1], (3 * high, 50.0), (3 * low, -50.0), (3 * lost, None)} <= {*kept}
    gaps = np.diff([step for step, _ in kept]) / 3
    assert gaps.max() <= 3 * n / 32  # nowhere more than neighbouring stretches apart
