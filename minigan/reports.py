"""What the commands list, explain, gradcheck and doctor print."""

from __future__ import annotations

import platform
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from threadpoolctl import threadpool_info

from minigan.algorithms import ALGORITHMS
from minigan.algorithms.presets import PRESETS
from minigan.algorithms.settings import flag
from minigan.backend import make_rng
from minigan.cuda.facts import facts
from minigan.data import CLIPS, DATASETS, PAIRS, POSES, SENTENCES, SOUNDS
from minigan.data.make import RECIPES
from minigan.errors import UnknownNameError
from minigan.explain import contents, explain
from minigan.gradcheck import TOLERANCE, GradcheckError
from minigan.gradcheck_cases import CASES
from minigan.instructions import confined
from minigan.losses import OBJECTIVES, PENALTIES
from minigan.metrics import METRICS
from minigan.parallel import available_threads
from minigan.training.config import versions


def print_list() -> None:
    """Every algorithm, objective, penalty, data set and metric with a line each."""
    console = _console()
    for title, rows in (
        ("algorithms", [(n, f"{r.summary} ({r.paper})") for n, r in ALGORITHMS.items()]),
        ("objectives", [(n, o.summary) for n, o in OBJECTIVES.items()]),
        ("penalties", [(n, p.summary) for n, p in PENALTIES.items()]),
        ("objectives that also set options", [(n, _settings(p)) for n, p in PRESETS.items()]),
        ("data", [(n, e.description) for n, e in DATASETS.items()]),
        ("pairs of pictures", [(n, e.description) for n, e in PAIRS.items()]),
        ("speech", [(n, e.description) for n, e in SOUNDS.items()]),
        ("clips", [(n, e.description) for n, e in CLIPS.items()]),
        ("persons in poses", [(n, e.description) for n, e in POSES.items()]),
        ("sentences", [(n, e.description) for n, e in SENTENCES.items()]),
        ("made by minigan data make", [(n, r.summary) for n, r in RECIPES.items()]),
        ("metrics", [(n, f"{m.summary}; needs {m.needs}") for n, m in METRICS.items()]),
    ):
        table = Table("name", "what it is", title=title, title_justify="left", box=None)
        for row in rows:
            table.add_row(*row)
        console.print(table)
        console.print()
    console.print(
        "--data also takes a folder of pictures, of clips, of persons or of WAV files, as the "
        "algorithm needs it, IDX files, CIFAR-10 .bin files, an .npz file, or a .txt file of "
        "sentences."
    )


def print_topics() -> None:
    """Every name that `explain` knows, with how many equations it has and of which paper first."""
    table = Table("name", "equations", "paper", box=None)
    for name, found in contents().items():
        papers = list(dict.fromkeys(e.paper for e in found))
        more = f" and {len(papers) - 1} more" if len(papers) > 1 else ""
        table.add_row(name, str(len(found)), escape(papers[0] + more))
    _console().print(table)


def print_explanation(name: str) -> None:
    """Each equation of an algorithm or topic, its paper, and the lines that compute it."""
    console = _console()
    paper = None
    for equation in explain(name):
        if equation.paper != paper:
            paper = equation.paper
            console.print(f"\n[bold]{escape(paper)}[/bold]")
        console.print(f"\n[bold]({equation.id})[/bold]  {escape(equation.latex)}", soft_wrap=True)
        for line in equation.lines:
            console.print(f"    [dim]{line.path}:{line.number}[/dim]", soft_wrap=True)
            console.print(f"        {escape(line.code)}", soft_wrap=True)


def print_gradcheck(name: str | None, seed: int) -> int:
    """A row for each case with its worst relative error; returns how many failed, as an exit code.

    Raises UnknownNameError when no case has that name.
    """
    cases = [c for c in CASES if name in (None, c.name, c.name.partition(" ")[0])]
    if not cases:
        raise UnknownNameError("layer, loss or network", str(name), [c.name for c in CASES])
    table = Table("kind", "name", "order", "worst in", "relative error", "", box=None)
    failed = 0
    for case in cases:
        try:
            results = case.check(make_rng(seed))
        except GradcheckError as error:
            failed += 1
            table.add_row(case.kind, case.name, "", escape(str(error)), "", "[red]FAILED[/red]")
            continue
        for order in sorted({r.order for r in results}):
            worst = max((r for r in results if r.order == order), key=lambda r: r.error)
            table.add_row(case.kind, case.name, str(order), worst.array, f"{worst.error:.1e}", "ok")
    console = _console()
    console.print(table)
    console.print(f"{len(cases) - failed} of {len(cases)} within {TOLERANCE:.0e} (float64)")
    return min(failed, 1)


def print_doctor() -> None:
    """Versions, linear algebra, devices, and what is missing with how to get it."""
    console = _console()
    table = Table("part", "found", box=None)
    for package, found in versions().items():
        table.add_row(package, found)
    table.add_row("platform", f"{platform.system()} {platform.release()}, {platform.machine()}")
    table.add_row(
        "processors",
        f"{available_threads()} usable",
    )
    for pool in threadpool_info():
        table.add_row(
            f"{pool['user_api']} threads",
            f"{pool['num_threads']} ({pool['internal_api']} {pool.get('version') or ''}, "
            f"{pool.get('architecture') or 'any'})",
        )
    for name, value in confined().items():
        table.add_row("environment", escape(f"{name}={value}: instructions as it says"))
    for part, found in facts():
        table.add_row(escape(part), escape(found))
    console.print(table)
    console.print(
        "Trainings run on every usable processor, or on --threads of them, with one BLAS thread on "
        "each; elsewhere OPENBLAS_NUM_THREADS or OMP_NUM_THREADS decides."
    )


def _settings(preset: dict[str, Any]) -> str:
    """A preset as one would type it."""
    return " ".join(f"{flag(name)} {value}" for name, value in preset.items())


def _console() -> Console:
    """Standard output; wide enough for whole lines where it is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)
