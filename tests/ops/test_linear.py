"""The product cut among threads against explicit sums."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from minigan import parallel
from minigan.ops.linear import matmul


@pytest.fixture(params=[1, 2])
def threads(request, monkeypatch):
    monkeypatch.setattr(parallel, "SMALL", 1)
    with threadpool_limits():
        parallel.use_threads(request.param)
        yield request.param
        parallel.use_threads(1)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 2), (2, 3, 7), (150, 90, 120), (90, 120, 150)])
@pytest.mark.parametrize("transposed", [False, True])
def test_it_is_the_sum_of_products(threads, shape, transposed):
    m, k, n = shape
    rng = np.random.default_rng(0)
    a = rng.standard_normal((k, m)).T if transposed else rng.standard_normal((m, k))
    b = rng.standard_normal((n, k)).T if transposed else rng.standard_normal((k, n))
    expected = np.add.reduce(a[:, :, None] * b[None], axis=1)
    np.testing.assert_allclose(matmul(a, b), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_result_is_a_new_contiguous_array_of_the_same_dtype(threads, dtype):
    out = matmul(np.ones((200, 300), dtype), np.ones((300, 250), dtype))
    assert out.dtype == dtype
    assert out.flags.c_contiguous
    np.testing.assert_array_equal(out, 300)
