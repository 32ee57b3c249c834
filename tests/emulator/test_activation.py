"""kernels/activation.cu against the NumPy functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import cuda
from minigan.ops import activation as ops
from minigan.ops import affine, linear
from tests.emulator.arrays import emulated
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.twins import assert_same, examples

FUNCTIONS = {
    "relu": (),
    "leaky_relu": (0.2,),
    "elu": (0.7,),
    "tanh": (),
    "sigmoid": (),
    "softplus": (3.0,),
}
every_function = pytest.mark.parametrize("name", FUNCTIONS)


def numbers(n: int, dtype: type, seed: int) -> np.ndarray:
    """Both sides of 0, 0 itself, and far out."""
    x = np.random.default_rng(seed).standard_normal(n) * 4
    x[::7] = 0
    x[::11] *= 30
    return x.astype(dtype)


# Sizes around a vector (2 or 4 numbers), a block's share and the strides of a grid.
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_function
@examples(12)
@given(n=st.integers(1, 9) | st.integers(1020, 1030), seed=st.integers(0, 99))
def test_every_function_and_derivative(name, dtype, n, seed):
    arguments = FUNCTIONS[name]
    x, dy = numbers(n, dtype, seed), numbers(n, dtype, seed + 1)
    with cuda.use_runtime(EmulatorRuntime(seed)) as runtime:
        y = assert_same(getattr(ops, name), x, *arguments)
        for kept in (x, y):
            if name == "sigmoid" or name == "tanh" or name == "elu":
                kept = y
            assert_same(getattr(ops, f"{name}_dx"), dy, kept, *arguments)
            if hasattr(ops, f"{name}_d2"):
                assert_same(getattr(ops, f"{name}_d2"), kept, *arguments)
    assert set(runtime.launched) <= {
        f"activation.{name}{part}_f{np.dtype(dtype).itemsize * 8}" for part in ("", "_dx", "_d2")
    }


@every_function
def test_a_nan_stays_one(name, card):
    """So that what went wrong is found where it is looked for, in the loss or a gradient."""
    x = np.array([np.nan, -1, 0, 2, np.inf, -np.inf], np.float32)
    ours = getattr(ops, name)(emulated.asarray(x), *FUNCTIONS[name]).get()
    np.testing.assert_allclose(ours, getattr(ops, name)(x, *FUNCTIONS[name]), rtol=1e-6)
    assert np.isnan(ours[0])
    assert not np.isnan(ours[1:]).any()


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "tanh"])
def test_a_nan_stays_one_where_the_function_is_fused(name, card):
    slope = {"slope": 0.2} if name == "leaky_relu" else {}
    x, w = np.ones((4, 3), np.float32), np.ones((3, 5), np.float32)
    w[1, 2] = np.nan
    off = emulated.zeros(5, np.float32)
    dense = linear.matmul_bias_act(emulated.asarray(x), emulated.asarray(w), off, name, **slope)
    normed = affine.activated(emulated.asarray(w), off, off, off, name, **slope)
    for y, row in ((dense, slice(None)), (normed, 1)):
        assert np.isnan(y.get()[row, 2]).all()
        assert not np.isnan(np.delete(y.get(), 2, 1)).any()
