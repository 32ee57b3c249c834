"""kernels/gather.cu and kernels/special.cu against the NumPy functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import cuda
from minigan.ops import embedding, maxout, special
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.twins import assert_close, assert_same, examples, on_card

quick = examples(20)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
shapes = st.tuples(st.integers(1, 9), st.integers(1, 70))


@every_dtype
@quick
@given(shape=shapes, pieces=st.integers(2, 5), seed=st.integers(0, 99))
def test_maxout_and_its_derivatives(dtype, shape, pieces, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (*shape[:1], shape[1] * pieces)).astype(dtype)  # ties
    dy, v = (rng.standard_normal(s).astype(dtype) for s in (shape, x.shape))
    with cuda.use_runtime(EmulatorRuntime(seed)):
        _, winner = assert_same(maxout.maxout, x, pieces)
        assert_same(maxout.maxout_dx, dy, winner, pieces)
        assert_same(maxout.maxout_gather, v, winner, pieces)


@every_dtype
@pytest.mark.parametrize("kind", [np.int64, np.int32])
@quick
@given(rows=st.integers(1, 20), c=st.integers(1, 40), n=st.integers(1, 50), seed=st.integers(0, 99))
def test_rows_are_taken_and_added_back(kind, dtype, rows, c, n, seed):
    rng = np.random.default_rng(seed)
    table, index = (
        rng.standard_normal((rows, c)).astype(dtype),
        rng.integers(0, rows, n).astype(kind),
    )
    added = rng.standard_normal((n, c)).astype(dtype)
    ours = on_card(table)
    with cuda.use_runtime(EmulatorRuntime(seed)):
        assert_same(embedding.take_rows, table, index)
        embedding.add_rows(ours, on_card(index), on_card(added))
    embedding.add_rows(table, index, added)
    assert_close(ours.get(), table, terms=n)


def test_an_index_outside_the_table_gives_nans(card):
    table, index = np.ones((3, 2), np.float32), np.array([0, 3, -1, 2])
    rows = embedding.take_rows(on_card(table), on_card(index)).get()
    assert np.isnan(rows).all(1).tolist() == [False, True, True, False]


@every_dtype
def test_lambert_w_of_the_exponential(dtype, card):
    x = np.concatenate([np.linspace(-90, 90, 3001), [-700, 1e4, 1e30, 0, 1]]).astype(dtype)
    ours = special.lambertw_exp(on_card(x)).get()
    theirs = special.lambertw_exp(x)
    # Half a last bit of a negative x is |x| / 2 last bits of e^x.
    assert (abs(ours - theirs) <= (8 + abs(x.clip(-100, 0))) * np.finfo(dtype).eps * theirs).all()
    ends = np.array([np.inf, -np.inf, np.nan], dtype)
    np.testing.assert_array_equal(special.lambertw_exp(on_card(ends)).get(), [np.inf, 0, np.nan])
    np.testing.assert_array_equal(special.lambertw_exp(ends), [np.inf, 0, np.nan])
