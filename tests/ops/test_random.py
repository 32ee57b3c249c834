"""Random arrays: the paper's bits, their laws, and that a draw is a function of key and counter."""

import numpy as np
import pytest
from scipy import stats

from minigan.ops import random

MASK = 2**64 - 1
# Salmon et al. 2011, Random123's philox.h.
MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)


def philox_block(key, counter):
    """Ten rounds of Philox 4x64, in Python's integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        first, second = MULTIPLIERS[0] * c[0], MULTIPLIERS[1] * c[2]
        c = [
            (second >> 64) ^ c[1] ^ k[0],
            second & MASK,
            (first >> 64) ^ c[3] ^ k[1],
            first & MASK,
        ]
        k = [(k[i] + WEYL[i]) & MASK for i in (0, 1)]
    return c


def words(state, n):
    """n words from the blocks counter + 1, counter + 2, ... of a state."""
    key, counter = [int(v) for v in state[:2]], [int(v) for v in state[2:]]
    start = sum(word << (64 * i) for i, word in enumerate(counter))
    found = []
    for block in range(1, n // 4 + 2):
        number = start + block
        found += philox_block(key, [(number >> (64 * i)) & MASK for i in range(4)])
    return found[:n]


def a_state(seed=0, low=0, count=7):
    state = np.random.default_rng(seed).integers(0, 2**63, 6, np.uint64)
    state[2:] = low, 0, 0, count
    return state


@pytest.mark.parametrize("low", [0, 5, MASK])
@pytest.mark.parametrize("size", [1, 4, 11])
def test_uniform_numbers_are_the_upper_53_bits_of_philox(low, size):
    """Also where the first word of the counter overflows into the second."""
    state = a_state(low=low)
    u = random.uniform(state, (size,), 0.0, 1.0, np.float64)
    np.testing.assert_array_equal(u, [(word >> 11) / 2**53 for word in words(state, size)])
    np.testing.assert_array_equal(
        random.uniform(state, (size,), -1.0, 3.0, np.float64), 4 * u - 1
    )  # powers of two: exact


@pytest.mark.parametrize("size", [1, 2, 9])
def test_normal_numbers_are_box_muller_s(size):
    state = a_state(3)
    pairs = np.array(words(state, size + size % 2), object).reshape(-1, 2)
    expected = []
    for b0, b1 in pairs:
        r = np.sqrt(-2 * np.log1p(-(b0 >> 11) / 2**53))
        angle = 2 * np.pi * (b1 >> 11) / 2**53
        expected += [r * np.cos(angle), r * np.sin(angle)]
    z = random.normal(state, (size,), np.float64)
    np.testing.assert_allclose(z, expected[:size], rtol=1e-13, atol=1e-13)


def test_the_largest_bits_give_finite_normal_numbers(monkeypatch):
    monkeypatch.setattr(random, "_bits", lambda state, n: np.full(n, MASK, np.uint64))
    z = random.normal(a_state(), (2,), np.float64)
    # u = 1 - 2^-53: the longest radius there is.
    np.testing.assert_allclose(np.hypot(*z), np.sqrt(2 * 53 * np.log(2)), rtol=1e-12)


@pytest.mark.parametrize("p", [0.0, 0.3, 0.999999])
@pytest.mark.parametrize("size", [1, 8, 13])
def test_dropout_compares_the_halves_of_words_low_half_first(p, size):
    state = a_state(4)
    halves = [half for word in words(state, size) for half in (word & 0xFFFFFFFF, word >> 32)]
    expected = [0 if half < int(p * 2**32) else 1 / (1 - p) for half in halves[:size]]
    for dtype in (np.float32, np.float64):
        scale = random.dropout_scale(state, (size,), p, dtype)
        assert scale.dtype == dtype
        np.testing.assert_array_equal(scale, np.array(expected, dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_dtypes_and_that_nothing_moves(dtype):
    state = a_state(5)
    before = state.copy()
    for draw in (
        lambda shape: random.uniform(state, shape, -1.0, 1.0, dtype),
        lambda shape: random.normal(state, shape, dtype),
        lambda shape: random.dropout_scale(state, shape, 0.5, dtype),
    ):
        for shape in ((), (0,), (3,), (2, 3, 5)):
            x = draw(shape)
            assert x.shape == shape
            assert x.dtype == dtype
        np.testing.assert_array_equal(draw((2, 3)), draw((6,)).reshape(2, 3))
        np.testing.assert_array_equal(draw((5,)), draw((9,))[:5])  # a prefix
    np.testing.assert_array_equal(state, before)


def test_laws_and_independence_of_draws():
    """With these seeds each test is decided once; a p-value below 1e-3 would be a wrong law."""
    n = 40_000
    draws = [random.normal(a_state(6, count=count), (n,), np.float64) for count in (1, 2)]
    draws.append(random.normal(a_state(7, count=1), (n,), np.float64))
    for z in draws:
        assert stats.kstest(z, stats.norm().cdf).pvalue > 1e-3
    off = np.corrcoef(draws) - np.eye(3)
    assert np.abs(off).max() < 5 / np.sqrt(n)
    u = random.uniform(a_state(8), (n,), 0.0, 1.0, np.float64)
    assert stats.kstest(u, stats.uniform().cdf).pvalue > 1e-3
