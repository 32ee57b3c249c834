"""Data sets from arrays."""

import numpy as np
import pytest

import minigan as mg
from minigan.data import DataWarning, from_arrays
from minigan.errors import DataError

rng = np.random.default_rng(0)
BYTES = rng.integers(256, size=(9, 6, 5, 3), dtype=np.uint8)
POINTS = rng.normal(size=(9, 2))


def test_pictures_of_bytes_and_of_floats() -> None:
    whole = from_arrays(BYTES)
    assert (whole.shape, whole.kind, len(whole)) == ((6, 5, 3), "image", 9)
    wanted = BYTES[[2, 0]] / 127.5 - 1
    np.testing.assert_allclose(whole.take(np.array([2, 0])).x, wanted, atol=1e-6)
    floats = from_arrays((BYTES / 127.5 - 1).tolist())
    np.testing.assert_array_equal(floats.take(np.arange(9)).x, whole.take(np.arange(9)).x)
    assert from_arrays(BYTES[..., 0]).shape == (6, 5, 1)


def test_points_and_their_classes() -> None:
    labels = [0, 2, 1, 1, 0, 2, 2, 2, 0]
    data = from_arrays(POINTS, labels)
    assert data.label_names == {"class": ("0", "1", "2")}
    batch = data.take(np.array([1, 3]))
    np.testing.assert_array_equal(batch.x, POINTS[[1, 3]].astype(np.float32))
    np.testing.assert_array_equal(batch.labels, [[2], [1]])


def test_several_labels() -> None:
    labels = np.stack([np.arange(9) % 2, np.arange(9) % 3], 1)
    data = from_arrays(POINTS, labels, label_names=["even", "third"])
    assert data.label_names == {"even": ("0", "1"), "third": ("0", "1", "2")}
    np.testing.assert_array_equal(data.take(np.array([5])).labels, [[1, 2]])
    with pytest.raises(DataError, match="label_names even; give 2, each another name"):
        from_arrays(POINTS, labels, label_names=["even"])


def test_later_changes_of_the_array_do_not_change_the_data() -> None:
    own = BYTES.copy()
    data = from_arrays(own)
    own[:] = 0
    every = np.arange(9)
    np.testing.assert_array_equal(data.take(every).x, from_arrays(BYTES).take(every).x)


def test_a_loader_takes_them() -> None:
    with mg.Loader(mg.data.from_arrays(BYTES), 4, seed=0) as batches:
        x = next(batches).x
    assert (x.shape, x.dtype) == ((4, 6, 5, 3), np.float32)


@pytest.mark.parametrize(
    ("x", "labels", "said"),
    [
        (BYTES.astype(int), None, "mine: the examples have dtype int64; give uint8 or a float"),
        (BYTES * 1.0, None, "mine: pictures run from 0 to 255; give floats in"),
        (np.moveaxis(BYTES, 3, 1), None, "need 1 or 3 channels at the end; move the channels"),
        (POINTS[:0], None, r"shape \(0, 2\)"),
        (POINTS[0], None, r"shape \(2,\)"),
        (POINTS * np.nan, None, "mine: 18 values are NaN or infinite"),
        (BYTES[..., 0, 0], None, "mine: points .* of dtype uint8; give a float type"),
        (POINTS, [1, 2], r"mine: labels of shape \(2,\) .* for each of the 9 examples"),
        (POINTS, np.full(9, -1), "0 or more"),
        (POINTS, np.ones(9), "dtype float64"),
        (POINTS, np.full(9, 10**11), "a class of number 100,000,000,000; number them from 0"),
        ([[1.0, 2.0], [3.0]], None, "mine: no array can be made of them"),
    ],
)
def test_refused(x: np.ndarray, labels: list[int] | None, said: str) -> None:
    with pytest.raises(DataError, match=said):
        from_arrays(x, labels, name="mine")


def test_a_doubtful_range_is_said() -> None:
    with pytest.warns(DataWarning, match="if 0 is black, store 2 x - 1"):
        from_arrays(BYTES / 255)
