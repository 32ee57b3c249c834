"""Every kernel of kernels/gemm*.cu and split_sum.cu against NumPy, by its name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import cuda
from minigan.ops.cuda import products
from tests.emulator.arrays import emulated
from tests.emulator.rounded import ROUND, Choice, check_product
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.twins import examples

LAYOUTS = ("nn", "nt", "tn", "tt")
KERNELS = [
    (precision, layout, tile)
    for precision, kernels in products.PRECISIONS.items()
    for tile in (*kernels.aligned, kernels.scalar)
    for layout in (LAYOUTS if tile is kernels.scalar else LAYOUTS[:3])
]
every_kernel = pytest.mark.parametrize(
    ("precision", "layout", "tile"), KERNELS, ids=[f"{p}-{x}-{t.name}" for p, x, t in KERNELS]
)


def factors(sizes, layout, dtype, seed):
    """a and b as they are stored, for op(a) (m, k) and op(b) (k, n)."""
    m, n, k = sizes
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((k, m) if layout[0] == "t" else (m, k)).astype(dtype)
    b = rng.standard_normal((n, k) if layout[1] == "t" else (k, n)).astype(dtype)
    return a, b


def oracle(layout):
    """op(a) op(b) of a layout."""

    def product(a, b):
        return (a.T if layout[0] == "t" else a) @ (b.T if layout[1] == "t" else b)

    return product


def launched(a, b, sizes, precision, layout, tile, splits=1, finish=products.PLAIN, before=None):
    """What the kernel of that name computes."""
    m, n, _ = sizes
    grid = (-(-m // tile.m) * -(-n // tile.n), splits)
    plan = products.Plan(tile.file, tile.name, grid, (tile.threads,), tile.shared, splits)
    out = emulated.empty((m, n), a.dtype) if before is None else emulated.asarray(before)
    operands = emulated.asarray(a), emulated.asarray(b)
    return products.run("gemm", f"gemm_{layout}", plan, operands, out, sizes, finish).get()


sizes_around_tiles = st.tuples(*(st.integers(1, 10) | st.integers(60, 68),) * 2) | st.just((1, 130))


@every_kernel
@examples(6)
@given(
    ends=sizes_around_tiles,
    k=st.integers(1, 20) | st.integers(30, 70),
    splits=st.integers(1, 3),
    seed=st.integers(0, 999),
)
def test_tiles(precision, layout, tile, ends, k, splits, seed):
    """Any size, also smaller than a tile; as many splits as asked, the last ones perhaps empty."""
    step = 1 if tile.name == "scalar" else 4
    m, n, k = (-(-size // step) * step for size in (*ends, k))
    with cuda.use_runtime(EmulatorRuntime(seed)) as runtime, Choice(precision) as choice:
        a, b = factors((m, n, k), layout, choice.dtype, seed)
        ours = launched(a, b, (m, n, k), precision, layout, tile, splits)
    check_product(ours, oracle(layout), a, b, precision, k)
    assert runtime.launched[0].endswith(f"gemm_{layout}_{tile.name}_f{8 * a.itemsize}")
    assert len(runtime.launched) == 1 + (splits > 1)


@pytest.mark.parametrize("precision", products.PRECISIONS)
@pytest.mark.parametrize("splits", [1, 2])
@pytest.mark.parametrize("activation", products.ACTIVATIONS)
def test_finish(precision, splits, activation):
    """act(alpha sum + bias + what was there), whether the product or split_sum does it."""
    sizes = (5, 6, 33)
    act = {
        "none": lambda v: v,
        "relu": lambda v: np.maximum(v, 0),
        "leaky_relu": lambda v: np.where(v > 0, v, 0.2 * v),
        "tanh": np.tanh,
    }[activation]
    tile = products.PRECISIONS[precision].scalar
    with cuda.use_runtime(EmulatorRuntime()), Choice(precision) as choice:
        a, b = factors(sizes, "nn", choice.dtype, 3)
        rng = np.random.default_rng(4)
        bias, before = (rng.standard_normal(s).astype(choice.dtype) for s in (6, (5, 6)))
        finish = products.Finish(emulated.asarray(bias), 0.5, activation, 0.2, accumulate=True)
        ours = launched(a, b, sizes, precision, "nn", tile, splits, finish, before)
        theirs = act(0.5 * (ROUND[precision](a) @ ROUND[precision](b)) + bias + before)
    tolerance = 1e-14 if precision == "fp64" else 2e-6  # a few roundings of numbers below 16
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_naive(dtype, layout, card):
    """Version 1, the plain twin."""
    sizes = m, n, k = 9, 35, 17
    a, b = factors(sizes, layout, dtype, 0)
    out = emulated.empty((m, n), dtype)
    ends = products.PLAIN.arguments(np.dtype(dtype))
    turned = (np.int32(letter == "t") for letter in layout)
    cuda.launch(
        f"gemm.gemm_naive_f{8 * a.itemsize}",
        *((2,), (256,), emulated.asarray(a), emulated.asarray(b), None, out),
        *(*(np.int32(i) for i in (*sizes, 1)), *ends, *turned),
    )
    name = "fp64" if dtype is np.float64 else "fp32"
    check_product(out.get(), oracle(layout), a, b, name, k)


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_rounding_of_ties_and_extremes(precision):
    """Halfway between two numbers of the format, both ways and signs; infinities stay."""
    step = 2.0 ** -{"tf32": 10, "bf16": 7}[precision]
    values = [1 + step / 2, 1 + 3 * step / 2, -1 - step / 2, 1 + step / 4, 0.0, 1e38, 1e-39]
    a = np.array(values, np.float32)[:, None]
    one = np.ones((1, 1), np.float32)
    sizes, tile = (a.size, 1, 1), products.PRECISIONS[precision].scalar
    with cuda.use_runtime(EmulatorRuntime()), Choice(precision):
        ours = launched(a, one, sizes, precision, "nn", tile)
        huge = launched(np.full((1, 1), np.inf, np.float32), one, (1, 1, 1), precision, "nn", tile)
    np.testing.assert_array_equal(ours, ROUND[precision](a))
    assert np.isposinf(huge).all()


@pytest.mark.parametrize("precision", products.PRECISIONS)
def test_same_bits_in_any_order_of_threads(precision):
    tile = products.PRECISIONS[precision].scalar
    sizes = 65, 7, 130
    a, b = factors(sizes, "tn", Choice(precision).dtype, 1)
    results = set()
    for seed in range(4):
        with cuda.use_runtime(EmulatorRuntime(seed)):
            results.add(launched(a, b, sizes, precision, "tn", tile, 3).tobytes())
    assert len(results) == 1
