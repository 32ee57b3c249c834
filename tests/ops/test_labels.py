"""Labels as vectors of zeros and ones, against a loop."""

import numpy as np
import pytest

from minigan.ops.labels import multi_hot


def looped(labels, counts):
    y = np.zeros((len(labels), sum(counts)))
    for row, numbers in zip(y, labels, strict=True):
        start = 0
        for number, count in zip(numbers, counts, strict=True):
            row[start + number] = 1
            start += count
    return y


@pytest.mark.parametrize("counts", [(1,), (10,), (3, 1, 4)])
@pytest.mark.parametrize("n", [0, 1, 7])
def test_each_label_has_its_one(n, counts):
    rng = np.random.default_rng(0)
    labels = np.stack([rng.integers(count, size=n) for count in counts], 1)
    y = multi_hot(labels, counts, np.float32)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, looped(labels, counts))


def test_a_number_outside_its_classes_is_no_class_of_the_next_label():
    y = multi_hot(np.array([[3, 0], [-1, 1]]), (3, 2), np.float64)
    np.testing.assert_array_equal(y, [[0, 0, 0, 1, 0], [0, 0, 0, 0, 1]])
