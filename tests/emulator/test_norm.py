"""kernels/norm.cu and kernels/reduce.cu against the NumPy functions."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minigan import cuda
from minigan.errors import KernelError, UnknownNameError
from minigan.ops import affine, channels, norm
from tests.emulator.arrays import emulated
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.twins import assert_close, assert_same, examples, on_card

EPS = 1e-3
seeds = st.integers(0, 2**32)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
quick = examples(15)

# One row and one column, sides of a warp and of a tile, and rows enough for several slabs.
shapes = st.sampled_from(
    [(2, 1), (3, 5), (1, 33), (7, 31), (300, 3), (2, 5, 7, 32), (4, 8, 8, 64), (2100, 1), (700, 40)]
) | st.tuples(st.integers(1, 70), st.integers(1, 70))


def draw(shape, dtype, seed, count=1, mean=0.0):
    rng = np.random.default_rng(seed)
    arrays = [(rng.standard_normal(shape) + mean).astype(dtype) for _ in range(count)]
    return arrays[0] if count == 1 else arrays


@every_dtype
@quick
@given(shape=shapes, seed=seeds)
@example(shape=(700, 40), seed=0)  # several slabs
def test_sums_and_moments_of_channels(dtype, shape, seed):
    x = draw(shape, dtype, seed, mean=3.0)
    with cuda.use_runtime(EmulatorRuntime(seed)):
        assert_same(channels.channel_sum, x, terms=x.size)


@every_dtype
@quick
@given(
    shape=shapes.filter(lambda shape: math.prod(shape[:-1]) > 1), seed=seeds, affine=st.booleans()
)
@example(shape=(700, 40), seed=0, affine=True)  # several slabs
@example(shape=(700, 40), seed=0, affine=False)
def test_statistics_of_batch_norm(dtype, shape, seed, affine):
    x = draw(shape, dtype, seed, mean=3.0)
    gamma, *running = draw(shape[-1:], dtype, seed + 1, 3)
    arguments = x, gamma if affine else None, EPS, tuple(running)
    given = on_card(arguments)  # before the host's are moved
    with cuda.use_runtime(EmulatorRuntime(seed)):
        found = channels.batch_statistics(*given, momentum=0.1)
    expected = channels.batch_statistics(*arguments, momentum=0.1)
    for mine, theirs in zip((*found, *given[3]), (*expected, *running), strict=True):
        assert_close(mine.get(), theirs, factor=4)


@every_dtype
@quick
@given(shape=shapes, seed=seeds, factor=st.sampled_from([1.0, -0.3]))
@example(shape=(700, 40), seed=0, factor=-0.3)  # several slabs
def test_sums_are_added_up(dtype, shape, seed, factor):
    arguments = draw(shape[-1:], dtype, seed), draw(shape, dtype, seed + 1)
    out, x = on_card(arguments)
    with cuda.use_runtime(EmulatorRuntime(seed)):
        channels.add_channel_sum(out, x, factor)
    channels.add_channel_sum(*arguments, factor)
    assert_close(out.get(), arguments[0], factor=2, terms=arguments[1].size)


@every_dtype
@quick
@given(channel_count=st.integers(1, 700), seed=seeds)
def test_gradients_of_gamma_and_beta_are_added_up(dtype, channel_count, seed):
    arguments = draw((channel_count,), dtype, seed, 5)
    given = on_card(arguments)
    with cuda.use_runtime(EmulatorRuntime(seed)):
        channels.add_affine_grads(*given)
    channels.add_affine_grads(*arguments)
    for mine, theirs in zip(given, arguments, strict=True):
        assert_close(mine.get(), theirs)


def test_moments_about_a_far_mean_lose_nothing():
    """In float32 the difference of two sums of squares would be wrong in its first digit."""
    x = (1000 + np.random.default_rng(0).standard_normal((5000, 2))).astype(np.float32)
    with cuda.use_runtime(EmulatorRuntime()):
        _, s, _ = channels.batch_statistics(emulated.asarray(x), None, EPS)
    expected = (x.astype(np.float64).var(0) + EPS) ** -0.5
    np.testing.assert_allclose(s.get(), expected, rtol=1e-4)


@every_dtype
@pytest.mark.parametrize("activation", affine.ACTIVATIONS)
@quick
@given(shape=shapes, seed=seeds, shifted=st.booleans())
@example(shape=(700, 40), seed=0, shifted=True)
def test_batch_norm_with_its_activation(activation, dtype, shape, seed, shifted):
    x, dy = draw(shape, dtype, seed, 2)
    mean, scale, shift = draw(shape[-1:], dtype, seed + 1, 3)
    s = abs(scale) + dtype(0.1)
    shift = shift if shifted else None
    # A number at a kink may fall on either side of it.
    pre = (x - mean) * scale + (0 if shift is None else shift)
    x[abs(pre) < 1e-5] += dtype(0.01)
    with cuda.use_runtime(EmulatorRuntime(seed)) as runtime:
        assert_same(affine.activated, x, mean, scale, shift, activation, 0.2)
        arguments = (dy, x, mean, scale, shift, activation, 0.2)
        sums = assert_same(affine.activated_sums, *arguments, terms=x.size)
        arguments = (dy, x, mean, s, scale, shift, *sums, activation, 0.2)
        # Of one row dy cancels its own mean: errors are those of numbers about 1.
        assert_same(affine.activated_dx, *arguments, factor=4, terms=1)
    assert all(activation in name or "slabs" in name for name in runtime.launched)


@every_dtype
@quick
@given(shape=shapes, seed=seeds)
@example(shape=(1, 1), seed=3066)
def test_batch_norm_alone(dtype, shape, seed):
    x, dy = draw(shape, dtype, seed, 2)
    mean, scale, s = draw(shape[-1:], dtype, seed + 1, 3)
    with cuda.use_runtime(EmulatorRuntime(seed)):
        assert_same(channels.scale_and_shift, x, mean, scale, None)
        sums = assert_same(channels.batch_norm_sums, dy, x, mean, terms=x.size)
        assert_same(channels.batch_norm_dx, dy, x, mean, s, scale, *sums, factor=4, terms=1)


CASES = [
    ((4, 3), (0,)),
    ((2, 3, 5, 2), (0, 1, 2)),
    ((3, 2, 5, 1), (1, 2)),
    ((5, 8, 8, 4), (1, 2)),
    ((2, 3, 4), (1, 2)),
    ((3, 7), (1,)),
    ((2, 9000), (-1,)),
    ((70, 40, 33), (1,)),
    ((1, 2, 1), (1,)),
]


@every_dtype
@pytest.mark.parametrize(("shape", "axes"), CASES, ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_any_axes_and_both_derivatives(shape, axes, dtype, seed):
    x, g, u = draw(shape, dtype, seed, 3)
    with cuda.use_runtime(EmulatorRuntime(seed)):
        assert_same(norm.mean_over, x, axes)
        xhat, s, _, _ = assert_same(norm.normalize, x, axes, EPS, factor=4)
        assert_same(norm.normalize_dx, g, xhat, s, axes, factor=4)
        assert_same(norm.normalize_ddx, u, g, xhat, s, axes, factor=20)


def test_results_do_not_depend_on_the_order_of_threads_and_blocks():
    x = emulated.asarray(draw((3000, 40), np.float32, 0))
    results = []
    for seed in range(3):
        with cuda.use_runtime(EmulatorRuntime(seed)):
            mean, s, _ = channels.batch_statistics(x, None, EPS)
            results.append((mean.tolist(), s.tolist(), channels.channel_sum(x).tolist()))
    assert results[0] == results[1] == results[2]


def test_what_cannot_be_done_is_refused(card):
    x = emulated.zeros((2, 3, 4, 5), np.float32)
    with pytest.raises(KernelError, match=r"axes \(0, 2\).*neighbouring"):
        norm.mean_over(x, (0, 2))
    vector = emulated.zeros(5, np.float32)
    with pytest.raises(UnknownNameError, match=r"fused activation 'gelu'.*relu, tanh"):
        affine.activated(x, vector, vector, None, "gelu")
    with pytest.raises(KernelError, match=r"float16.*float32 and float64"):
        channels.channel_sum(emulated.zeros((2, 3), np.float16))
