"""What the tables of layers do not show of GRU and the encoders: ends, padding and time."""

import numpy as np
import pytest
import torch

from minigan import layers as L
from minigan.errors import NoSecondDerivativeError, ShapeError


def made(kind, *sizes, seed=0):
    layer = kind(*sizes, rng=np.random.default_rng(seed)).astype(np.float64)
    rng = np.random.default_rng(seed + 1)
    layer.flat.load(rng.standard_normal(layer.flat.size) / 2)
    return layer


def test_a_row_keeps_its_state_behind_its_end():
    layer, rng = made(L.GRU, 3, 4), np.random.default_rng(2)
    x = rng.standard_normal((3, 5, 3))
    y, _ = layer.forward(x, np.array([5, 2, 0]))
    whole, _ = layer.forward(x)
    near = {"rtol": 0, "atol": 1e-15}  # of one more addition
    np.testing.assert_allclose(y[0], whole[0], **near)
    np.testing.assert_allclose(y[1, :2], whole[1, :2], **near)
    np.testing.assert_array_equal(y[1, 2:], np.repeat(y[1, 1:2], 3, 0))
    assert not y[2].any()


def test_nothing_behind_the_end_has_a_gradient():
    layer, rng = made(L.GRU, 3, 4), np.random.default_rng(2)
    x = rng.standard_normal((2, 5, 3))
    _, ctx = layer.forward(x, np.array([2, 4]))
    dx, none = layer.backward(rng.standard_normal((2, 5, 4)), ctx)
    assert none is None
    assert not dx[0, 2:].any()
    assert not dx[1, 4:].any()
    assert (dx[0, :2] != 0).all()


@pytest.mark.parametrize("length", [1, 7, 23])
def test_back_through_time_equals_pytorch_s_gru(length):
    """torch.nn.GRU itself, with a gradient at every step: 1e-10 over the longest caption."""
    layer, rng = made(L.GRU, 3, 4), np.random.default_rng(3)
    gru = torch.nn.GRU(3, 4, batch_first=True).double()
    with torch.no_grad():
        for name, p in layer.params.items():
            getattr(gru, f"{name}_l0").copy_(torch.tensor(p.data.T))
    x, dy = rng.standard_normal((2, length, 3)), rng.standard_normal((2, length, 4))
    y, ctx = layer.forward(x)
    layer.flat.zero_grad()
    dx = layer.backward(dy, ctx)
    leaf = torch.tensor(x, requires_grad=True)
    theirs, _ = gru(leaf)
    theirs.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, theirs.detach(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(dx, leaf.grad, rtol=0, atol=1e-10)
    for name, p in layer.params.items():
        expected = getattr(gru, f"{name}_l0").grad.numpy().T
        np.testing.assert_allclose(p.grad, expected, rtol=0, atol=1e-10 * len(y) * length)


@pytest.mark.parametrize("kind", L.ENCODERS.values())
def test_the_length_of_the_padding_does_not_matter(kind):
    encoder = made(kind, 5, 3, 4)
    text = np.array([[1, 2, 3, 1], [4, 0, 0, 0], [2, 2, 1, 0]])
    y, _ = encoder.forward(text)
    longer, _ = encoder.forward(np.pad(text, ((0, 0), (0, 3))))
    np.testing.assert_allclose(y, longer, rtol=0, atol=1e-15)
    np.testing.assert_allclose(y[1:2], encoder.forward(text[1:2, :1])[0], rtol=0, atol=1e-15)
    assert len(np.unique(y.round(6), axis=0)) == 3


@pytest.mark.parametrize("kind", L.ENCODERS.values())
def test_the_padding_has_no_gradient(kind):
    encoder = made(kind, 5, 3, 4)
    encoder.flat.load(np.abs(encoder.flat.data))  # no word that ReLU hides
    y, ctx = encoder.forward(np.array([[1, 2, 0, 0], [4, 0, 0, 0]]))
    encoder.flat.zero_grad()
    assert encoder.backward(np.ones_like(y), ctx) is None
    grad = encoder.params["embedding.weight"].grad
    assert not grad[0].any()
    assert not grad[3].any()  # a word that was not said
    assert grad[[1, 2, 4]].any(axis=1).all()


def test_the_order_of_words_matters_to_the_recurrent_encoder():
    encoder = made(L.RecurrentEncoder, 5, 3, 4)
    y, _ = encoder.forward(np.array([[1, 2, 3], [3, 2, 1]]))
    assert np.abs(y[0] - y[1]).max() > 0.01


@pytest.mark.parametrize("kind", L.ENCODERS.values())
def test_a_penalty_is_told_that_words_have_no_gradient(kind):
    encoder = made(kind, 5, 3, 4)
    y, ctx = encoder.forward(np.array([[1, 2]]))
    _, gctx = encoder.input_gradient(np.ones_like(y), ctx)
    with pytest.raises(NoSecondDerivativeError, match=kind.__name__):
        encoder.double_backward(np.ones((1, 2)), gctx)


@pytest.mark.parametrize("lengths", [np.array([1.0, 2.0]), np.array([1, 2, 3])])
def test_lengths_that_do_not_fit_are_refused(lengths):
    with pytest.raises(ShapeError, match="wanted the lengths of 2 sequences as integers"):
        made(L.GRU, 3, 4).forward(np.ones((2, 5, 3)), lengths)
