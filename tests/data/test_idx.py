"""IDX files: every pixel, the files beside, and each way to be damaged."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan.data import open_data
from minigan.data.pictures import to_float
from minigan.errors import DataError, OptionError

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(256, size=(7, 5, 4), dtype=np.uint8)
LABELS = np.array([2, 0, 1, 2, 2, 0, 1], np.uint8)


def idx(array: np.ndarray) -> bytes:
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def write(file: Path, content: bytes) -> Path:
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return file


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """A folder of four files, plain and gzipped; the test split is the train split reversed."""
    write(tmp_path / "train-images-idx3-ubyte", idx(PICTURES))
    write(tmp_path / "train-labels-idx1-ubyte.gz", idx(LABELS))
    write(tmp_path / "t10k-images-idx3-ubyte.gz", idx(PICTURES[::-1]))
    write(tmp_path / "t10k-labels-idx1-ubyte", idx(LABELS[::-1]))
    return tmp_path


@pytest.mark.parametrize(("split", "order"), [("train", 1), ("test", -1)])
def test_a_folder_holds_both_splits(mnist: Path, split: str, order: int) -> None:
    data = open_data(str(mnist), split=split)
    assert data.shape == (5, 4, 1)
    assert data.label_names == {"class": ("0", "1", "2")}
    batch = data.take(np.array([4, 0, 6]))
    np.testing.assert_array_equal(
        batch.x[..., 0], to_float(np.ascontiguousarray(PICTURES[::order])[[4, 0, 6]])
    )
    np.testing.assert_array_equal(batch.labels, LABELS[::order][[4, 0, 6], None])


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz"])
def test_a_file_finds_its_labels(mnist: Path, name: str) -> None:
    assert open_data(str(mnist / name)).take(np.arange(7)).labels is not None


@given(st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)), st.booleans())
def test_any_shape_survives(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, int, int], zipped: bool
) -> None:
    pictures = RNG.integers(256, size=shape, dtype=np.uint8)
    folder = tmp_path_factory.mktemp("idx")
    file = write(folder / f"mine.idx3-ubyte{'.gz' * zipped}", idx(pictures))
    batch = open_data(str(file)).take(np.arange(shape[0]))
    np.testing.assert_array_equal(batch.x[..., 0], to_float(pictures))
    assert batch.labels is None


def test_names_with_a_dot(tmp_path: Path) -> None:
    write(tmp_path / "train-images.idx3-ubyte", idx(PICTURES))
    write(tmp_path / "train-labels.idx1-ubyte", idx(LABELS))
    assert open_data(str(tmp_path)).label_names == {"class": ("0", "1", "2")}


def test_pictures_can_be_resized(mnist: Path) -> None:
    assert open_data(str(mnist), size=8, channels=3).shape == (8, 8, 3)


def test_a_missing_split_is_refused(mnist: Path) -> None:
    (mnist / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(DataError, match="no t10k-images-idx3-ubyte, the pictures of split 'test'"):
        open_data(str(mnist), split="test")


def test_one_file_has_no_test_split(mnist: Path) -> None:
    with pytest.raises(OptionError, match="no separate test split; give the t10k file"):
        open_data(str(mnist / "train-images-idx3-ubyte"), split="test")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "of an empty file"),
        (b"\x00\x00\x08", "begins with the bytes 00 00 08;"),
        (idx(LABELS), "begins with the bytes 00 00 08 01; .* begins with 00 00 08 03"),
        (b"\x00\x00\x0d" + idx(PICTURES)[3:], "00 00 0d 03"),
        (idx(PICTURES)[:9], "ends within its header, after 9 bytes"),
        (idx(PICTURES)[:-1], r"139 bytes of data but its header says 7 x 5 x 4 = 140"),
        (idx(PICTURES) + b"x", "141 bytes of data"),
        (idx(PICTURES[:0]), "holds no pixels"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_wrong_files_are_refused(tmp_path: Path, content: bytes, message: str, suffix: str) -> None:
    file = write(tmp_path / f"a-idx3-ubyte{suffix}", content)
    with pytest.raises(DataError, match=message):
        open_data(str(file))


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(idx(PICTURES))
    for content in (whole[:-20], whole[:12] + b"garbage" + whole[19:], idx(PICTURES)):
        file = tmp_path / "a-idx3-ubyte.gz"
        file.write_bytes(content)
        with pytest.raises(DataError, match="damaged gzip file"):
            open_data(str(file))


def test_labels_must_match_the_pictures(mnist: Path) -> None:
    write(mnist / "train-labels-idx1-ubyte.gz", idx(LABELS[:5]))
    with pytest.raises(DataError, match=r"7 pictures but .* 5 labels"):
        open_data(str(mnist))
