"""The command: report of a folder, at the end of a run, live; and what it says when it cannot."""

import json
import re
import shutil
import signal
import urllib.request
from pathlib import Path

import pytest

from minigan.report.run import read
from minigan.report.walk import stored_walk
from tests.report.support import write_run
from tests.test_cli import Command
from tests.training.support import DCGAN, MLP, OFTEN, POINTS, contents, error_line, finish, start

CONDITIONAL = ["cgan", "--data", "digits", "--batch", "8"]


def test_the_command_makes_what_the_run_left(
    minigan: Command, perceptrons: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(perceptrons, tmp_path / "run"))
    left = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    result = minigan("report", folder)
    assert (result.code, result.out, result.err) == (0, f"look at {folder / 'report.html'}\n", "")
    assert (folder / "report.html").read_bytes() == left
    assert b"Latent walk" in left


def test_elsewhere(minigan: Command, unbroken: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "page.html"
    assert minigan("report", unbroken, "--out", out).code == 0
    refused = minigan("report", unbroken, "--out", out.with_suffix(".png"))
    assert refused.code == 1
    assert "a report is one .html page" in refused.err
    assert not out.with_suffix(".png").exists()
    assert out.read_bytes() == (unbroken / "report.html").read_bytes()


def test_two_runs(
    minigan: Command, finished_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = minigan("report", finished_runs / "4", finished_runs / "8")
    assert (result.code, result.out) == (0, "look at comparison.html\n")
    text = Path("comparison.html").read_text()
    assert "A: 4" in text
    assert "B: 8" in text


def test_no_report_unless_wanted(minigan: Command, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train = ["train", *DCGAN, "--steps", 1, "--no-report"]
    assert minigan(*train, "--out", folder).out.endswith("samples.gif\n")
    assert not (folder / "report.html").exists()
    assert minigan("resume", folder, "--steps", 1).code == 0
    assert not (folder / "report.html").exists()


def test_a_run_that_was_stopped_has_a_report(minigan: Command, folder: Path) -> None:
    (folder / "samples.gif").unlink()
    for path in (folder / "samples").glob("*8.png"):
        path.unlink()
    log = folder / "log.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:6]) + '{"step": 7, "lo')
    assert minigan("report", folder).code == 0
    assert "6 of 8 steps" in (folder / "report.html").read_text()


def test_a_run_whose_numbers_ran_away_has_a_report(minigan: Command, tmp_path: Path) -> None:
    diverging = ["--optimizer", "sgd", "--lr", 1e9, "--steps", 50]
    result = minigan("train", *MLP, *diverging, "--out", tmp_path / "run")
    assert result.code == 1
    assert "training stopped" in result.err
    assert "stopped: step " in (tmp_path / "run" / "report.html").read_text()
    assert minigan("resume", tmp_path / "run").code == 1


def test_a_checkpoint_that_is_damaged(folder: Path) -> None:
    path = folder / "checkpoints/step_000008.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    picture, note = stored_walk(read(folder))
    assert picture is None
    assert note is not None
    assert note.startswith("no walk through the latent space: ")
    assert str(path) in note


def test_data_that_are_gone(tmp_path: Path, folder: Path) -> None:
    """A walk needs none, only the shape of its examples, which a run remembers."""
    walked = stored_walk(read(folder))[0]
    stored = json.loads((folder / "config.json").read_text())
    stored["run"]["data"] = "/gone/cats.npz"
    (folder / "config.json").write_text(json.dumps(stored))
    assert stored_walk(read(folder)) == (walked, None)
    del stored["shape"]
    (folder / "config.json").write_text(json.dumps(stored))
    picture, note = stored_walk(read(folder))
    assert picture is None
    assert "cats.npz" in (note or "")


@pytest.mark.parametrize(
    ("algorithm", "shown"),
    [(POINTS, False), ([*MLP, "--data", "digits"], True), (CONDITIONAL, True)],
    ids=["points", "pictures", "labelled pictures"],
)
def test_walks_are_of_pictures(
    minigan: Command, tmp_path: Path, algorithm: list[str], shown: bool
) -> None:
    assert minigan("train", *algorithm, "--steps", 1, "--out", tmp_path / "run").code == 0
    assert ("Latent walk" in (tmp_path / "run/report.html").read_text()) == shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{here}"], "{here} holds no run (no config.json, log.jsonl or samples); `minigan train`"),
        (["{here}", "--serve"], "{here} holds no run"),
        (["{run}", "{here}"], "{here} holds no run"),
        (["{run}"] * 3, "a report is of one run or two beside one another, not 3"),
        (["--serve", "{run}"], "is not a number; write --serve=PORT, or --serve last"),
        ([], "Missing argument 'DIR [DIR]'"),
    ],
)
def test_what_cannot_be_reported(
    minigan: Command, tmp_path: Path, arguments: list[str], message: str
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    places = {"here": here, "run": write_run(tmp_path / "run")}
    result = minigan("report", *[a.format(**places) for a in arguments])
    assert result.code in (1, 2)
    assert message.format(**places) in error_line(result.err)
    assert list(here.iterdir()) == []


def test_training_is_the_same_while_it_is_watched(unbroken: Path, tmp_path: Path) -> None:
    process = start(
        *("train", *DCGAN, *OFTEN, "--steps", 8, "--serve", 0, "--out", tmp_path / "run")
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    url = re.fullmatch(r"watch the run at (http://127\.0\.0\.1:\d+/)\n", line)
    assert url is not None, line
    with urllib.request.urlopen(f"{url[1]}data.json", timeout=60) as answer:
        assert b'"runs"' in answer.read()
    assert finish(process).code == 0
    assert contents(tmp_path / "run") == contents(unbroken)


def test_a_port_that_is_taken_is_met_before_anything_is_written(
    minigan: Command, unbroken: Path, tmp_path: Path
) -> None:
    process = start("report", unbroken, "--serve", 0)
    assert process.stderr is not None
    line = process.stderr.readline()
    try:
        port = re.search(r":(\d+)/; Ctrl-C ends it", line)
        assert port is not None, line
        train = ["train", *DCGAN, "--steps", 1, "--out", tmp_path / "run", f"--serve={port[1]}"]
        result = minigan(*train)
        assert error_line(result.err).startswith(f"port {port[1]} of 127.0.0.1 is taken")
        assert not (tmp_path / "run").exists()
    finally:
        process.send_signal(signal.SIGINT)
        assert finish(process).code == 0
