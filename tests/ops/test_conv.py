"""The convolution triad against loops, and against its own adjointness."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from minigan.ops import conv as ops
from minigan.ops.patches import conv_output_size
from tests.oracles import naive
from tests.oracles.torch_twins import relative_error

TOLERANCE = 1e-12  # float64, sums of at most a few hundred terms

# x shape, kernel (kh, kw, O), stride, padding, dilation
GEOMETRIES = [
    ((2, 5, 4, 2), (3, 3, 3), (1, 1), (0, 0), (1, 1)),
    ((1, 6, 6, 1), (4, 4, 2), (2, 2), (1, 1), (1, 1)),
    ((2, 7, 5, 2), (2, 2, 1), (3, 4), (0, 0), (1, 1)),
    ((1, 5, 3, 1), (2, 3, 2), (2, 1), (1, 2), (3, 2)),
    ((2, 3, 3, 3), (1, 1, 2), (1, 2), (0, 1), (1, 1)),
    ((1, 1, 1, 1), (3, 1, 1), (1, 1), (2, 0), (1, 1)),
    ((3, 9, 11, 2), (4, 6, 3), (2, 3), (1, 2), (1, 1)),  # whole blocks, rows left over
    ((2, 5, 3, 1), (2, 2, 2), (2, 2), (3, 0), (1, 1)),  # more padding than a block
]


def arrays(x_shape, kernel, stride, padding, dilation, seed=0):
    rng = np.random.default_rng(seed)
    kh, kw, out = kernel
    x = rng.standard_normal(x_shape)
    w = rng.standard_normal((kh, kw, x_shape[3], out))
    geometry = {"stride": stride, "padding": padding, "dilation": dilation}
    y = naive.conv2d(x, w, **geometry)
    return x, w, y, rng.standard_normal(y.shape), geometry


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_the_triad_equals_loops(geometry):
    x, w, y, dy, options = arrays(*geometry)
    assert relative_error(ops.conv2d(x, w, **options), y) < TOLERANCE
    dx = ops.conv2d_dx(dy, w, x.shape, **options)
    assert relative_error(dx, naive.conv2d_dx(dy, w, x.shape, **options)) < TOLERANCE
    dw = ops.conv2d_dw(x, dy, w.shape[:2], **options)
    assert relative_error(dw, naive.conv2d_dw(x, dy, w.shape[:2], **options)) < TOLERANCE


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_a_weight_s_gradient_in_parts_equals_loops(monkeypatch, geometry):
    """An image at a time, and halves of the kernel's rows, as where patches are many."""
    monkeypatch.setattr(ops, "CHUNK_NUMBERS", 1)
    monkeypatch.setattr(ops, "MIN_ROWS", 0)
    x, w, _, dy, options = arrays(*geometry)
    assert len(ops._kernel_rows(w.shape[0], 2)) == min(w.shape[0], 2)
    dw = ops.conv2d_dw(x, dy, w.shape[:2], **options)
    assert relative_error(dw, naive.conv2d_dw(x, dy, w.shape[:2], **options)) < TOLERANCE


FUNCTIONS = {
    "none": lambda a: a,
    "relu": lambda a: np.maximum(a, 0),
    "leaky_relu": lambda a: np.where(a > 0, a, 0.2 * a),
    "tanh": np.tanh,
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("biased", [True, False])
def test_bias_and_activation_end_a_convolution(biased, function):
    x, w, y, dy, options = arrays(*GEOMETRIES[0])
    before, rng = (x.copy(), w.copy(), dy.copy()), np.random.default_rng(1)
    f = FUNCTIONS[function]
    b, c = (rng.standard_normal(size) if biased else None for size in (w.shape[3], w.shape[2]))
    ours = ops.conv2d_bias_act(x, w, b, function, slope=0.2, **options)
    assert relative_error(ours, f(y + b if biased else y)) < TOLERANCE
    dx = naive.conv2d_dx(dy, w, x.shape, **options)
    ours = ops.conv2d_dx_bias_act(dy, w, x.shape, c, function, slope=0.2, **options)
    assert relative_error(ours, f(dx + c if biased else dx)) < TOLERANCE
    for array, then in zip((x, w, dy), before, strict=True):
        np.testing.assert_array_equal(array, then)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_a_weight_s_gradient_is_added_up(geometry):
    x, w, _, dy, options = arrays(*geometry)
    total = w.copy()
    assert ops.add_conv2d_dw(total, x, dy, **options) is total
    wanted = w + naive.conv2d_dw(x, dy, w.shape[:2], **options)
    assert relative_error(total, wanted) < TOLERANCE


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_the_triad_is_one_trilinear_form(data):
    """<dy, conv2d(x, w)> = <conv2d_dx(dy, w), x> = <conv2d_dw(x, dy), w>, in any geometry."""
    pairs = {
        name: data.draw(st.tuples(numbers, numbers), label=name)
        for name, numbers in (
            ("kernel", st.integers(1, 5)),
            ("stride", st.integers(1, 4)),
            ("padding", st.integers(0, 3)),
            ("dilation", st.integers(1, 3)),
            ("size", st.integers(1, 9)),
        )
    }
    n, c, o = (data.draw(st.integers(1, 3)) for _ in range(3))
    (kh, kw), (h, w_in) = pairs.pop("kernel"), pairs.pop("size")
    for size, k, p, d in zip((h, w_in), (kh, kw), pairs["padding"], pairs["dilation"], strict=True):
        assume(size + 2 * p > d * (k - 1))

    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((n, h, w_in, c)), rng.standard_normal((kh, kw, c, o))
    y = ops.conv2d(x, w, **pairs)
    dy = rng.standard_normal(y.shape)
    form = np.vdot(dy, y)
    scale = np.linalg.norm(dy) * np.linalg.norm(y)
    by_dx = np.vdot(ops.conv2d_dx(dy, w, x.shape, **pairs), x)
    by_dw = np.vdot(ops.conv2d_dw(x, dy, (kh, kw), **pairs), w)
    assert abs(by_dx - form) <= TOLERANCE * scale
    assert abs(by_dw - form) <= TOLERANCE * scale


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.integers(1, 12), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3)
)
def test_output_sizes_are_counted(size, kernel, stride, padding, dilation):
    counted = naive.places(size, kernel, stride, padding, dilation)
    computed = conv_output_size(size, kernel, stride, padding, dilation)
    assert max(computed, 0) == counted
    if counted:
        back = ops.conv_transpose_output_size(counted, kernel, stride, padding, dilation, 0)
        # Of all sizes that the convolution maps to `counted` places the transpose makes the least.
        assert size - stride < back <= size
        assert conv_output_size(back, kernel, stride, padding, dilation) == counted


def test_an_empty_batch_has_empty_outputs_and_no_gradient():
    options = {"stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}
    x, w = np.zeros((0, 6, 6, 2)), np.ones((4, 4, 2, 3))
    y = ops.conv2d(x, w, **options)
    assert y.shape == (0, 3, 3, 3)
    assert ops.conv2d_dx(y, w, x.shape, **options).shape == x.shape
    np.testing.assert_array_equal(ops.conv2d_dw(x, y, (4, 4), **options), np.zeros(w.shape))
