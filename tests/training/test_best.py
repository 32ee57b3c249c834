"""--keep-best: the best checkpoint by a metric stays beside the last ones, whatever interrupts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import pytest

from minigan.algorithms import ALGORITHMS, Streams, Task
from minigan.data import open_data
from minigan.errors import DataError, OptionError, UnknownNameError
from minigan.training import Trainer, best, checkpoint
from minigan.training.best import Best
from tests.training.support import (
    POINTS,
    Finished,
    error_line,
    leave,
    numbers,
    records,
    write_pictures,
)

Command = Callable[..., Finished]

OFTEN = split("--log-every 5 --sample-every 10 --checkpoint-every 4 --keep 2 --eval-every 2")
KEEP = ["--keep-best", "fid", "--eval-samples", 100]


def train(minigan: Command, out: Path, steps: int, *more: object) -> Path:
    result = minigan("train", *POINTS, *OFTEN, *KEEP, *more, "--steps", steps, "--out", out)
    assert result.code == 0, result.err
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def record(folder: Path) -> dict[str, object]:
    return json.loads((folder / "checkpoints/best/best.json").read_text())


def measured(folder: Path) -> dict[int, float]:
    return {r["step"]: r["fid.distance"] for r in records(folder) if "fid.distance" in r}


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 12 steps that kept its best."""
    folder = tmp_path_factory.mktemp("best") / "run"
    leave("train", *POINTS, *OFTEN, *KEEP, "--steps", 12, "--out", folder)
    return folder


def test_the_best_of_all_measured_is_kept(kept: Path) -> None:
    values = measured(kept)
    assert [*values] == [2, 4, 6, 8, 10, 12]
    step = min(values, key=lambda s: values[s])
    assert record(kept) == {
        "metric": "fid.distance",
        "samples": 100,
        "value": values[step],
        "step": step,
    }
    assert checkpoint.steps(kept / "checkpoints/best") == [step]
    assert checkpoint.steps(kept / "checkpoints") == [8, 12]


def test_looking_changes_nothing_of_the_training(
    minigan: Command, kept: Path, tmp_path: Path
) -> None:
    plain = ["train", *POINTS, *OFTEN[:-2], "--steps", 12, "--out", tmp_path / "run"]
    assert minigan(*plain).code == 0
    name = "checkpoints/step_000012.safetensors"
    assert (tmp_path / "run" / name).read_bytes() == (kept / name).read_bytes()
    assert not (tmp_path / "run/checkpoints/best").exists()


def test_a_higher_value_can_be_the_better_one(minigan: Command, tmp_path: Path) -> None:
    run = train(minigan, tmp_path / "run", 12, "--keep-best", "precision-recall.recall")
    values = {
        r["step"]: r["precision-recall.recall"]
        for r in records(run)
        if "precision-recall.recall" in r
    }
    assert len(set(values.values())) > 1
    assert record(run)["step"] == max(values, key=lambda s: values[s])  # the first of several
    assert record(run)["value"] == max(values.values())


def test_a_tie_leaves_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([2.0, 2.0, 3.0, 1.0, 1.0])
    monkeypatch.setattr(Best, "_measure", lambda *_: next(found))
    recipe = ALGORITHMS["gan"]
    options = recipe.options(hidden_G=(2,), hidden_D=(2,))
    gan = recipe.build(options, Task((2,), "points", 4), Streams(0))
    kept = Best("fid", tmp_path, open_data("ring"), n=20, seed=0)  # measures once, as a trial
    steps = []
    for step in (1, 2, 3, 4):
        kept.look(gan, step)
        steps.append(json.loads((tmp_path / "best/best.json").read_text())["step"])
    assert steps == [1, 1, 3, 3]


@pytest.mark.parametrize("step", [4, 8])
def test_a_run_that_goes_on_from_any_step_ends_with_the_same_record(
    minigan: Command, kept: Path, tmp_path: Path, step: int
) -> None:
    short = train(minigan, tmp_path / "run", step)
    assert minigan("resume", short, "--steps", 12 - step).code == 0
    assert record(short) == record(kept)
    for name, data in files(kept / "checkpoints").items():
        assert files(short / "checkpoints")[name] == data, name


def test_a_kill_after_the_best_and_before_the_next_checkpoint(
    minigan: Command, kept: Path, tmp_path: Path
) -> None:
    """What was found after the last checkpoint is found again, and the files stay as they are."""
    folder = Path(shutil.copytree(kept, tmp_path / "run"))
    for suffix in (".json", ".safetensors"):
        (folder / f"checkpoints/step_000012{suffix}").unlink()
    before = files(folder / "checkpoints/best")
    assert minigan("resume", folder).code == 0
    assert files(folder / "checkpoints/best") == before
    assert measured(folder) == measured(kept)


def test_a_kill_between_the_checkpoint_and_its_record(
    minigan: Command, kept: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(kept, tmp_path / "run"))
    for suffix in (".json", ".safetensors"):
        (folder / f"checkpoints/step_000012{suffix}").unlink()
    worse = record(folder) | {"value": 1e9, "step": 2}
    (folder / "checkpoints/best/best.json").write_text(json.dumps(worse))
    assert minigan("resume", folder, "--from", 8).code == 0
    later = {step: value for step, value in measured(folder).items() if step > 8}
    assert record(folder)["step"] == min(later, key=lambda s: later[s])
    assert checkpoint.steps(folder / "checkpoints/best") == [record(folder)["step"]]


def test_a_run_goes_on_from_its_best(minigan: Command, kept: Path, tmp_path: Path) -> None:
    """The best one is a checkpoint among the others from then on, before the next one is due."""
    folder = Path(shutil.copytree(kept, tmp_path / "run"))
    step = int(str(record(kept)["step"]))
    assert step not in checkpoint.steps(folder / "checkpoints")
    trainer = Trainer.resume(folder, step="best")
    assert trainer.step == step
    trainer.config = trainer.config.prolonged(step - 12)  # to here and no further
    trainer.train()
    assert checkpoint.steps(folder / "checkpoints")[-1] == step
    assert record(folder) == record(kept)
    assert minigan("resume", folder, "--from", "best", "--steps", 12 - step).code == 0
    assert files(folder / "checkpoints") == files(kept / "checkpoints")


def test_samples_of_the_best(minigan: Command, kept: Path, tmp_path: Path) -> None:
    result = minigan("sample", kept, "--from", "best", "--out", tmp_path / "x.npz")
    assert result.code == 0
    assert f"samples after step {record(kept)['step']}:" in result.out
    for word, code in (("last", 2), ("best", 1)):
        plain = shutil.copytree(kept, tmp_path / word)
        shutil.rmtree(plain / "checkpoints/best")
        result = minigan("sample", plain, "--from", word, "--out", tmp_path / "y.npz")
        assert result.code == code
    assert "holds no best checkpoint; train with --keep-best METRIC" in error_line(result.err)


def test_another_metric_begins_its_own_record(kept: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(kept / "checkpoints", tmp_path / "checkpoints")
    for wanted, n in (("kid", 100), ("fid", 50)):
        found = Best(wanted, folder, open_data("ring"), n=n, seed=0)._record()
        assert found is None
    assert Best("fid", folder, open_data("ring"), n=100, seed=0)._record() is not None


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ("novelty", DataError, "needs kittens, whose parts are known; the data here is ring"),
        ("is", DataError, "'is' needs pictures; the data here is ring"),
        ("fidd", UnknownNameError, "unknown metric 'fidd'; did you mean 'fid'"),
        ("fid.mean", UnknownNameError, "unknown value of metric fid 'mean'"),
        ("fid.", UnknownNameError, "unknown value of metric fid ''"),
        ("parzen", OptionError, "cannot choose a checkpoint; these can: modes, fid"),
    ],
)
def test_what_cannot_be_measured_is_met_before_the_first_step(
    minigan: Command, tmp_path: Path, wanted: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words.replace("(", r"\(")):
        Best(wanted, tmp_path, open_data("ring"), n=100, seed=0)
    result = minigan("train", *POINTS, "--keep-best", wanted, "--out", tmp_path / "run")
    assert result.code == 1
    assert words in error_line(result.err)
    assert not (tmp_path / "run").exists()


def test_too_few_samples_are_met_before_the_first_step(minigan: Command, tmp_path: Path) -> None:
    how = ["--keep-best", "modes", "--eval-samples", 3, "--out", tmp_path / "run"]
    result = minigan("train", *POINTS, *how)
    assert result.code == 1
    assert "--keep-best modes of 3 samples: 3 samples say nothing" in error_line(result.err)
    assert not (tmp_path / "run").exists()


def test_data_without_an_extractor_is_met_before_the_first_step(tmp_path: Path) -> None:
    own = open_data(str(write_pictures(tmp_path / "own.npz")))
    with pytest.raises(DataError, match=r"--keep-best fid needs a network.*eval --extractor FILE"):
        Best("fid", tmp_path, own, n=100, seed=0)


def test_a_damaged_record_is_named(minigan: Command, kept: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(kept, tmp_path / "run"))
    (folder / "checkpoints/best/best.json").write_text("{")
    result = minigan("resume", folder, "--steps", 2)
    assert result.code == 1
    assert "best.json is damaged" in error_line(result.err)
    assert numbers(folder, "checkpoints/*.json")[-1] == 12
    assert best.load(folder / "checkpoints").step == 12
