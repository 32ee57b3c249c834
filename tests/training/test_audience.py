"""A training goes on when nobody reads what it says."""

import io
import os
import pty
import subprocess
from pathlib import Path

import pytest

from minigan.training.audience import audience
from minigan.training.progress import ProgressReport
from tests.training.support import COMMAND, POINTS, numbers


def unread() -> io.TextIOWrapper:
    """A pipe whose other end is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    return open(writing, "w", encoding="utf-8")


def test_what_nobody_reads_is_passed_over() -> None:
    with unread() as stream:
        heard = audience(stream)
        for _ in range(3):
            print("step", file=heard, flush=True)
        os.write(stream.fileno(), b"not an error either")
        assert heard.encoding == "utf-8"


def test_a_terminal_that_is_gone() -> None:
    ours, theirs = pty.openpty()
    os.close(ours)
    with open(theirs, "w", encoding="utf-8") as stream:
        print("step", file=audience(stream), flush=True)


def test_somebody_reads_everything() -> None:
    stream = io.StringIO()
    print("step", file=audience(stream), flush=True)
    assert stream.getvalue() == "step\n"


def test_a_stream_that_was_never_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    with ProgressReport(0, 2) as report:
        report.say("warning")


def test_the_progress_goes_on_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    with unread() as stream:
        monkeypatch.setattr("sys.stderr", stream)
        with ProgressReport(0, 2) as report:
            report.say("warning")
            report.update(2, {"step": 2, "loss_D": 1.0})


def test_a_training_ends_whole(tmp_path: Path) -> None:
    """The whole command, whose warnings and lines have no reader from the first on."""
    train = [
        *COMMAND,
        "train",
        *POINTS,
        "--steps",
        "3",
        "--ema",
        "0.999",
        "--out",
        tmp_path / "run",
    ]
    with unread() as stream:
        code = subprocess.run(
            train, stdout=subprocess.DEVNULL, stderr=stream, check=False
        ).returncode
    assert code == 0
    assert numbers(tmp_path / "run", "checkpoints/*.json")[-1] == 3
    assert (tmp_path / "run" / "report.html").exists()
