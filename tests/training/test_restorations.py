"""Runs of restorations: what they leave, how they resume, `minigan translate` and `eval`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.backend import make_rng
from minigan.data import open_degraded
from minigan.metrics.similarity import psnr
from minigan.streams import Purpose
from minigan.training import Trainer
from tests.training.support import (
    OFTEN,
    Finished,
    assert_same_run,
    error_line,
    leave,
    records,
    write_pictures,
)

Command = Callable[..., Finished]

RUNS = {
    "srgan": split("srgan --size 16 --width 2 --blocks 1 --batch 2 --pretrain 1 --scale 2 --flip"),
    "context-encoder": split("context-encoder --size 16 --width 2 --batch 2 --hole random"),
    "deblurgan": split(
        "deblurgan --size 16 --width 2 --blocks 1 --batch 2 --patch 34 --k 2 --dropout 0"
    ),
}
SHOWN = {
    "srgan": {"loss_G", "content", "GAN_G", "loss_D", "D(y)", "D(G(x))"},
    "context-encoder": {"loss_G", "L_rec", "GAN_G", "loss_D", "D(y)", "D(G(x))"},
    "deblurgan": {"loss_G", "content", "GAN_G", "loss_D", "wasserstein", "score(y)", "wgan-gp"},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of each, of 4 steps."""
    folder = tmp_path_factory.mktemp("restorations")
    for name, words in RUNS.items():
        leave("train", *words, *OFTEN, "--steps", 4, "--out", folder / name)
    return folder


@pytest.mark.parametrize("name", RUNS)
def test_a_run(minigan: Command, runs: Path, tmp_path: Path, name: str) -> None:
    """Files and log; going on in two parts leaves the same."""
    folder = runs / name
    found = sorted(path.name for path in (folder / "samples").glob("*.png"))
    assert found == [f"step_{step:06d}.png" for step in (0, 2, 4)]
    assert SHOWN[name] <= records(folder)[-1].keys()
    shutil.copytree(folder, tmp_path / "parts")
    result = minigan("resume", tmp_path / "parts", "--from", 2)
    assert result.code == 0, result.err
    assert_same_run(tmp_path / "parts", folder)


@pytest.mark.parametrize("name", RUNS)
def test_the_sheet_shows_what_was_left_what_was_made_and_what_was_there(
    runs: Path, name: str
) -> None:
    first, last = (
        np.asarray(Image.open(runs / name / "samples" / f"step_{step:06d}.png")) for step in (0, 4)
    )
    factor = round(512 / (8 * 18 - 2))
    assert last.shape[:2] == (factor * (2 * 3 * 18 - 2), factor * (8 * 18 - 2))
    for row, same in ((0, True), (1, False), (2, True), (3, True), (4, False), (5, True)):
        part = slice(row * 18 * factor, (row * 18 + 16) * factor)
        assert np.array_equal(first[part], last[part]) == same, row


@pytest.mark.parametrize("name", RUNS)
def test_every_metric_of_a_restoration(
    minigan: Command, runs: Path, tmp_path: Path, name: str
) -> None:
    result = minigan("eval", runs / name, "--n", 20, "--json", tmp_path / "found.json")
    assert result.code == 0, result.err
    found = {r["metric"]: r for r in json.loads((tmp_path / "found.json").read_text())}
    assert {"l1", "psnr", "ssim", "sharpness", "fid", "kid"} <= found.keys()
    assert "cycle" not in found
    assert found["fid"]["extractor"].startswith("minigan's kittens classifier")
    assert {r["split"] for r in found.values()} == {"test"}
    trainer = Trainer.resume(runs / name)
    options = trainer.config.options
    held_out = open_degraded(
        "kittens", options.degradation, size=16, split="test", **options.degraded_by
    )
    x, y = held_out.split(held_out.draw(20, make_rng(0, Purpose.REAL)).x)
    made = trainer.algorithm.translate(x, make_rng(0))
    decibels = found["psnr"]["values"]["decibels"]
    np.testing.assert_allclose(decibels, psnr(made, y).mean(), rtol=1e-4)


@pytest.mark.parametrize("name", RUNS)
def test_own_pictures_of_any_kind(minigan: Command, tmp_path: Path, name: str) -> None:
    """Grey ones that are not square; the best checkpoint is chosen by the training data."""
    data = write_pictures(tmp_path / "own.npz", n=12, shape=(16, 24, 1))
    words = [w for w in RUNS[name] if w not in ("--size", "16")]
    train = ["train", *words, "--data", data, "--steps", 2, "--jitter", 1, "--keep-best", "psnr"]
    result = minigan(*train, "--out", tmp_path / "run")
    assert result.code == 0, result.err
    result = minigan("eval", tmp_path / "run", "--n", 12, "--from", "best")
    assert result.code == 0, result.err
    names = [line.partition(":")[0] for line in result.out.splitlines() if line[0] != " "]
    # No extractor is known, so that no features are compared.
    assert names == ["l1", "psnr", "ssim", "retrieval", "sharpness", "sharpness-difference"]
    assert "split: train" in result.out


@pytest.mark.parametrize("name", RUNS)
def test_a_restoration_leaves_for_other_programs(
    minigan: Command, runs: Path, tmp_path: Path, name: str
) -> None:
    files = ["--onnx", tmp_path / "G.onnx", "--torch", tmp_path / "G.safetensors"]
    result = minigan("export", runs / name, *files)
    assert result.code == 0, result.err
    assert (tmp_path / "G.onnx").exists()
    assert (tmp_path / "G.safetensors").exists()


# --- translate ------------------------------------------------------------------------------------


def photo(path: Path, h: int, w: int, *, grey: bool = False) -> Path:
    shape = (h, w) if grey else (h, w, 3)
    Image.fromarray(make_rng(0).integers(0, 256, shape, np.uint8)).save(path)
    return path


def test_small_pictures_of_any_size_become_larger(
    minigan: Command, runs: Path, tmp_path: Path
) -> None:
    small = photo(tmp_path / "small.png", 7, 11)
    call = ["translate", runs / "srgan", "--input", small, "--output"]
    result = minigan(*call, tmp_path / "out")
    assert result.code == 0, result.err
    made = np.asarray(Image.open(tmp_path / "out" / "small.png"))
    assert made.shape == (14, 22, 3)
    G = Trainer.resume(runs / "srgan").algorithm.networks["G"]
    x = np.asarray(Image.open(small))[None].astype(np.float32) / 127.5 - 1
    y, _ = G.forward(x, train=False)
    expected = np.rint((np.clip(y[0], -1, 1) + 1) * 127.5)
    assert np.abs(made - expected).max() <= 1
    assert minigan(*call, tmp_path / "sized", "--size", "5x6").code == 0
    assert np.asarray(Image.open(tmp_path / "sized" / "small.png")).shape == (10, 12, 3)


def test_tiles_of_a_small_picture_fit_together(
    minigan: Command, runs: Path, tmp_path: Path
) -> None:
    """G sees ten small pixels around one, so that inside of larger overlaps nothing changes."""
    small = photo(tmp_path / "small.png", 30, 70)
    call = ["translate", runs / "srgan", "--input", small, "--output"]
    for name, words in (("whole", []), ("tiles", split("--tile 64 --overlap 60"))):
        result = minigan(*call, tmp_path / name, *words)
        assert result.code == 0, result.err
    whole, tiles = (
        np.asarray(Image.open(tmp_path / name / "small.png")).astype(int)
        for name in ("whole", "tiles")
    )
    assert tiles.shape == whole.shape == (60, 140, 3)
    inside = np.abs(tiles - whole)[:40, 40:100]  # a picture lower than a tile is mirrored below
    assert inside.max() <= 1


def test_what_cannot_be_translated_is_refused(minigan: Command, runs: Path, tmp_path: Path) -> None:
    grey = photo(tmp_path / "grey.png", 8, 8, grey=True)
    call = ["translate", runs / "srgan", "--input", grey, "--output", tmp_path / "out"]
    for words, says in (
        ("", "grey.png is a grey picture and the run was trained on colour ones"),
        ("--reverse", "srgan has no generator from y to x; what was lost is not made again"),
        ("--reference x.png", "only G of pairedcyclegan, and munit, take one"),
        ("--overlap 3", "--overlap 3 is of tiles; give --tile too"),
    ):
        result = minigan(*call, *split(words))
        assert result.code == 1
        assert says in error_line(result.err)
    assert minigan(*call, "--convert").code == 0
    assert np.asarray(Image.open(tmp_path / "out" / "grey.png")).shape == (16, 16, 3)


def holed_photo(path: Path, h: int, w: int, hole: tuple[slice, slice]) -> np.ndarray:
    """A picture, transparent in the hole; its opaque pixels."""
    pixels = make_rng(0).integers(0, 256, (h, w, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[*hole, 3] = 0
    Image.fromarray(pixels).save(path)
    return pixels[..., :3]


def test_transparent_pixels_are_filled(minigan: Command, runs: Path, tmp_path: Path) -> None:
    hole = slice(3, 7), slice(9, 15)
    pixels = holed_photo(tmp_path / "photo.png", 16, 16, hole)
    call = ["translate", runs / "context-encoder", "--input", tmp_path / "photo.png", "--output"]
    result = minigan(*call, tmp_path / "out")
    assert result.code == 0, result.err
    made = np.asarray(Image.open(tmp_path / "out" / "photo.png"))
    kept = np.ones((16, 16), bool)
    kept[hole] = False
    np.testing.assert_array_equal(made[kept], pixels[kept])
    assert not np.array_equal(made[hole], pixels[hole])
    algorithm = Trainer.resume(runs / "context-encoder").algorithm
    x = np.where(kept[..., None], pixels.astype(np.float32) / 127.5 - 1, 0)
    x = np.concatenate([x, ~kept[..., None]], -1, dtype=np.float32)[None]
    expected = np.rint((algorithm.translate(x, make_rng(0))[0] + 1) * 127.5)
    assert np.abs(made - expected).max() <= 1


def test_large_pictures_are_filled_tile_by_tile(
    minigan: Command, runs: Path, tmp_path: Path
) -> None:
    pixels = holed_photo(tmp_path / "photo.png", 20, 40, (slice(8, 14), slice(10, 30)))
    call = ["translate", runs / "context-encoder", "--input", tmp_path / "photo.png", "--output"]
    assert minigan(*call, tmp_path / "out", "--tile", 16).code == 0
    made = np.asarray(Image.open(tmp_path / "out" / "photo.png"))
    assert made.shape == (20, 40, 3)
    np.testing.assert_array_equal(made[:8], pixels[:8])
    result = minigan(*call, tmp_path / "no", "--tile", 8)
    assert "--tile 8: a context encoder takes pictures of the size" in error_line(result.err)


def test_the_centre_is_filled_unless_pixels_elsewhere_are_transparent(
    minigan: Command, tmp_path: Path
) -> None:
    train = ["train", *split("context-encoder --size 16 --width 2 --batch 2 --steps 1")]
    assert minigan(*train, "--out", tmp_path / "run").code == 0
    pixels = np.asarray(Image.open(photo(tmp_path / "whole.png", 16, 16)))
    call = ["translate", tmp_path / "run", "--output", tmp_path / "out", "--input"]
    assert minigan(*call, tmp_path / "whole.png").code == 0
    made = np.asarray(Image.open(tmp_path / "out" / "whole.png"))
    changed = (made != pixels).any(-1)
    assert changed[5:11, 5:11].mean() > 0.9
    changed[5:11, 5:11] = False
    assert not changed.any()
    holed_photo(tmp_path / "hole.png", 16, 16, (slice(0, 3), slice(0, 3)))
    result = minigan(*call, tmp_path / "hole.png")
    assert "hole.png: it is transparent outside its centre" in error_line(result.err)
    result = minigan(*call, tmp_path / "whole.png", "--tile", 16)
    assert "train with --hole random" in error_line(result.err)


def test_blurred_pictures_of_any_size_become_sharp_at_theirs(
    minigan: Command, runs: Path, tmp_path: Path
) -> None:
    """G halves sides twice: others are mirrored as far as that takes, and cut again."""
    call = ["translate", runs / "deblurgan", "--output", tmp_path / "out", "--input"]
    G = Trainer.resume(runs / "deblurgan").algorithm.networks["G"]
    for name, (h, w) in {"even": (12, 20), "odd": (9, 30), "tiny": (1, 3)}.items():
        result = minigan(*call, photo(tmp_path / f"{name}.png", h, w))
        assert result.code == 0, result.err
        made = np.asarray(Image.open(tmp_path / "out" / f"{name}.png"))
        assert made.shape == (h, w, 3)
        x = np.asarray(Image.open(tmp_path / f"{name}.png"))[None].astype(np.float32) / 127.5 - 1
        rows, columns = max(-h % 4, 8 - h), max(-w % 4, 8 - w)
        x = np.pad(x, [(0, 0), (0, rows), (0, columns), (0, 0)], "symmetric")
        y, _ = G.forward(x, train=False)
        assert np.abs(made - (y[0, :h, :w] + 1) * 127.5).max() <= 0.51
    result = minigan(*call, tmp_path / "odd.png", "--tile", 16)
    assert result.code == 0, result.err
    result = minigan(*call, tmp_path / "odd.png", "--n", 2)
    assert "--n 2" in error_line(result.err)  # without dropout there is one answer


def test_dropout_has_many_answers(minigan: Command, tmp_path: Path) -> None:
    words = [w for w in RUNS["deblurgan"] if w not in ("--dropout", "0")]
    result = minigan("train", *words, "--steps", 2, "--out", tmp_path / "run")
    assert result.code == 0, result.err
    blurred = photo(tmp_path / "blurred.png", 16, 16)
    call = ["translate", tmp_path / "run", "--input", blurred, "--output", tmp_path / "out"]
    result = minigan(*call, "--n", 2)
    assert result.code == 0, result.err
    first, second = (np.asarray(Image.open(f)) for f in sorted(tmp_path.glob("out/*/blurred.png")))
    assert (first != second).any()


def test_a_picture_without_a_hole_is_refused(minigan: Command, runs: Path, tmp_path: Path) -> None:
    whole = photo(tmp_path / "whole.png", 16, 16)
    call = ["translate", runs / "context-encoder", "--input", whole, "--output", tmp_path / "out"]
    result = minigan(*call)
    assert "whole.png: no pixel of it is transparent" in error_line(result.err)
