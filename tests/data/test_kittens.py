"""Kittens: composition against Pillow, the held-out tenth, the names, the shipped bytes."""

import colorsys
import hashlib
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import chisquare

from minigan.data import open_data
from minigan.data.kittens import COMBINATIONS, COUNTS, NAMES, Kittens, held_out, look, reduce
from minigan.errors import DataError, OptionError

SHA256 = {
    32: "d47c9ae68235f2995bfb8c1c8088ca95c5155ce501e45e2cb3bedbc1f10436e9",
    64: "fa53694e0a0bb8fa18252f39b23360a54149e525b2b75b52d4609ceb92a5bb39",
}
EVERY = np.arange(COMBINATIONS)
PLAIN = {"body": "blue", "fur": "plain", "eyes": "round", "mouth": "smile", "accessory": "none"}


def named(**names: str) -> np.ndarray:
    """Labels (1, 5) of a plain kitten with those parts instead."""
    return np.array([[NAMES[k].index(v) for k, v in (PLAIN | names).items()]])


def to_bytes(x: np.ndarray) -> np.ndarray:
    return np.rint((x + 1) * 127.5).astype(np.uint8)


@pytest.mark.parametrize("size", [32, 64])
def test_the_shipped_layers_are_the_ones_that_were_made(size: int) -> None:
    file = resources.files("minigan.data") / "embedded" / f"kittens_{size}.npz"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == SHA256[size]


@pytest.mark.parametrize("size", [32, 64])
def test_composition_equals_pillows(size: int) -> None:
    file = resources.files("minigan.data") / "embedded" / f"kittens_{size}.npz"
    with file.open("rb") as stream:
        archive = np.load(stream)
        layers = [archive[label] for label in ("body", "fur", "eyes", "mouth", "accessory")]
    # Every class of every label at least once, then some at random.
    rng = np.random.default_rng(0)
    labels = np.concatenate(
        [np.arange(16)[:, None] % COUNTS, np.stack([rng.integers(c, size=30) for c in COUNTS], 1)]
    )
    x = Kittens(size).compose(labels)
    for row, ours in zip(labels, x, strict=True):
        picture = Image.new("RGBA", (size, size), "white")
        for family, chosen in zip(layers, row, strict=True):
            layer = Image.frombytes("RGBa", (size, size), family[chosen].tobytes())
            picture.alpha_composite(layer.convert("RGBA"))
        theirs = np.asarray(picture.convert("RGB")) / 127.5 - 1
        # Pillow rounds to bytes five times, and once more for leaving "RGBa".
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=3 / 127.5)


def test_grey_is_the_luminance_of_the_colour_picture() -> None:
    colour, grey = (Kittens(32, c).draw(50, np.random.default_rng(1)) for c in (3, 1))
    np.testing.assert_array_equal(colour.labels, grey.labels)
    for c, g in zip(to_bytes(colour.x), to_bytes(grey.x), strict=True):
        pillows = np.asarray(Image.fromarray(c).convert("L")).astype(int)
        assert np.abs(g[..., 0] - pillows).max() <= 1  # both round to bytes, once each


@pytest.mark.parametrize("size", [8, 16, 31, 48])
def test_other_sizes_resemble_the_large_picture(size: int) -> None:
    labels = Kittens.labels(np.arange(0, COMBINATIONS, 4999))
    small, large = Kittens(size).compose(labels), Kittens(64).compose(labels)
    assert small.shape == (len(labels), size, size, 3)
    for s, g in zip(small, to_bytes(large), strict=True):
        reduced = Image.fromarray(g).resize((size, size), Image.Resampling.LANCZOS)
        difference = s - (np.asarray(reduced) / 127.5 - 1)
        # Reducing layers and reducing their composition differ along edges; at 8 x 8 all is edge.
        assert np.abs(difference).mean() < 0.06


def test_colours_are_named_as_they_look() -> None:
    hues = {
        "red": (345, 10),
        "orange": (15, 40),
        "yellow": (40, 60),
        "lime": (75, 110),
        "blue": (200, 230),
        "pink": (325, 345),
        "maroon": (340, 360),
        "brown": (10, 30),
    }
    for name, (low, high) in hues.items():
        cheek = Kittens(64).compose(named(body=name))[0, 36, 24]
        hue, _, saturation = colorsys.rgb_to_hls(*(cheek + 1) / 2)
        assert (hue * 360 - low) % 360 <= (high - low) % 360, name
        assert saturation > 0.2, name
    cheek = {n: Kittens(64).compose(named(body=n))[0, 36, 24] for n in ("black", "grey", "cream")}
    assert np.ptp(cheek["black"]) < 0.1
    assert np.ptp(cheek["grey"]) < 0.1
    assert cheek["black"].mean() < cheek["grey"].mean() - 0.2 < cheek["cream"].mean() - 0.5


def test_every_class_shows() -> None:
    kittens = Kittens(32)
    for column, count in enumerate(COUNTS):
        labels = np.repeat(named(), count, axis=0)
        labels[:, column] = np.arange(count)
        assert len(np.unique(kittens.compose(labels), axis=0)) == count


def test_a_scarf_hides_the_mouth() -> None:
    kittens = Kittens(64)
    for scarf in ("red scarf", "blue scarf"):
        shout, smile = (
            kittens.compose(named(accessory=scarf, mouth=m)) for m in ("shout", "small o")
        )
        # A trace remains where both a scarf and a mouth cover a pixel in part.
        assert np.abs(shout - smile).mean() < 0.001
        assert look(kittens.combination(named(accessory=scarf, mouth="grin"))) == look(
            kittens.combination(named(accessory=scarf, mouth="smile"))
        )
    bare = [kittens.compose(named(mouth=m)) for m in ("shout", "small o")]
    assert np.abs(bare[0] - bare[1]).mean() > 0.01


def test_looks_are_counted() -> None:
    assert COMBINATIONS == 15 * 9 * 15 * 10 * 16
    assert len(np.unique(look(EVERY))) == 15 * 9 * 15 * (14 * 10 + 2)


def test_the_held_out_tenth_is_even_and_fixed() -> None:
    test = held_out(EVERY)
    assert test.mean() == pytest.approx(0.1, abs=0.001)
    for column, count in enumerate(COUNTS):
        labels = Kittens.labels(EVERY)[:, column]
        shares = np.bincount(labels, test, count) / np.bincount(labels)
        np.testing.assert_allclose(shares, 0.1, atol=0.002)
    # The split may never move: results on it would no longer compare.
    packed = hashlib.sha256(np.packbits(test).tobytes()).hexdigest()
    assert packed == "f2b8ddd289a24e6f5b9dd609a60065ed0121d19177f6d57aecd6f0146a3b5be5"


def test_the_splits_share_no_look() -> None:
    train, test = (Kittens(32, split=split).combinations for split in ("train", "test"))
    assert len(train) + len(test) == COMBINATIONS
    assert not np.intersect1d(look(train), look(test)).size


@pytest.mark.parametrize("split", ["train", "test"])
def test_draws_come_uniformly_from_their_split(split: str) -> None:
    kittens = Kittens(8, split=split)
    batch = kittens.draw(20_000, np.random.default_rng(2))
    drawn = kittens.combination(batch.labels)
    assert np.array_equal(held_out(drawn), np.full(20_000, split == "test"))
    for column, count in enumerate(COUNTS):
        every = kittens.labels(kittens.combinations)[:, column]
        expected = np.bincount(every, minlength=count) / len(every) * len(drawn)
        observed = np.bincount(batch.labels[:, column], minlength=count)
        assert chisquare(observed, expected).pvalue > 1e-4


def test_a_draw_is_what_its_labels_say() -> None:
    kittens = Kittens(32)
    batch = kittens.draw(7, np.random.default_rng(3))
    again = kittens.draw(7, np.random.default_rng(3))
    assert batch.x.dtype == np.float32
    assert batch.labels.dtype == np.int64
    assert batch.x.shape == (7, *kittens.shape)
    assert np.abs(batch.x).max() <= 1
    np.testing.assert_array_equal(batch.x, kittens.compose(batch.labels))
    np.testing.assert_array_equal(batch.x, again.x)


@given(st.lists(st.integers(0, COMBINATIONS - 1), max_size=20))
@settings(deadline=None)
def test_combination_and_labels_are_inverse(combinations: list[int]) -> None:
    combination = np.array(combinations, int)
    np.testing.assert_array_equal(Kittens.combination(Kittens.labels(combination)), combination)


def test_names_are_complete_and_distinct() -> None:
    kittens = open_data("kittens")
    assert [len(classes) for classes in kittens.label_names.values()] == list(COUNTS)
    assert all(len(set(classes)) == len(classes) for classes in kittens.label_names.values())
    assert kittens.size is None
    assert kittens.kind == "image"


def test_reducing_layers_does_not_show_unseen_colours() -> None:
    straight = np.zeros((16, 16, 4), np.uint8)
    straight[...] = (0, 255, 0, 0)  # green, but transparent
    straight[:, 8:] = (255, 0, 0, 255)
    small = reduce([Image.fromarray(straight).convert("RGBa")], 5)
    assert small.shape == (1, 5, 5, 4)
    assert not small[..., 1:3].any()
    assert (small[..., 0] == small[..., 3]).all()
    assert small[0, 0, 2, 3] == pytest.approx(127.5, abs=2)


def test_reduced_layers_are_nowhere_brighter_than_their_alpha() -> None:
    # A thin white edge before black: the filter's negative lobe takes alpha there, but no white.
    straight = np.zeros((64, 64, 4), np.uint8)
    straight[:, 20:] = (0, 0, 0, 255)
    straight[:, 20:23] = (255, 255, 255, 255)
    small = reduce([Image.fromarray(straight).convert("RGBa")], 16)
    assert (small[..., :3] <= small[..., 3:]).all()


@pytest.mark.parametrize("size", [7, 65, (32, 48)])
def test_impossible_sizes_are_refused(size: int | tuple[int, int]) -> None:
    with pytest.raises(OptionError, match=r"kittens of size .*give"):
        open_data("kittens", size=size)


@pytest.mark.parametrize(
    "labels",
    [
        np.zeros((2, 4), int),
        np.zeros(5, int),
        np.zeros((2, 5)),
        np.array([[15, 0, 0, 0, 0]]),
        np.array([[0, 0, 0, 0, -1]]),
    ],
)
def test_impossible_labels_are_refused(labels: np.ndarray) -> None:
    with pytest.raises(DataError, match="kitten labels"):
        Kittens(8).compose(labels)
