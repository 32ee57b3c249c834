"""The commands above the tables of RESULTS.md are those that make what the tables show."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import makeup, mode_tables, report, trainings
from bench.cli import cli
from bench.commands import ops_commands, profile_commands, step_commands, sweep_commands
from bench.report import HERE
from bench.rows import newest, read
from bench.sweep import read as read_sweep
from tests.bench.rows import SPREAD, make_row

PAGE = (HERE / "RESULTS.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"^python -m bench (.*)$", re.MULTILINE)


@cache
def sections(out: Path) -> dict[str, str]:
    """What the stored results give now, without the pictures and the row that take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mode_tables, "draw_scatter", lambda *_: None)
        patch.setattr(makeup, "_warped", lambda: [""] * (1 + len(makeup.HEADS)))
        found = report._sweeps(HERE / "RESULTS.md")
        return {
            files[0].parent.name: section(read_sweep(files), out / "RESULTS.md")
            for files, section in found
        }


@pytest.mark.parametrize("sweep", ["modes", "robustness", "translation", "makeup", "conditioning"])
def test_the_page_s_commands_train_what_is_stored_and_nothing_else(
    sweep: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        trainings, "_sweep", lambda cases, name, jobs, out: asked.extend(c.key for c in cases)
    )
    lines = [line for line in COMMAND.findall(PAGE) if line.split()[0] == sweep]
    assert lines == COMMAND.findall(sections(tmp_path_factory.getbasetemp())[sweep]), (
        "run `python -m bench report`"
    )
    for line in lines:
        done = CliRunner().invoke(cli, shlex.split(line))
        assert done.exit_code == 0, done.output
    assert len(asked) == len(set(asked)), "a training stands above two tables"
    assert set(asked) == {path.stem for path in (HERE / "results" / sweep).glob("*.json")}


def test_the_page_s_measurements_are_commands() -> None:
    """The measuring commands of the page name the works, peers and pairs of the stored rows."""
    rows = newest(r for file in (HERE / "results").glob("*.json") for r in read(file))
    printed = set(COMMAND.findall(PAGE))
    for bench, commands in (
        ("step", step_commands),
        ("ops", ops_commands),
        ("profile", profile_commands),
    ):
        told: set[str] = set()
        for machine in {r.machine for r in rows}:
            own = [r for r in rows if r.bench == bench and r.machine == machine]
            told |= set(COMMAND.findall(commands(own)))
        assert told == {p for p in printed if p.startswith(bench)}


def lines_of(text: str) -> list[str]:
    first, *lines, last = text.splitlines()
    assert first == last == "```"
    return [line.removeprefix("python -m bench ") for line in lines]


def test_runs_with_as_many_seeds_share_a_line() -> None:
    counts = {"a": 2, "b": 1, "c": 2}
    results = [
        {"run": run, "seed": seed, "steps": 9} for run, n in counts.items() for seed in range(n)
    ]
    assert lines_of(sweep_commands("modes", results, ["c", "b", "a"], "--data ring")) == [
        "modes --data ring --only c,a --seeds 2 --steps 9",
        "modes --data ring --only b --seeds 1 --steps 9",
    ]
    some = [r | {"seed": 0} for r in results]
    assert lines_of(sweep_commands("makeup", some, ["a", "b", "c"])) == [
        "makeup --seeds 1 --steps 9"
    ]
    assert lines_of(sweep_commands("modes", some, ["a", "b", "c"], every="--all")) == [
        "modes --all --seeds 1 --steps 9"
    ]
    longer = [*some, {"run": "b", "seed": 0, "steps": 20}]
    assert lines_of(sweep_commands("makeup", longer, ["a", "b", "c"]))[1:] == [
        "makeup --only b --seeds 1 --steps 20"
    ]


def test_steps_share_a_line_with_their_other_peers() -> None:
    fewer = SPREAD | {"repeats": 3}
    card = {"device": "cuda", "precision": "bf16"}
    rows = [
        make_row(),
        make_row(arch="mlp", size=28, width=1200),
        make_row(peer="torch-compile"),
        make_row(peer="torch-frozen", detail=fewer),
        make_row(**card, detail=SPREAD | {"form": "eager"}),
    ]
    dcgan = "step --arch dcgan --size 64 --width 64 --batch 64"
    assert lines_of(step_commands(rows)) == [
        f"{dcgan} --threads 2 --repeats 7 --peers torch,torch-compile",
        "step --arch mlp --size 28 --width 1200 --batch 64 --threads 2 --repeats 7 --peers torch",
        f"{dcgan} --threads 2 --repeats 3 --peers torch-frozen",
        f"{dcgan} --device cuda --precision bf16 --no-graph --repeats 7 --peers torch",
    ]
