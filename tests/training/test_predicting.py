"""Runs of next-frame: what they leave, frames predicted of the data's clips and of a user's."""

import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.backend import make_rng
from minigan.data import open_clips
from minigan.data.clips import joined
from minigan.training import Trainer
from minigan.training.pictures import to_image
from tests.training.support import OFTEN, Finished, assert_same_run, error_line, leave, records

Command = Callable[..., Finished]
M = 2


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 4 steps, on two frames of 16x16."""
    folder = tmp_path_factory.mktemp("next-frame") / "run"
    words = split(f"next-frame --size 16 --width 2 --frames {M} --batch 2 --flip --jitter 2")
    leave("train", *words, "--optimizer", "adam", *OFTEN, "--steps", 4, "--out", folder)
    return folder


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two folders of 5 frames of 20x16, and one of a single frame."""
    rng = np.random.default_rng(0)
    for name, n in (("a", 5), ("deep/b", 5), ("still", 1)):
        (tmp_path / "clips" / name).mkdir(parents=True)
        for t in range(n):
            pixels = rng.integers(0, 256, (16, 20), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "clips" / name / f"{t + 8}.png")
    return tmp_path / "clips"


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(np.float32) / 127.5 - 1


def test_a_run(minigan: Command, run: Path, tmp_path: Path) -> None:
    """Files and log; going on in two parts leaves the same."""
    found = sorted(path.name for path in (run / "samples").glob("*.png"))
    assert found == [f"step_{step:06d}.png" for step in (0, 2, 4)]
    assert {"L2", "L2/4", "GDL/2", "adv", "D(G(x)/4)"} <= records(run)[-1].keys()
    shutil.copytree(run, tmp_path / "parts")
    result = minigan("resume", tmp_path / "parts", "--from", 2)
    assert result.code == 0, result.err
    assert_same_run(tmp_path / "parts", run)
    assert (run / "report.html").exists()


def test_the_sheet_has_a_row_for_each_example(run: Path) -> None:
    """Its first column is the oldest frame, its last the truth; predictions lie between."""
    data = open_clips("moving-digits", frames=M, size=16)
    x, y = data.split(data.telling(8, make_rng(0, 4)))
    sheet = np.asarray(Image.open(run / "samples" / "step_000004.png").convert("L"))
    side, gap, factor = 16, 2, 6
    for i in range(8):
        top = 20 + i * (side + gap) * factor
        tile = sheet[top : top + side * factor : factor]
        expected = np.rint((x[i, ..., 0] + 1) * 127.5)
        np.testing.assert_allclose(tile[:, : side * factor : factor], expected, atol=1)
        truth = tile[:, -side * factor :: factor]
        np.testing.assert_allclose(truth, np.rint((y[i, ..., 0] + 1) * 127.5), atol=1)


def test_clips_of_the_data_are_gone_on_with(minigan: Command, run: Path, tmp_path: Path) -> None:
    call = ["sample", run, "--frames", 3, "--n", 2, "--out"]
    result = minigan(*call, tmp_path / "x.png")
    assert result.code == 0, result.err
    assert "2 clips of 2 frames and 3 predicted after step 4" in result.out
    true = open_clips("moving-digits", frames=M, size=16, split="test").sequences(
        2, M + 3, make_rng(0, 4)
    )
    made = Trainer.resume(run).algorithm.predict(joined(true[:, :M]), 3, make_rng(0))
    rows = np.asarray(Image.open(tmp_path / "x.png"))
    factor = rows.shape[1] // (5 * 18 - 2)
    small = rows[::factor, ::factor]
    for i in range(2):
        for t in range(M + 3):
            at = slice(t * 18, t * 18 + 16)
            above, below = (small[r * 18 : r * 18 + 16, at] for r in (2 * i, 2 * i + 1))
            np.testing.assert_array_equal(above, to_image(true[i, t]))
            expected = true[i, t] if t < M else made[i, t - M]
            np.testing.assert_allclose(below, to_image(expected), atol=1)
    result = minigan(*call, tmp_path / "x.gif")
    assert result.code == 0, result.err
    with Image.open(tmp_path / "x.gif") as film:
        assert film.n_frames == M + 3


def test_a_users_clips_are_gone_on_with(
    minigan: Command, run: Path, clips: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = minigan("translate", run, "--input", clips, "--output", out, "--frames", 3)
    assert result.code == 0, result.err
    assert "3 frames after each of 2 clips, by G of step 4" in result.out
    assert "clips of less than 2 frames are left out: still" in result.err
    left = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    expected = [f"{name}/000{t}.png" for name in ("a", "deep/b") for t in (1, 2, 3)]
    assert left == sorted([*expected, "a.gif", "deep/b.gif"])
    from minigan.data.pictures import fit, to_float

    last = [to_float(fit(Image.open(clips / "a" / f"{t}.png"), (16, 16)))[None] for t in (11, 12)]
    made = Trainer.resume(run).algorithm.predict(np.concatenate(last, -1), 3, make_rng(0))
    for t in range(3):
        np.testing.assert_allclose(
            pixels(out / "a" / f"000{t + 1}.png"), made[0, t, ..., 0], atol=0.01
        )
    with Image.open(out / "a.gif") as film:
        assert film.n_frames == M + 3


TRANSLATE, SAMPLE = "translate {run} --input {clips} --output {out}", "sample {run} --out {out}"
REFUSED = {
    "tiles": (f"{TRANSLATE} --tile 16", "goes on with clips: leave --tile out"),
    "the way back": (f"{TRANSLATE} --reverse", "goes on with clips: leave --reverse out"),
    "a size": (f"{TRANSLATE} --size 18", "frames of 18x18 are halved .* these have 2"),
    "nothing": ("translate {run} --input {out} --output {out}", "there is no such file or folder"),
    "single frames": (
        "translate {run} --input {clips}/still --output {out}",
        "has the 2 frames that tell the next one",
    ),
    "a picture of numbers": (f"{SAMPLE}/x.npz --frames 2", "wanted a .gif or .png file"),
    "a class": (f"{SAMPLE}/x.gif --frames 2 --class 3", "predicts clips: leave --class-name out"),
    "no frames": (f"{SAMPLE}/x.png", "next-frame has no latent z .*; --frames N predicts"),
    "frames of a gan": (
        "sample {gan} --out {out}/x.png --frames 2",
        "is a run of dcgan, which pred",
    ),
}


@pytest.mark.parametrize(("words", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(
    minigan: Command,
    run: Path,
    clips: Path,
    unbroken: Path,
    tmp_path: Path,
    words: str,
    says: str,
) -> None:
    import re

    places = {"run": run, "clips": clips, "out": tmp_path / "out", "gan": unbroken}
    result = minigan(*(word.format(**places) for word in words.split()))
    assert result.code == 1
    assert re.search(says, error_line(result.err))
    assert not (tmp_path / "out").exists()


def test_colour_needs_to_be_converted(minigan: Command, run: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "c").mkdir()
    for t in range(3):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(tmp_path / f"c/{t}.png")
    call = ["translate", run, "--input", tmp_path / "c", "--output", tmp_path / "out"]
    assert "holds colour frames and the run was trained on grey" in error_line(minigan(*call).err)
    assert minigan(*call, "--convert").code == 0
    assert (tmp_path / "out" / "c" / "0008.png").exists()


def test_what_is_read_is_not_written_over(minigan: Command, run: Path, tmp_path: Path) -> None:
    images = [Image.fromarray(np.full((16, 16), level, np.uint8)) for level in (0, 90, 180)]
    images[0].save(tmp_path / "c.gif", save_all=True, append_images=images[1:])
    before = (tmp_path / "c.gif").read_bytes()
    call = ["translate", run, "--convert", "--input", tmp_path / "c.gif", "--output"]
    assert "would overwrite" in error_line(minigan(*call, tmp_path).err)
    assert "is a file; give a folder" in error_line(minigan(*call, tmp_path / "c.gif").err)
    assert (tmp_path / "c.gif").read_bytes() == before


def test_what_is_measured(minigan: Command, run: Path) -> None:
    """Held-out clips, beside the last frame as a prediction; and who decides at corners."""
    result = minigan("eval", run, "--n", 12)
    assert result.code == 0, result.err
    names = [line.split(":")[0] for line in result.out.splitlines() if line[0] != " "]
    assert names == [
        "l1",
        "psnr",
        "ssim",
        "retrieval",
        "sharpness",
        "sharpness-difference",
        "corners",
    ]
    data = open_clips("moving-digits", frames=M, size=16, split="test")
    x, y = data.split(data.draw(12, make_rng(0, 9)).x)
    still = np.abs(x[..., 1:] - y).mean()
    assert f"untranslated {still:.5g}" in result.out.splitlines()[0]
    assert "split: test; N: 12 samples" in result.out
