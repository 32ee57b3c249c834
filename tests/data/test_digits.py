"""Digits: the shipped bytes, the split, resizing."""

import hashlib
from importlib import resources

import numpy as np
import pytest
from PIL import Image

from minigan.data import open_data
from minigan.data.digits import in_test

SHA256 = "67423848f2269bea0c9315ce70d9e987c12b8e4185021fe2a57f2e2d5d29c9db"
PER_CLASS = np.array([1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978])


def everything(split: str, **options: object) -> tuple[np.ndarray, np.ndarray]:
    data = open_data("digits", split=split, **options)
    batch = data.take(np.arange(len(data)))
    return batch.x, batch.labels


def test_the_shipped_digits_are_the_ones_that_were_made() -> None:
    file = resources.files("minigan.data") / "embedded" / "digits.npz"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == SHA256


def test_splits_are_stratified_and_disjoint() -> None:
    (x_train, y_train), (x_test, y_test) = everything("train"), everything("test")
    np.testing.assert_array_equal(np.bincount(y_test[:, 0]), PER_CLASS // 5)
    np.testing.assert_array_equal(np.bincount(y_train[:, 0]), PER_CLASS - PER_CLASS // 5)
    assert not set(map(bytes, x_train)) & set(map(bytes, x_test))


def test_in_test_takes_the_last_fifth_of_each_class() -> None:
    digit = np.array([3, 7, 3, 3, 7, 3, 3])
    np.testing.assert_array_equal(in_test(digit), [0, 0, 0, 0, 0, 0, 1])


def test_digits_look_like_ink_on_paper() -> None:
    data = open_data("digits")
    x, labels = everything("train")
    assert data.shape == (28, 28, 1)
    assert data.label_names == {"digit": tuple("0123456789")}
    assert x.dtype == np.float32
    assert labels.dtype == np.int64
    assert (x.min(), x.max()) == (-1, 1)
    means = np.stack([x[labels[:, 0] == c].mean(axis=0) for c in range(10)])
    # The mean zero has a hole and the mean one does not: the labels belong to the pictures.
    assert means[0, 14, 14, 0] < -0.8 < 0 < means[1, 14, 14, 0]
    # Bright digits on black: no ink ever touches the corner.
    assert (x[:, 0, 0] == -1).all()


def test_resizing_and_colour() -> None:
    x, _ = everything("test")
    grey, _ = everything("test", size=32)
    colour, _ = everything("test", size=32, channels=3)
    assert grey.shape[1:] == (32, 32, 1)
    np.testing.assert_array_equal(colour, np.repeat(grey, 3, axis=3))
    first = Image.fromarray(np.rint((x[0, ..., 0] + 1) * 127.5).astype(np.uint8))
    theirs = np.asarray(first.resize((32, 32), Image.Resampling.LANCZOS)) / 127.5 - 1
    np.testing.assert_allclose(grey[0, ..., 0], theirs, rtol=0, atol=1e-6)


def test_drawing_is_uniform_with_replacement() -> None:
    data = open_data("digits", split="test")
    batch = data.draw(5000, np.random.default_rng(0))
    distinct = len(np.unique(batch.x, axis=0))
    # Of N = 1996 examples, n = 5000 draws show N (1 - (1 - 1/N)^n) = 1833 on average, sd about 10.
    assert distinct == pytest.approx(1833, abs=50)
