"""A long training goes on where it was killed, and is the same as an uninterrupted one."""

from dataclasses import replace

import numpy as np
import pytest

from bench import resumable
from bench.errors import BenchError
from bench.modes import FULL, ModesCase

TINY = replace(FULL, steps=7, batch=8, units_G=8, units_D=4)


def case(steps, folder):
    return ModesCase("ring", "pac2", 0, replace(TINY, steps=steps), folder)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(resumable, "EVERY", 2)


def test_a_killed_training_goes_on(tmp_path, monkeypatch):
    whole = case(7, None).play()

    def killed(gan, loader, steps, workspace):
        resumable.train(gan, loader, 5, workspace)
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.modes.train", killed)
    with pytest.raises(KeyboardInterrupt):
        case(7, tmp_path).play()
    monkeypatch.undo()
    taken = []
    play = resumable.Loader.batch
    monkeypatch.setattr(
        resumable.Loader, "batch", lambda self, step: [taken.append(step), play(self, step)][1]
    )
    found = case(7, tmp_path).play()
    assert taken == [4, 5, 6]
    np.testing.assert_array_equal(found["points"], whole["points"])


def test_a_longer_training_goes_on_from_a_shorter_one(tmp_path):
    case(4, tmp_path).play()
    before = float((tmp_path / "ring-pac2-seed0" / "seconds.txt").read_text())
    longer = case(7, tmp_path).play()
    np.testing.assert_array_equal(longer["points"], case(7, None).play()["points"])
    assert longer["seconds"] > before > 0


def test_a_training_beyond_the_steps_is_refused(tmp_path):
    case(6, tmp_path).play()
    with pytest.raises(BenchError, match="is at step 6; remove it to train 3 anew"):
        case(3, tmp_path).play()
