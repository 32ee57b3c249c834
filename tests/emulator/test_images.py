"""kernels/pool.cu and kernels/resample.cu against the NumPy functions."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minigan import cuda
from minigan.errors import ShapeError
from minigan.ops import pool, resample
from tests.emulator.arrays import emulated
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.twins import assert_close, assert_same, examples, on_card

quick = examples(25)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
small = st.integers(1, 4)
pairs = st.tuples(small, small)
images = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(1, 40))


def draw(shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@every_dtype
@quick
@given(shape=images, kernel=pairs, stride=pairs, seed=st.integers(0, 99), data=st.data())
def test_pooling_and_its_adjoints(dtype, shape, kernel, stride, seed, data):
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in kernel)
    fits = zip(shape[1:3], kernel, padding, strict=True)
    assume(all(size + 2 * p >= k for size, k, p in fits))
    geometry = (kernel, stride, padding)
    x = draw(shape, dtype, seed)
    x[x > 1.5] = 1.5  # ties: the first wins
    with cuda.use_runtime(EmulatorRuntime(seed)):
        y = assert_same(pool.avg_pool, x, *geometry)
        dy = draw(y.shape, dtype, seed + 1)
        assert_same(pool.avg_pool_dx, dy, shape, *geometry)

        y, winner = pool.max_pool(x, *geometry)
        ours, our_winner = pool.max_pool(on_card(x), *geometry)
        np.testing.assert_array_equal(ours.get(), y)
        np.testing.assert_array_equal(our_winner.get(), winner)
        dx = pool.max_pool_dx(on_card(dy), our_winner, shape, *geometry)
        assert_close(dx.get(), pool.max_pool_dx(dy, winner, shape, *geometry))
        read = pool.max_pool_gather(on_card(x), our_winner, *geometry)
        np.testing.assert_array_equal(read.get(), pool.max_pool_gather(x, winner, *geometry))


def test_a_nan_wins(card):
    x = np.zeros((1, 2, 2, 1), np.float32)
    x[0, 1, 0] = np.nan
    y, winner = pool.max_pool(on_card(x), (2, 2), (2, 2), (0, 0))
    assert np.isnan(y.get()).all()
    assert winner.tolist() == pool.max_pool(x, (2, 2), (2, 2), (0, 0))[1].tolist()


def test_a_window_that_does_not_fit_is_refused(card):
    with pytest.raises(ShapeError, match=r"kernel of 3x3.*2x2"):
        pool.avg_pool(emulated.zeros((1, 2, 2, 1), np.float32), (3, 3), (1, 1), (0, 0))


@every_dtype
@pytest.mark.parametrize("name", ["upsample_nearest", "upsample_bilinear"])
@quick
@given(shape=images, scale=pairs, seed=st.integers(0, 99))
def test_upsampling_and_its_adjoint(name, dtype, shape, scale, seed):
    x = draw(shape, dtype, seed)
    with cuda.use_runtime(EmulatorRuntime(seed)):
        y = assert_same(getattr(resample, name), x, scale)
        assert_same(getattr(resample, f"{name}_dx"), draw(y.shape, dtype, seed + 1), scale)


@every_dtype
@quick
@given(shape=images, factor=st.integers(1, 3), seed=st.integers(0, 99))
def test_shuffling_pixels_there_and_back(dtype, shape, factor, seed):
    x = draw((*shape[:3], shape[3] * factor**2), dtype, seed)
    with cuda.use_runtime(EmulatorRuntime(seed)):
        y = assert_same(resample.pixel_shuffle, x, factor)
        back = resample.pixel_unshuffle(on_card(y), factor)
    np.testing.assert_array_equal(back.get(), x)
