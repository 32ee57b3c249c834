"""Cross-entropy against PyTorch and closed forms, and the labels that it refuses."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minigan.errors import ShapeError
from minigan.losses import cross_entropy

torch.set_num_threads(1)


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize(("n", "classes"), [(1, 2), (7, 3), (5, 10), (4, 1)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-14), (np.float32, 1e-6)])
def test_equals_pytorch(n, classes, scale, dtype, tolerance):
    """To a few rounding units of numbers up to `scale`."""
    rng = np.random.default_rng(n)
    logits = (scale * rng.standard_normal((n, classes))).astype(dtype)
    labels = rng.integers(0, classes, n)
    x = torch.tensor(logits, requires_grad=True)
    expected = F.cross_entropy(x, torch.tensor(labels))
    expected.backward()
    loss, dlogits = cross_entropy(logits, labels)
    assert loss == pytest.approx(expected.item(), rel=tolerance, abs=tolerance)
    np.testing.assert_allclose(dlogits, x.grad, rtol=10 * tolerance, atol=tolerance)
    assert dlogits.dtype == dtype


def test_closed_forms():
    """Equal logits cost log K; a sure and right answer nothing, a sure and wrong one its margin."""
    labels = np.array([0, 2])
    assert cross_entropy(np.full((2, 5), 3.0), labels)[0] == pytest.approx(math.log(5), rel=1e-15)
    sure = np.array([[1000.0, 0.0]])
    assert cross_entropy(sure, np.array([0]))[0] == 0
    assert cross_entropy(sure, np.array([1]))[0] == 1000
    np.testing.assert_array_equal(cross_entropy(sure, np.array([1]))[1], [[1, -1]])


def test_arguments_are_left_alone():
    logits, labels = np.ones((3, 2)), np.array([0, 1, 1])
    cross_entropy(logits, labels)
    np.testing.assert_array_equal(logits, 1)
    np.testing.assert_array_equal(labels, [0, 1, 1])


BAD_LABELS = {
    "negative": np.array([0, -1, 2]),
    "too large": np.array([0, 3, 2]),
    "too few": np.array([0, 1]),
    "one-hot": np.eye(3, dtype=np.int64),
    "a column": np.array([[0], [1], [2]]),
    "not integers": np.array([0.0, 1.0, 2.0]),
}


@pytest.mark.parametrize("labels", BAD_LABELS.values(), ids=BAD_LABELS)
def test_bad_labels_are_refused(labels):
    with pytest.raises(ShapeError, match=r"wanted 3 integer labels from 0 to 2"):
        cross_entropy(np.zeros((3, 3)), labels)
