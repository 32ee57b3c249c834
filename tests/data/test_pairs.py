"""Pairs: named ones and those of folders, aligned or of two domains."""

import numpy as np
import pytest
from PIL import Image

from minigan.data import (
    PAIRS,
    Augmentation,
    DataWarning,
    Endless,
    Finite,
    Loader,
    UnknownDataError,
    open_pairs,
)
from minigan.data.kittens import NAMES, Kittens
from minigan.errors import DataError, OptionError

rng = np.random.default_rng


def write(path, shade, size=(6, 4), mode="RGB"):
    """A picture of one shade."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, shade if mode == "L" else (shade,) * 3).save(path)


def shades(x):
    """The bytes that pictures of one shade were written with."""
    return np.rint((x[:, 0, 0, 0] + 1) * 127.5).astype(int)


@pytest.fixture
def two_folders(tmp_path):
    """Five pairs by name; B is 100 brighter."""
    for i in range(5):
        write(tmp_path / "A" / f"p{i}.png", i)
        write(tmp_path / "B" / f"p{i}.bmp", 100 + i)
    return tmp_path


# --- every kind -----------------------------------------------------------------------------------


NOT_ALIGNED = {"digits-m"}  # of which nobody knows pairs: tests/data/test_adaptation.py


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("name", sorted({*PAIRS} - NOT_ALIGNED))
def test_every_named_pair_keeps_the_contract(name, aligned):
    for split in ("train", "test"):
        data = open_pairs(name, aligned=aligned, split=split, size=16)
        assert data.name == name
        assert data.kind == "pairs"
        assert isinstance(data, Finite | Endless)
        first, again, other = (data.draw(9, rng(s)).x for s in (5, 5, 6))
        assert first.shape == (9, *data.shape) == (9, 16, 16, sum(data.channels))
        assert first.dtype == np.float32
        assert np.abs(first).max() <= 1
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()
        x, y = data.split(first)
        assert (x.shape[-1], y.shape[-1]) == data.channels
        matched = data.matched(9, rng(5)).x
        assert matched.shape == first.shape
        assert np.array_equal(matched, first) == aligned


@pytest.mark.parametrize("name", sorted({*PAIRS} - NOT_ALIGNED))
def test_channels_and_direction_are_as_asked(name):
    forth = open_pairs(name, aligned=True, channels=(1, 3))
    back = open_pairs(name, aligned=True, channels=(3, 1), direction="BtoA")
    assert (forth.channels, back.channels) == ((1, 3), (3, 1))
    x, y = forth.split(forth.draw(4, rng(0)).x)
    a, b = back.split(back.draw(4, rng(0)).x)
    np.testing.assert_array_equal(x, b)
    np.testing.assert_array_equal(y, a)


def test_recoloured_kittens_differ_in_the_body_alone():
    data = open_pairs("kittens-recolour", aligned=True)
    bodies = NAMES["body"]
    x, y = data.split(data.draw(3, rng(0)).x)
    kittens = Kittens(32)
    every = kittens.labels(kittens.combinations)
    orange = every[every[:, 0] == bodies.index("orange")]
    looks = kittens.compose(orange[:2000])
    blue = np.concatenate([np.full((2000, 1), bodies.index("blue")), orange[:2000, 1:]], 1)
    blues = kittens.compose(blue)
    found = 0
    for one, other in zip(*data.split(data.draw(200, rng(1)).x), strict=True):
        at = np.flatnonzero((looks == one).all((1, 2, 3)))
        found += len(at) > 0
        for i in at:
            np.testing.assert_array_equal(blues[i], other)
    assert found > 0
    assert (x != y).any((1, 2, 3)).all()


def test_lines_are_dark_where_luminance_changes_and_paper_is_white():
    data = open_pairs("kittens-edges", aligned=True)
    x, y = data.split(data.draw(50, rng(0)).x)
    white = (y == 1).all(-1)
    inside = white[:, :-1, :-1] & white[:, 1:, :-1] & white[:, :-1, 1:]
    np.testing.assert_allclose(x[:, :-1, :-1, 0][inside], 1, atol=1e-5)
    assert -1 <= x.min() < -0.9
    grey = y @ np.array([0.299, 0.587, 0.114])
    step = np.hypot(np.diff(grey, axis=1)[:, :, :-1], np.diff(grey, axis=2)[:, :-1])
    np.testing.assert_allclose(x[:, :-1, :-1, 0], 1 - 2 * np.clip(step / 0.6, 0, 1), atol=1e-5)


def test_the_test_split_shows_what_training_never_does():
    train, test = (
        open_pairs("kittens-recolour", aligned=True, split=s, size=16) for s in ("train", "test")
    )
    shown = {x.tobytes() for x in train.draw(3000, rng(0)).x}
    assert not shown & {x.tobytes() for x in test.draw(500, rng(1)).x}


# --- folders --------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["A", "train/A", "trainA", "A/train"])
def test_pairs_of_two_folders_are_matched_by_name(tmp_path, layout):
    for i in (2, 0, 1):
        write(tmp_path / layout / "deep" / f"p{i}.png", i, mode="L")
        write(tmp_path / layout.replace("A", "B") / "deep" / f"p{i}.bmp", 100 + i)
    data = open_pairs(str(tmp_path), aligned=True)
    assert len(data) == 3
    assert data.channels == (1, 3)
    assert data.shape == (4, 6, 4)
    x, y = data.split(data.take(np.array([2, 0, 1])).x)
    assert shades(x).tolist() == [2, 0, 1]
    assert shades(y).tolist() == [102, 100, 101]
    back = open_pairs(str(tmp_path), aligned=True, direction="BtoA")
    assert back.channels == (3, 1)


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_pairs_side_by_side_are_split_in_the_middle(tmp_path, direction):
    for i in range(3):
        image = Image.new("RGB", (12, 4), (i, i, i))
        image.paste((100 + i,) * 3, (6, 0, 12, 4))
        image.save(tmp_path / f"{i}.png")
    data = open_pairs(str(tmp_path), aligned=True, direction=direction)
    assert data.shape == (4, 6, 6)
    sides = data.split(data.take(np.arange(3)).x)
    a, b = sides if direction == "AtoB" else sides[::-1]
    assert shades(a).tolist() == [0, 1, 2]
    assert shades(b).tolist() == [100, 101, 102]
    domains = open_pairs(str(tmp_path), aligned=False, direction=direction)
    x, y = domains.split(domains.matched(20, rng(0)).x)
    assert (np.abs(shades(y) - shades(x)) == 100).all()


def test_pictures_too_narrow_for_pairs_are_pointed_out(tmp_path):
    for i in range(2):
        write(tmp_path / f"{i}.png", i)
    with Image.open(tmp_path / "0.png") as first:
        assert first.size == (6, 4)  # wide enough for two
    open_pairs(str(tmp_path), aligned=True)
    for i in range(2):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{i}.png")
    with pytest.warns(DataWarning, match=r"left half A .* such as \d\.png of 4x4; two folders"):
        open_pairs(str(tmp_path), aligned=True)


def test_two_domains_are_drawn_apart_and_know_hidden_pairs(two_folders):
    for i in range(9):
        write(two_folders / "B" / f"q{i}.png", 200 + i)
    for direction, sign in (("AtoB", 1), ("BtoA", -1)):
        data = open_pairs(str(two_folders), aligned=False, direction=direction)
        assert data.size is None
        x, y = map(shades, data.split(data.draw(500, rng(0)).x))
        a, b = (x, y) if sign == 1 else (y, x)
        assert set(a) == set(range(5))
        assert set(b) == {*range(100, 105), *range(200, 209)}
        assert len(set(zip(a, b, strict=True))) > 60  # of 70: independent
        x, y = map(shades, data.split(data.matched(50, rng(0)).x))
        assert (y - x == sign * 100).all()


def test_domains_without_common_names_know_no_pairs(tmp_path):
    write(tmp_path / "trainA" / "cat.png", 1)
    write(tmp_path / "trainB" / "dog.png", 2)
    assert open_pairs(str(tmp_path), aligned=False).matched(3, rng(0)) is None


def test_sizes_and_channels_are_fitted_on_both_sides(tmp_path):
    write(tmp_path / "A" / "p.png", 1, (9, 5))
    write(tmp_path / "B" / "p.png", 2, (30, 30), "L")
    data = open_pairs(str(tmp_path), aligned=True, size=(4, 8), channels=(1, 3))
    assert data.shape == (4, 8, 4)
    assert data.channels == (1, 3)


# --- augmentation ---------------------------------------------------------------------------------


def test_training_sees_aligned_pictures_augmented_together(two_folders):
    for i in range(5):
        for folder in "AB":
            image = rng(i).integers(0, 255, (4, 6, 3), np.uint8)
            suffix = ".png" if folder == "A" else ".bmp"
            Image.fromarray(image).save(two_folders / folder / f"p{i}{suffix}")
    both = Augmentation(flip=True, jitter=2)
    data = open_pairs(str(two_folders), aligned=True, augmentation=both)
    with Loader(data, 5, seed=0) as loader:
        batches = [next(loader).x for _ in range(8)]
        assert all(np.array_equal(b, loader.batch(i).x) for i, b in enumerate(batches))
    for batch in batches:
        np.testing.assert_array_equal(*data.split(batch))  # A and B were equal, and stay so
    whole = data.take(np.arange(5)).x
    assert not any((b == one).all() for batch in batches for b in batch for one in whole)

    apart = open_pairs(str(two_folders), aligned=False, augmentation=both)
    x, y = apart.split(apart.vary(data.take(np.arange(5)), rng(0)).x)
    assert (x != y).any()


def test_without_augmentation_a_batch_is_what_was_taken(two_folders):
    data = open_pairs(str(two_folders), aligned=True)
    batch = data.take(np.arange(5))
    assert data.vary(batch, rng(0)) is batch


# --- refusals -------------------------------------------------------------------------------------


def refused(path, says, error=DataError, **options):
    with pytest.raises(error, match=says):
        open_pairs(str(path), **{"aligned": True, **options})


def test_unmatched_pairs_are_named(two_folders):
    for name in ("w", "x", "y", "z"):
        write(two_folders / "A" / f"{name}.png", 1)
    refused(two_folders, r"4 pictures in .*A have no counterpart in .*B: w, x, y, \.\.\.")
    open_pairs(str(two_folders), aligned=False)
    (two_folders / "A" / "p3.png").unlink()
    for name in ("w", "x", "y", "z"):
        (two_folders / "A" / f"{name}.png").unlink()
    refused(two_folders, r"1 pictures in .*B have no counterpart in .*A: p3; pictures of a pair")


def test_unequal_pairs_are_named(two_folders):
    write(two_folders / "B" / "p2.bmp", 1, (8, 4))
    refused(two_folders, r"the pair 'p2' has unlike sizes, 6x4 in .*A and 8x4 in .*B: give --size")
    assert open_pairs(str(two_folders), aligned=True, size=4).shape == (4, 4, 6)


def test_domains_of_unlike_sizes_are_refused(tmp_path):
    write(tmp_path / "A" / "p.png", 1)
    write(tmp_path / "B" / "p.png", 1, (5, 5))
    refused(tmp_path, r"of .*A are 6x4, those of .*B 5x5: give --size", aligned=False)


@pytest.mark.parametrize("aligned", [True, False])
def test_an_empty_domain_is_named(two_folders, aligned):
    for file in (two_folders / "B").iterdir():
        file.unlink()
    refused(two_folders, r"no pictures in .*B: each of the two domains", aligned=aligned)
    (two_folders / "B").rmdir()
    refused(two_folders, r"A has no counterpart .*B", aligned=aligned)


def test_a_picture_that_does_not_split_is_named(tmp_path):
    write(tmp_path / "odd.png", 1, (7, 4))
    refused(tmp_path, r"odd\.png \(7x4 pixels do not split into two halves")


def test_a_damaged_picture_takes_its_counterpart_with_it(two_folders):
    (two_folders / "B" / "p1.bmp").write_bytes(b"BM damaged")
    with pytest.warns(DataWarning, match=r"p1\.png \(its counterpart .*p1\.bmp"):
        data = open_pairs(str(two_folders), aligned=True)
    x, y = data.split(data.take(np.arange(4)).x)
    assert (shades(y) - shades(x) == 100).all()
    refused(two_folders, r"its counterpart", strict=True)


def test_one_name_twice_is_refused(two_folders):
    write(two_folders / "A" / "p1.bmp", 1)
    refused(two_folders, r"p1\.bmp and .*p1\.png have one name")


@pytest.mark.parametrize(
    ("name", "options", "error", "says"),
    [
        (
            "digits",
            {},
            DataError,
            "digits holds single examples; pairs are digits-negative, digits",
        ),
        ("kittens-edge", {}, UnknownDataError, "did you mean 'kittens-edges'"),
        ("kittens-edges", {"direction": "AB"}, OptionError, "give AtoB or BtoA"),
        ("kittens-edges", {"size": (32, 16)}, OptionError, "32x16: kittens are square"),
        ("kittens-edges", {"channels": (2, 3)}, OptionError, r"channels 2: give 1"),
        ("kittens-edges", {"split": "val"}, OptionError, "give 'train' or 'test'"),
    ],
)
def test_what_cannot_be_opened_is_refused(name, options, error, says):
    refused(name, says, error, **options)


def test_a_folder_says_when_it_has_no_pictures_or_no_such_split(tmp_path, two_folders):
    refused(two_folders, "holds no separate test split", OptionError, split="test")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(empty, "no pictures in .*put pairs side by side")
    refused(empty, "no separate test split", OptionError, split="test")
    file = tmp_path / "file.npz"
    file.write_bytes(b"")
    refused(file, "is no folder; pairs are read from")
    only = tmp_path / "only"
    write(only / "trainA" / "p.png", 1)
    write(only / "trainB" / "p.png", 1)
    refused(only, "to train with but none of the split 'test'", OptionError, split="test")
