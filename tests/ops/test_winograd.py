"""The fast triad against loops, in any geometry that it takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigan import parallel
from minigan.ops import conv, winograd
from tests.oracles import naive
from tests.oracles.torch_twins import relative_error

TOLERANCE = 1e-12  # float64, sums of at most a few hundred terms


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(
    st.integers(1, 5),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_the_triad_equals_loops(n, stride, half_places, padding, over):
    places = tuple(2 * p for p in half_places)
    size = [
        s * (p + 1) - 2 * q + min(extra, s - 1)
        for s, p, q, extra in zip(stride, places, padding, over, strict=True)
    ]
    if min(size) < 1:
        return
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, *size, 2))
    w = rng.standard_normal((2 * stride[0], 2 * stride[1], 2, 3))
    options = {"stride": stride, "padding": padding, "dilation": (1, 1)}
    y = naive.conv2d(x, w, **options)
    assert y.shape[1:3] == places
    dy = rng.standard_normal(y.shape)
    assert relative_error(winograd.conv2d(x, w, places, stride, padding), y) < TOLERANCE
    dx = winograd.conv2d_dx(dy, w, x.shape, stride, padding)
    assert relative_error(dx, naive.conv2d_dx(dy, w, x.shape, **options)) < TOLERANCE
    dw = winograd.conv2d_dw(x, dy, w.shape[:2], stride, padding)
    assert relative_error(dw, naive.conv2d_dw(x, dy, w.shape[:2], **options)) < TOLERANCE


def test_a_weight_s_gradient_in_parts_equals_loops(monkeypatch):
    """An image at a time; scratch memory holds one thing after another."""
    monkeypatch.setattr(winograd, "NUMBERS", 1)
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((4, 9, 7, 3)), rng.standard_normal((4, 4, 4, 5))
    how = {"stride": (2, 2), "padding": (1, 2)}
    dw = winograd.conv2d_dw(x, dy, (4, 4), *how.values())
    expected = naive.conv2d_dw(x, dy, (4, 4), dilation=(1, 1), **how)
    assert relative_error(dw, expected) < TOLERANCE


WIDE = {"x": (16, 32, 32, 64), "w": (4, 4, 64, 64)}  # as narrow as it is taken


@pytest.fixture
def taken(monkeypatch):
    """The names of the functions of winograd that conv called."""
    names = []

    def recording(name, function):
        def called(*arguments):
            names.append(name)
            return function(*arguments)

        return called

    for name in ("conv2d", "conv2d_dx", "conv2d_dw"):
        monkeypatch.setattr(winograd, name, recording(name, getattr(winograd, name)))
    return names


@pytest.mark.parametrize("threads", [1, 2])
def test_wide_layers_of_dcgan_take_it_and_agree_with_the_plain_way(taken, monkeypatch, threads):
    parallel.use_threads(threads)
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(WIDE["x"]), rng.standard_normal(WIDE["w"])
    dy = rng.standard_normal((16, 16, 16, 64))
    options = {"stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}

    def triad():
        return (
            conv.conv2d(x, w, **options),
            conv.conv2d_dx(dy, w, x.shape, **options),
            conv.conv2d_dw(x, dy, (4, 4), **options),
        )

    fast = triad()
    assert taken == ["conv2d", "conv2d_dx", "conv2d_dw"]
    monkeypatch.setattr(winograd, "applies", lambda *arguments: False)
    for quick, plain in zip(fast, triad(), strict=True):
        assert relative_error(quick, plain) < TOLERANCE
    parallel.use_threads(1)


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "places", "stride", "dilation"),
    [
        ((64, 14, 28, 64), (4, 4, 64, 64), (7, 14), (2, 2), (1, 1)),  # an odd number of places
        ((64, 32, 32, 3), (4, 4, 3, 64), (16, 16), (2, 2), (1, 1)),  # thin input
        ((64, 32, 32, 64), (4, 4, 64, 1), (16, 16), (2, 2), (1, 1)),  # thin output
        ((64, 32, 32, 256), (3, 3, 256, 64), (32, 32), (1, 1), (1, 1)),  # not twice the stride
        ((64, 32, 32, 64), (4, 4, 64, 64), (14, 14), (2, 2), (2, 2)),  # dilated
        ((64, 32, 32, 32), (4, 4, 32, 64), (16, 16), (2, 2), (1, 1)),  # narrow
        ((64, 8, 8, 64), (4, 4, 64, 128), (4, 4), (2, 2), (1, 1)),  # little work
    ],
)
def test_other_layers_do_not(x_shape, w_shape, places, stride, dilation):
    assert not winograd.applies(x_shape, w_shape, places, stride, dilation)


def test_float32_stays_as_exact_as_the_plain_way():
    """The transforms only add: the error stays within a few times that of plain float32 sums."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((8, 16, 16, 64)), rng.standard_normal((4, 4, 64, 64))
    options = {"stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}
    exact = conv.conv2d(x, w, **options)
    fast = winograd.conv2d(x.astype("f"), w.astype("f"), (8, 8), (2, 2), (1, 1))
    assert 0 < relative_error(fast, exact) < 2e-6
