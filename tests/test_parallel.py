"""Work in parts: the same numbers with any number of threads, errors that surface, own scratch."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from minigan import parallel
from minigan.errors import OptionError
from minigan.layers import BatchNorm, Conv2d, ConvTranspose2d, LeakyReLU, Sequential

LARGE = parallel.SMALL


@pytest.fixture(autouse=True)
def restored_threads():
    with threadpool_limits():  # puts BLAS back as it was
        yield
        parallel.use_threads(1)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_parts_cover_the_range_once(threads, n):
    parallel.use_threads(threads)
    seen = np.zeros(n, int)

    def work(start, stop):
        seen[start:stop] += 1

    parallel.over_parts(work, n, LARGE)
    np.testing.assert_array_equal(seen, 1)


def test_large_work_runs_on_as_many_threads_as_asked_and_small_work_on_one():
    parallel.use_threads(2)
    both = threading.Barrier(2, timeout=30)  # passes only if two threads are in it at once
    names = set()

    def work(start, stop):
        both.wait()
        names.add(threading.current_thread().name)

    parallel.over_parts(work, 2, LARGE)
    assert len(names) == 2
    parts = []
    parallel.over_parts(lambda start, stop: parts.append((start, stop)), 2, LARGE - 1)
    assert parts == [(0, 2)]


def test_parts_are_not_cut_again():
    parallel.use_threads(2)
    inner = []

    def work(start, stop):
        parallel.over_parts(lambda a, b: inner.append(b - a), 10, LARGE)

    parallel.over_parts(work, 2, LARGE)
    assert inner == [10, 10]
    parallel.over_parts(lambda a, b: inner.append(b - a), 10, LARGE)
    assert inner[2:] == [5, 5]  # and later work is cut as before


@pytest.mark.parametrize("bad", [0, 1])
def test_an_error_in_any_part_is_raised(bad):
    parallel.use_threads(2)

    def work(start, stop):
        if start == bad:
            raise ValueError(f"part {bad}")

    with pytest.raises(ValueError, match=f"part {bad}"):
        parallel.over_parts(work, 2, LARGE)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_products_run_on_one_blas_thread_whatever_the_number_of_ours(count):
    """Of one thread as well: a run that was given one processor keeps to it."""
    parallel.use_threads(count)  # the second call holds it too, after someone else's two
    with threadpool_limits(2, user_api="blas"):
        assert blas_threads() == {2}
        parallel.use_threads(count)
        assert blas_threads() == {1}
        parallel.use_threads(2)
        assert blas_threads() == {1}
    assert parallel.thread_count() == 2


def blas_threads():
    """In each product, of every BLAS library that is loaded."""
    return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}


def test_a_number_of_threads_below_one_is_refused():
    with pytest.raises(OptionError, match="0 threads"):
        parallel.use_threads(0)


def test_scratch_is_reused_by_a_thread_and_not_shared_between_two():
    mine = parallel.scratch("a", (4, 4), np.float64)
    assert np.shares_memory(mine, parallel.scratch("a", (2, 2), np.float32))
    assert not np.shares_memory(mine, parallel.scratch("b", (4, 4), np.float64))
    others = []
    thread = threading.Thread(target=lambda: others.append(parallel.scratch("a", (4,), np.float64)))
    thread.start()
    thread.join()
    assert not np.shares_memory(mine, others[0])


def run(threads):
    """Output, input gradient and parameter gradients of a network, on 9 pictures."""
    parallel.use_threads(threads)
    rng = np.random.default_rng(0)
    net = Sequential(
        Conv2d(3, 16, 4, stride=2, padding=1, rng=rng),
        LeakyReLU(negative_slope=0.2),
        Conv2d(16, 32, 3, stride=1, padding=1, rng=rng),
        BatchNorm(32),
        ConvTranspose2d(32, 8, 4, stride=2, padding=1, rng=rng),
    ).astype(np.float64)
    x = rng.standard_normal((9, 32, 32, 3))
    y, ctx = net.forward(x)
    dx = net.backward(rng.standard_normal(y.shape), ctx)
    return y, dx, net.flat.grad.copy()


@pytest.mark.parametrize("threads", [2, 3])
def test_a_network_computes_the_same_on_several_threads(threads, monkeypatch):
    monkeypatch.setattr(parallel, "SMALL", 1)
    for one, many in zip(run(1), run(threads), strict=True):
        np.testing.assert_allclose(many, one, rtol=0, atol=1e-11 * np.abs(one).max())


def test_several_threads_give_the_same_bits_every_time(monkeypatch):
    monkeypatch.setattr(parallel, "SMALL", 1)
    for first, second in zip(run(2), run(2), strict=True):
        np.testing.assert_array_equal(first, second)


def test_parts_are_summed_in_their_order_whichever_ends_first():
    """2^24 + 1 is rounded to 2^24 in float32: added in another order the sum is 1."""
    parallel.use_threads(3)
    values = np.array([2**24, 1, -(2**24)], np.float32)
    ended = [threading.Event() for _ in range(4)]
    ended[3].set()

    def work(start, stop):
        assert ended[stop].wait(30)  # the last part ends first
        ended[start].set()
        return values[start:stop].copy()

    np.testing.assert_array_equal(parallel.sum_over_parts(work, 3, LARGE), [0])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(3,), (5, 4), (2, 3, 300)])
def test_adding_into_an_array_adds_every_number_once(threads, shape, monkeypatch):
    monkeypatch.setattr(parallel, "SMALL", 1)
    monkeypatch.setattr(parallel, "BLOCK", 7)
    parallel.use_threads(threads)
    target, value = np.random.default_rng(0).standard_normal((2, *shape))
    expected = target + value
    parallel.add_into(target, value)
    np.testing.assert_array_equal(target, expected)
