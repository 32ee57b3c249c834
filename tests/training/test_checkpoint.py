"""Checkpoints: what comes back, what is kept, and what is not stored."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from minigan.algorithms import ALGORITHMS, Algorithm, Streams, Task
from minigan.errors import CheckpointError, NonFiniteError
from minigan.noise import rng_state
from minigan.training import checkpoint


def algorithm(*, seed: int = 0, width: int = 2) -> Algorithm:
    recipe = ALGORITHMS["dcgan"]
    options = recipe.options(width=width, z_dim=3, ema=0.5)
    return recipe.build(options, Task((16, 16, 1), "image", 10), Streams(seed))


@pytest.fixture
def trained() -> Algorithm:
    """Weights, moments, averages and random state away from where they start."""
    gan = algorithm()
    for _ in range(3):
        gan.step(np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 1)).astype(np.float32))
    return gan


def test_everything_comes_back(trained: Algorithm, tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 3, trained, keep=1)
    other = algorithm(seed=1)
    stored = checkpoint.load(tmp_path)
    assert stored.step == 3
    stored.restore(other)
    mine, theirs = trained.state_dict(), other.state_dict()
    assert mine.keys() == theirs.keys()
    assert {"optimizer.G.m", "average.G.params", "G.2.running_var"} <= mine.keys()
    for name, array in mine.items():
        np.testing.assert_array_equal(theirs[name], array, err_msg=name)
    assert rng_state(trained.rng) == rng_state(other.rng)
    x = np.random.default_rng(1).uniform(-1, 1, (4, 16, 16, 1)).astype(np.float32)
    assert trained.step(x) == other.step(x)


@pytest.mark.parametrize(("keep", "left"), [(1, [8]), (3, [4, 6, 8]), (9, [0, 2, 4, 6, 8])])
def test_how_many_are_kept(trained: Algorithm, tmp_path: Path, keep: int, left: list[int]) -> None:
    for step in (0, 2, 4, 6, 8):
        checkpoint.save(tmp_path, step, trained, keep=keep)
    assert checkpoint.steps(tmp_path) == left
    assert len(list(tmp_path.iterdir())) == 2 * len(left)


def test_steps_of_more_than_six_digits_are_in_order(trained: Algorithm, tmp_path: Path) -> None:
    for step in (5, 999_999, 1_000_000):
        checkpoint.save(tmp_path, step, trained, keep=2)
    assert checkpoint.steps(tmp_path) == [999_999, 1_000_000]
    assert checkpoint.load(tmp_path).step == 1_000_000


def test_what_a_kill_left_is_tidied(trained: Algorithm, tmp_path: Path) -> None:
    for step in (2, 4, 6):
        checkpoint.save(tmp_path, step, trained, keep=9)
    (tmp_path / "step_000003.safetensors").write_bytes(b"arrays whose JSON was not written")
    (tmp_path / "notes.json").write_text("a file of the user's")
    (tmp_path / "step_final.json").write_text("another")
    checkpoint.tidy(tmp_path, 4, keep=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "notes.json",
        "step_000004.json",
        "step_000004.safetensors",
        "step_final.json",
    ]


@pytest.mark.parametrize("removals", range(4))
def test_a_kill_while_tidying_leaves_only_whole_checkpoints(
    trained: Algorithm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removals: int
) -> None:
    for step in (2, 4, 6):
        checkpoint.save(tmp_path, step, trained, keep=9)
    unlink, left = Path.unlink, iter(range(removals))

    def killed(path: Path) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        unlink(path)

    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.tidy(tmp_path, 6, keep=1)
    assert len(list(tmp_path.iterdir())) == 6 - removals
    found = checkpoint.steps(tmp_path)
    assert [checkpoint.load(tmp_path, step).step for step in found] == found
    assert found[-1] == 6


def test_arrays_that_changed_are_refused(trained: Algorithm, tmp_path: Path) -> None:
    """One bit of a number: the file is as long as before, and all in it is finite."""
    checkpoint.save(tmp_path, 1, trained, keep=1)
    path = tmp_path / "step_000001.safetensors"
    data = bytearray(path.read_bytes())
    data[-4] ^= 1  # the lowest of the last float32's bits
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"step_000001\.safetensors .*content has changed"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_not_stored(
    trained: Algorithm, tmp_path: Path, value: float
) -> None:
    checkpoint.save(tmp_path, 1, trained, keep=1)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    trained.optimizers["D"].state["v"][-1] = value
    with pytest.raises(NonFiniteError, match=r"optimizer\.D\.v is not finite"):
        checkpoint.save(tmp_path, 2, trained, keep=1)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_another_architecture_changes_nothing(trained: Algorithm, tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 1, trained, keep=1)
    wider = algorithm(width=3)
    before = {k: a.copy() for k, a in wider.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"step_000001\.safetensors: G\.0\.weight is float32"):
        checkpoint.load(tmp_path).restore(wider)
    for name, array in wider.state_dict().items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def test_another_at_the_same_step_replaces_it_whole(
    trained: Algorithm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the writing stops there are the arrays and the random state of one of both."""
    other = algorithm(seed=1)
    write = checkpoint.write_atomically
    found = []
    for stop in range(4):
        folder = tmp_path / str(stop)
        checkpoint.save(folder, 3, trained, keep=1)
        left = [write] * stop

        def until(path: Path, data: bytes, left: list[object] = left) -> None:
            if not left:
                raise KeyboardInterrupt
            left.pop()
            write(path, data)

        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, "write_atomically", until)
            with suppress(KeyboardInterrupt):
                checkpoint.save(folder, 3, other, keep=1)
        stored = checkpoint.load(folder)
        (whole,) = (a for a in (trained, other) if rng_state(a.rng) == stored.rng)
        for name, array in whole.state_dict().items():
            np.testing.assert_array_equal(stored.arrays[name], array, err_msg=name)
        found.append(whole is other)
    assert found == [False, False, True, True]
    assert "before" not in (tmp_path / "3" / "step_000003.json").read_text()
