"""The tables of `bench modes`: our runs next to the published rows, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np

from bench.commands import sweep_commands
from bench.modes import DATA as MIXTURES
from bench.modes import FULL, LR, RUNS, SHORT, WIDE, Budget
from bench.plots import draw_scatter
from bench.stacked import PACKS
from bench.tables import table
from minigan.algorithms.presets import PRESETS
from minigan.data import open_data
from minigan.data.mixtures import Mixture

Result = dict[str, Any]

DATA = (*MIXTURES, "stacked-digits")
ORDER = (*RUNS, *PACKS)


class Published(NamedTuple):
    """A row of PacGAN: mean and deviation of modes over its runs, HQ %, reverse KL; None: not said.

    The mixtures are of table 1; stacked digits with the weak discriminator of section 4.2.
    """

    modes: float
    deviation: float
    high_quality: float | None
    reverse_kl: float | None


PUBLISHED: dict[tuple[str, str], Published] = {
    ("ring", "gan"): Published(6.3, 0.5, 98.2, 0.45),
    ("ring", "pac2"): Published(7.9, 0.1, 95.6, 0.07),
    ("ring", "pac4"): Published(7.8, 0.1, 95.9, 0.07),
    ("grid", "gan"): Published(17.3, 0.8, 94.8, 0.70),
    ("grid", "pac2"): Published(23.8, 0.7, 91.3, 0.13),
    ("grid", "pac4"): Published(24.8, 0.2, 93.6, 0.04),
    ("stacked-digits", "dcgan"): Published(30.6, 0.0, None, None),
    ("stacked-digits", "pacdcgan4"): Published(667.4, 0.0, None, None),
}
# Under another protocol (networks, data and counting of VEEGAN, table 1): not compared.
ELSEWHERE = "VEEGAN's, GAN 1 of 8 and 3.3 of 25, Unrolled 7.6 and 23.6, VEEGAN 8 and 24.6"

# How far a mean may lie from the published one before the table says that it differs: modes beyond
# twice the deviations of both, a share of the published number, and these.
MODES, SHARE, HIGH_QUALITY, REVERSE_KL = 0.5, 0.05, 2.0, 0.1

# What is asked for beyond the published rows: so many modes from these runs.
LEAST = {"ring": 8, "grid": 23}
KEEPERS = ("pac2", "pac3", "pac4", "unrolled-5", "unrolled-10", "wgan-gp")


class Summary(NamedTuple):
    """Over the seeds of one run on one data set that came to an end."""

    modes: float
    deviation: float
    high_quality: float | None  # in %
    reverse_kl: float | None
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
                mixture = data in MIXTURES
                parts = [_commands(data, budget, own), _table(data, own), _note(own)]
                parts += [_plot(data, own, out) if mixture else _margin(own)]
                text += "\n\n".join(filter(None, parts))
    return text


def _commands(data: str, budget: str, results: list[Result]) -> str:
    of_budget = [] if budget == "short" else [f"--{budget}"]
    runs = RUNS if data in MIXTURES else PACKS
    return sweep_commands("modes", results, runs, f"--data {data}", *of_budget, every="--all")


def _note(results: list[Result]) -> str:
    """Why two rows are the same, and what samples were with the statistics of the last batches."""
    same = SAME if {"gan", "f-gan"} <= {r["run"] for r in results} else ""
    left = "; ".join(
        f"`{r['run']}`, seed {r['seed']}: {a['modes']} modes, HQ {100 * a['high_quality']:.1f} %, "
        f"KL {a['reverse_kl']:.2f}"
        for r in results
        if (a := r.get("as_left"))
    )
    return "\n\n".join(filter(None, (same, left and f"{LEFT} {left}.")))


LEFT = "With the running statistics that training left, in place of standing ones:"


SAME = (
    "`f-gan` is no second opinion: with the Jensen-Shannon divergence and the paper's trick for G "
    "its gradients are the plain GAN's, so the two rows are the same run."
)


def _margin(results: list[Result]) -> str:
    """By how much the packs that capture most modes beat the plain network."""
    found = {run: summary([r for r in results if r["run"] == run]) for run in PACKS}
    modes = {run: own.modes for run, own in found.items() if own is not None}
    plain = modes.pop("dcgan", None)
    if plain is None or not modes:
        return ""
    best = max(modes, key=lambda run: modes[run])
    ratio = modes[best] / max(plain, 1)
    said = f"{best} captures {modes[best]:.0f} modes, DCGAN {plain:.0f} at the same budget"
    verdict = f"{ratio:.1f} times as many" if ratio > 1 else "differs from the paper, no gain"
    return f"{said}: {verdict}. Protocol: the docstring of `bench/stacked.py`."


def _differences() -> str:
    """The settings of the paper and of the short budgets, a row for each that differs."""
    shorter = [*(SHORT[data] for data in MIXTURES), *WIDE.values()]
    rows = [(says, get(FULL), *map(get, shorter)) for says, get in _SETTINGS]
    own = ", ".join(
        f"`{name}` {_paper_lr(name) * run.rates[0]:g} and {_paper_lr(name) * run.rates[1]:g}"
        for name, run in RUNS.items()
        if run.rates
    )
    head = ["", "paper (`--full`)", *(f"short, {data}" for data in MIXTURES)]
    head += [f"wide, {data} (`--wide`)" for data in WIDE]
    return f"{table(head, rows)}\n\nShort rates of their own for G and D have {own}."


def _paper_lr(name: str) -> float:
    """The learning rate of a run's paper."""
    return PRESETS.get(RUNS[name].settings.get("objective", ""), {}).get("lr", LR)


_SETTINGS: tuple[tuple[str, Callable[[Budget], str]], ...] = (
    ("steps of G", lambda b: f"{b.steps:,}"),
    ("packs in a minibatch", lambda b: str(b.batch)),
    ("G", lambda b: f"4 x {b.units_G}"),
    ("D, maxout of 5", lambda b: f"3 x {b.units_D}"),
    ("weights at the start", lambda b: f"N(0, {b.std:g}²)" if b.std else "He in G, Glorot in D"),
    ("units of D at the start", lambda b: "one example each" if b.apart else "all of the pack"),
    ("rate of G", lambda b: f"{LR * b.rate_G:g}"),
    ("rate of D", lambda b: f"{LR * b.rate_D:g}"),
    ("Adam's beta1", lambda b: str(b.beta1)),
    ("rates over time", lambda b: b.course),
    ("samples from", lambda b: f"G averaged with {b.ema:g}" if b.ema else "G"),
    ("statistics of G's batch norms", lambda b: "standing" if b.standing else "running"),
)

_INTRODUCTION = f"""## Modes captured

Protocol and budgets: the docstring of `bench/modes.py`. Means over the
seeds, the modes with their standard deviation; seconds are processor time of a run. Published rows:
PacGAN, table 1 (10 runs of {FULL.steps:,} steps). Another protocol, not to be compared:
{ELSEWHERE}.

On the mixtures reverse KL is of the samples near a mode, as in the authors' published code. Rows
without it are older and had it of all samples by the nearest mode, which is smaller.

The short and wide budgets are not the paper's. What differs, in every run alike:

{_differences()}"""


def summary(results: list[Result]) -> Summary | None:
    """None where no run came to an end."""
    ended = [r for r in results if r["error"] is None]
    if not ended:
        return None
    modes, shares = [r["modes"] for r in ended], [r["high_quality"] for r in ended]
    divergences = [r["reverse_kl"] for r in ended if "reverse_kl" in r]
    return Summary(
        mean(modes),
        stdev(modes) if len(modes) > 1 else 0.0,
        None if None in shares else 100 * mean(shares),
        mean(divergences) if len(divergences) == len(ended) else None,
        mean(r["seconds"] for r in ended),
        len(ended),
        len(results) - len(ended),
    )


def difference(own: Summary, published: Published | None) -> str:
    """In which numbers our means differ from the paper's, and to which side."""
    if published is None:
        return ""
    both = 2 * float(np.hypot(own.deviation, published.deviation))
    allowed = max(MODES, SHARE * published.modes, both)
    parts = [
        _side("modes", own.modes - published.modes, allowed, ".1f"),
        _side("HQ", _minus(own.high_quality, published.high_quality), HIGH_QUALITY, ".1f"),
        _side("KL", _minus(own.reverse_kl, published.reverse_kl), REVERSE_KL, ".2f"),
    ]
    said = ", ".join(part for part in parts if part)
    return f"differs from the paper: {said}" if said else "as published"


def target(data: str, run: str, own: Summary) -> str:
    """Whether a run does what is claimed of it: lose modes, or keep them at the published HQ."""
    if run == "gan" and data == "grid":
        return "loses modes, as claimed" if own.modes < 25 else "missed: loses no mode"
    if run not in KEEPERS:
        return ""
    missed = []
    if own.modes < LEAST[data]:
        missed.append(f"fewer than {LEAST[data]} modes")
    published = PUBLISHED.get((data, run))
    if published and _minus(own.high_quality, published.high_quality) < 0:
        missed.append("HQ below the published")
    return "missed: " + ", ".join(missed) if missed else f"met: {LEAST[data]} modes or more"


def _minus(ours: float | None, theirs: float | None) -> float:
    """The difference; 0 where either is not known."""
    return 0.0 if ours is None or theirs is None else ours - theirs


def _side(name: str, by: float, allowed: float, form: str) -> str:
    return "" if abs(by) <= allowed else f"{name} {by:+{form}}"


def _table(data: str, results: list[Result]) -> str:
    head = ["run", "modes", "HQ %", "reverse KL", "seconds", "seeds", "published: modes", "HQ %"]
    head += ["KL", "against the paper", "claim"]
    lines = []
    for run in (name for name in ORDER if any(r["run"] == name for r in results)):
        own = summary([r for r in results if r["run"] == run])
        published = PUBLISHED.get((data, run))
        if own is None:
            errors = next(r["error"] for r in results if r["run"] == run)
            lines.append([f"`{run}`", f"failed: {errors}", *[""] * (len(head) - 2)])
            continue
        lines.append(
            [
                f"`{run}`",
                f"{own.modes:.1f} ± {own.deviation:.1f}" if own.seeds > 1 else f"{own.modes:g}",
                _said(own.high_quality, ".1f"),
                _said(own.reverse_kl, ".2f"),
                f"{own.seconds:.0f}",
                str(own.seeds) + (f", {own.failed} failed" if own.failed else ""),
                _modes(published),
                _said(published.high_quality if published else None),
                _said(published.reverse_kl if published else None),
                difference(own, published) if data in MIXTURES else "another protocol",
                target(data, run, own),
            ]
        )
    return table(head, lines)


def _modes(published: Published | None) -> str:
    """The published mean, with its deviation where one is known."""
    if published is None:
        return ""
    return f"{published.modes}" + (f" ± {published.deviation}" if published.deviation else "")


def _said(value: float | None, form: str = "") -> str:
    return "" if value is None else f"{value:{form}}"


def _plot(data: str, results: list[Result], out: Path) -> str:
    """The samples of each run's first seed, in a picture beside the page."""
    panels = []
    for run in RUNS:
        own = [r for r in results if r["run"] == run and r["error"] is None]
        if own:
            first = min(own, key=lambda r: r["seed"])
            panels.append((f"{run}: {first['modes']}", np.array(first["points"])))
    if not panels:
        return ""
    name = f"modes-{data}-{results[0]['budget']}-{results[0]['steps']}.png"
    (out.parent / "results").mkdir(exist_ok=True)
    draw_scatter(panels, _mixture(data).centres, out.parent / "results" / name)
    return f"![samples of each run on the {data}](results/{name})"


def _mixture(data: str) -> Mixture:
    dataset = open_data(data)
    assert isinstance(dataset, Mixture)
    return dataset
