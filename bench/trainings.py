"""The commands of sweeps of trainings, such as `bench modes`; then the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bench import report
from bench.conditioning import RUNS as CONDITIONINGS
from bench.conditioning import STEPS as CONDITIONING_STEPS
from bench.conditioning import ConditioningCase
from bench.errors import BenchError
from bench.machine import cores
from bench.makeup import RUNS as MAKEUP
from bench.makeup import STEPS as MAKEUP_STEPS
from bench.makeup import MakeupCase
from bench.mode_tables import DATA, ORDER
from bench.modes import FULL, RUNS, SHORT, TABLED, WIDE, ModesCase
from bench.robustness import OBJECTIVES, STEPS, RobustnessCase
from bench.stacked import PACKS, StackedCase
from bench.stacked import STEPS as STACKED_STEPS
from bench.sweep import Case, sweep
from bench.translation import RUNS as TRANSLATIONS
from bench.translation import TranslationCase

Command = Callable[..., Any]

STACKED = "stacked-digits"


def _sweep_options(command: Command) -> Command:
    """What every sweep of trainings has."""
    for option in (
        click.option(
            "--jobs",
            type=click.IntRange(min=1),
            default=cores(),
            show_default=True,
            help="Trainings at a time, one core each.",
        ),
        click.option(
            "--out",
            type=click.Path(dir_okay=False, path_type=Path),
            default=report.HERE / "RESULTS.md",
            help="The page; results go into results/ beside it.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.option("--data", type=click.Choice(DATA), multiple=True, help="Default: all.")
@click.option("--only", help=f"Runs with commas between (default: {','.join(TABLED)}).")
@click.option("--all", "everything", is_flag=True, help="Every run: each objective and remedy.")
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), help="Another number of steps.")
@click.option("--full", is_flag=True, help="The paper's budget: two to four hours for each run.")
@click.option("--wide", is_flag=True, help="A wider, longer budget for the grid.")
@_sweep_options
def modes(
    data: tuple[str, ...],
    only: str | None,
    everything: bool,
    seeds: int,
    steps: int | None,
    full: bool,
    wide: bool,
    jobs: int,
    out: Path,
) -> None:
    """How many modes each objective and remedy captures, next to the published rows.

    A sweep that was interrupted goes on where it was.
    """
    names = only.split(",") if only else [*ORDER] if everything else [*TABLED, *PACKS]
    if unknown := [name for name in names if name not in ORDER]:
        raise BenchError(f"unknown run {unknown[0]!r}; known: {', '.join(ORDER)}")
    cases: list[Case] = []
    for seed in range(seeds):
        for where in data or DATA:
            if where == STACKED:
                cases += [StackedCase(n, seed, steps or STACKED_STEPS) for n in names if n in PACKS]
            else:
                if wide and where not in WIDE:
                    continue
                budget = FULL if full else WIDE[where] if wide else SHORT[where]
                budget = replace(budget, steps=steps or budget.steps)
                folder = Path("runs/bench/modes") if full else None
                cases += [ModesCase(where, n, seed, budget, folder) for n in names if n in RUNS]
    if not cases:
        raise BenchError(f"--only {only} names no run of --data {', '.join(data or DATA)}")
    _sweep(cases, "modes", jobs, out)


@click.command()
@click.option("--n", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), default=STEPS, show_default=True)
@_sweep_options
def robustness(n: int, steps: int, jobs: int, out: Path) -> None:
    """How many random architectures GAN and WGAN-GP train, counted as WGAN-GP's table 2."""
    cases = [RobustnessCase(i, name, steps) for i in range(n) for name in OBJECTIVES]
    _sweep(cases, "robustness", jobs, out)


@click.command()
@click.option("--only", help=f"Runs with commas between, of {', '.join(TRANSLATIONS)}.")
@click.option("--seeds", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), help="Another number of steps.")
@_sweep_options
def translation(only: str | None, seeds: int, steps: int | None, jobs: int, out: Path) -> None:
    """The ablations of pix2pix and CycleGAN, and whether their orders come out.

    A sweep that was interrupted goes on where it was.
    """
    names = only.split(",") if only else [*TRANSLATIONS]
    if unknown := [name for name in names if name not in TRANSLATIONS]:
        raise BenchError(f"unknown run {unknown[0]!r}; known: {', '.join(TRANSLATIONS)}")
    cases = [TranslationCase.of(name, seed, steps) for seed in range(seeds) for name in names]
    _sweep(cases, "translation", jobs, out)


@click.command()
@click.option("--only", help=f"Runs with commas between, of {', '.join(MAKEUP)}.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), default=MAKEUP_STEPS, show_default=True)
@_sweep_options
def makeup(only: str | None, seeds: int, steps: int, jobs: int, out: Path) -> None:
    """PairedCycleGAN's terms, and CycleGAN, against the known truth of drawn faces.

    A sweep that was interrupted goes on where it was.
    """
    names = only.split(",") if only else [*MAKEUP]
    if unknown := [name for name in names if name not in MAKEUP]:
        raise BenchError(f"unknown run {unknown[0]!r}; known: {', '.join(MAKEUP)}")
    cases = [MakeupCase(name, seed, steps) for seed in range(seeds) for name in names]
    _sweep(cases, "makeup", jobs, out)


@click.command()
@click.option("--only", help=f"Runs with commas between, of {', '.join(CONDITIONINGS)}.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), default=CONDITIONING_STEPS, show_default=True)
@_sweep_options
def conditioning(only: str | None, seeds: int, steps: int, jobs: int, out: Path) -> None:
    """Every way for D and for G to see the condition: label accuracy and Fréchet distance.

    A sweep that was interrupted goes on where it was.
    """
    names = only.split(",") if only else [*CONDITIONINGS]
    if unknown := [name for name in names if name not in CONDITIONINGS]:
        raise BenchError(f"unknown run {unknown[0]!r}; known: {', '.join(CONDITIONINGS)}")
    cases = [ConditioningCase(name, seed, steps) for seed in range(seeds) for name in names]
    _sweep(cases, "conditioning", jobs, out)


def _sweep(cases: Sequence[Case], name: str, jobs: int, out: Path) -> None:
    sweep(cases, out.parent / "results" / name, jobs=jobs, say=click.echo)
    report.write_report(sorted((out.parent / "results").glob("*.json")), out)
    click.echo(f"{out} written")
