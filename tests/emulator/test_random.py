"""kernels/random.cu gives the CPU's bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import cuda
from minigan.ops import random
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.twins import examples, on_card

quick = examples(20)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
# Words near 2^64 carry into the next one.
words = st.integers(0, 2**64 - 1) | st.integers(2**64 - 70, 2**64 - 1)
states = st.lists(words, min_size=6, max_size=6).map(lambda w: np.array(w, np.uint64))
shapes = st.tuples(st.integers(1, 40), st.integers(1, 40)) | st.just((2, 1031))


@every_dtype
@quick
@given(state=states, shape=shapes, low=st.sampled_from([0.0, -1.0, -0.3]))
def test_uniform_numbers_are_equal_to_the_bit(dtype, state, shape, low):
    with cuda.use_runtime(EmulatorRuntime()):
        ours = random.uniform(on_card(state), shape, low, 1.0, dtype).get()
    theirs = random.uniform(state, shape, low, 1.0, dtype)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == dtype


@every_dtype
@quick
@given(state=states, shape=shapes, p=st.sampled_from([0.1, 0.5, 0.999]))
def test_dropout_is_equal_to_the_bit(dtype, state, shape, p):
    with cuda.use_runtime(EmulatorRuntime()):
        ours = random.dropout_scale(on_card(state), shape, p, dtype).get()
    np.testing.assert_array_equal(ours, random.dropout_scale(state, shape, p, dtype))


@every_dtype
@quick
@given(state=states, shape=shapes)
def test_normal_numbers_differ_by_rounding_at_most(dtype, state, shape):
    """Bits are equal; log, sin and cos are another library's, exact to about a last bit."""
    with cuda.use_runtime(EmulatorRuntime()):
        ours = random.normal(on_card(state), shape, dtype).get()
    theirs = random.normal(state, shape, dtype)
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours, theirs, rtol=4 * np.finfo(dtype).eps, atol=1e-15)


def test_the_state_stays_as_it_is(card):
    state = np.arange(6, dtype=np.uint64)
    given = on_card(state)
    random.normal(given, (5,), np.float32)
    np.testing.assert_array_equal(given.get(), state)
