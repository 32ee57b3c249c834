"""Reference and virtual batch norm: what an example depends on, and where the reference lives.

Parity of every derivative with PyTorch on explicit unions: test_torch.py.
"""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import OptionError, ShapeError


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def wrapped(norm, reference, seed=1):
    rng = np.random.default_rng(seed)
    net = L.Sequential(L.Dense(3, 4, bias=False, rng=rng), norm, L.Tanh(), L.Dense(4, 2, rng=rng))
    return L.ReferenceBatch(net, reference).astype(np.float64)


def test_virtual_norm_sees_an_example_with_the_reference_alone():
    reference = normal(5, 3)
    net, x = wrapped(L.VirtualBatchNorm(4, 5), reference), normal(6, 3, seed=2)
    for train in (True, False):
        whole, _ = net.forward(x, train=train)
        for i in range(6):
            np.testing.assert_allclose(
                net.forward(x[i : i + 1], train=train)[0][0], whole[i], rtol=1e-12
            )
    other = wrapped(L.VirtualBatchNorm(4, 5), reference + 1)
    assert np.abs(other.forward(x)[0] - net.forward(x)[0]).min() > 1e-3


def test_virtual_norm_of_explicit_unions():
    reference, x = normal(4, 2, 3), normal(3, 2, 3, seed=1)
    layer = L.VirtualBatchNorm(3, 4, eps=0.1).astype(np.float64)
    y, _ = layer.forward(np.concatenate([reference, x]))
    for i in range(3):
        union = np.concatenate([reference, x[i : i + 1]]).reshape(-1, 3)
        expected = (x[i] - union.mean(0)) / np.sqrt(union.var(0) + 0.1)
        np.testing.assert_allclose(y[4 + i], expected, rtol=1e-12)
    rows = reference.reshape(-1, 3)
    np.testing.assert_allclose(
        y[:4], (reference - rows.mean(0)) / np.sqrt(rows.var(0) + 0.1), rtol=1e-12
    )


def test_reference_batch_norm_is_batch_norm_of_both_batches():
    reference, x = normal(5, 3), normal(6, 3, seed=2)
    net, alone = wrapped(L.BatchNorm(4), reference), wrapped(L.BatchNorm(4), reference).net
    y, _ = net.forward(x)
    both, _ = alone.forward(np.concatenate([reference, x]))
    np.testing.assert_array_equal(y, both[5:])
    for name, buffer in alone.buffers.items():
        np.testing.assert_array_equal(net.buffers[f"net.{name}"], buffer)


def test_the_reference_is_a_copy_kept_as_state_and_never_moves():
    given = normal(4, 3)
    net = wrapped(L.VirtualBatchNorm(4, 4), given)
    kept = given.copy()
    y, ctx = net.forward(normal(6, 3, seed=2))
    net.backward(y, ctx)
    given += 1
    np.testing.assert_array_equal(net.buffers["reference"], kept)
    assert net.size == 4


def test_refused():
    with pytest.raises(OptionError, match="reference_size=1: one example has no deviation"):
        L.VirtualBatchNorm(3, 1)
    with pytest.raises(OptionError, match=r"shape \(1, 3\): wanted at least 2 examples"):
        L.ReferenceBatch(L.Identity(), normal(1, 3))
    net = wrapped(L.VirtualBatchNorm(4, 5), normal(5, 3))
    with pytest.raises(ShapeError, match=r"wanted \(N, 3\), got shape \(2, 4\)"):
        net.forward(normal(2, 4))
    with pytest.raises(ShapeError, match=r"net > layer 1 > VirtualBatchNorm\(4, 9\)"):
        wrapped(L.VirtualBatchNorm(4, 9), normal(5, 3)).forward(normal(2, 3))
