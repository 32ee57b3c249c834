"""The pool of generated pictures shows new ones and earlier ones half of the time."""

import numpy as np
import pytest

from minigan.algorithms.translation.pool import ImagePool
from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.noise import Stream


def numbered(start, n):
    """Pictures (n, 1, 1, 1) that hold start, start + 1, ..."""
    return np.arange(start, start + n, dtype=np.float32).reshape(n, 1, 1, 1)


def test_without_a_pool_the_latest_pictures_are_shown():
    fake = numbered(0, 3)
    assert ImagePool((1, 1, 1), size=0)(fake, make_rng(0)) is fake


@pytest.mark.parametrize("rng", [make_rng(0), Stream(0)], ids=["generator", "stream"])
def test_it_fills_then_swaps_half_of_the_time(rng):
    pool = ImagePool((1, 1, 1), size=7)
    kept, shown_before, swaps = [], 0, 0
    for batch in range(400):
        fake = numbered(3 * batch, 3)
        shown = pool(fake, rng)
        assert (shown.shape, shown.dtype) == (fake.shape, np.float32)
        for new, seen in zip(fake.ravel(), shown.ravel(), strict=True):
            if len(kept) < 7:
                kept.append(new)
                assert seen == new
                continue
            if seen != new:
                kept[kept.index(seen)] = new  # raises unless it was in the pool
                swaps += 1
            shown_before += 1
        assert sorted(pool.state["pictures"].ravel()[: len(kept)]) == sorted(kept)
        assert pool.state["count"] == min(7, 3 * batch + 3)
    assert abs(swaps / shown_before - 0.5) < 0.07  # five deviations of 1,193 coins


def test_every_place_is_drawn_and_batches_see_their_own_swaps():
    pool = ImagePool((1, 1, 1), size=3)
    pool(numbered(0, 3), make_rng(0))
    seen = {float(s) for i in range(60) for s in pool(numbered(10 + i, 1), make_rng(i)).ravel()}
    assert {0.0, 1.0, 2.0} <= seen


def test_what_is_shown_is_no_view_of_the_pool_or_of_the_pictures():
    pool = ImagePool((1, 1, 1), size=2)
    fake = numbered(5, 2)
    shown = pool(fake, make_rng(0))
    shown += 100
    np.testing.assert_array_equal(fake, numbered(5, 2))
    np.testing.assert_array_equal(pool.state["pictures"].ravel(), [5, 6])


def test_a_negative_size_is_refused():
    with pytest.raises(OptionError, match="pool of -1 pictures: give 0 or more"):
        ImagePool((1, 1, 1), size=-1)
