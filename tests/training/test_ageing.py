"""Runs of Age-cGAN: what they leave, how they resume, age faces, are measured and exported."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from minigan.backend import make_rng
from minigan.data import open_data
from minigan.data.ages import GROUPS
from minigan.training import Trainer
from minigan.training.generation import made_by
from minigan.training.pictures import to_image
from tests.training.support import OFTEN, Finished, assert_same_run, error_line, leave, records

Command = Callable[..., Finished]
TRAIN = split("age-cgan --size 16 --width 2 --z-dim 4 --batch 4 --iterations 2 --encoder-steps 2")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two steps of the game, two of the encoders."""
    folder = tmp_path_factory.mktemp("ages") / "run"
    leave("train", *TRAIN, *OFTEN, "--steps", 4, "--out", folder)
    return folder


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A folder with two pictures, one of them deeper."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    batch = open_data("faces-ages", size=16, split="test").draw(2, make_rng(0))
    for name, x in zip(("a", "deep/b"), batch.x, strict=True):
        to_image(x).save(tmp_path / "in" / f"{name}.png")
    return tmp_path / "in"


def test_a_run(minigan: Command, run: Path, tmp_path: Path) -> None:
    """Files and log of both stages; going on in two parts leaves the same."""
    assert {"loss_D", "loss_G"} <= records(run)[0].keys()
    assert {"loss_E", "loss_E_y", "grad_norm_E", "diversity"} <= records(run)[-1].keys()
    for step in (1, 2, 3):
        if (run / "checkpoints" / f"step_{step:06d}.json").exists():
            shutil.copytree(run, tmp_path / f"from {step}")
            result = minigan("resume", tmp_path / f"from {step}", "--from", step)
            assert result.code == 0, result.err
            assert_same_run(tmp_path / f"from {step}", run)


def test_the_sheet_has_every_way_and_every_age(run: Path) -> None:
    """x and the truth below stay from sheet to sheet; what is made moves."""
    sheets = [np.asarray(Image.open(run / "samples" / f"step_{s:06d}.png")) for s in (0, 4)]
    assert sheets[0].shape == sheets[1].shape
    columns, rows, factor = 1 + 3 + len(GROUPS), 8, 4
    width = factor * (18 * columns - 2)
    assert sheets[0].shape[1] == width
    header = sheets[0].shape[0] - factor * (18 * rows - 2)
    same = np.zeros((rows, columns), bool)
    for row in range(rows):
        for column in range(columns):
            top, left = header + factor * 18 * row, factor * 18 * column
            place = np.s_[top : top + 16 * factor, left : left + 16 * factor]
            same[row, column] = np.array_equal(sheets[0][place], sheets[1][place])
    assert same[1::2].all()
    assert same[:, 0].all()
    assert not same[0::2, 1:].any()


def test_a_translation_is_the_algorithm_s_own(
    minigan: Command, run: Path, faces: Path, tmp_path: Path
) -> None:
    result = minigan(
        "translate", run, "--input", faces, "--output", tmp_path / "out", "--to", "60+"
    )
    assert result.code == 0, result.err
    assert "2 pictures with age '60+' through G of step 4 of age-cgan" in result.out
    algorithm = Trainer.resume(run).algorithm
    for name in ("a.png", "deep/b.png"):
        x = np.asarray(Image.open(faces / name))[None].astype(np.float32) / 127.5 - 1
        expected = algorithm.relabel(x, np.array([[len(GROUPS) - 1]]))  # type: ignore[attr-defined]
        found = np.asarray(Image.open(tmp_path / "out" / name))
        np.testing.assert_array_equal(found, np.asarray(to_image(expected[0])))


REFUSED = {
    "": "say with --to which class pictures shall have; there are age: 0-18, 19-29",
    "--to 61": "unknown class of label 'age': '61'",
    "--to 0-18 --to 60+": "'age' is not 0-18 and 60+ at once: ask for one",
    "--to 60+ --reverse": "age-cgan has one generator for all ways; say with --to where to go",
    "--to 60+ --n 2": "--n 2: age-cgan has one answer to a picture and a class",
    "--to 60+ --size 32": "E and G are for pictures of 16x16, as the run was trained on, not of 32",
    "--to 60+ --tile 8": "--tile 8: E and G are for pictures of 16x16",
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(minigan: Command, run: Path, faces: Path, tmp_path: Path, words: str) -> None:
    call = ["translate", run, "--input", faces, "--output", tmp_path / "out"]
    result = minigan(*call, *split(words))
    assert result.code == 1
    assert REFUSED[words] in error_line(result.err)
    assert not (tmp_path / "out").exists()


def test_samples_are_asked_for_by_age(minigan: Command, run: Path, tmp_path: Path) -> None:
    """It is a conditional GAN all the while."""
    call = ["sample", run, "--n", 4, "--class", "60+", "--out", tmp_path / "old.npz"]
    result = minigan(*call)
    assert result.code == 0, result.err
    assert np.load(tmp_path / "old.npz")["x"].shape == (4, 16, 16, 3)


def test_every_way_is_measured(minigan: Command, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    result = minigan("eval", run, "--metrics", "persons,l1", "--n", 10, "--json", file)
    assert result.code == 0, result.err
    people, l1 = (found["values"] for found in json.loads(file.read_text()))
    for way in ("", " (pixelwise)", " (initial)"):
        assert {f"found{way}", f"as asked{way}", f"returned{way}"} <= people.keys()
        assert f"error{way}" in l1
    algorithm = Trainer.resume(run).algorithm
    batch = open_data("faces-ages", size=16, split="test").draw(3, make_rng(1))
    made = made_by(algorithm)
    assert [*made] == ["G", "pixelwise", "initial"]
    for name, way in (("G", "identity"), ("pixelwise", "pixelwise"), ("initial", "initial")):
        np.testing.assert_array_equal(
            made[name](batch.x, batch.labels),
            algorithm.relabel(batch.x, batch.labels, way),  # type: ignore[attr-defined]
        )


def test_g_and_e_leave(minigan: Command, run: Path, tmp_path: Path) -> None:
    """G(E(x), y) of the exported files is that of the run."""
    for network in ("G", "E"):
        file = tmp_path / f"{network}.onnx"
        result = minigan("export", run, "--network", network, "--onnx", file)
        assert result.code == 0, result.err
    G, E = (onnxruntime.InferenceSession(tmp_path / f"{n}.onnx") for n in ("G", "E"))
    batch = open_data("faces-ages", size=16, split="test").draw(3, make_rng(1))
    (z,) = E.run(None, {E.get_inputs()[0].name: np.moveaxis(batch.x, -1, 1)})
    c = np.eye(len(GROUPS), dtype=np.float32)[[5, 0, 3]]
    (made,) = G.run(None, dict(zip([i.name for i in G.get_inputs()], (z, c), strict=True)))
    algorithm = Trainer.resume(run).algorithm
    expected = algorithm.relabel(batch.x, np.array([[5], [0], [3]]), "initial")  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.moveaxis(made, 1, -1), expected, atol=1e-4)


def test_a_folder_of_one_s_own(minigan: Command, tmp_path: Path) -> None:
    """Classes are its folders."""
    rng = make_rng(5)
    for name in ("child", "old"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for i in range(6):
            to_image(rng.uniform(-1, 1, (20, 18, 3))).save(tmp_path / "mine" / name / f"{i}.png")
    folder = tmp_path / "run"
    result = minigan(
        "train", *TRAIN, "--data", tmp_path / "mine", "--steps", 4, "--threads", 1, "--out", folder
    )
    assert result.code == 0, result.err
    call = ["--input", tmp_path / "mine" / "child", "--output", tmp_path / "out", "--to", "old"]
    result = minigan("translate", folder, *call)
    assert result.code == 0, result.err
    assert len(list((tmp_path / "out").glob("*.png"))) == 6
