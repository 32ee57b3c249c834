"""What the layers across a minibatch compute, in plain loops, and what they refuse.

Parity of every derivative with PyTorch: test_torch.py and test_weight_double_backward.py.
"""

import math

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import OptionError, ShapeError


def test_discrimination_in_loops():
    """Salimans et al. 2016, section 3.2, number by number."""
    rng = np.random.default_rng(0)
    layer = L.MinibatchDiscrimination(3, 2, kernel_dim=4, rng=rng).astype(np.float64)
    layer.flat.data[...] = rng.standard_normal(layer.flat.size)
    x = rng.standard_normal((5, 3))
    y, _ = layer.forward(x)
    T = layer.params["weight"].data
    for i in range(5):
        np.testing.assert_array_equal(y[i, :3], x[i])
        for b in range(2):
            o = 0.0
            for j in range(5):
                distance = sum(abs((x[i] - x[j]) @ T[:, b, c]) for c in range(4))
                o += math.exp(-distance)
            assert y[i, 3 + b] == pytest.approx(o, rel=1e-12)


def test_equal_examples_are_as_close_as_can_be_and_distant_ones_see_only_themselves():
    layer = L.MinibatchDiscrimination(2, 3, rng=np.random.default_rng(0))
    same = np.ones((6, 2), np.float32)
    np.testing.assert_array_equal(layer.forward(same)[0][:, 2:], 6)
    apart = 1e5 * np.arange(1, 7, dtype=np.float32)[:, None] * np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(layer.forward(apart)[0][:, 2:], 1)


@pytest.mark.parametrize(
    ("size", "groups"),
    [
        (None, [[0, 1, 2, 3, 4, 5]]),
        (2, [[0, 3], [1, 4], [2, 5]]),
        (3, [[0, 2, 4], [1, 3, 5]]),
        (9, [[0, 1, 2, 3, 4, 5]]),
    ],
)
def test_deviation_in_loops(size, groups):
    """Karras et al. 2018: the deviation of each number over a group, averaged over the numbers."""
    x = np.random.default_rng(1).standard_normal((6, 2, 3, 4))
    y, _ = L.MinibatchStdDev(group_size=size).forward(x)
    np.testing.assert_array_equal(y[..., :4], x)
    for members in groups:
        flat = [x[n].ravel() for n in members]
        total = 0.0
        for f in range(24):
            values = [row[f] for row in flat]
            centre = sum(values) / len(values)
            total += math.sqrt(sum((v - centre) ** 2 for v in values) / len(values) + 1e-8)
        np.testing.assert_allclose(y[members, ..., 4], total / 24, rtol=1e-12)


def test_equal_examples_do_not_deviate():
    y, ctx = L.MinibatchStdDev().forward(np.full((4, 3), 0.5))
    np.testing.assert_allclose(y[:, 3], 1e-4, rtol=1e-12)  # the root of eps
    dx = L.MinibatchStdDev().backward(np.ones((4, 4)), ctx)
    np.testing.assert_array_equal(dx, 1)


def test_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(OptionError, match="num_kernels=0 and kernel_dim=5 must be at least 1"):
        L.MinibatchDiscrimination(3, 0, rng=rng)
    with pytest.raises(OptionError, match="group_size=1: fewer than 2 examples"):
        L.MinibatchStdDev(group_size=1)
    with pytest.raises(OptionError, match=r"eps=0\.0 must be above 0"):
        L.MinibatchStdDev(eps=0.0)
    with pytest.raises(ShapeError, match=r"groups of 4, got shape \(6, 3\)"):
        L.MinibatchStdDev(group_size=4).forward(np.ones((6, 3)))
