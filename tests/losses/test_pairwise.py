"""The masked pairwise error: a loop over all pairs of numbers, what it passes over, what is
refused."""

import numpy as np
import pytest

from minigan.errors import ShapeError
from minigan.losses import masked_pairwise_error

SHAPE = (3, 2, 4, 2)


def pictures(seed=0):
    return np.random.default_rng(seed).standard_normal((2, *SHAPE))


def ones(shape=SHAPE):
    return np.ones((*shape[:-1], 1))


def test_without_a_mask_it_is_half_the_mean_over_pairs():
    y, x = pictures()
    loss, _ = masked_pairwise_error(y, x, ones())
    total = 0.0
    for a, b in zip(y, x, strict=True):
        a, b = a.ravel(), b.ravel()
        pairs = [((a[i] - a[j]) - (b[i] - b[j])) ** 2 for i in range(16) for j in range(16)]
        total += sum(pairs) / len(pairs) / 2
    assert loss == pytest.approx(total / len(y), rel=1e-12)


def test_with_a_mask_it_is_equation_5():
    y, x = pictures()
    mask = (np.random.default_rng(3).uniform(size=(*SHAPE[:-1], 1)) < 0.6).astype(float)
    loss, _ = masked_pairwise_error(y, x, mask)
    total, k = 0.0, 16
    for a, b, m in zip(y, x, np.broadcast_to(mask, SHAPE), strict=True):
        d, m = (b - a).ravel(), m.ravel()
        total += sum((d * m) ** 2) / k - sum(d * m) ** 2 / k**2
    assert loss == pytest.approx(total / len(y), rel=1e-12)


def test_a_brighter_picture_is_as_good_and_the_background_free():
    y, x = pictures()
    mask = ones()
    mask[:, 0] = 0
    loss, slope = masked_pairwise_error(y, x, mask)
    elsewhere = y.copy()
    elsewhere[:, 0] += 5
    assert masked_pairwise_error(elsewhere, x, mask)[0] == loss
    assert not slope[:, 0].any()
    assert masked_pairwise_error(x + 0.3, x, ones())[0] == pytest.approx(0, abs=1e-15)
    brighter, _ = masked_pairwise_error(y + 0.3, x, ones())
    assert brighter == pytest.approx(masked_pairwise_error(y, x, ones())[0], rel=1e-12)


@pytest.mark.parametrize("mask", [np.ones(SHAPE), np.ones((3, 2, 4)), np.ones((1, 2, 4, 1))])
def test_other_shapes_are_refused(mask):
    y, x = pictures()
    with pytest.raises(ShapeError, match="a mask of one number for each place"):
        masked_pairwise_error(y, x, mask)
    with pytest.raises(ShapeError, match="pictures of one shape"):
        masked_pairwise_error(y, x[:, 1:], ones())
