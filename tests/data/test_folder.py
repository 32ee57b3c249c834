"""Folders of pictures: every pixel, labels, orientation, and all that may be wrong with a file."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigan.data import DataWarning, open_data
from minigan.errors import DataError, OptionError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(256, size=(5, 6, 4, 3), dtype=np.uint8)


def save(pixels: np.ndarray, file: Path, **options: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file, **options)


def everything(folder: Path, **options: object) -> np.ndarray:
    """All pictures as bytes again."""
    data = open_data(str(folder), **options)
    return np.rint((data.take(np.arange(len(data))).x + 1) * 127.5).astype(np.uint8)


@pytest.fixture
def colour(tmp_path: Path) -> Path:
    for i, pixels in enumerate(COLOUR):
        save(pixels, tmp_path / f"{i}.png")
    return tmp_path


def test_pixels_arrive_unchanged_in_the_order_of_names(colour: Path) -> None:
    data = open_data(str(colour))
    assert (data.shape, data.kind, data.size) == ((6, 4, 3), "image", 5)
    assert data.take(np.array([0])).labels is None
    np.testing.assert_array_equal(everything(colour), COLOUR)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "TIFF", "webp", "gif"])
def test_lossless_formats(tmp_path: Path, suffix: str) -> None:
    grey = RNG.integers(256, size=(6, 4), dtype=np.uint8)
    options = {"lossless": True} if suffix == "webp" else {}
    save(grey, tmp_path / f"a.{suffix}", **options)
    np.testing.assert_array_equal(everything(tmp_path, channels=1)[0, ..., 0], grey)


@pytest.mark.parametrize("suffix", ["jpg", "JPEG"])
def test_jpeg(tmp_path: Path, suffix: str) -> None:
    save(np.full((8, 8, 3), (200, 100, 50), np.uint8), tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(
        everything(tmp_path)[0].astype(int), [[[200, 100, 50]] * 8] * 8, atol=3
    )


def test_grey_stays_grey_alone_and_turns_to_colour_in_company(tmp_path: Path) -> None:
    grey = COLOUR[0, ..., 0]
    save(grey, tmp_path / "a.png")
    assert everything(tmp_path).shape == (1, 6, 4, 1)
    save(COLOUR[1], tmp_path / "b.png")
    np.testing.assert_array_equal(
        everything(tmp_path), np.stack([np.stack([grey] * 3, -1), COLOUR[1]])
    )
    assert everything(tmp_path, channels=1).shape == (2, 6, 4, 1)


def test_folders_are_classes(tmp_path: Path) -> None:
    for file in (
        "dogs/b.png",
        "cats/young/a.png",
        "cats/a.png",
        "cats/.cache/x.png",
        ".hidden.png",
    ):
        save(COLOUR[0], tmp_path / file)
    (tmp_path / "cats" / "notes.txt").write_text("not a picture, and not called one")
    data = open_data(str(tmp_path))
    assert data.label_names == {"class": ("cats", "dogs")}
    labels = data.take(np.arange(3)).labels
    np.testing.assert_array_equal(labels, [[0], [0], [1]])
    assert labels.dtype == np.int64
    assert len(data) == 3


def test_train_and_test_folders_are_splits(tmp_path: Path) -> None:
    save(COLOUR[0], tmp_path / "train" / "cats" / "a.png")
    save(COLOUR[1], tmp_path / "test" / "cats" / "a.png")
    np.testing.assert_array_equal(everything(tmp_path)[0], COLOUR[0])
    np.testing.assert_array_equal(everything(tmp_path, split="test")[0], COLOUR[1])
    assert open_data(str(tmp_path)).label_names == {"class": ("cats",)}


def test_a_folder_without_splits_has_no_test_split(colour: Path) -> None:
    with pytest.raises(OptionError, match="no separate test split"):
        open_data(str(colour), split="test")


def test_loose_pictures_beside_class_folders_leave_no_labels(colour: Path) -> None:
    save(COLOUR[0], colour / "cats" / "a.png")
    with pytest.warns(DataWarning, match="5 of 6 pictures, such as 0.png, lie beside"):
        data = open_data(str(colour))
    assert (len(data), data.label_names) == (6, {})
    with pytest.raises(DataError, match="lie beside"):
        open_data(str(colour), strict=True)


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by a quarter, clockwise
    save(COLOUR[0], tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(everything(tmp_path)[0], np.rot90(COLOUR[0], -1))


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    save(np.full((2, 2, 4), (200, 0, 0, 51), np.uint8), tmp_path / "a.png")
    assert (everything(tmp_path)[0] == (244, 204, 204)).all()


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("L", (2, 2), shade) for shade in (40, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (everything(tmp_path) == 40).all()


def test_unequal_sizes_need_a_size(colour: Path) -> None:
    save(np.zeros((3, 8, 3), np.uint8), colour / "wide.png")
    with pytest.raises(DataError, match=r"2 sizes, 4x6 \(5\), 8x3 \(1\): give --size"):
        open_data(str(colour))
    assert everything(colour, size=4).shape == (6, 4, 4, 3)
    assert everything(colour, size=(2, 5)).shape == (6, 2, 5, 3)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no pictures in .*: put png, jpg"):
        open_data(str(tmp_path))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims width x height pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
        for c in (header, data, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


# Half of this many pixels makes Pillow warn, this many makes it raise.
LIMIT = 2 * Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"\x89PNG\r\n\x1a\n",
        bomb(LIMIT, 2),
        bomb(LIMIT // 3 * 2, 1),
        bomb(2, 2),
        "truncated png",
        "truncated jpeg",
    ],
    ids=lambda c: c if isinstance(c, str) else repr(c[:12] + c[16:24]),
)
def test_unreadable_pictures_are_named_and_skipped_or_refused(
    colour: Path, content: bytes | str
) -> None:
    file = colour / "bad.png"
    if isinstance(content, str):
        large = RNG.integers(256, size=(40, 40, 3), dtype=np.uint8)
        Image.fromarray(large).save(file, format=content.split()[1])
        content = file.read_bytes()[:-400]
    file.write_bytes(content)
    with pytest.warns(DataWarning, match=r"1 of 6 pictures cannot be read .* bad.png \("):
        np.testing.assert_array_equal(everything(colour), COLOUR)
    with pytest.raises(DataError, match="1 of 6 pictures cannot be read"):
        open_data(str(colour), strict=True)


def test_a_bomb_is_never_decoded(colour: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 23)  # the good pictures have 24 pixels
    with pytest.raises(DataError, match=r"5 of 5 pictures cannot be read .*decompression bomb"):
        open_data(str(colour))


def test_a_folder_with_no_readable_picture_is_refused(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.jpg").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"3 of 3 .* a.jpg .* and 2 more; repair"):
        open_data(str(tmp_path))


def test_pixels_of_unknown_range_are_unreadable(tmp_path: Path) -> None:
    save(np.zeros((2, 2), np.float32), tmp_path / "a.tif")
    with pytest.raises(DataError, match="mode F, 8 or 16 bits"):
        open_data(str(tmp_path))


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    deep = RNG.integers(2**16, size=(3, 3), dtype=np.uint16)
    save(deep, tmp_path / "a.png")
    np.testing.assert_array_equal(everything(tmp_path)[0, ..., 0], deep >> 8)
