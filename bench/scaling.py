"""`bench scaling`: time per step against batch, picture size and width, with a fit for each.

    batch n    t = a + b n             what a step costs without examples, and each example
    size s     t = a + b s^2           each pixel
    width w    t = a + b w + c w^2     element-wise passes grow with w, products with w^2

Coefficients are at least 0 and fitted to relative errors, so that small points count as large ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

from bench.errors import BenchError, Unavailable
from bench.measure import Built, Session, compare, line
from bench.remote import Worker
from bench.rows import Row
from bench.work import Work

AXES = ("batch", "size", "width")
POWERS = {"batch": (0, 1), "size": (0, 2), "width": (0, 1, 2)}


class Sweep(NamedTuple):
    """One axis that varies, and the work that stands still."""

    axis: str
    values: tuple[int, ...]
    work: Work

    def works(self) -> list[Work]:
        works = [self._at(value) for value in self.values]
        for work in works:
            work.check()
        return works

    def _at(self, value: int) -> Work:
        return Work.from_json(self.work.to_json() | {self.axis: value})


SWEEPS = (
    Sweep("batch", (1, 2, 4, 8, 16, 32, 64, 128, 256), Work.of("dcgan", 32, 32, 64)),
    Sweep("size", (16, 32, 64, 128), Work.of("dcgan", 32, 16, 16)),
    Sweep("width", (8, 16, 32, 64, 128), Work.of("dcgan", 32, 32, 32)),
)


def measure_scaling(
    session: Session, sweeps: Iterable[Sweep], threads: Sequence[int] = (1, 2)
) -> list[Row]:
    """A row for each point and number of threads, against eager PyTorch."""
    sweeps = list(sweeps)
    rows: list[Row] = []
    for count in threads:
        if count < 1:
            raise BenchError(f"--threads {count} must be at least 1")
        one = replace(session, threads=count)
        with Worker("ours", count) as ours, Worker("torch", count) as peer:
            for sweep in sweeps:
                choices = one.choose(sweep.work)
                for work in sweep.works():
                    try:
                        mine = Built.of(ours, work)
                        its = Built.of(peer, work, choices=choices)
                        row = compare(one, mine, its, "scaling", axis=sweep.axis)
                    except Unavailable as reason:
                        session.say(f"torch: skipped: {reason}")
                        return rows
                    session.say(f"{sweep.axis}, {count} threads: {line(row)}")
                    rows.append(row)
    return rows


class Fit(NamedTuple):
    """t = sum of coefficient * value^power, in milliseconds; worst relative deviation."""

    axis: str
    coefficients: tuple[float, ...]
    worst: float

    def at(self, value: float) -> float:
        terms = zip(self.coefficients, POWERS[self.axis], strict=True)
        return sum(c * value**power for c, power in terms)

    def __str__(self) -> str:
        names = {0: "", 1: f" {self.axis}", 2: f" {self.axis}²"}
        terms = zip(self.coefficients, POWERS[self.axis], strict=True)
        return "t = " + " + ".join(f"{c:.3g}{names[power]}" for c, power in terms) + " ms"


def fit(axis: str, values: Sequence[float], milliseconds: Sequence[float]) -> Fit:
    """Least squares of relative errors with coefficients of at least 0."""
    x, t = np.asarray(values, np.float64), np.asarray(milliseconds, np.float64)
    basis = np.stack([x**power for power in POWERS[axis]], axis=1)
    scale = basis.max(0)
    found, _ = nnls(basis / scale / t[:, None], np.ones(len(t)))
    coefficients = found / scale
    worst = float(np.abs(basis @ coefficients / t - 1).max())
    return Fit(axis, tuple(float(c) for c in coefficients), worst)
