"""Runs of algorithms with an encoder: what they leave, how they resume, what can be asked."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from tests.training.support import (
    OFTEN,
    Finished,
    assert_same_run,
    error_line,
    finish,
    numbers,
    records,
    run,
    start,
    wait,
    write_pictures,
)

Command = Callable[..., Finished]

SIZES = "--hidden-E 8 --hidden-G 7 --z-dim 3 --batch 8"
RUNS = {  # on grey pictures of 8 x 8
    "autoencoder": split(f"autoencoder {SIZES}"),
    "vae": split(f"vae {SIZES}"),
    "aae": split(f"aae {SIZES} --hidden-D 6 --encoder gaussian"),
    "alpha-gan": split("alpha-gan --width 2 --hidden-C 6 --z-dim 3 --batch 8"),
    "bigan": split("bigan --network conv --width 2 --z-dim 3 --batch 8 --encoder gaussian"),
}
SHOWN = {  # what the log has of the paper's terms
    "autoencoder": {"reconstruction"},
    "vae": {"ELBO", "reconstruction", "KL"},
    "aae": {"reconstruction", "loss_D", "loss_E", "D(z)", "D(E(x))"},
    "alpha-gan": {"reconstruction", "loss_E", "loss_G", "loss_D", "loss_C", "D(x)", "C(E(x))"},
    "bigan": {"loss_D", "loss_E", "loss_G", "D(x, E(x))", "D(G(z), z)"},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("data") / "own.npz", n=200)


@pytest.mark.parametrize("name", RUNS)
def test_a_run(minigan: Command, data: Path, tmp_path: Path, name: str) -> None:
    """Files and log; going on in two parts leaves the same; samples and walks come out."""
    train = ["train", *RUNS[name], *OFTEN, "--data", data]
    folder = tmp_path / "run"
    result = minigan(*train, "--steps", 4, "--out", folder)
    assert result.code == 0, result.err
    for kind in ("step", "reconstruction_step"):
        found = sorted(path.name for path in (folder / "samples").glob(f"{kind}_*"))
        assert found == [f"{kind}_{step:06d}.png" for step in (0, 2, 4)]
    with Image.open(folder / "samples" / "reconstruction_step_000004.png") as picture:
        assert picture.width > 0
    assert SHOWN[name] <= records(folder)[-1].keys()
    shutil.copytree(folder, tmp_path / "parts")
    for longer in (
        minigan("resume", tmp_path / "parts", "--from", 2),
        minigan("sample", folder, "--n", 5, "--out", tmp_path / "x.npz"),
        minigan("sample", folder, "--n", 2, "--interpolate", 3, "--out", tmp_path / "x.png"),
    ):
        assert longer.code == 0, longer.err
    assert_same_run(tmp_path / "parts", folder)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as archive:
        assert archive["x"].shape == (5, 8, 8, 1)


def test_the_film_shows_samples_alone(minigan: Command, data: Path, tmp_path: Path) -> None:
    train = ["train", *RUNS["vae"], *OFTEN, "--data", data, "--steps", 4, "--out", tmp_path / "run"]
    assert minigan(*train).code == 0
    with Image.open(tmp_path / "run" / "samples.gif") as film:
        assert getattr(film, "n_frames", 1) <= 3
    assert numbers(tmp_path / "run", "samples/step_*.png") == [0, 2, 4]


def test_points_are_drawn_over_the_data(minigan: Command, tmp_path: Path) -> None:
    train = split(f"train vae {SIZES} --data ring --steps 2")
    assert minigan(*train, "--out", tmp_path / "run").code == 0
    with (
        Image.open(tmp_path / "run/samples/step_000002.png") as samples,
        Image.open(tmp_path / "run/samples/reconstruction_step_000002.png") as back,
    ):
        assert samples.size == back.size == (500, 500)
        assert samples.tobytes() != back.tobytes()


def test_what_the_autoencoder_knows_of_its_codes_is_stored(
    minigan: Command, data: Path, tmp_path: Path
) -> None:
    """Without the moments its samples would be others."""
    train = ["train", *RUNS["autoencoder"], "--data", data, "--steps", 3, "--out", tmp_path / "run"]
    assert minigan(*train).code == 0
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["options"]["hidden_E"] == [8]
    path = tmp_path / "run/checkpoints/step_000003.safetensors"
    assert b'"codes.first"' in path.read_bytes()


def test_no_hidden_layer_is_an_empty_word(minigan: Command, tmp_path: Path) -> None:
    train = split("train autoencoder --data ring --z-dim 1 --steps 1 --hidden-E '' --hidden-G ''")
    assert minigan(*train, "--out", tmp_path / "run").code == 0
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["options"]["hidden_E"] == config["options"]["hidden_G"] == []


REFUSED = {
    "vae --data ring --network conv": "--network conv takes pictures",
    "alpha-gan --data ring": "--network conv takes pictures, the data has points of shape (2,)",
    "vae --data ring --likelihood bernoulli": "--likelihood bernoulli takes pictures",
    "vae --beta -1": "--beta -1.0 must be at least 0 and finite",
    "aae --z-dim 0": "--z-dim 0 must be at least 1",
    "bigan --hidden-E 8,0": "--hidden-E 8,0: a layer has at least 1 unit",
}


@pytest.mark.parametrize("command", REFUSED)
def test_refused(minigan: Command, tmp_path: Path, command: str) -> None:
    result = minigan("train", *split(command), "--out", tmp_path / "run")
    assert result.code == 1
    assert REFUSED[command] in error_line(result.err)
    assert not (tmp_path / "run").exists()


def test_killed_and_resumed(data: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle of an adversarial autoencoder, twice."""
    train = ["train", *RUNS["aae"], "--data", data, "--steps", 60, "--checkpoint-every", 5]
    train += ["--sample-every", 50, "--out"]
    folder, last = tmp_path / "killed", -1
    process = start(*train, folder)
    for _ in range(2):
        wanted = last + 10
        assert wait(process, lambda wanted=wanted: at(folder) >= wanted)
        process.kill()
        assert finish(process).code == -9
        last = at(folder)
        process = start("resume", folder)
    assert finish(process).code == 0
    result = run(*train, tmp_path / "unbroken")
    assert result.code == 0, result.err
    assert_same_run(folder, tmp_path / "unbroken")


def at(folder: Path) -> int:
    return max(numbers(folder, "checkpoints/*.json"), default=-1)
