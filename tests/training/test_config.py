"""What a run is made of, written out and read back."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from minigan.algorithms import ALGORITHMS
from minigan.data import CLIPS, DATASETS, PAIRS, POSES, SENTENCES, SOUNDS
from minigan.errors import CheckpointError, DeviceError, OptionError
from minigan.training import Config, RunOptions

OPTIONS = {
    "gan": {
        "hidden_G": (8, 4),
        "hidden_D": (3,),
        "dropout": 0.25,
        "clip_norm": 1.5,
        "lr": 0.1 + 0.2,
    },
    "dcgan": {"width": 6, "beta1": None, "beta2": 0.9, "schedule": "linear", "decay_end": 9},
}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_it_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    options = ALGORITHMS[name].options(**OPTIONS.get(name, {}))
    config = Config.create(name, options, RunOptions(steps=100, size="8x16", strict=True))
    config.save(tmp_path / "config.json")
    assert Config.load(tmp_path / "config.json") == config


@pytest.mark.parametrize(
    ("given", "resolved"),
    [
        ({"steps": 2000}, {"sample_every": 100, "checkpoint_every": 200}),
        ({"steps": 19}, {"sample_every": 1, "checkpoint_every": 1}),
        ({"steps": 0}, {"sample_every": 1, "checkpoint_every": 1}),
        (
            {"steps": 100, "sample_every": 7, "checkpoint_every": 13},
            {"sample_every": 7, "checkpoint_every": 13},
        ),
        ({"data": "ring"}, {"data": "ring"}),
    ],
)
def test_defaults_are_written_out(given: dict[str, object], resolved: dict[str, object]) -> None:
    options = RunOptions(**given).resolved("gan")
    assert {k: getattr(options, k) for k in resolved} == resolved


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_data_of_the_algorithm_unless_told(name: str) -> None:
    assert RunOptions().resolved(name).data == ALGORITHMS[name].data
    kinds = dict.fromkeys(("pairs", "domains", "labelled-domains", "references"), PAIRS)
    kinds |= {"clips": CLIPS, "poses": POSES, "sounds": SOUNDS, "sentences": SENTENCES}
    assert ALGORITHMS[name].data in kinds.get(ALGORITHMS[name].takes, DATASETS)


def test_a_path_becomes_absolute_and_a_name_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "own").mkdir()
    (tmp_path / "digits").mkdir()
    for given, expected in {
        "own": str(tmp_path / "own"),
        "~/own": str(tmp_path / "own"),
        "digits": "digits",  # a name goes before a folder of that name
        "./digits": str(tmp_path / "digits"),
        "missing": "missing",
    }.items():
        assert RunOptions(data=given).resolved("gan").data == expected


@pytest.mark.parametrize("field", ["batch", "channels", "log_every", "keep"])
def test_what_must_be_at_least_1(field: str) -> None:
    flag = "--" + field.replace("_", "-")
    with pytest.raises(OptionError, match=f"{flag} 0 must be at least 1"):
        RunOptions(**{field: 0}).resolved("gan")


@pytest.mark.parametrize("field", ["steps", "seed", "sample_every", "checkpoint_every"])
def test_what_must_not_be_negative(field: str) -> None:
    RunOptions(**{field: 0}).resolved("gan")
    with pytest.raises(OptionError, match="-1 must be at least 0"):
        RunOptions(**{field: -1}).resolved("gan")


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match="cpu"):
        RunOptions(device="cuda").resolved("gan")


@pytest.mark.parametrize(
    ("size", "pixels"), [(None, None), ("32", (32, 32)), ("48x64", (48, 64)), ("8X4", (8, 4))]
)
def test_picture_sizes(size: str | None, pixels: object) -> None:
    assert RunOptions(size=size).picture_size == pixels


@pytest.mark.parametrize("size", ["", "x", "8x", "x8", "1x2x3", "-8", "8.5", "big"])
def test_sizes_that_are_none(size: str) -> None:
    with pytest.raises(OptionError, match="wanted N or HxW"):
        _ = RunOptions(size=size).picture_size


def test_a_longer_run_has_the_schedule_of_the_first(tmp_path: Path) -> None:
    config = Config.create("gan", ALGORITHMS["gan"].options(), RunOptions(steps=100))
    longer = config.prolonged(50)
    assert (longer.run.steps, longer.schedule_steps) == (150, 100)
    assert longer == replace(config, run=replace(config.run, steps=150))


@pytest.mark.parametrize(
    ("part", "name", "value", "wanted"),
    [
        ("run", "steps", "many", "steps is 'many', wanted int"),
        ("run", "steps", 2.5, "steps is 2.5, wanted int"),
        ("run", "steps", None, "steps is None, wanted int"),
        ("run", "strict", 1, "strict is 1, wanted bool"),
        ("run", "batch", True, "batch is True, wanted int"),
        ("run", "channels", "3", "channels is '3', wanted int or NoneType"),
        ("options", "hidden_G", "64", "hidden_G is '64', wanted tuple"),
        ("options", "lr", "0.1", "lr is '0.1', wanted float"),
    ],
)
def test_a_value_of_another_type_is_named(
    tmp_path: Path, part: str, name: str, value: object, wanted: str
) -> None:
    path = tmp_path / "config.json"
    Config.create("gan", ALGORITHMS["gan"].options(), RunOptions()).save(path)
    stored = json.loads(path.read_text())
    stored[part][name] = value
    path.write_text(json.dumps(stored))
    with pytest.raises(CheckpointError, match=re.escape(wanted)):
        Config.load(path)


def test_a_whole_number_stands_for_a_float(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    Config.create("gan", ALGORITHMS["gan"].options(), RunOptions()).save(path)
    stored = json.loads(path.read_text())
    stored["options"]["lr"] = 1
    path.write_text(json.dumps(stored))
    assert Config.load(path).options.lr == 1


def test_a_field_of_another_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    Config.create("gan", ALGORITHMS["gan"].options(), RunOptions()).save(path)
    stored = json.loads(path.read_text())
    stored["run"]["epochs"] = 3
    path.write_text(json.dumps(stored))
    with pytest.raises(CheckpointError, match="epochs"):
        Config.load(path)
