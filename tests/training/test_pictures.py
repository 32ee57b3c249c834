"""Pictures pixel by pixel, plots that show what they should, and the film."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from minigan.errors import ShapeError
from minigan.training import pictures
from minigan.training.curves import write_curves
from minigan.training.pictures import (
    FILM_FRAMES,
    GRID_WIDTH,
    grid,
    pairs,
    plot_points,
    to_image,
    write_film,
    write_png,
)

RNG = np.random.default_rng(0)


def samples(*shape: int) -> np.ndarray:
    return RNG.uniform(-1.2, 1.2, shape).astype(np.float32)


@pytest.mark.parametrize(
    ("x", "pixel"),
    [(-1.0, 0), (1.0, 255), (0.0, 128), (-7.0, 0), (1.5, 255), (-0.99, 1), (0.5, 191)],
)
def test_levels(x: float, pixel: int) -> None:
    assert np.asarray(to_image(np.full((1, 1, 1), x, np.float32))).tolist() == [[pixel]]


def naive(x: np.ndarray, columns: int, gap: int, factor: int) -> np.ndarray:
    """The grid's pixels by their places alone; gaps and empty places are white."""
    n, h, w, c = x.shape
    rows = -(-n // columns)
    out = np.full((factor * (rows * (h + gap) - gap), factor * (columns * (w + gap) - gap), c), 255)
    for top in range(out.shape[0]):
        for left in range(out.shape[1]):
            row, i = divmod(top // factor, h + gap)
            column, j = divmod(left // factor, w + gap)
            k = row * columns + column
            if k < n and i < h and j < w:
                level = np.clip(np.round((x[k, i, j].astype(float) + 1) * 127.5), 0, 255)
                out[top, left] = level
    return out if c == 3 else out[..., 0]


@pytest.mark.parametrize(
    ("shape", "given", "columns", "gap"),
    [
        ((1, 3, 5, 1), None, 1, 2),
        ((1, 3, 5, 3), 4, 1, 2),
        ((7, 3, 5, 1), None, 3, 2),
        ((7, 5, 3, 3), 2, 2, 1),
        ((4, 4, 4, 3), None, 2, 0),
        ((3, 2, 2, 1), 3, 3, 2),
        ((5, 2, 4, 1), 1, 1, 2),
    ],
)
def test_every_pixel_of_a_grid(
    monkeypatch: pytest.MonkeyPatch,
    shape: tuple[int, ...],
    given: int | None,
    columns: int,
    gap: int,
) -> None:
    x = samples(*shape)
    for factor in (1, 3):
        monkeypatch.setattr(pictures, "GRID_WIDTH", factor * (columns * (shape[2] + gap) - gap))
        image = grid(x, columns=given, gap=gap)
        assert image.mode == ("L" if shape[3] == 1 else "RGB")
        np.testing.assert_array_equal(np.asarray(image), naive(x, columns, gap, factor))


@pytest.mark.parametrize(("width", "factor"), [(8, 64), (341, 2), (342, 1), (2000, 1)])
def test_small_grids_are_enlarged_towards_one_width(width: int, factor: int) -> None:
    assert GRID_WIDTH == 512
    assert grid(samples(1, 2, width, 1)).width == width * factor


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (4, 4, 3), (4, 2)])
def test_no_grid_of_what_are_no_pictures(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"\(N, H, W, C\) with N at least 1, got \("):
        grid(np.zeros(shape, np.float32))


@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_pairs_stand_one_above_the_other(n: int) -> None:
    """In rows of two; the last one is filled up with white."""
    above, below = samples(n, 2, 3, 1), samples(n, 2, 3, 1)
    white = np.ones((1, 2, 3, 1), np.float32)
    rows = []
    for i in range(0, n, 2):
        for half in (above, below):
            rows += [half[i : i + 1], half[i + 1 : i + 2] if i + 1 < n else white]
    image = np.asarray(pairs(above, below, columns=2))
    np.testing.assert_array_equal(image, np.asarray(grid(np.concatenate(rows), columns=2)))


def red(image: Image.Image) -> np.ndarray:
    """Where an image shows the colour of samples, with neither frame nor legend."""
    pixels = np.asarray(image).astype(int)
    inside = pixels[60:440, 60:380]
    return (inside[..., 0] > inside[..., 1] + 80) & (inside[..., 0] > inside[..., 2] + 80)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_a_plot_shows_both(dimensions: int) -> None:
    real = samples(200, dimensions)
    both, alone = plot_points(real * 0.5, real), plot_points(real * 0.5 + 100, real)
    assert both.size == alone.size == (500, 500)
    assert red(both).any()
    if dimensions > 1:  # what lies outside the data's frame is not shown; bars follow the points
        assert not red(alone).any()


def test_the_same_points_give_the_same_plot() -> None:
    x, real = samples(50, 2), samples(50, 2)
    assert plot_points(x, real).tobytes() == plot_points(x, real).tobytes()


def frames(folder: Path, n: int) -> list[Path]:
    paths = [folder / f"{i:03d}.png" for i in range(n)]
    for i, path in enumerate(paths):
        write_png(Image.new("L", (4, 3), i), path)
    return paths


@pytest.mark.parametrize("n", [1, 2, 5, FILM_FRAMES, FILM_FRAMES + 57])
def test_a_film(tmp_path: Path, n: int) -> None:
    paths = frames(tmp_path, n)
    write_film(paths, tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        shown = [
            (int(np.asarray(frame.convert("L"))[0, 0]), frame.info["duration"])
            for frame in ImageSequence.Iterator(film)
        ]
        assert film.size == (4, 3)
        if n > 1:
            assert film.info["loop"] == 0  # for ever
    levels = [level for level, _ in shown]
    assert len(levels) == min(n, FILM_FRAMES)
    assert (levels[0], levels[-1]) == (0, n - 1)  # grey levels are exact in a palette of 128 here
    assert levels == sorted(set(levels))
    assert [duration for _, duration in shown] == [150] * (len(levels) - 1) + [1500]


def test_no_frames_no_film(tmp_path: Path) -> None:
    write_film([], tmp_path / "film.gif")
    assert list(tmp_path.iterdir()) == []


def test_curves(tmp_path: Path) -> None:
    records = [
        {"step": s, "loss_D": 1.0, "loss_G": s / 10, "D(x)": 0.5, "D(G(z))": 0.4, "grad_norm_D": s}
        for s in range(1, 9)
    ]
    write_curves(records, tmp_path / "plain.png")
    write_curves([*records, {"step": 4, "warning": "w"}], tmp_path / "warned.png")
    with Image.open(tmp_path / "plain.png") as plain, Image.open(tmp_path / "warned.png") as warned:
        assert plain.size == warned.size == (800, 900)
        different = np.asarray(plain.convert("L")) != np.asarray(warned.convert("L"))
    columns = np.flatnonzero(different.any(axis=0))
    assert 0 < len(columns) <= 4  # one vertical line
    assert different.any(axis=1).sum() > 100  # in every panel
    write_curves([{"step": 0, "warning": "nothing was logged"}], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_curves_have_a_panel_for_what_was_logged(tmp_path: Path) -> None:
    """Three hundred pixels each; an autoencoder without adversary has no probabilities."""
    logs = {
        "one": {"reconstruction": 3.0},
        "two": {"ELBO": -2.0, "KL": 1.0, "grad_norm_E": 1.0},
        "four": {"reconstruction": 1.0, "loss_C": 1.0, "C(z)": 0.5, "grad_norm_C": 2.0},
    }
    for height, (name, record) in zip((300, 600, 1200), logs.items(), strict=True):
        write_curves([{"step": s, **record} for s in (1, 2)], tmp_path / f"{name}.png")
        with Image.open(tmp_path / f"{name}.png") as image:
            assert image.size == (800, height)


def test_a_png_is_what_it_was(tmp_path: Path) -> None:
    pixels = RNG.integers(256, size=(5, 4, 3), dtype=np.uint8)
    write_png(Image.fromarray(pixels), tmp_path / "a.png")
    with Image.open(io.BytesIO((tmp_path / "a.png").read_bytes())) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)
