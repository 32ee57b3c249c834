"""Observers: what they are told, when, and that a run is the same with them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minigan.algorithms import recipe
from minigan.errors import NonFiniteError
from minigan.training import RunOptions, Trainer
from minigan.training.log import Record
from minigan.training.observer import Observer
from tests.training.support import contents


class Diary(Observer):
    """Writes down what it is told, with what the folder holds then."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []

    def begin(self, trainer: Trainer) -> None:
        self._write("begin", trainer)

    def logged(self, trainer: Trainer, record: Record) -> None:
        self._write("logged", trainer, record["step"])

    def end(self, trainer: Trainer) -> None:
        self._write("end", trainer)

    def failed(self, trainer: Trainer) -> None:
        self._write("failed", trainer)

    def _write(self, what: str, trainer: Trainer, *more: int) -> None:
        held = [path.name for path in sorted(trainer.folder.rglob("*.png"))]
        config = (trainer.folder / "config.json").exists()
        self.lines.append((what, trainer.step, *more, config, held))


def start(folder: Path) -> Trainer:
    run = RunOptions(
        data="ring", batch=8, steps=4, threads=1, log_every=2, sample_every=4, checkpoint_every=4
    )
    return Trainer.start("gan", recipe("gan").options(hidden_G=(4,), hidden_D=(4,)), run, folder)


def test_an_observer_is_told_where_numbers_run_away(tmp_path: Path) -> None:
    diary = Diary()
    trainer = start(tmp_path)
    trainer.algorithm.networks["D"].flat.data[0] = np.nan
    with pytest.raises(NonFiniteError, match="training stopped"):
        trainer.train([Observer(), diary])
    assert diary.lines[-1][0] == "failed"
    assert "end" not in [line[0] for line in diary.lines]
    assert (tmp_path / "samples.gif").exists()
    last = (tmp_path / "log.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["warning"].startswith("stopped: step ")


def test_an_observer_is_told_of_a_run_in_order(tmp_path: Path) -> None:
    diary = Diary()
    start(tmp_path / "watched").train([Observer(), diary])
    first, last = "step_000000.png", "step_000004.png"
    assert diary.lines == [
        ("begin", 0, True, []),
        ("logged", 1, 1, True, [first]),
        ("logged", 2, 2, True, [first]),
        ("logged", 4, 4, True, [first, last]),
        ("end", 4, True, ["curves.png", first, last]),
    ]
    start(tmp_path / "alone").train()
    assert contents(tmp_path / "watched") == contents(tmp_path / "alone")
