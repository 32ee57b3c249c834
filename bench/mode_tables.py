"""The tables of `bench modes`: our runs next to the published rows, and where they differ."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np

from bench.modes import DATA, FULL, RUNS, SHORT
from bench.plots import draw_scatter
from bench.tables import table
from minigan.data import open_data
from minigan.data.mixtures import Mixture

Result = dict[str, Any]


class Published(NamedTuple):
    """A row of PacGAN's table 1: mean and deviation of modes over 10 runs, HQ %, reverse KL."""

    modes: float
    deviation: float
    high_quality: float
    reverse_kl: float


PUBLISHED: dict[tuple[str, str], Published] = {
    ("ring", "gan"): Published(6.3, 0.5, 98.2, 0.45),
    ("ring", "pac2"): Published(7.9, 0.1, 95.6, 0.07),
    ("ring", "pac4"): Published(7.8, 0.1, 95.9, 0.07),
    ("grid", "gan"): Published(17.3, 0.8, 94.8, 0.70),
    ("grid", "pac2"): Published(23.8, 0.7, 91.3, 0.13),
    ("grid", "pac4"): Published(24.8, 0.2, 93.6, 0.04),
}
# Under another protocol (networks, data and counting of VEEGAN, table 1): not compared.
ELSEWHERE = "VEEGAN's protocol: GAN 1 of 8 and 3.3 of 25, Unrolled 7.6 and 23.6, VEEGAN 8 and 24.6"

# How far a mean may lie from the published one before the table says that it differs: modes beyond
# twice the deviations of both, and these.
MODES, HIGH_QUALITY, REVERSE_KL = 0.5, 2.0, 0.1

# What is asked for beyond the published rows: so many modes from these runs.
LEAST = {"ring": 8, "grid": 23}
KEEPERS = ("pac2", "pac3", "pac4", "unrolled-5", "unrolled-10", "wgan-gp")


class Summary(NamedTuple):
    """Over the seeds of one run on one data set that came to an end."""

    modes: float
    deviation: float
    high_quality: float  # in %
    reverse_kl: float
    seconds: float
    seeds: int
    failed: int


def section(results: Iterable[Result], out: Path) -> str:
    """The section of RESULTS.md at `out`, its plots beside it in results/."""
    results = list(results)
    text = _INTRODUCTION
    for budget, steps in sorted({(r["budget"], r["steps"]) for r in results}):
        for data in DATA:
            own = [
                r for r in results if (r["data"], r["budget"], r["steps"]) == (data, budget, steps)
            ]
            if own:
                text += f"\n\n### {data}, {budget} budget, {steps:,} steps of G\n\n"
                text += _table(data, own) + "\n\n" + _plot(data, budget, steps, own, out)
    return text


_INTRODUCTION = f"""## Modes captured

`python -m bench modes`; protocol and budgets: the docstring of `bench/modes.py`. Means over the
seeds, the modes with their standard deviation; seconds are of one run on one core. Published rows:
PacGAN, table 1 (10 runs of {FULL.steps:,} steps at 1e-4; here by default {SHORT.steps:,} at
{SHORT.rate:g} times the rate, falling to 0). {ELSEWHERE}: not to be compared."""


def summary(results: list[Result]) -> Summary | None:
    """None where no run came to an end."""
    ended = [r for r in results if r["error"] is None]
    if not ended:
        return None
    modes = [r["modes"] for r in ended]
    return Summary(
        mean(modes),
        stdev(modes) if len(modes) > 1 else 0.0,
        100 * mean(r["high_quality"] for r in ended),
        mean(r["reverse_kl"] for r in ended),
        mean(r["seconds"] for r in ended),
        len(ended),
        len(results) - len(ended),
    )


def difference(own: Summary, published: Published | None) -> str:
    """In which numbers our means differ from the paper's, and to which side."""
    if published is None:
        return ""
    allowed = max(MODES, 2 * float(np.hypot(own.deviation, published.deviation)))
    parts = [
        _side("modes", own.modes - published.modes, allowed, ".1f"),
        _side("HQ", own.high_quality - published.high_quality, HIGH_QUALITY, ".1f"),
        _side("KL", own.reverse_kl - published.reverse_kl, REVERSE_KL, ".2f"),
    ]
    said = ", ".join(part for part in parts if part)
    return f"differs from the paper: {said}" if said else "as published"


def target(data: str, run: str, own: Summary) -> str:
    """Whether a run does what is claimed of it: lose modes, or keep them at the published HQ."""
    modes = len(_mixture(data).centres)
    if run == "gan" and data == "grid":
        return "loses modes, as claimed" if own.modes < modes else "missed: loses no mode"
    if run not in KEEPERS:
        return ""
    missed = []
    if own.modes < LEAST[data]:
        missed.append(f"fewer than {LEAST[data]} modes")
    published = PUBLISHED.get((data, run))
    if published and own.high_quality < published.high_quality:
        missed.append("HQ below the published")
    return "missed: " + ", ".join(missed) if missed else f"met: {LEAST[data]} modes or more"


def _side(name: str, by: float, allowed: float, form: str) -> str:
    return "" if abs(by) <= allowed else f"{name} {by:+{form}}"


def _table(data: str, results: list[Result]) -> str:
    head = ["run", "modes", "HQ %", "reverse KL", "seconds", "seeds", "published: modes", "HQ %"]
    head += ["KL", "against the paper", "claim"]
    lines = []
    for run in (name for name in RUNS if any(r["run"] == name for r in results)):
        own = summary([r for r in results if r["run"] == run])
        published = PUBLISHED.get((data, run))
        if own is None:
            errors = next(r["error"] for r in results if r["run"] == run)
            lines.append([f"`{run}`", f"failed: {errors}", *[""] * (len(head) - 2)])
            continue
        lines.append(
            [
                f"`{run}`",
                f"{own.modes:.1f} ± {own.deviation:.1f}",
                f"{own.high_quality:.1f}",
                f"{own.reverse_kl:.2f}",
                f"{own.seconds:.0f}",
                str(own.seeds) + (f", {own.failed} failed" if own.failed else ""),
                f"{published.modes} ± {published.deviation}" if published else "",
                f"{published.high_quality}" if published else "",
                f"{published.reverse_kl}" if published else "",
                difference(own, published),
                target(data, run, own),
            ]
        )
    return table(head, lines)


def _plot(data: str, budget: str, steps: int, results: list[Result], out: Path) -> str:
    """The samples of each run's first seed, in a picture beside the page."""
    panels = []
    for run in RUNS:
        own = [r for r in results if r["run"] == run and r["error"] is None]
        if own:
            first = min(own, key=lambda r: r["seed"])
            panels.append((f"{run}: {first['modes']}", np.array(first["points"])))
    if not panels:
        return ""
    name = f"modes-{data}-{budget}-{steps}.png"
    (out.parent / "results").mkdir(exist_ok=True)
    draw_scatter(panels, _mixture(data).centres, out.parent / "results" / name)
    return f"![samples of each run on the {data}](results/{name})"


def _mixture(data: str) -> Mixture:
    dataset = open_data(data)
    assert isinstance(dataset, Mixture)
    return dataset
