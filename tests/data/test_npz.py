"""npz archives: pictures, points, labels, and what is refused."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minigan.data import open_data
from minigan.data.pictures import to_float
from minigan.errors import DataError, OptionError

RNG = np.random.default_rng(0)
BYTES = RNG.integers(256, size=(4, 3, 5, 3), dtype=np.uint8)


def everything(file: Path, **content: np.ndarray) -> np.ndarray:
    np.savez(file, **content)
    data = open_data(str(file))
    return data.take(np.arange(len(data))).x


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.npz"


def test_bytes_arrive_unchanged(file: Path) -> None:
    np.testing.assert_array_equal(everything(file, x=BYTES), to_float(BYTES))
    np.testing.assert_array_equal(everything(file, pictures=BYTES), to_float(BYTES))
    np.testing.assert_array_equal(everything(file, x=BYTES, other=BYTES[::-1]), to_float(BYTES))


def test_three_dimensions_are_grey_pictures(file: Path) -> None:
    np.testing.assert_array_equal(everything(file, x=BYTES[..., 0]), to_float(BYTES[..., :1]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_pictures_round_to_the_nearest_byte(file: Path, dtype: type) -> None:
    x = RNG.uniform(-1, 1, (4, 3, 5, 1)).astype(dtype)
    np.testing.assert_allclose(everything(file, x=x), x, rtol=0, atol=0.5001 / 127.5)
    exact = to_float(BYTES).astype(dtype)
    if dtype != np.float16:
        np.testing.assert_array_equal(everything(file, x=exact), to_float(BYTES))


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(1, 4)),
        elements=st.floats(-1e30, 1e30),
    )
)
def test_points_keep_float32(tmp_path_factory: pytest.TempPathFactory, x: np.ndarray) -> None:
    ours = everything(tmp_path_factory.mktemp("npz") / "a.npz", x=x)
    np.testing.assert_array_equal(ours, x.astype(np.float32))
    assert ours.dtype == np.float32


@pytest.mark.parametrize("key", ["labels", "y"])
def test_labels(file: Path, key: str) -> None:
    np.savez(file, **{"x": BYTES, key: np.array([2, 0, 2, 1], np.uint8)})
    data = open_data(str(file))
    assert data.label_names == {"class": ("0", "1", "2")}
    labels = data.take(np.array([3, 0])).labels
    np.testing.assert_array_equal(labels, [[1], [2]])
    assert labels.dtype == np.int64


def test_several_labels(file: Path) -> None:
    y = np.array([[1, 0], [0, 2], [1, 1], [0, 0]])
    np.savez(file, x=BYTES, labels=y, label_names=np.array(["hat", "eyes"]))
    data = open_data(str(file))
    assert data.label_names == {"hat": ("0", "1"), "eyes": ("0", "1", "2")}
    np.testing.assert_array_equal(data.take(np.array([3, 1])).labels, y[[3, 1]])
    np.savez(file, x=BYTES, labels=y)
    assert list(open_data(str(file)).label_names) == ["label 1", "label 2"]


def test_pictures_can_be_resized_and_points_cannot(file: Path) -> None:
    np.savez(file, x=BYTES)
    assert open_data(str(file), size=8, channels=1).shape == (8, 8, 1)
    np.savez(file, x=np.zeros((4, 2)))
    with pytest.raises(OptionError, match="points, not pictures, so it has no --size"):
        open_data(str(file), size=8)
    with pytest.raises(OptionError, match="no separate test split"):
        open_data(str(file), split="test")


POINTS = np.zeros((4, 2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "holds the arrays none"),
        ({"a": BYTES, "b": BYTES}, "holds the arrays a, b: call the examples x"),
        ({"labels": np.zeros(4, int)}, "holds the arrays labels"),
        ({"x": np.array([{"a": 1}] * 4, object)}, "cannot be read .*numbers only"),
        ({"x": np.zeros((4, 3, 5, 3), int)}, "dtype int64; give uint8 or a float"),
        ({"x": np.zeros((4, 3, 5, 3), complex)}, "dtype complex128"),
        ({"x": np.zeros((4, 2), np.uint8)}, r"points \(N, D\) of dtype uint8"),
        ({"x": np.zeros(4)}, r"shape \(4,\); give points"),
        ({"x": np.zeros((0, 2))}, r"shape \(0, 2\)"),
        ({"x": np.zeros((4, 6, 5, 2))}, "need 1 or 3 channels at the end$"),
        ({"x": np.zeros((4, 3, 5, 5))}, "at the end; move the channels to the end"),
        ({"x": np.full((4, 3, 5, 3), 1.01)}, r"run from 1.01 to 1.01; give floats in \[-1, 1\]"),
        ({"x": np.full((4, 2), np.nan)}, "8 values are NaN or infinite"),
        ({"x": np.array([[0, -np.inf]])}, "1 values are NaN or infinite"),
        ({"x": np.array([[0, 1e300]])}, "1 values are NaN or infinite as float32"),
        ({"x": POINTS, "y": np.zeros(3, int)}, r"y: labels of shape \(3,\)"),
        ({"x": POINTS, "y": np.zeros(4)}, "dtype float64; give one whole number"),
        ({"x": POINTS, "y": np.array([0, 1, -1, 0])}, "0 or more"),
        ({"x": POINTS, "y": np.zeros((4, 2, 1), int)}, "or a row of as many for each"),
        ({"x": POINTS, "y": np.zeros((4, 0), int)}, r"labels of shape \(4, 0\)"),
        (
            {"x": POINTS, "y": np.zeros((4, 2), int), "label_names": np.array(["a", "a"])},
            "label_names a, a; give 2, each another name",
        ),
        (
            {"x": POINTS, "y": np.zeros(4, int), "label_names": np.array(["a", "b"])},
            "label_names a, b; give 1",
        ),
    ],
)
def test_wrong_arrays_are_refused(file: Path, content: dict[str, np.ndarray], message: str) -> None:
    np.savez(file, **content)
    with pytest.raises(DataError, match=message):
        open_data(str(file))


def test_damaged_archives_are_refused(file: Path) -> None:
    np.savez_compressed(file, x=BYTES)
    whole = file.read_bytes()
    for content in (b"", b"PK\x03\x04", whole[:-30], b"nothing"):
        file.write_bytes(content)
        with pytest.raises(DataError, match="is no npz archive"):
            open_data(str(file))
    file.write_bytes(whole[:100] + bytes(len(whole[100:140])) + whole[140:])
    with pytest.raises(DataError, match="cannot be read"):
        open_data(str(file))


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple:
        return Path.touch, (self.sprung,)


def test_a_pickle_inside_is_never_loaded(file: Path) -> None:
    sprung = file.with_name("sprung")
    np.savez(file, x=np.array([Trap(sprung)], object))
    with pytest.raises(DataError, match="cannot be read"):
        open_data(str(file))
    assert not sprung.exists()
    with np.load(file, allow_pickle=True) as archive:  # the trap is live
        archive["x"]
    assert sprung.exists()


def test_a_header_that_claims_terabytes_is_refused(file: Path) -> None:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999,), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(DataError, match="cannot be read"):
        open_data(str(file))


def test_a_foreign_file_inside_is_no_array(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x", b"text")
    with pytest.raises(DataError, match=r"shape \(\)"):
        open_data(str(file))
