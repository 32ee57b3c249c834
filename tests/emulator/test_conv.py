"""Every kernel of kernels/conv*.cu and thin_conv.cu against NumPy's convolutions."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import cuda
from minigan.errors import KernelError, ShapeError
from minigan.ops import conv
from minigan.ops.cuda import products, thin, triad
from minigan.ops.patches import conv_output_size
from tests.emulator.arrays import emulated
from tests.emulator.rounded import Choice, check_product, widened
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.twins import examples

TILES = [
    (precision, tile)
    for precision, kernels in products.PRECISIONS.items()
    for tile in (*kernels.aligned, kernels.scalar)
]
every_tile = pytest.mark.parametrize(
    ("precision", "tile"), TILES, ids=[f"{p}-{t.name}" for p, t in TILES]
)


@st.composite
def geometries(draw):
    """Pictures, kernel, stride, padding and dilation: kernels below and above their stride, pixels
    that no place reaches, padding beyond the kernel."""
    kernel, stride, padding, dilation = (
        draw(st.tuples(*(st.integers(low, high),) * 2))
        for low, high in ((1, 4), (1, 3), (0, 3), (1, 3))
    )
    size = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 6))
        for k, p, d in zip(kernel, padding, dilation, strict=True)
    )
    return draw(st.integers(1, 3)), size, kernel, stride, padding, dilation


def arrays(geometry, channels, dtype, seed):
    """x, w, dy and the options of a convolution."""
    n, size, kernel, stride, padding, dilation = geometry
    c, o = channels
    places = [
        conv_output_size(*axis)
        for axis in zip(size, kernel, stride, padding, dilation, strict=True)
    ]
    rng = np.random.default_rng(seed)
    shapes = (n, *size, c), (*kernel, c, o), (n, *places, o)
    x, w, dy = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    return x, w, dy, {"stride": stride, "padding": padding, "dilation": dilation}


def check_triad(x, w, dy, options, precision):
    """y, dx and dw on the card against NumPy's, exactly and within the precision."""
    kernel, terms = w.shape[:2], w[..., 0].size
    ex, ew, edy = map(emulated.asarray, (x, w, dy))
    y = conv.conv2d(ex, ew, **options).get()
    dx = conv.conv2d_dx(edy, ew, x.shape, **options).get()
    dw = conv.conv2d_dw(ex, edy, kernel, **options).get()
    check_product(y, lambda a, b: conv.conv2d(a, b, **options), x, w, precision, terms)
    check_product(
        *(dx, lambda a, b: conv.conv2d_dx(a, b, x.shape, **options), dy, w, precision),
        terms=w[..., 0, :].size,
    )
    check_product(
        *(dw, lambda a, b: conv.conv2d_dw(a, b, kernel, **options), x, dy, precision),
        terms=dy[..., 0].size,
    )
    for card, host in ((ex, x), (ew, w), (edy, dy)):
        np.testing.assert_array_equal(card.get(), host)


@contextmanager
def only(precision, tile):
    """That one kernel computes all convolutions, thin or not."""
    kernels = products.PRECISIONS[precision]
    aligned = (tile,) if tile in kernels.aligned else ()
    with pytest.MonkeyPatch.context() as patch:
        forced = products.Precision(aligned, kernels.scalar)
        patch.setitem(products.PRECISIONS, precision, forced)
        patch.setattr(thin, "FEW", 0)
        yield


def run_forced(geometry, channels, precision, tile, seed):
    """The triad by one tile's kernels, whose names are checked."""
    runtime = EmulatorRuntime(seed)
    with only(precision, tile), cuda.use_runtime(runtime), Choice(precision) as choice:
        check_triad(*arrays(geometry, channels, choice.dtype, seed), precision)
    kernels = [name for name in runtime.launched if "split_sum" not in name]
    assert all(f"_{tile.name}_" in name for name in kernels)


@every_tile
@examples(12)
@given(geometry=geometries(), sizes=st.tuples(*(st.integers(1, 3),) * 2), seed=st.integers(0, 999))
def test_any_geometry(precision, tile, geometry, sizes, seed):
    step = 1 if tile.name == "scalar" else 4
    run_forced(geometry, [step * size for size in sizes], precision, tile, seed)


# As DCGAN's, small; several tiles each way, with ends; several of the tiles along k.
@every_tile
@pytest.mark.parametrize("channels", [(8, 72), (68, 12)])
def test_four_by_four_of_stride_two(precision, tile, channels):
    geometry = (2, (12, 12), (4, 4), (2, 2), (1, 1), (1, 1))
    run_forced(geometry, channels, precision, tile, seed=5)


@pytest.mark.parametrize("precision", products.PRECISIONS)
def test_long_sums_are_split(precision, monkeypatch):
    """Each of the triad's, so that y, phases of dx and dw all go through a workspace."""
    monkeypatch.setattr(products, "SHORTEST_RUN", 16)
    geometry = (2, (9, 8), (4, 3), (2, 2), (1, 1), (1, 1))
    with cuda.use_runtime(EmulatorRuntime(1)) as runtime, Choice(precision) as choice:
        check_triad(*arrays(geometry, (12, 20), choice.dtype, 2), precision)
    assert sum("split_sum" in name for name in runtime.launched) == 3


SMALL = st.integers(1, 6)
THIN = st.tuples(st.integers(1, 4), st.integers(1, 70)) | st.tuples(
    st.integers(5, 70) | st.just(257), st.integers(1, 4)
)


@pytest.mark.parametrize("precision", ["fp32", "fp64"])
@examples(40)
@given(geometry=geometries(), channels=THIN, seed=st.integers(0, 999))
def test_thin(precision, geometry, channels, seed):
    with cuda.use_runtime(EmulatorRuntime(seed)) as runtime, Choice(precision) as choice:
        check_triad(*arrays(geometry, channels, choice.dtype, seed), precision)
    side = "few_in" if channels[0] <= 4 else "few_out"
    names = [name for name in runtime.launched if "split_sum" not in name]
    assert all(name.startswith("thin_conv.") and side in name for name in names)


@pytest.mark.parametrize("outputs", [1, 4])
def test_a_block_shares_a_place_of_many_channels(outputs, card):
    """As 512 -> 1 at a discriminator's end: eight warps, whose sums meet in shared memory."""
    geometry = (3, (4, 4), (4, 4), (1, 1), (0, 0), (1, 1))
    with Choice("fp32") as choice:
        check_triad(*arrays(geometry, (thin.WIDE_ROW + 3, outputs), choice.dtype, 0), "fp32")


@pytest.mark.parametrize("channels", [(3, 8), (9, 1)])
def test_thin_sums_over_places_are_split(channels, card):
    """Enough places for three splits."""
    geometry = (3, (16, 16), (4, 4), (2, 2), (1, 1), (1, 1))
    with Choice("fp32") as choice:
        check_triad(*arrays(geometry, channels, choice.dtype, 0), "fp32")
    assert any("split_sum" in name for name in card.launched)


def test_thin_pictures_are_exact_in_any_precision(card):
    """TF32 and bf16 are for products that are bound by operations; these are not."""
    geometry = (1, (6, 6), (3, 3), (1, 1), (1, 1), (1, 1))
    for name in ("tf32", "bf16"):
        with Choice(name) as choice:
            check_triad(*arrays(geometry, (3, 8), choice.dtype, 0), "fp32")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@examples(15)
@given(
    geometry=geometries(), channels=st.tuples(*(st.integers(1, 6),) * 2), seed=st.integers(0, 99)
)
def test_naive(dtype, geometry, channels, seed):
    """Version 1, the plain twin: each launched by its name."""
    x, w, dy, options = arrays(geometry, channels, dtype, seed)
    shape = thin.Geometry(x.shape, dy.shape, w.shape[:2], *options.values())
    name = "fp64" if dtype is np.float64 else "fp32"
    ex, ew, edy = map(emulated.asarray, (x, w, dy))

    def naive(symbol, operands, like):
        plan = products.Plan("", "naive", (-(-like.size // 256), 1), (256,))
        out = emulated.empty(like.shape, dtype)
        return products.run("conv", symbol, plan, operands, out, shape.numbers()).get()

    with cuda.use_runtime(EmulatorRuntime(seed)):
        y = naive("conv2d", (ex, ew), dy)
        dx = naive("conv2d_dx", (edy, ew), x)
        dw = naive("conv2d_dw", (ex, edy), w)
    terms = max(w[..., 0].size, dy[..., 0].size, w[..., 0, :].size)
    check_product(y, lambda a, b: conv.conv2d(a, b, **options), x, w, name, terms)
    dx_of = lambda a, b: conv.conv2d_dx(a, b, x.shape, **options)  # noqa: E731
    check_product(dx, dx_of, dy, w, name, terms)
    dw_of = lambda a, b: conv.conv2d_dw(a, b, w.shape[:2], **options)  # noqa: E731
    check_product(dw, dw_of, x, dy, name, terms)


@pytest.mark.parametrize("precision", products.PRECISIONS)
@pytest.mark.parametrize("channels", [(8, 12), (3, 8), (12, 2)])
def test_bias_and_activation_in_one_pass(precision, channels, card):
    """Of a convolution and of a transposed one, by tiles and thin."""
    geometry = (2, (7, 6), (3, 3), (2, 1), (1, 1), (1, 1))
    with Choice(precision) as choice:
        x, w, dy, options = arrays(geometry, channels, choice.dtype, 1)
        ex, ew, edy = map(emulated.asarray, (x, w, dy))
        rng = np.random.default_rng(2)
        in_bias, out_bias = (rng.standard_normal(c).astype(choice.dtype) for c in channels)
        leaky = products.Finish(emulated.asarray(out_bias), 1.0, "leaky_relu", 0.2)
        y = triad.conv2d(ex, ew, **options, finish=leaky).get()
        tanh = products.Finish(emulated.asarray(in_bias), 0.5, "tanh")
        dx = triad.conv2d_dx(edy, ew, x.shape, **options, finish=tanh).get()
    thin_or_not = min(channels) > thin.FEW
    x, w, dy = (choice.round(a) if thin_or_not else widened(a) for a in (x, w, dy))
    plain = conv.conv2d(x, w, **options) + out_bias
    other = np.tanh(0.5 * conv.conv2d_dx(dy, w, x.shape, **options) + in_bias)
    tolerance = 1e-13 if precision == "fp64" else 2e-5  # sums of some ten numbers of size 1
    np.testing.assert_allclose(y, np.where(plain > 0, plain, 0.2 * plain), atol=tolerance)
    np.testing.assert_allclose(dx, other, atol=tolerance)


def test_output_padding_leaves_pixels_that_nothing_reaches(card):
    """dx of a shape that several sizes map to: the last rows and columns are zeros."""
    dy = np.random.default_rng(0).standard_normal((2, 3, 3, 8)).astype(np.float32)
    w = np.random.default_rng(1).standard_normal((2, 2, 8, 8)).astype(np.float32)
    options = {"stride": (3, 3), "padding": (0, 0), "dilation": (1, 1)}
    shape = (2, 10, 10, 8)  # 8 and output_padding 2
    with Choice("fp32"):
        ours = conv.conv2d_dx(emulated.asarray(dy), emulated.asarray(w), shape, **options).get()
    assert not ours[:, 8:].any()
    assert not ours[:, :, 8:].any()
    np.testing.assert_allclose(ours, conv.conv2d_dx(dy, w, shape, **options), atol=1e-5)


@pytest.mark.parametrize("channels", [(8, 8), (3, 8), (8, 1)])
def test_no_pictures(channels, card):
    """An empty batch gives empty results, and a dw of zeros."""
    geometry = (0, (6, 6), (3, 3), (1, 1), (1, 1), (1, 1))
    x, w, dy, options = arrays(geometry, channels, np.float32, 0)
    ex, ew, edy = map(emulated.asarray, (x, w, dy))
    assert conv.conv2d(ex, ew, **options).shape == dy.shape
    assert conv.conv2d_dx(edy, ew, x.shape, **options).shape == x.shape
    np.testing.assert_array_equal(
        conv.conv2d_dw(ex, edy, (3, 3), **options).get(), np.zeros_like(w)
    )


def test_kernel_that_does_not_fit(card):
    x, w = emulated.zeros((1, 3, 3, 4), np.float32), emulated.zeros((5, 5, 4, 4), np.float32)
    with pytest.raises(ShapeError, match="5"):
        conv.conv2d(x, w, stride=(1, 1), padding=(0, 0), dilation=(1, 1))


def test_batches_that_do_not_agree(card):
    x, dy = emulated.zeros((2, 3, 3, 4), np.float32), emulated.zeros((3, 3, 3, 4), np.float32)
    with pytest.raises(ShapeError, match="2 pictures, but 3 results"):
        conv.conv2d_dw(x, dy, (1, 1), stride=(1, 1), padding=(0, 0), dilation=(1, 1))


def test_mixed_types(card):
    x, w = emulated.zeros((1, 3, 3, 4), np.float32), emulated.zeros((1, 1, 4, 4), np.float64)
    with pytest.raises(KernelError, match="float64"):
        conv.conv2d(x, w, stride=(1, 1), padding=(0, 0), dilation=(1, 1))
