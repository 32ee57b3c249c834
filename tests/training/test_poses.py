"""Runs of PG2: what they leave, `minigan translate` into poses, and what is measured."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.backend import make_rng
from minigan.data import open_poses
from minigan.data.joints import NAMES, centres, maps
from minigan.metrics.similarity import ssim
from minigan.streams import Purpose
from minigan.training import Trainer
from minigan.training.pictures import to_image
from tests.training.support import (
    OFTEN,
    Finished,
    assert_same_run,
    error_line,
    leave,
    records,
)

Command = Callable[..., Finished]
SMALL = split("pg2 --size 16 --width 2 --width-D 2 --bottleneck 4 --batch 2 --lr 0.01 --flip")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 4 steps, 2 of each stage."""
    folder = tmp_path_factory.mktemp("poses") / "run"
    leave("train", *SMALL, "--stage-steps", 2, *OFTEN, "--steps", 4, "--out", folder)
    return folder


@pytest.fixture
def person(tmp_path: Path) -> Path:
    """One person's picture."""
    data = open_poses("figures", size=16, split="test")
    x, _ = data.split(data.draw(1, make_rng(0)).x)
    (tmp_path / "in").mkdir()
    to_image(data.unchanged(x)[0]).save(tmp_path / "in" / "anna.png")
    return tmp_path / "in"


def poses(file: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Writes poses of those names, of people of the data; returns their joints."""
    data = open_poses("figures", size=16, split="test")
    joints = centres(data.posed(data.split(data.draw(len(names), make_rng(4)).x)[0]))
    lines = ["picture,joint,x,y"]
    for name, own in zip(names, joints, strict=True):
        for joint, (x, y) in zip(NAMES, own, strict=True):
            lines += [] if np.isnan(x) else [f"{name},{joint},{x:.6f},{y:.6f}"]
    file.write_text("\n".join(lines))
    return dict(zip(names, joints, strict=True))


def opened(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(np.float32)[None] / 127.5 - 1


def test_a_run(minigan: Command, run: Path, tmp_path: Path) -> None:
    """Files and log of both stages; going on in two parts leaves the same."""
    found = sorted(path.name for path in (run / "samples").glob("*.png"))
    assert found == [f"step_{step:06d}.png" for step in (0, 2, 4)]
    logged = [record.keys() for record in records(run)]
    assert "loss_G1" in logged[1]
    assert "loss_D" not in logged[1]
    assert {"loss_G2", "GAN_G", "pose_mask", "loss_D", "D(y)", "D(G(x))"} <= logged[-1]
    shutil.copytree(run, tmp_path / "parts")
    result = minigan("resume", tmp_path / "parts", "--from", 2)
    assert result.code == 0, result.err
    assert_same_run(tmp_path / "parts", run)
    assert (run / "report.html").exists()


def test_the_sheet_shows_person_pose_each_stage_and_the_truth(run: Path) -> None:
    data = open_poses("figures", size=16)
    x, y = data.split(data.draw(8, make_rng(0, Purpose.SHOWN)).x)
    algorithm = Trainer.resume(run).algorithm
    made = algorithm.stages(x, make_rng(0, Purpose.PICTURES))
    side, gap, factor, line, between = 16, 2, 6, 20, 16
    for step, pictures in {
        0: {0: x[..., :3], 3: y},
        4: {0: x[..., :3], 2: made["I"], 3: made["II"], 4: y},
    }.items():
        sheet = np.asarray(Image.open(run / f"samples/step_{step:06d}.png"))
        columns = 4 if step == 0 else 5
        assert sheet.shape[1] == columns * side * factor + (columns - 1) * between
        for column, own in pictures.items():
            left = column * (side * factor + between)
            for i in range(8):
                top = line + i * (side + gap) * factor
                tile = sheet[top : top + side * factor : factor, left : left + side * factor]
                np.testing.assert_allclose(
                    tile[:, ::factor], np.asarray(to_image(own[i])), atol=1, err_msg=f"{column} {i}"
                )
    pose = sheet[line:, side * factor + between :][:, : side * factor]
    assert (pose == 0).mean() > 0.5
    assert pose.max() > 100


def test_a_person_is_put_into_each_pose_of_a_file(
    minigan: Command, run: Path, person: Path, tmp_path: Path
) -> None:
    joints = poses(tmp_path / "p.csv", ("walk/a.png", "jump.png"))
    call = ["translate", run, "--input", person, "--output"]
    result = minigan(*call, tmp_path / "out", "--pose", tmp_path / "p.csv")
    assert result.code == 0, result.err
    assert "2 pictures through G of step 4 of pg2" in result.out
    algorithm = Trainer.resume(run).algorithm
    x = opened(person / "anna.png")
    for name, folder in {"walk/a.png": "walk/a", "jump.png": "jump"}.items():
        given = np.concatenate([x, maps(joints[name][None], (16, 16))], -1)
        expected = np.asarray(to_image(algorithm.translate(given, make_rng(0))[0]))
        found = np.asarray(Image.open(tmp_path / "out" / folder / "anna.png"))
        np.testing.assert_allclose(found, expected, atol=1)
    poses(tmp_path / "one.csv", ("jump.png",))
    assert minigan(*call, tmp_path / "one", "--pose", tmp_path / "one.csv").code == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["anna.png"]


REFUSED = {
    "": "G of pg2 puts persons into poses: give --pose FILE.csv",
    "--pose no.csv": "--pose no.csv: there is no such file",
    "--pose bad.csv": "bad.csv begins otherwise",
    "--pose away.csv": "names '../jump.png', which is no name of a folder here",
    "--pose twice.csv": "two poses are called jump; rename jump.gif",
    "--pose unnamed.csv": "names '', which is no name of a folder here",
    "--pose p.csv --size 32": "G1 has dense layers, for pictures of 16x16 alone: leave --size out",
    "--pose p.csv --tile 16": "a tile of a person has no pose: leave --tile out",
    "--pose p.csv --reverse": "pg2 has no generator from y to x; give the other pose with --pose",
    "--pose p.csv --reference .": "only G of pairedcyclegan, and munit, take one",
    "--pose p.csv --n 2": "--n 2: G of pg2 has one answer to a picture",
    "--pose p.csv --from 2": "after step 2 G2 has learned nothing yet: it trains from step 3 on",
    "--pose p.csv --to blue": "only age-cgan and stargan are told where pictures go",
}


@pytest.mark.parametrize(("words", "says"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_translated_is_refused(
    minigan: Command,
    run: Path,
    person: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    poses(tmp_path / "p.csv", ("jump.png",))
    poses(tmp_path / "away.csv", ("../jump.png",))
    poses(tmp_path / "twice.csv", ("jump.png", "jump.gif"))
    poses(tmp_path / "unnamed.csv", ("",))
    (tmp_path / "bad.csv").write_text("nothing")
    result = minigan("translate", run, "--input", person, "--output", "out", *split(words))
    assert result.code == 1
    assert says in error_line(result.err)
    assert not (tmp_path / "out").exists()


def test_samples_have_no_latent_z(minigan: Command, run: Path, tmp_path: Path) -> None:
    result = minigan("sample", run, "--out", tmp_path / "x.png")
    assert result.code == 1
    assert "pg2 has no latent z to sample from; `minigan translate`" in error_line(result.err)


def test_what_is_measured_is_of_people_that_training_never_showed(
    minigan: Command, run: Path, tmp_path: Path
) -> None:
    result = minigan("eval", run, "--n", 12, "--json", tmp_path / "out.json")
    assert result.code == 0, result.err
    found = {one["metric"]: one for one in json.loads((tmp_path / "out.json").read_text())}
    assert {"l1", "psnr", "ssim", "mask-ssim", "sharpness"} <= found.keys()
    assert {one["split"] for one in found.values()} == {"test"}
    data = open_poses("figures", size=16, split="test")
    examples = data.draw(12, make_rng(0, Purpose.REAL)).x
    (x, y), body = data.split(examples), data.masks(examples)
    made = Trainer.resume(run).algorithm.translate(x, make_rng(0, Purpose.MEASURED))

    def alone(picture: np.ndarray) -> np.ndarray:
        return np.where(body > 0, picture, -1)

    for name, one in {"similarity": made, "untranslated": x[..., :3]}.items():
        expected = ssim(alone(one), alone(y)).mean()
        assert found["mask-ssim"]["values"][name] == pytest.approx(expected, abs=1e-6)
    assert found["l1"]["values"]["error"] == pytest.approx(np.abs(made - y).mean(), abs=1e-6)


def test_networks_are_written_for_others(minigan: Command, run: Path, tmp_path: Path) -> None:
    for network in ("G", "G1", "G2", "D"):
        files = tmp_path / f"{network}.onnx", tmp_path / f"{network}.safetensors"
        words = ["--onnx", files[0], "--torch", files[1], "--network", network]
        result = minigan("export", run, *words)
        assert result.code == 0, result.err
        assert all(file.exists() for file in files)


def test_persons_of_a_folder(minigan: Command, tmp_path: Path) -> None:
    """Training on one's own, and what it is measured on where there is no test split."""
    files = [f"{name}/{i}.png" for name in ("anna", "ben") for i in range(3)]
    for file in files:
        (tmp_path / "own" / file).parent.mkdir(parents=True, exist_ok=True)
        to_image(np.zeros((16, 20, 3))).save(tmp_path / "own" / file)
    poses(tmp_path / "own" / "joints.csv", tuple(files))
    call = ["train", *SMALL, *OFTEN, "--steps", 4, "--data", tmp_path / "own"]
    result = minigan(*call, "--out", tmp_path / "run")
    assert result.code == 0, result.err
    result = minigan("eval", tmp_path / "run", "--metrics", "l1,mask-ssim", "--n", 10)
    assert result.code == 0, result.err
    assert "mask-ssim" in result.out
