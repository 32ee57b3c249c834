"""The sub-pixel input gradient against loops, in any geometry that it takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigan.ops import conv, subpixel
from minigan.ops.patches import conv_output_size
from tests.oracles import naive
from tests.oracles.torch_twins import relative_error

TOLERANCE = 1e-12  # float64, sums of at most a few hundred terms
SIDE = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    st.integers(1, 4),
    SIDE,  # stride
    SIDE,  # blocks in the kernel
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_dx_equals_loops(n, stride, cut, padding, size):
    kernel = tuple(s * q for s, q in zip(stride, cut, strict=True))
    places = tuple(
        conv_output_size(h, k, s, p, 1)
        for h, k, s, p in zip(size, kernel, stride, padding, strict=True)
    )
    if min(places) < 1:
        return
    rng = np.random.default_rng(0)
    w = rng.standard_normal((*kernel, 2, 3))
    dy = rng.standard_normal((n, *places, 3))
    dx = subpixel.conv2d_dx(dy, w, (n, *size, 2), stride, padding)
    wanted = naive.conv2d_dx(dy, w, (n, *size, 2), stride=stride, padding=padding, dilation=(1, 1))
    np.testing.assert_allclose(dx, wanted, rtol=TOLERANCE, atol=TOLERANCE * 100)


def test_several_chunks(monkeypatch):
    monkeypatch.setattr(subpixel, "CHUNK_NUMBERS", 1)
    monkeypatch.setattr(subpixel, "MIN_ROWS", 100)
    rng = np.random.default_rng(0)
    w, dy = rng.standard_normal((4, 4, 2, 3)), rng.standard_normal((7, 5, 4, 3))
    dx = subpixel.conv2d_dx(dy, w, (7, 10, 8, 2), (2, 2), (1, 1))
    wanted = naive.conv2d_dx(dy, w, (7, 10, 8, 2), stride=(2, 2), padding=(1, 1), dilation=(1, 1))
    assert relative_error(dx, wanted) < TOLERANCE


@pytest.mark.parametrize(
    ("kernel", "channels", "places", "stride", "dilation", "taken"),
    [
        ((4, 4), (16, 32), (16, 16), (2, 2), (1, 1), True),
        ((4, 4), (3, 16), (32, 32), (2, 2), (1, 1), True),
        ((4, 4), (3, 64), (32, 32), (2, 2), (1, 1), False),  # dy is much wider
        ((4, 4), (64, 128), (4, 4), (2, 2), (1, 1), False),  # many more places
        ((3, 3), (16, 32), (16, 16), (2, 2), (1, 1), False),  # no whole blocks
        ((4, 4), (16, 32), (16, 16), (2, 2), (2, 2), False),
    ],
)
def test_where_it_is_used(kernel, channels, places, stride, dilation, taken):
    assert subpixel.applies((*kernel, *channels), places, stride, dilation) is taken


def test_conv_uses_it(monkeypatch):
    calls = []
    plain = subpixel.conv2d_dx
    monkeypatch.setattr(subpixel, "conv2d_dx", lambda *a: calls.append(1) or plain(*a))
    rng = np.random.default_rng(0)
    w, dy = rng.standard_normal((4, 4, 4, 8)), rng.standard_normal((2, 16, 16, 8))
    options = {"stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}
    dx = conv.conv2d_dx(dy, w, (2, 32, 32, 4), **options)
    assert calls == [1]
    assert relative_error(dx, naive.conv2d_dx(dy, w, (2, 32, 32, 4), **options)) < TOLERANCE
