"""Many trainings, one file for each result, several processes; an interrupted sweep goes on.

A case has a `key`, which names its file, and `play()`, which trains and returns what was found.
What is stored already is not trained again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from bench.errors import BenchError
from bench.machine import machine, today, versions


class Case(Protocol):
    """One training; it travels to another process."""

    @property
    def key(self) -> str: ...

    def play(self) -> dict[str, Any]:
        """Trains; numbers, strings and lists only."""


def sweep(
    cases: Sequence[Case], folder: Path, *, jobs: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Every case that has no file in `folder` is played and stored; the results of all of them."""
    waiting = [case for case in cases if not _path(folder, case).exists()]
    say(f"{len(cases) - len(waiting)} of {len(cases)} results stored already, in {folder}")
    if waiting:
        where = {"machine": machine(), "versions": versions(), "date": today()}
        # Spawned, for each sets its own number of threads before NumPy is loaded.
        with ProcessPoolExecutor(jobs, get_context("spawn"), _one_thread) as pool:
            futures = {pool.submit(case.play): case for case in waiting}
            for done, future in enumerate(as_completed(futures), 1):
                case, found = futures[future], future.result()
                _write(_path(folder, case), {"key": case.key, **found, **where})
                say(f"{done} of {len(waiting)}: {case.key}")
    return read(_path(folder, case) for case in cases)


def read(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Stored results. Raises BenchError naming a file that is none."""
    found = []
    for path in paths:
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise BenchError(f"{path}: {error}; remove it to train that case again") from None
    return found


def _one_thread() -> None:
    """Cases run beside one another, each on one core. The parent's setting would be too late."""
    from threadpoolctl import threadpool_limits

    from minigan.parallel import use_threads

    threadpool_limits(1)
    use_threads(1)


def _path(folder: Path, case: Case) -> Path:
    return folder / f"{case.key}.json"


def _write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    with open(unfinished, "w", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
