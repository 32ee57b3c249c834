"""Runs killed with SIGKILL at random moments, again and again, and resumed until they are done."""

import random
import time
from pathlib import Path
from shlex import split
from subprocess import Popen

import pytest

from tests.training.support import (
    DCGAN,
    MLP,
    assert_same_run,
    error_line,
    finish,
    numbers,
    run,
    start,
    wait,
)

STEPS = 300
OFTEN = split(f"--steps {STEPS} --log-every 3 --sample-every 20 --checkpoint-every 5 --keep 4")
RUNS = {"dcgan": DCGAN, "gan": [*MLP, "--data", "digits"]}
KILLS = 11


def last_checkpoint(folder: Path) -> int:
    return max(numbers(folder, "checkpoints/*.json"), default=-1)


class Killer:
    """Starts and resumes the run, and kills each process at a moment of its own."""

    def __init__(self, train: list[str], seed: int) -> None:
        self._train = train
        self._rng = random.Random(seed)
        self.stages: list[int] = []  # last checkpoint at each kill, -2 before there was a run

    def chain(self, folder: Path) -> None:
        """One run from its start to its end, with a kill at every stage of it."""
        moments = [self._import, self._beginning, *[self._middle] * (KILLS - 3), self._end]
        for moment in moments:
            process = self._start(folder)
            if moment(process, folder):
                process.kill()
            result = finish(process)
            if result.code == 0:
                return
            assert result.code == -9, result.err
            begun = (folder / "config.json").exists()
            self.stages.append(last_checkpoint(folder) if begun else -2)
        result = finish(self._start(folder))
        assert result.code == 0, result.err

    def _start(self, folder: Path) -> Popen[str]:
        if (folder / "config.json").exists():
            return start("resume", folder)
        return start("train", *self._train, "--out", folder)

    def _import(self, process: Popen[str], folder: Path) -> bool:
        time.sleep(self._rng.uniform(0, 0.05))  # long before Python has read the packages
        return True

    def _beginning(self, process: Popen[str], folder: Path) -> bool:
        return wait(process, (folder / "config.json").exists)

    def _middle(self, process: Popen[str], folder: Path) -> bool:
        wanted = last_checkpoint(folder) + self._rng.randint(1, 15)
        alive = wait(process, lambda: last_checkpoint(folder) >= wanted)
        time.sleep(self._rng.uniform(0, 0.01))
        return alive

    def _end(self, process: Popen[str], folder: Path) -> bool:
        alive = wait(process, lambda: last_checkpoint(folder) == STEPS)
        time.sleep(self._rng.uniform(0, 0.1))  # the curves and the film take longer
        return alive


@pytest.mark.parametrize("name", RUNS)
def test_killed_at_random_moments(name: str, tmp_path: Path) -> None:
    train = [*RUNS[name], *OFTEN]
    result = run("train", *train, "--out", tmp_path / "unbroken")
    assert result.code == 0, result.err
    killer = Killer(train, seed=0)
    for attempt in range(5):  # a fast machine may be done before the last of its kills
        if len(killer.stages) >= KILLS:
            break
        folder = tmp_path / f"killed-{attempt}"
        killer.chain(folder)
        assert list(folder.rglob("*.unfinished")) == []
        assert_same_run(folder, tmp_path / "unbroken")
    assert len(killer.stages) >= KILLS
    assert -2 in killer.stages
    assert len({stage for stage in killer.stages if stage > 0}) >= 4


def test_two_processes_on_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = start("train", *DCGAN, "--steps", 10**6, "--checkpoint-every", 50, "--out", folder)
    try:
        assert wait(first, lambda: last_checkpoint(folder) > 0)
        config = (folder / "config.json").read_bytes()
        refused = run("resume", folder, "--steps", 5)
        assert refused.code == 1
        message = f"{folder} is being trained by another process"
        assert error_line(refused.err) == message
        assert (folder / "config.json").read_bytes() == config
        assert first.poll() is None
        before = last_checkpoint(folder)
        assert wait(first, lambda: last_checkpoint(folder) > before)  # it goes on untroubled
    finally:
        first.kill()
        finish(first)
    resumed = start("resume", folder)  # the lock died with its holder
    try:
        before = last_checkpoint(folder)
        assert wait(resumed, lambda: last_checkpoint(folder) > before)
    finally:
        resumed.kill()
        finish(resumed)
