"""The pretended card's arrays refuse what CuPy's refuse, and a captured step can be replayed."""

import numpy as np
import pytest

from minigan import backend
from minigan.ops import activation
from tests.emulator.arrays import CaptureError, EmulatedArray, emulated


@pytest.fixture
def x():
    return emulated.asarray(np.arange(6.0).reshape(2, 3))


def test_functions_and_operators_give_arrays_of_the_card(x):
    several = [
        *(x + 1, 2 * x, -x, x @ x.T, x > 2, np.sqrt(x), np.maximum(x, 3), np.where(x > 1, x, 0)),
        *(np.zeros_like(x), np.full_like(x, 2), np.concatenate([x, x]), np.einsum("ij->j", x)),
        *(x.sum(), x.mean(0), x[0], x[0, 0], x.reshape(-1), x.T, x.astype(np.float32), x.copy()),
        *(emulated.zeros(3), emulated.arange(4), emulated.empty((2, 2)), emulated.stack([x, x])),
    ]
    for array in several:
        assert type(array) is EmulatedArray
        assert backend.on_cuda(array)
    np.testing.assert_array_equal((x + 1).get(), np.arange(6.0).reshape(2, 3) + 1)
    x += 1
    x[0] = 0
    assert x.tolist() == [[0, 0, 0], [4, 5, 6]]
    assert float(x.sum()) == 15
    assert not isinstance(x, np.ndarray)


@pytest.mark.parametrize(
    "mixed",
    [
        lambda x, host: x + host,
        lambda x, host: host + x,
        lambda x, host: np.add(x, 1, out=host),
        lambda x, host: np.concatenate([x, host]),
        lambda x, host: x.__setitem__(0, host[0]),
        lambda x, host: host.__iadd__(x),
        lambda x, host: np.asarray(x),
        lambda x, host: host.__setitem__(0, x[0]),
    ],
)
def test_an_array_of_the_host_is_not_mixed_in(x, mixed):
    with pytest.raises(TypeError, match=r"to_device|to_host"):
        mixed(x, np.ones((2, 3)))


def test_new_memory_holds_nans():
    assert np.isnan(emulated.empty(3).get()).all()
    assert np.isnan(emulated.empty_like(emulated.zeros(3, np.float32)).get()).all()


def step(x, y):
    """Everything that a step may do: kernels, ufuncs, functions, views, writing in place."""
    z = activation.tanh(x) * 2
    y[0] = z.sum(0)
    y += np.concatenate([x, x])[:2].mean()
    w = z.T.reshape(-1)  # a copy
    w[1:] -= 1
    return w


def test_a_captured_step_does_nothing_until_it_is_replayed(card, x):
    y = emulated.zeros((2, 3))
    with card.capture() as captured:
        w = step(x, y)
    assert y.tolist() == [[0] * 3] * 2
    assert np.isnan(w.get()).all()

    expected_y = emulated.zeros((2, 3))
    for value in (1.0, -2.0):
        x[...] = value
        captured.replay()
        expected_w = step(x, expected_y)
        np.testing.assert_array_equal(w.get(), expected_w.get())
        np.testing.assert_array_equal(y.get(), expected_y.get())


@pytest.mark.parametrize(
    "waits",
    [float, bool, int, lambda a: a.item(), backend.to_host, lambda a: a.tolist()],
)
def test_a_capture_refuses_what_waits_for_the_card(card, waits):
    one = emulated.ones(())
    waits(one)
    with pytest.raises(CaptureError, match="waits for the card"), card.capture():
        waits(one)
    with pytest.raises(CaptureError, match="a copy from the host"), card.capture():
        emulated.asarray(np.ones(2))
    with card.capture(), pytest.raises(CaptureError, match="running already"), card.capture():
        pass
    waits(one)
