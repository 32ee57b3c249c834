"""The commands that make a table, told from the rows that the table shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any

from bench.rows import Row


def sweep_commands(
    sweep: str,
    results: Iterable[dict[str, Any]],
    runs: Collection[str],
    *options: str,
    every: str = "",
) -> str:
    """A line for each number of seeds, with the runs that have so many, and their steps.

    runs: all that the sweep knows, in its order; where they are all there `every` takes the place
    of their names.
    """
    results = list(results)
    lines = []
    for steps in sorted({r["steps"] for r in results}):
        seeds: dict[str, int] = {}
        for r in (r for r in results if r["steps"] == steps):
            seeds[r["run"]] = max(seeds.get(r["run"], 0), r["seed"] + 1)
        for count in sorted(set(seeds.values()), reverse=True):
            names = [name for name in runs if seeds.get(name) == count]
            chosen = every if len(names) == len(runs) else f"--only {','.join(names)}"
            words = [sweep, *options, chosen, f"--seeds {count}", f"--steps {steps}"]
            lines.append(" ".join(filter(None, words)))
    return block(lines)


def step_commands(rows: Sequence[Row]) -> str:
    """A line for each work, number of threads and number of pairs, with the peers that it has."""

    def line(row: Row) -> str:
        return f"step {_network(row)} {_how(row)} --repeats {row.detail['repeats']}"

    order = list(dict.fromkeys(map(line, rows)))
    groups = groupby(sorted(rows, key=lambda row: order.index(line(row))), line)
    return block(f"{said} --peers {','.join(r.peer for r in own)}" for said, own in groups)


def ops_commands(rows: Sequence[Row]) -> str:
    """A line for each network that the operations are of."""
    lines = [
        f"ops --size {r.size} --width {r.width} --batch {r.batch} {_how(r)} "
        f"--repeats {r.detail['repeats']}"
        for r in rows
    ]
    return block(dict.fromkeys(lines))


def profile_commands(rows: Sequence[Row]) -> str:
    """A line for each step."""
    return block(dict.fromkeys(f"profile {_network(r)} {_how(r)}" for r in rows))


def _network(row: Row) -> str:
    return f"--arch {row.arch} --size {row.size} --width {row.width} --batch {row.batch}"


def _how(row: Row) -> str:
    if row.device == "cpu":
        return f"--threads {row.threads}"
    eager = " --no-graph" if row.detail.get("form") == "eager" else ""
    return f"--device cuda --precision {row.precision}{eager}"


def block(lines: Iterable[str]) -> str:
    """The lines as commands of `bench`, in a block of Markdown."""
    return "```\n" + "\n".join(f"python -m bench {line}" for line in lines) + "\n```"
