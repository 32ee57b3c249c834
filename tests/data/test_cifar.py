"""CIFAR-10's binary files: every pixel, splits, damage."""

from pathlib import Path

import numpy as np
import pytest

from minigan.data import open_data
from minigan.data.pictures import to_float
from minigan.errors import DataError, OptionError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(256, size=(6, 32, 32, 3), dtype=np.uint8)
CLASSES = np.array([9, 0, 3, 3, 5, 1], np.uint8)


def records(chosen: slice) -> bytes:
    """The format written out naively: class, red plane, green plane, blue plane."""
    content = b""
    for label, picture in zip(CLASSES[chosen], PIXELS[chosen], strict=True):
        content += bytes([label])
        for channel in range(3):
            content += bytes(picture[row, col, channel] for row in range(32) for col in range(32))
    return content


@pytest.fixture
def cifar(tmp_path: Path) -> Path:
    (tmp_path / "data_batch_1.bin").write_bytes(records(slice(0, 2)))
    (tmp_path / "data_batch_2.bin").write_bytes(records(slice(2, 5)))
    (tmp_path / "test_batch.bin").write_bytes(records(slice(5, 6)))
    return tmp_path


@pytest.mark.parametrize(("split", "chosen"), [("train", slice(0, 5)), ("test", slice(5, 6))])
def test_every_pixel_arrives(cifar: Path, split: str, chosen: slice) -> None:
    data = open_data(str(cifar), split=split)
    batch = data.take(np.arange(len(data)))
    np.testing.assert_array_equal(batch.x, to_float(PIXELS[chosen]))
    np.testing.assert_array_equal(batch.labels[:, 0], CLASSES[chosen])
    assert data.label_names["class"][3] == "cat"


def test_one_file_alone(cifar: Path) -> None:
    assert len(open_data(str(cifar / "data_batch_2.bin"))) == 3
    with pytest.raises(OptionError, match="no separate test split"):
        open_data(str(cifar / "data_batch_2.bin"), split="test")


def test_pictures_can_be_resized(cifar: Path) -> None:
    assert open_data(str(cifar), size=(16, 8), channels=1).shape == (16, 8, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has 0 bytes"),
        (records(slice(0, 1))[:-1], "has 3,072 bytes; a CIFAR-10 file has a multiple of 3,073"),
        (b"\x0a" + records(slice(0, 1))[1:], "holds the class 10"),
    ],
)
def test_wrong_files_are_refused(cifar: Path, content: bytes, message: str) -> None:
    (cifar / "data_batch_2.bin").write_bytes(content)
    with pytest.raises(DataError, match=message):
        open_data(str(cifar))


def test_a_missing_split_is_refused(cifar: Path) -> None:
    (cifar / "test_batch.bin").unlink()
    with pytest.raises(DataError, match=r"holds no test_batch.bin, the pictures of split 'test'"):
        open_data(str(cifar), split="test")
