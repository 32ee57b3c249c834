"""Digits in two domains."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import open_data, open_pairs
from minigan.data.digit_pairs import outlines


def naive_outlines(picture):
    """The largest of nine neighbours less the pixel, one by one."""
    h, w = picture.shape
    out = np.zeros_like(picture)
    for i in range(h):
        for j in range(w):
            near = picture[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
            out[i, j] = near.max() - picture[i, j]
    return out


def test_outlines_equal_a_loop():
    x = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 1), np.uint8)
    for ours, picture in zip(outlines(x), x, strict=True):
        np.testing.assert_array_equal(ours[..., 0], naive_outlines(picture[..., 0]))


@pytest.mark.parametrize("name", ["digits-negative", "digits-edges"])
def test_aligned_pairs_are_of_one_digit(name):
    pairs = open_pairs(name, aligned=True, split="test")
    digits = open_data("digits", split="test")
    assert (len(pairs), pairs.shape, pairs.channels) == (1996, (28, 28, 2), (1, 1))
    x, y = pairs.split(pairs.take(np.arange(3)).x)
    np.testing.assert_array_equal(x, digits.take(np.arange(3)).x)
    if name == "digits-negative":
        np.testing.assert_allclose(y, -x, atol=1e-6)
    else:
        assert -1 <= y.mean() < 0 < y.max()  # thin lines on black


def test_no_digit_is_in_both_domains():
    pairs = open_pairs("digits-negative", aligned=False)
    x, y = pairs.split(pairs.draw(3000, make_rng(0)).x)
    bytes_of = [{p.tobytes() for p in np.rint((side + 1) * 127.5)} for side in (x, -y)]
    assert all(len(found) > 1500 for found in bytes_of)
    assert bytes_of[0] & bytes_of[1] == set()


def test_direction_and_channels():
    there = open_pairs("digits-edges", aligned=True, split="test")
    back = open_pairs("digits-edges", aligned=True, split="test", direction="BtoA")
    i = np.arange(2)
    for a, b in zip(there.split(there.take(i).x), back.split(back.take(i).x)[::-1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert open_pairs("digits-edges", aligned=False, channels=(3, 1), size=16).shape == (16, 16, 4)
