"""Dense and Embedding: their own behaviour. Parity: test_torch.py."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.errors import ShapeError
from tests.oracles.torch_twins import relative_error


def test_dense_is_x_w_plus_b_over_every_leading_axis():
    rng = np.random.default_rng(0)
    layer = L.Dense(3, 2, rng=rng)
    layer.bias.data[...] = [1, -2]
    assert {k: p.shape for k, p in layer.params.items()} == {"weight": (3, 2), "bias": (2,)}
    x = rng.standard_normal((4, 5, 3)).astype(np.float32)
    y, _ = layer.forward(x)
    expected = np.einsum("abi,io->abo", x.astype(float), layer.weight.data) + layer.bias.data
    assert relative_error(y, expected) < 1e-6
    assert list(L.Dense(3, 2, bias=False, rng=rng).params) == ["weight"]


def test_an_embedding_reads_rows_and_adds_the_gradients_of_repeated_ones():
    layer = L.Embedding(4, 3, rng=np.random.default_rng(0)).astype(np.float64)
    index = np.array([[2, 0, 2], [2, 3, 0]])
    y, ctx = layer.forward(index)
    np.testing.assert_array_equal(y[1, 1], layer.weight.data[3])

    dy = np.random.default_rng(1).standard_normal(y.shape)
    expected = np.zeros((4, 3))
    for place in np.ndindex(index.shape):
        expected[index[place]] += dy[place]
    assert layer.backward(dy, ctx) is None
    np.testing.assert_allclose(layer.weight.grad, expected, rtol=1e-14)
    assert not layer.weight.grad[1].any()
    np.testing.assert_allclose(layer.weight.grad[2], dy[0, 0] + dy[0, 2] + dy[1, 0], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64])
def test_any_integers_index_an_embedding(dtype):
    layer = L.Embedding(4, 3, rng=np.random.default_rng(0))
    y, _ = layer.forward(np.array([3, 0], dtype))
    np.testing.assert_array_equal(y, layer.weight.data[[3, 0]])
    assert layer.forward(np.zeros((0,), dtype))[0].shape == (0, 3)


def test_an_embedding_hands_out_copies_of_its_rows():
    layer = L.Embedding(4, 3, rng=np.random.default_rng(0))
    y, _ = layer.forward(np.array([1]))
    kept = layer.weight.data.copy()
    y += 1
    np.testing.assert_array_equal(layer.weight.data, kept)


@pytest.mark.parametrize(("index", "low", "high"), [([0, 4], 0, 4), ([-1, 2], -1, 2)])
def test_indices_out_of_range_are_refused(index, low, high):
    layer = L.Embedding(4, 3, rng=np.random.default_rng(0))
    with pytest.raises(ShapeError, match=rf"Embedding\(4, 3\) .* 0 to 3, got {low} to {high}"):
        layer.forward(np.array(index))
