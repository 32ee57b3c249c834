"""Degraded pictures: what is left of any pictures, beside them."""

import numpy as np
import pytest
from PIL import Image

from minigan.data import (
    DEGRADATIONS,
    Augmentation,
    Endless,
    Finite,
    Loader,
    open_data,
    open_degraded,
)
from minigan.data.degraded import Blurred, Holed
from minigan.data.motion import kernel
from minigan.errors import DataError, OptionError, UnknownNameError

rng = np.random.default_rng


@pytest.fixture
def own(tmp_path):
    """Seven pictures of a user, 12x8, no two alike."""
    (tmp_path / "own").mkdir()
    for i in range(7):
        pixels = rng(i).integers(0, 256, (8, 12, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "own" / f"p{i}.png")
    return str(tmp_path / "own")


# Settings of every degradation.
SETTINGS = {
    "shrunk": [{"scale": 2}, {"scale": 4}],
    "holed": [{}, {"overlap": 0}, {"hole": "random"}],
    "blurred": [{}, {"length": 4.5}],
}
EVERY = [(name, how) for name, settings in SETTINGS.items() for how in settings]


def test_every_degradation_is_in_the_table():
    assert SETTINGS.keys() == DEGRADATIONS.keys()


@pytest.mark.parametrize(("name", "how"), EVERY, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_any_pictures_are_y_and_x_has_their_size(name, how, channels, own):
    for source, kind, shape in (
        ("kittens", Endless, (32, 32)),
        ("digits", Finite, (28, 28)),
        (own, Finite, (8, 12)),
    ):
        data = open_degraded(source, name, channels=channels, **how)
        whole = open_data(source, channels=channels)
        assert isinstance(data, kind)
        assert (data.name, data.kind, data.size) == (whole.name, "pairs", whole.size)
        x, y = data.split(data.draw(3, rng(0)).x)
        assert (x.shape[:3], y.shape) == ((3, *shape), (3, *shape, channels))
        assert data.shape == (*shape, sum(data.channels))
        assert x.dtype == y.dtype == np.float32
        assert np.abs(x).max() <= 1
        np.testing.assert_array_equal(y, whole.draw(3, rng(0)).x)
        assert data.matched(2, rng(0)) is not None


@pytest.mark.parametrize(("name", "how"), EVERY, ids=str)
def test_the_seed_decides_and_pictures_stay(name, how):
    data = open_degraded("digits", name, **how)
    first, again = (data.draw(5, rng(3)).x for _ in range(2))
    np.testing.assert_array_equal(first, again)
    _, y = data.split(first)
    kept = y.copy()
    data.degradation(y, rng(0))
    np.testing.assert_array_equal(y, kept)


@pytest.mark.parametrize(("name", "how"), EVERY, ids=str)
def test_what_is_taken_by_index_is_always_the_same(name, how, own):
    """Whatever stands beside it: a measure of the test split looks at one set of pairs."""
    data = open_degraded(own, name, **how)
    whole = data.take(np.arange(7)).x
    assert whole.shape == (7, *data.shape)
    np.testing.assert_array_equal(data.take(np.array([5, 2])).x, whole[[5, 2]])
    assert len(data.take(np.array([], int)).x) == 0


@pytest.mark.parametrize(("name", "how"), EVERY, ids=str)
def test_pictures_are_varied_first_and_degraded_then(name, how, own):
    data = open_degraded(own, name, augmentation=Augmentation(flip=True), **how)
    plain = open_data(own).take(np.arange(7)).x
    varied = data.vary(data.take(np.arange(7)), rng(1)).x
    x, y = data.split(varied)
    assert x.shape == data.degradation(y, rng(1)).shape
    mirrored = [(a == b[:, ::-1]).all() for a, b in zip(y, plain, strict=True)]
    same = [(a == b).all() for a, b in zip(y, plain, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert any(mirrored)
    assert any(same)
    if not data.degradation.random:
        np.testing.assert_array_equal(x, data.degradation(y, rng(0)))


def test_a_loader_gives_degraded_batches(own):
    data = open_degraded(own, "shrunk", scale=2, augmentation=Augmentation(flip=True, jitter=2))
    with Loader(data, 3, seed=0) as loader:
        x, y = data.split(loader.batch(4).x)
    np.testing.assert_array_equal(x, data.degradation(y, rng(0)))


# --- smaller --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2, 4])
def test_shrunk_pictures_are_means_that_are_repeated(scale):
    data = open_degraded("kittens", "shrunk", scale=scale, size=16)
    x, y = data.split(data.draw(2, rng(0)).x)
    for n, i, j in np.ndindex(2, 16, 16):
        top, left = i // scale * scale, j // scale * scale
        square = y[n, top : top + scale, left : left + scale]
        np.testing.assert_allclose(x[n, i, j], square.mean((0, 1)), atol=1e-6)
    small = x[:, ::scale, ::scale]
    np.testing.assert_array_equal(small.repeat(scale, 1).repeat(scale, 2), x)


# --- with holes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("hole", ["center", "random"])
def test_what_is_missing_is_zero_and_marked(hole):
    data = open_degraded("kittens", "holed", hole=hole)
    x, y = data.split(data.draw(20, rng(0)).x)
    assert data.channels == (4, 3)
    missing = x[..., 3:] == 1
    np.testing.assert_array_equal(x[..., 3:][~missing], 0)
    np.testing.assert_array_equal(x[..., :3], np.where(missing, 0, y))
    np.testing.assert_array_equal(data.shown(x), x[..., :3])
    assert missing.any((1, 2)).all()
    assert missing.mean((1, 2)).max() <= 1 / 4


@pytest.mark.parametrize(("size", "overlap", "rim"), [(32, None, 2), (28, 3, 3), (128, None, 7)])
def test_the_hole_in_the_centre_is_half_a_picture_without_a_rim(size, overlap, rim):
    hole = Holed("center", overlap)(np.ones((2, size, size, 1), np.float32), rng(0))[..., 1]
    expected = np.zeros((2, size, size))
    inside = slice(size // 4 + rim, size // 4 + size // 2 - rim)
    expected[:, inside, inside] = 1
    np.testing.assert_array_equal(hole, expected)


def test_rectangles_are_each_picture_s_own_and_lie_anywhere():
    x = Holed("random")(np.ones((400, 16, 24, 1), np.float32), rng(0))[..., 1]
    assert len(np.unique(x.reshape(400, -1), axis=0)) > 390
    share = x.mean(0)
    assert share.min() > 0  # corners too
    assert 0.1 < x.mean() < 0.25
    data = open_degraded("digits", "holed", hole="random")
    first, again = (data.vary(data.take(np.arange(3)), rng(s)).x for s in (0, 1))
    assert (first != again).any()  # fresh holes in every epoch


# --- blurred --------------------------------------------------------------------------------------


def test_a_blur_is_a_convolution_with_mirrored_borders():
    """By a loop over the kernel's places."""
    y = rng(0).uniform(-1, 1, (2, 9, 12, 3))
    x = Blurred(5.0)(y, rng(4))
    stream = rng(4)
    for i in range(2):
        k = kernel(5.0, stream)
        around = len(k) // 2
        wide = np.pad(y[i], [(around, around), (around, around), (0, 0)], "symmetric")
        expected = sum(
            k[a, b] * wide[2 * around - a :, 2 * around - b :][:9, :12]
            for a in range(len(k))
            for b in range(len(k))
        )
        np.testing.assert_allclose(x[i], expected, atol=1e-12)


def test_each_picture_has_a_blur_of_its_own_as_long_as_the_paper_s():
    """60 pixels of 256, and so 15 of 64: of no two pictures the same, and nothing of one colour."""
    spot = np.full((20, 64, 64, 1), -1.0)
    spot[:, 32, 32] = 1
    x = (Blurred()(spot, rng(0))[..., 0] + 1) / 2
    np.testing.assert_allclose(x.sum((1, 2)), 1, atol=1e-9)
    assert len(np.unique(x.reshape(20, -1).round(9), axis=0)) == 20
    for picture in x:
        rows, columns = (np.flatnonzero(picture.sum(axis) > 1e-9) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) <= 16
    plain = np.full((3, 8, 8, 1), 0.3, np.float32)
    np.testing.assert_allclose(Blurred()(plain, rng(1)), plain, rtol=1e-6)


# --- refused --------------------------------------------------------------------------------------


def test_what_cannot_be_degraded_is_refused(own):
    with pytest.raises(OptionError, match=r"of 32x30 .* of 4; give --size 32x28 or 32x32$"):
        open_degraded(own, "shrunk", scale=4, size=(32, 30))
    with pytest.raises(OptionError, match=r"give --size 4x4$"):
        open_degraded(own, "shrunk", scale=4, size=3)
    with pytest.raises(DataError, match=r"ring holds points of shape .*only pictures can be rest"):
        open_degraded("ring", "shrunk", scale=2)
    with pytest.raises(DataError, match="kittens-edges holds pairs of pictures"):
        open_degraded("kittens-edges", "shrunk", scale=2)
    with pytest.raises(UnknownNameError, match="unknown degradation 'shrink'; did you mean 'shru"):
        open_degraded("kittens", "shrink", scale=2)
    with pytest.raises(UnknownNameError, match="unknown hole 'centre'; did you mean 'center'"):
        open_degraded("kittens", "holed", hole="centre")
    for length in (0.0, -1.0, 32.0, float("nan")):
        with pytest.raises(OptionError, match=r"--length .* of 32x32: give pixels above 0 and bel"):
            open_degraded("kittens", "blurred", length=length)
    with pytest.raises(
        OptionError, match=r"overlap of 8 have no hole .*; give 7 or less, or larger"
    ):
        open_degraded("kittens", "holed", overlap=8)
