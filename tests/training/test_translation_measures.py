"""`minigan eval` and --keep-best of translations, and `minigan translate --tile`."""

import json
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.backend import make_rng
from minigan.data import open_pairs
from minigan.streams import Purpose
from minigan.training import Trainer
from tests.training.support import Finished, error_line, leave, records

Command = Callable[..., Finished]

SMALL = "--size 16 --width 2 --patch 16 --batch 2 --steps 4 --eval-samples 20 --eval-every 2"
RUNS = {
    "pix2pix": f"pix2pix {SMALL} --keep-best ssim",
    "cyclegan": f"cyclegan {SMALL} --blocks 1 --keep-best cycle",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    for name, words in RUNS.items():
        leave("train", *split(words), "--out", folder / name)
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Two domains of a user: b0 to b2 are in both, the others in one."""
    rng = np.random.default_rng(0)
    for name, numbers in (("A", range(5)), ("B", range(3))):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in numbers:
            pixels = rng.integers(0, 255, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "own" / name / f"b{i}.png")
    return tmp_path / "own"


PAIRED = ["fid", "kid", "precision-recall", "density-coverage", "two-sample"]
TRUE = ["l1", "psnr", "ssim", "retrieval"]
SHARP = ["sharpness", "sharpness-difference"]


def test_every_metric_of_a_translation(minigan: Command, runs: Path, tmp_path: Path) -> None:
    for name, metrics in (
        ("pix2pix", [*PAIRED, *TRUE, *SHARP, "diversity"]),  # of its dropout
        ("cyclegan", [*PAIRED, *TRUE, "cycle", *SHARP]),
    ):
        result = minigan("eval", runs / name, "--n", 20, "--json", tmp_path / "found.json")
        assert result.code == 0, result.err
        found = json.loads((tmp_path / "found.json").read_text())
        assert [r["metric"] for r in found] == metrics
        for r in found:
            assert r["protocol"] in result.out
            answers = 10 if r["metric"] == "diversity" else 1
            assert (r["n_fake"], r["n_real"], r["split"]) == (20 * answers, 20, "test")
            assert all(np.isfinite(value) for value in r["values"].values())
            assert any(key.endswith("F(y)") for key in r["values"]) == (name == "cyclegan")
        assert "split: test; N: 20 samples, 20 real; seed 0" in result.out


def test_hidden_pairs_score_a_run_that_never_saw_them(minigan: Command, runs: Path) -> None:
    """The error again, from the run's own generator and the pairs of the test split."""
    result = minigan("eval", runs / "cyclegan", "--metrics", "l1", "--n", 12, "--seed", 5)
    held_out = open_pairs("kittens-recolour", aligned=True, size=16, split="test")
    x, y = held_out.split(held_out.draw(12, make_rng(5, Purpose.REAL)).x)
    made = Trainer.resume(runs / "cyclegan").algorithm.translate(x, make_rng(0))
    assert f"l1: error {np.abs(made - y).mean():.5g}, untranslated" in result.out
    assert not Trainer.resume(runs / "cyclegan").dataset.aligned


def test_the_best_checkpoint_is_kept_by_what_translations_are_worth(runs: Path) -> None:
    for name, value in (("pix2pix", "ssim.similarity"), ("cyclegan", "cycle.error")):
        seen = {r["step"]: r[value] for r in records(runs / name) if value in r}
        assert [*seen] == [2, 4]
        best = json.loads((runs / name / "checkpoints/best/best.json").read_text())
        better = max if name == "pix2pix" else min
        assert best["step"] == better(seen, key=lambda step: seen[step])
        assert (best["metric"], best["value"]) == (value, better(seen.values()))


def test_what_cannot_choose_a_checkpoint_is_refused(minigan: Command, tmp_path: Path) -> None:
    words = split(f"train {RUNS['cyclegan']}")[:-1]
    for metric, says in (("l1", "pairs that the training must not see"), ("is", "needs pictures")):
        result = minigan(*words, metric, "--out", tmp_path / "run")
        assert result.code == 1
        assert says in error_line(result.err)
    words = split(f"train {RUNS['pix2pix']}")[:-1]
    result = minigan(*words, "cycle", "--out", tmp_path / "run")
    assert "needs a generator each way" in error_line(result.err)
    assert not (tmp_path / "run").exists()


def test_domains_of_a_user_are_scored_on_the_names_they_share(
    minigan: Command, own: Path, tmp_path: Path
) -> None:
    words = split("train cyclegan --width 2 --patch 7 --blocks 1 --steps 1 --data")
    assert minigan(*words, own, "--out", tmp_path / "run").code == 0
    result = minigan("eval", tmp_path / "run", "--n", 10)
    assert result.code == 0, result.err
    names = [line.partition(":")[0] for line in result.out.splitlines() if line[0] != " "]
    assert names == [*TRUE, "cycle", *SHARP]  # no extractor is known: no features
    assert "split: train" in result.out
    result = minigan("eval", tmp_path / "run", "--n", 10, "--metrics", "fid")
    assert "need a network" in error_line(result.err)
    for i in range(3):
        (own / "B" / f"b{i}.png").rename(own / "B" / f"other{i}.png")
    result = minigan("eval", tmp_path / "run", "--n", 10, "--metrics", "psnr")
    assert "known to belong together" in error_line(result.err)
    assert minigan("eval", tmp_path / "run", "--n", 10).code == 0


def test_a_metric_that_the_run_cannot_have_is_refused(minigan: Command, runs: Path) -> None:
    result = minigan("eval", runs / "pix2pix", "--metrics", "l1,cycle")
    assert "this run has G alone" in error_line(result.err)
    assert result.out == ""


# --- tiles ----------------------------------------------------------------------------------------


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 255, (37, 50, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def made(folder: Path) -> np.ndarray:
    return np.asarray(Image.open(folder / "photo.png"))


def test_a_large_picture_keeps_its_size_in_tiles(
    minigan: Command, runs: Path, photo: Path, tmp_path: Path
) -> None:
    call = ["translate", runs / "cyclegan", "--input", photo, "--tile", 16, "--output"]
    for name, words in (("usual", []), ("same", ["--overlap", 4]), ("other", ["--overlap", 9])):
        result = minigan(*call, tmp_path / name, *words)
        assert result.code == 0, result.err
        assert made(tmp_path / name).shape == (37, 50, 3)
    np.testing.assert_array_equal(made(tmp_path / "usual"), made(tmp_path / "same"))
    assert (made(tmp_path / "usual") != made(tmp_path / "other")).any()
    result = minigan(*call, tmp_path / "sized", "--size", "20x24")
    assert made(tmp_path / "sized").shape == (20, 24, 3)


def test_one_tile_is_the_picture_at_once(
    minigan: Command, runs: Path, photo: Path, tmp_path: Path
) -> None:
    call = ["translate", runs / "cyclegan", "--input", photo, "--size", 16, "--output"]
    assert minigan(*call, tmp_path / "whole").code == 0
    assert minigan(*call, tmp_path / "tile", "--tile", 16).code == 0
    np.testing.assert_array_equal(made(tmp_path / "whole"), made(tmp_path / "tile"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--tile 18", "--tile 18: the residual generator halves pictures 2 times"),
        ("--tile 16 --overlap 16", "--overlap 16: wanted from 0 to 15, below --tile 16"),
        ("--overlap 2", "--overlap 2 is of tiles; give --tile too"),
    ],
)
def test_tiles_that_cannot_be(
    minigan: Command, runs: Path, photo: Path, tmp_path: Path, words: str, says: str
) -> None:
    call = ["translate", runs / "cyclegan", "--input", photo, "--output", tmp_path / "out"]
    result = minigan(*call, *split(words))
    assert result.code == 1
    assert says in error_line(result.err)
