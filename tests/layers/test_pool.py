"""Pooling layers: options, closed forms. Parity: test_torch.py; loops: ../ops/test_pool.py."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import OptionError, ShapeError


def test_stride_is_the_kernel_unless_given():
    x = np.zeros((1, 6, 9, 1))
    for kind in (L.AvgPool2d, L.MaxPool2d):
        assert kind((2, 3)).forward(x)[0].shape == (1, 3, 3, 1)
        assert kind((2, 3), stride=1).forward(x)[0].shape == (1, 5, 7, 1)


def test_global_pools_reduce_every_axis_between_batch_and_channels():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    np.testing.assert_allclose(L.GlobalAvgPool().forward(x)[0], x.mean((1, 2)), rtol=1e-14)
    np.testing.assert_allclose(L.GlobalSumPool().forward(x)[0], x.sum((1, 2)), rtol=1e-14)
    np.testing.assert_array_equal(L.GlobalMaxPool().forward(x)[0], x.max((1, 2)))


def test_padding_is_at_most_half_of_the_kernel():
    L.MaxPool2d(4, padding=2)
    for kind in (L.AvgPool2d, L.MaxPool2d):
        with pytest.raises(OptionError, match="padding=2 must be at most half of kernel_size=3"):
            kind(3, padding=2)


def test_a_picture_smaller_than_the_window_is_refused():
    for kind in (L.AvgPool2d, L.MaxPool2d):
        layer = kind((4, 2), padding=(1, 0))
        assert layer.forward(np.zeros((1, 2, 2, 1)))[0].shape == (1, 1, 1, 1)
        with pytest.raises(ShapeError, match=r"pictures of at least 2x2, got shape \(1, 1, 9, 1\)"):
            layer.forward(np.zeros((1, 1, 9, 1)))
