"""What is read of a run, whole or not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from minigan.errors import CheckpointError
from minigan.report.run import Frame, read
from tests.report.support import write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", reconstructions=True, seed=7)


def test_a_whole_run(folder: Path) -> None:
    run = read(folder)
    assert (run.algorithm, run.title) == ("dcgan", "dcgan on kittens")
    assert (run.done, run.steps) == (40, 40)
    assert run.config["run"]["seed"] == 7
    assert [r["step"] for r in run.records] == [5, 10, 15, 20, 20, 25, 30, 35, 40]
    assert run.warnings == [{"step": 20, "warning": "D is saturated; try a lower --lr"}]
    assert [frame.step for frame in run.frames] == [0, 10, 20, 30, 40]
    pictures = folder / "samples"
    assert run.frames[1] == Frame(
        10,
        {
            "samples": pictures / "step_000010.png",
            "reconstruction": pictures / "reconstruction_step_000010.png",
        },
    )
    assert run.film == folder / "samples.gif"
    assert (run.results, run.best, run.problems) == ([], None, ())


def test_measurements_are_found(folder: Path) -> None:
    best = {"metric": "fid.distance", "samples": 100, "value": 3.5, "step": 30}
    (folder / "checkpoints/best").mkdir(parents=True)
    (folder / "checkpoints/best/best.json").write_text(json.dumps(best))
    for name, value in (("eval.json", 1.0), ("eval-test.json", 2.0)):
        result = {"metric": "kid", "values": {"value": value}}
        (folder / name).write_text(json.dumps([result]))
    run = read(folder)
    assert run.best == best
    assert [(r["file"], r["values"]["value"]) for r in run.results] == [
        ("eval-test.json", 2.0),
        ("eval.json", 1.0),
    ]


def test_a_run_of_data_in_a_file(tmp_path: Path) -> None:
    run = read(write_run(tmp_path / "run", data="/some/where/cats.npz"))
    assert run.title == "dcgan on cats"


def cut_line(folder: Path) -> None:
    with open(folder / "log.jsonl", "a") as file:
        file.write('{"step": 45, "loss_')


def damaged_lines(folder: Path) -> None:
    with open(folder / "log.jsonl", "a") as file:
        file.write('garbage\n[1, 2]\n{"step": "five"}\n{"loss_D": 1.0}\n')


def cut_picture(folder: Path) -> None:
    path = folder / "samples/step_000040.png"
    path.write_bytes(path.read_bytes()[:-20])


def cut_config(folder: Path) -> None:
    path = folder / "config.json"
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (cut_line, ""),  # a run that is writing has one
        (damaged_lines, "log.jsonl: 4 of 13 lines cannot be read"),
        (cut_picture, "samples/step_000040.png is damaged"),
        (cut_config, "config.json cannot be read: "),
        (lambda f: (f / "config.json").unlink(), "config.json is missing"),
        (lambda f: (f / "config.json").write_text("[]"), "config.json is not what minigan writes"),
        (lambda f: (f / "config.json").write_text("{}"), "config.json is not what minigan writes"),
        (lambda f: (f / "eval.json").write_text("[3]"), "eval.json holds something that is no"),
        (lambda f: (f / "log.jsonl").unlink(), ""),
        (lambda f: (f / "samples/step_7.png").write_text(""), ""),  # someone else's
    ],
)
def test_a_damaged_run_is_read_for_what_there_is(
    folder: Path, damage: Callable[[Path], object], problem: str
) -> None:
    damage(folder)
    run = read(folder)
    assert len(run.problems) == bool(problem)
    assert problem in "".join(run.problems)
    lost = damage is cut_picture
    assert [f.step for f in run.frames] == [0, 10, 20, 30, 40]
    assert ("samples" in run.frames[-1].pictures) == (not lost)
    assert run.done == 40


def test_a_run_that_has_only_begun(folder: Path) -> None:
    for path in [folder / "log.jsonl", folder / "samples.gif", *(folder / "samples").iterdir()]:
        path.unlink()
    run = read(folder)
    assert (run.records, run.frames, run.film, run.done, run.problems) == ([], [], None, 0, ())


@pytest.mark.parametrize("content", [None, "", "{}", '{"name": "another project"}'])
def test_a_folder_that_is_no_run(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"holds no run \(.*\); `minigan train` starts one"):
        read(tmp_path)
    with pytest.raises(CheckpointError, match="holds no run"):
        read(tmp_path / "missing")
