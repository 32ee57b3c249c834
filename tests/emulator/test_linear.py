"""minigan/ops/linear.py on the card: which kernel it takes, and views, sizes and errors."""

import numpy as np
import pytest

from minigan import cuda
from minigan.errors import KernelError, ShapeError, UnknownNameError
from minigan.ops import linear
from minigan.ops.cuda import linear as on_cuda
from minigan.ops.cuda import products
from tests.emulator.arrays import emulated
from tests.emulator.rounded import Choice, check_product, widened
from tests.emulator.runtime import EmulatorRuntime

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)


def normal(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def multiplied(a, b, precision="tf32"):
    with cuda.use_runtime(EmulatorRuntime()) as runtime, Choice(precision):
        return linear.matmul(a, b), runtime.launched


@pytest.mark.parametrize("precision", products.PRECISIONS)
@pytest.mark.parametrize("sizes", [(3, 5, 7), (64, 8, 20), (1, 1, 1), (4, 1, 600)])
def test_forward_dx_and_dw_of_a_dense_layer(precision, sizes):
    """y = x W, dx = dy W^T, dW = x^T dy: transposes are views, and none is copied."""
    n, inner, outer = sizes
    dtype = Choice(precision).dtype
    x, w, dy = (
        normal(*s, dtype=dtype, seed=i)
        for i, s in enumerate([(n, inner), (inner, outer), (n, outer)])
    )
    ex, ew, edy = map(emulated.asarray, (x, w, dy))
    cases = {"nn": (ex, ew, x, w), "nt": (edy, ew.T, dy, w.T), "tn": (ex.T, edy, x.T, dy)}
    for layout, (ea, eb, a, b) in cases.items():
        y, launched = multiplied(ea, eb, precision)
        # A matrix of one row or column is contiguous both ways.
        assert f"gemm_{layout}" in launched[0] or 1 in (*a.shape, *b.shape)
        check_product(y.get(), np.matmul, a, b, precision, a.shape[1])


def test_views_that_are_contiguous_neither_way_are_copied():
    a, b = normal(8, 12)[::2, 1::2], normal(12, 10)[::2, ::3]
    y, _ = multiplied(emulated.asarray(normal(8, 12))[::2, 1::2], emulated.asarray(b))
    check_product(y.get(), np.matmul, a, b, "tf32", 6)


def test_rows_off_their_boundary_take_the_scalar_kernel():
    """As a parameter may lie in its network's one buffer."""
    buffer = emulated.asarray(normal(1 + 8 * 12))
    aligned, off = buffer[:96].reshape(8, 12), buffer[1:].reshape(8, 12)
    right = emulated.asarray(normal(12, 8, seed=1))
    assert "small" in multiplied(aligned, right)[1][0]
    y, launched = multiplied(off, right)
    assert "scalar" in launched[0]
    check_product(y.get(), np.matmul, off.get(), right.get(), "tf32", 12)


@pytest.mark.parametrize("sizes", [(0, 3, 4), (3, 0, 4), (3, 4, 0)])
def test_empty(sizes):
    """Nothing to sum gives zeros; no rows or columns launch nothing."""
    m, k, n = sizes
    y, _ = multiplied(emulated.asarray(normal(m, k)), emulated.asarray(normal(k, n)))
    np.testing.assert_array_equal(y.get(), np.zeros((m, n), np.float32))


def test_bias_and_activation_in_one_pass(card):
    x, w, bias = normal(6, 9), normal(9, 5, seed=1), normal(5, seed=2)
    with Choice("fp32"):
        y = on_cuda.matmul_bias_act(
            *map(emulated.asarray, (x, w, bias)), "leaky_relu", slope=0.2
        ).get()
    plain = widened(x) @ w + bias
    np.testing.assert_allclose(y, np.where(plain > 0, plain, 0.2 * plain), atol=4e-6)


def test_a_gradient_is_added_to(card):
    x, dy, before = normal(30, 7), normal(30, 5, seed=1), normal(7, 5, seed=2)
    with Choice("fp32"):
        grad = emulated.asarray(before)
        on_cuda.add_matmul(grad, emulated.asarray(x).T, emulated.asarray(dy), alpha=0.5)
    np.testing.assert_allclose(grad.get(), before + 0.5 * (widened(x).T @ dy), atol=4e-6)


def test_sizes_that_do_not_agree(card):
    with pytest.raises(ShapeError, match="do not agree"):
        linear.matmul(emulated.asarray(normal(3, 4)), emulated.asarray(normal(5, 6)))


@pytest.mark.parametrize("bias", [normal(4), normal(5, dtype=np.float64), normal(1, 5)])
def test_bias_that_does_not_fit(card, bias):
    with pytest.raises(ShapeError, match="5 columns of float32"):
        on_cuda.matmul_bias_act(*map(emulated.asarray, (normal(3, 4), normal(4, 5), bias)))


def test_bias_that_is_not_contiguous(card):
    """Copied, also for the sum of splits."""
    x, w, bias = normal(3, 2048), normal(2048, 5, seed=1), normal(10, seed=2)
    with Choice("fp32"):
        ex, ew, eb = map(emulated.asarray, (x, w, bias))
        y = on_cuda.matmul_bias_act(ex, ew, eb[::2]).get()
    assert "split_sum.split_sum_f32" in card.launched
    np.testing.assert_allclose(y, widened(x) @ w + bias[::2], atol=1e-4)


def test_activation_that_is_not_fused(card):
    with pytest.raises(UnknownNameError, match="leaky_relu"):
        on_cuda.matmul_bias_act(
            emulated.asarray(normal(3, 4)), emulated.asarray(normal(4, 5)), None, "leaky"
        )


@pytest.mark.parametrize("dtypes", [(np.float32, np.float64), (np.float16, np.float16)])
def test_types_that_no_kernel_takes(card, dtypes):
    a, b = (emulated.asarray(normal(4, 4, dtype=d)) for d in dtypes)
    with pytest.raises(KernelError, match=r"float64|float16"):
        linear.matmul(a, b)


# --- the choice of kernels ---------------------------------------------------------------------


def planned(m, n, k, precision="tf32", vectors=True, phases=1):
    with Choice(precision) as choice:
        return products.plan(m, n, k, choice.dtype, vectors=vectors, phases=phases)


def test_wide_tiles_where_there_are_enough_of_them():
    assert planned(128 * 12, 128 * 11, 64).kernel == "wide"
    assert planned(128 * 11, 128 * 11, 64).kernel == "small"
    assert planned(128 * 500, 64, 64).kernel == "small"  # half a tile would be idle
    assert planned(128 * 12, 128 * 11, 64, vectors=False).kernel == "scalar"
    assert planned(128 * 12, 128 * 11, 64, "fp64").kernel == "scalar"
    assert planned(128 * 4, 128 * 11, 64, phases=3).kernel == "wide"


def test_long_sums_are_split_until_the_card_is_occupied():
    plan = planned(1024, 128, 32768)  # dW of DCGAN's second layer: 8 wide tiles
    assert (plan.kernel, plan.grid, plan.splits) == ("wide", (8, 33), 33)
    assert planned(64, 64, 1023).splits == 1
    assert planned(64, 64, 1024).splits == 2
    assert planned(128 * 12, 128 * 11, 100_000).splits == 1


@pytest.mark.parametrize("precision", products.PRECISIONS)
def test_shared_memory_fits_every_card_that_a_kernel_is_for(precision):
    """48 KB without asking; 99 KB, the least of sm_80 and later, for those of tensor cores."""
    kernels = products.PRECISIONS[precision]
    assert all(
        t.shared <= 99 * 1024 and t.threads % 32 == 0 for t in (*kernels.aligned, kernels.scalar)
    )
    assert kernels.scalar.shared < 48 * 1024


def test_limits_of_a_launch():
    with pytest.raises(KernelError, match="blocks"):
        planned(8, 8, 8, phases=70_000)


class Huge:
    """An array too large to make."""

    shape, size, dtype = (1 << 16, 1 << 15), 1 << 31, F32


def test_arrays_that_32_bits_do_not_count():
    with pytest.raises(KernelError, match="use a smaller batch"):
        products.check_sizes(Huge())
