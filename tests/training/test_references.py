"""Runs that take references: what they leave, how they resume, translate and are measured."""

import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.backend import make_rng
from minigan.data import open_references
from minigan.metrics.similarity import l1
from minigan.training import Trainer
from minigan.training.evaluation import evaluate
from minigan.training.pictures import to_image
from tests.training.support import OFTEN, Finished, assert_same_run, error_line, leave, records

Command = Callable[..., Finished]

SMALL = split("pairedcyclegan --size 16 --width 2 --patch 7 --blocks 1 --batch 2 --lr 0.01 --flip")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 4 steps."""
    folder = tmp_path_factory.mktemp("references") / "run"
    leave("train", *SMALL, *OFTEN, "--steps", 4, "--out", folder)
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two faces below x, two with makeup below y."""
    known = open_references("faces-makeup", size=16, split="test").known(2, make_rng(0))
    for name, own in (("x", known.x), ("y", known.y)):
        (tmp_path / name).mkdir()
        for i, picture in enumerate(own):
            to_image(picture).save(tmp_path / name / f"{name}{i}.png")
    return tmp_path


def opened(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(np.float32)[None] / 127.5 - 1


def test_a_run(run: Path, tmp_path: Path, minigan: Command) -> None:
    """Every term is logged; going on in two parts leaves the same."""
    logged = records(run)[-1].keys()
    assert {"L_G", "L_F", "L_I", "L_S", "L_P", "D(x)", "D(y)", "D(y, W)", "D(y, G)"} <= logged
    shutil.copytree(run, tmp_path / "parts")
    result = minigan("resume", tmp_path / "parts", "--from", 2)
    assert result.code == 0, result.err
    assert_same_run(tmp_path / "parts", run)


def test_the_sheet_shows_references_results_and_truths(run: Path) -> None:
    """x, y, G(x, y) and its truth, y, F(y) and its truth, 16 each in rows of 8."""
    sheets = [np.asarray(Image.open(run / f"samples/step_00000{i}.png")) for i in (0, 4)]
    factor = round(512 / (8 * 18 - 2))
    assert sheets[0].shape == (factor * (14 * 18 - 2), factor * (8 * 18 - 2), 3)
    rows = [s[np.arange(14)[:, None] * 18 * factor + np.arange(16) * factor] for s in sheets]
    moving = {i for i in range(14) if not np.array_equal(rows[0][i], rows[1][i])}
    assert moving == {2, 6, 9, 12}  # what G and F made
    np.testing.assert_array_equal(rows[0][0], rows[0][2])  # a new G adds nothing
    known = open_references("faces-makeup", size=16).known(16, make_rng(0, 4))
    for row, truth in ((3, known.applied), (10, known.removed)):
        shown = np.asarray(to_image(truth[0]))
        np.testing.assert_array_equal(rows[0][row][:, : 16 * factor : factor], shown)


def test_translate_puts_on_a_reference_s_style(
    run: Path, pictures: Path, tmp_path: Path, minigan: Command
) -> None:
    call = ["translate", run, "--input", pictures / "x", "--output"]
    result = minigan(*call, tmp_path / "one", "--reference", pictures / "y/y1.png")
    assert result.code == 0, result.err
    assert "2 pictures through G of step 4 of pairedcyclegan" in result.out
    result = minigan(*call, tmp_path / "all", "--reference", pictures / "y")
    assert "4 pictures through G" in result.out
    made = {str(p.relative_to(tmp_path / "all")) for p in (tmp_path / "all").rglob("*.png")}
    assert made == {"y0/x0.png", "y0/x1.png", "y1/x0.png", "y1/x1.png"}
    model = Trainer.resume(run).algorithm
    x, y = opened(pictures / "x/x0.png"), opened(pictures / "y/y1.png")
    expected = np.asarray(to_image(model.translate(np.concatenate([x, y], -1), make_rng(0))[0]))
    for path in (tmp_path / "one/x0.png", tmp_path / "all/y1/x0.png"):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), expected)


def test_translate_takes_a_style_off_without_a_reference(
    run: Path, pictures: Path, tmp_path: Path, minigan: Command
) -> None:
    call = ["translate", run, "--input", pictures / "y", "--output", tmp_path / "bare"]
    result = minigan(*call, "--reverse")
    assert "2 pictures through F" in result.out
    model = Trainer.resume(run).algorithm
    expected = to_image(model.translate(opened(pictures / "y/y0.png"), make_rng(0), name="F")[0])
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "bare/y0.png")), expected)


def test_references_are_tiled_with_their_pictures(
    run: Path, pictures: Path, tmp_path: Path, minigan: Command
) -> None:
    call = ["translate", run, "--input", pictures / "x", "--output", tmp_path / "large"]
    result = minigan(*call, "--reference", pictures / "y/y0.png", "--size", 40, "--tile", 16)
    assert result.code == 0, result.err
    assert opened(tmp_path / "large/x1.png").shape == (1, 40, 40, 3)


def test_what_is_put_on_is_measured_against_the_truth(run: Path) -> None:
    (result,) = evaluate(run, ["l1"], n=12)
    model = Trainer.resume(run).algorithm
    known = open_references("faces-makeup", size=16, split="test").known(12, make_rng(0, 31))
    assert set(result.values) == {"error"}
    assert (result.split, result.n_fake) == ("test", 12)
    # Whatever examples they are: this far from the truth, and no further.
    made = model.translate(np.concatenate([known.x, known.y], -1), make_rng(0))
    assert 0.5 < result.values["error"] / l1(made, known.applied).mean() < 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("translate RUN --input x --output o", "give --reference FILE|DIR, or --reverse"),
        ("translate RUN --input y --output o --reverse --reference x", "only G of pairedcyclegan"),
        ("translate RUN --input x --output o --reference no", "--reference no: there is no such"),
        ("translate RUN --input x --output o --reference empty", "no pictures in --reference"),
        ("translate RUN --input x --output o --reference bad.png", "bad.png cannot be read"),
        ("translate RUN --input x --output o --reference grey.png", "is a grey picture"),
        ("translate RUN --input x --output o --reference twice", "are called a; rename twice/a."),
        ("eval RUN --metrics cycle", "needs a generator each way"),
        ("train pairedcyclegan --keep-best sharpness --out o", "trainings with references"),
        ("train pairedcyclegan --data kittens-edges --out o", "holds no references"),
        ("train pairedcyclegan --direction BtoA --out o", "--direction is AtoB"),
        ("train pix2pix --data kittens --out o", "holds single examples"),
    ],
)
def test_refused(
    run: Path,
    pictures: Path,
    minigan: Command,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    says: str,
) -> None:
    monkeypatch.chdir(pictures)
    Path("empty").mkdir()
    Path("bad.png").write_text("no picture")
    Image.new("L", (20, 20)).save("grey.png")
    Path("twice").mkdir()
    for suffix in ("png", "bmp"):
        Image.new("RGB", (20, 20)).save(f"twice/a.{suffix}")
    result = minigan(*[str(run) if word == "RUN" else word for word in words.split()])
    assert result.code == 1
    assert says in error_line(result.err)
