"""resume: longer, from an earlier step, from elsewhere, and from checkpoints that are no good."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import pytest

from minigan import open_run
from minigan.algorithms import ALGORITHMS
from minigan.backend import make_rng
from minigan.data import DataWarning
from minigan.errors import DataError, OptionError
from minigan.noise import KIND
from minigan.training import RunOptions, Trainer, config
from tests.training.support import (
    DCGAN,
    MLP,
    Finished,
    assert_same_run,
    contents,
    error_line,
    numbers,
    records,
    write_pictures,
)

Command = Callable[..., Finished]


def steps_of(folder: Path) -> int:
    return json.loads((folder / "config.json").read_text())["run"]["steps"]


def arrays(folder: Path, step: int) -> Path:
    return folder / "checkpoints" / f"step_{step:06d}.safetensors"


def state(folder: Path, step: int) -> Path:
    return arrays(folder, step).with_suffix(".json")


def test_more_steps_equal_a_longer_run(
    minigan: Command, short_folder: Path, unbroken: Path
) -> None:
    result = minigan("resume", short_folder, "--steps", 4)
    assert result.code == 0
    assert "8 steps done" in result.out
    mine, other = contents(short_folder), contents(unbroken)
    prolonged = json.loads(mine.pop("config.json"))
    assert prolonged["schedule_steps"] == 4  # a schedule is not stretched
    assert prolonged | {"schedule_steps": 8} == json.loads(other.pop("config.json"))
    assert mine.keys() == other.keys()
    assert [name for name in mine if mine[name] != other[name]] == []


def test_from_an_earlier_step(minigan: Command, folder: Path, unbroken: Path) -> None:
    for later in (numbers(folder, "checkpoints/*.json")[-1], 6):
        arrays(folder, later).write_bytes(b"damaged, but later than where we go on from")
    (folder / "samples/step_000006.png").unlink()
    result = minigan("resume", folder, "--from", 4)
    assert result.code == 0
    assert_same_run(folder, unbroken)


def test_from_step_0_has_its_warning_once(minigan: Command, tmp_path: Path) -> None:
    data = write_pictures(tmp_path / "few.npz")
    train = ["train", *MLP, "--data", data, "--steps", 2, "--out"]
    assert minigan(*train, tmp_path / "unbroken").code == 0
    assert minigan(*train, tmp_path / "run").code == 0
    result = minigan("resume", tmp_path / "run", "--from", 0)
    assert "warning: 60 examples make only 7 batches of 8: D may learn" in result.err
    warned = [r["warning"] for r in records(tmp_path / "run") if "warning" in r]
    assert len({*warned}) == len(warned) == 2  # the other is of the average, 0.9^2 untrained
    assert_same_run(tmp_path / "run", tmp_path / "unbroken")


def test_a_finished_run_says_so_and_stays(minigan: Command, folder: Path, unbroken: Path) -> None:
    result = minigan("resume", folder)
    assert result.code == 0
    assert "the run has its 8 steps already; --steps N adds N more" in result.out
    assert_same_run(folder, unbroken)


def test_lost_checkpoints_are_not_begun_anew_over_the_record(
    minigan: Command, folder: Path
) -> None:
    shutil.rmtree(folder / "checkpoints")
    before = contents(folder)
    result = minigan("resume", folder, "--steps", 5)
    assert result.code == 1
    assert error_line(result.err) == (
        f"{folder} has taken 8 steps and its checkpoints/ is empty or gone: put a checkpoint "
        "back, or train anew in another folder"
    )
    assert contents(folder) == before


def test_how_far_a_run_goes_is_said(minigan: Command, folder: Path) -> None:
    """--steps adds to what the run was to have, not to where it was stopped."""
    state(folder, 8).unlink()
    assert "from step 6 to step 8\n" in minigan("resume", folder).out
    assert "from step 8 to step 10\n" in minigan("resume", folder, "--steps", 2).out


def test_own_data_with_the_name_of_built_in_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    said = "--data digits is minigan's own; your digits here is --data ./digits"
    with pytest.warns(DataWarning, match=said):
        Trainer.start("gan", ALGORITHMS["gan"].options(), RunOptions(data="digits"), "run")


def test_lost_pictures_of_the_whole_run_come_back(
    minigan: Command, folder: Path, unbroken: Path
) -> None:
    (folder / "samples.gif").unlink()
    (folder / "curves.png").unlink()
    assert minigan("resume", folder).code == 0
    assert_same_run(folder, unbroken)


def test_what_a_kill_left_half_written_goes(minigan: Command, folder: Path, unbroken: Path) -> None:
    """Also where the resumed run writes no file of that name."""
    for name in ("checkpoints/step_000007.json", "samples/step_000007.png", "mine.png"):
        (folder / f"{name}.unfinished").write_bytes(b"a part")
    assert minigan("resume", folder).code == 0
    assert_same_run(folder, unbroken)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_steps_at_a_rate_of_0_are_refused(minigan: Command, tmp_path: Path, schedule: str) -> None:
    """A schedule ends where the run was to end: what is added would change nothing."""
    run = ["train", *DCGAN, "--schedule", schedule, "--steps", 2, "--out", tmp_path / "run"]
    assert minigan(*run).code == 0
    before = contents(tmp_path / "run")
    result = minigan("resume", tmp_path / "run", "--steps", 3)
    assert result.code == 1
    assert f"fall to 0 until step 2 (--schedule {schedule})" in error_line(result.err)
    assert "train anew with --steps 5" in result.err
    assert contents(tmp_path / "run") == before
    assert minigan("resume", tmp_path / "run").code == 0  # to its own end: nothing to do


def test_what_was_planned_by_the_length_of_the_run_stays(minigan: Command, tmp_path: Path) -> None:
    """GoGAN's stages are the run in equal parts; prolonged, they are those of the first length."""
    run = split("gogan --data ring --hidden-G 8 --hidden-D 8 --z-dim 2 --batch 8")
    assert minigan("train", *run, "--steps", 4, "--out", tmp_path / "run").code == 0
    assert Trainer.resume(tmp_path / "run", more=6).algorithm.stage_steps == 2  # type: ignore[attr-defined]


def test_seconds_go_on(minigan: Command, tmp_path: Path) -> None:
    train = ["train", *DCGAN, "--log-every", 1, "--steps", 3, "--out", tmp_path / "run"]
    assert minigan(*train).code == 0
    log = tmp_path / "run/log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[-1]["seconds"] = 1000.0  # as if it had taken longer
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert minigan("resume", tmp_path / "run", "--steps", 1).code == 0
    assert json.loads(log.read_text().splitlines()[-1])["seconds"] > 1000


def test_diversity_is_that_of_samples_beside_the_datas(minigan: Command, tmp_path: Path) -> None:
    """An untrained G's samples are far more alike than kittens are."""
    assert minigan("train", *DCGAN, "--steps", 1, "--out", tmp_path / "run").code == 0
    assert 0 < records(tmp_path / "run")[-1]["diversity"] < 0.7


def test_the_number_of_threads_stays(
    minigan: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bits depend on it, so a resumed run does not ask the machine again."""
    used = []
    monkeypatch.setattr(config, "use_threads", used.append)
    monkeypatch.setattr(config, "available_threads", lambda: 3)
    assert minigan("train", *DCGAN, "--steps", 0, "--out", tmp_path).code == 0
    monkeypatch.setattr(config, "available_threads", lambda: 5)
    assert minigan("resume", tmp_path, "--steps", 1).code == 0
    assert used == [3, 3]


def test_elsewhere_with_data_given_by_a_relative_path(
    minigan: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_pictures(Path("own.npz"), n=200)
    train = ["train", *MLP, "--data", "own.npz", "--steps"]
    assert minigan(*train, 4, "--out", "unbroken").code == 0
    assert minigan(*train, 2, "--out", "run").code == 0
    shutil.move("run", "../there/moved")
    monkeypatch.chdir(tmp_path / "there")
    assert minigan("resume", "moved", "--steps", 2).code == 0
    last = "checkpoints/step_000004.safetensors"
    assert Path("moved", last).read_bytes() == Path("../here/unbroken", last).read_bytes()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def change_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)


def no_numbers(path: Path) -> None:
    path.write_text("{}")


def another_random_state(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rng": {"bit_generator": KIND}}))


DAMAGE = {
    "arrays cut short": (arrays, cut_short, "its content has changed or is cut short"),
    "arrays changed": (arrays, change_a_bit, "its content has changed or is cut short"),
    "arrays missing": (arrays, os.unlink, "No such file"),
    "state cut short": (state, cut_short, "is damaged"),
    "state empty": (state, no_numbers, "it has no 'sha256'"),
    "random state cut": (state, another_random_state, "it has no 'state'"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("command", [["resume"], ["sample", "--out", "x.png"]], ids=lambda c: c[0])
def test_a_damaged_checkpoint(
    minigan: Command,
    folder: Path,
    unbroken: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
    command: list[str],
) -> None:
    monkeypatch.chdir(folder.parent)
    file, spoil, words = DAMAGE[damage]
    spoil(file(folder, 8))
    before = contents(folder)
    result = minigan(*command, folder)
    assert result.code == 1
    message = error_line(result.err)
    assert words in message
    assert str(arrays(folder, 8)) in message
    assert "2, 4, 6, 8 (--from STEP)" in message
    assert contents(folder) == before  # nothing was deleted or mended behind the user's back
    assert not Path("x.png").exists()
    assert minigan(*command, folder, "--from", 6).code == 0
    if command == ["resume"]:
        assert_same_run(folder, unbroken)


def test_arrays_without_their_json_are_no_checkpoint(
    minigan: Command, folder: Path, unbroken: Path
) -> None:
    state(folder, 8).unlink()
    assert minigan("resume", folder).code == 0
    assert_same_run(folder, unbroken)


@pytest.mark.parametrize("step", [0, 3, -1])
@pytest.mark.parametrize("command", [["resume"], ["sample", "--out", "x.png"]], ids=lambda c: c[0])
def test_a_step_without_checkpoint(
    minigan: Command, folder: Path, command: list[str], step: int
) -> None:
    before = contents(folder)
    result = minigan(*command, folder, "--from", step)
    assert result.code == 1
    assert error_line(result.err) == (
        f"no checkpoint of step {step}; checkpoints in {folder / 'checkpoints'}: 2, 4, 6, 8 "
        "(--from STEP)"
    )
    assert contents(folder) == before


def test_a_checkpoint_of_another_architecture(minigan: Command, folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["options"]["width"] = 6
    path.write_text(json.dumps(config))
    before = contents(folder)
    for arguments in (["resume", folder], ["sample", folder, "--out", folder / "x.png"]):
        result = minigan(*arguments)
        assert result.code == 1
        message = error_line(result.err)
        assert "G.0.weight is float32 (8, 128) in the checkpoint and float32 (8, 192)" in message
        assert "another architecture" in message
        assert str(arrays(folder, 8)) in message
        assert contents(folder) == before


CONFIGURATIONS = {
    "missing": (None, "holds no run (no config.json); `minigan train` starts one"),
    "not JSON": ("{", "cannot be read as a run's configuration"),
    "another kind": ("[]", "cannot be read as a run's configuration"),
    "options of another kind": (
        '{"algorithm": "gan", "options": [], "run": {}, "schedule_steps": 1, "versions": {}}',
        "cannot be read as a run's configuration",
    ),
    "unknown algorithm": ('{"algorithm": "stylegan9", "options": {}}', "unknown algorithm"),
    "unknown option": ('{"algorithm": "gan", "options": {"depth": 3}}', "depth"),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_folder_without_a_usable_configuration(
    minigan: Command, tmp_path: Path, name: str
) -> None:
    text, words = CONFIGURATIONS[name]
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    before = sorted(tmp_path.iterdir())
    for arguments in (["resume", tmp_path], ["sample", tmp_path, "--out", tmp_path / "x.png"]):
        result = minigan(*arguments)
        assert result.code == 1
        message = error_line(result.err)
        assert words in message
        assert str(tmp_path) in message
    assert sorted(tmp_path.iterdir()) == before


def test_data_that_has_gone(minigan: Command, tmp_path: Path) -> None:
    data = write_pictures(tmp_path / "own.npz")
    assert minigan("train", *MLP, "--data", data, "--steps", 0, "--out", tmp_path / "run").code == 0
    draw = ("sample", tmp_path / "run", "--n", 4, "--out", tmp_path / "x.npz")
    assert minigan(*draw).code == 0
    with_data = (tmp_path / "x.npz").read_bytes()
    data.unlink()
    assert minigan(*draw).code == 0  # a trained generator needs none of it
    assert (tmp_path / "x.npz").read_bytes() == with_data
    run = open_run(tmp_path / "run")
    assert run.algorithm.sample(2, make_rng(0)).shape[0] == 2
    with pytest.raises(DataError, match="which is not there any more"):
        run.dataset  # noqa: B018
    exported = minigan("export", tmp_path / "run", "--torch", tmp_path / "G.safetensors")
    assert exported.code == 0, exported.err
    result = minigan("eval", tmp_path / "run")
    assert f"trained on {data}, which is not there any more" in error_line(result.err)
    before = contents(tmp_path / "run")
    result = minigan("resume", tmp_path / "run", "--steps", 2)
    assert result.code == 1
    assert f"trained on {data}, which is not there any more" in error_line(result.err)
    assert contents(tmp_path / "run") == before
    assert steps_of(tmp_path / "run") == 0


def test_data_that_has_changed(minigan: Command, tmp_path: Path) -> None:
    """Another number of examples is told of once; what older runs do not remember is added."""
    data, folder = tmp_path / "own.npz", tmp_path / "run"
    train = [*MLP, "--data", write_pictures(data, n=200), "--steps", 1]
    assert minigan("train", *train, "--out", folder).code == 0
    write_pictures(data, n=210)
    told = minigan("resume", folder, "--steps", 1)
    assert told.code == 0
    assert f"warning: {data} has 210 examples now and had 200 before; the run goes on" in told.err
    assert "warning" not in minigan("resume", folder, "--steps", 1).err
    stored = json.loads((folder / "config.json").read_text())
    assert (stored.pop("examples"), stored.pop("shape")) == (210, [8, 8, 1])
    (folder / "config.json").write_text(json.dumps(stored))
    assert "warning" not in minigan("resume", folder).err
    stored |= {"examples": 210, "shape": [8, 8, 1]}
    assert json.loads((folder / "config.json").read_text()) == stored


def test_a_run_without_any_checkpoint(minigan: Command, folder: Path) -> None:
    shutil.rmtree(folder / "checkpoints")
    result = minigan("sample", folder, "--out", folder / "x.png")
    assert result.code == 1
    message = error_line(result.err)
    assert (
        message == f"{folder / 'checkpoints'} holds no checkpoint; `minigan resume` trains the run"
    )


def test_a_run_that_another_process_has_trained_meanwhile(tmp_path: Path) -> None:
    """Two that were opened on one folder, one after the other: the second would undo the first."""
    small = ALGORITHMS["gan"].options.of(hidden_G=(4,), hidden_D=(4,), z_dim=2)
    run = RunOptions(data="ring", batch=8, steps=4, threads=1, no_report=True)
    first, second = (Trainer.start("gan", small, run, tmp_path / "run") for _ in range(2))
    first.train()
    first.train()  # it has nothing left to do, and knows its own checkpoints
    before = contents(tmp_path / "run")
    with pytest.raises(OptionError, match=r"trained by another process meanwhile; go on with"):
        second.train()
    assert contents(tmp_path / "run") == before
