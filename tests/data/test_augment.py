"""Augmentations: mirrored or not, cut out of an enlarged copy, all channels alike."""

import numpy as np
import pytest
from PIL import Image

from minigan.data import Augmentation
from minigan.errors import OptionError


def pictures(n, h=6, w=5, c=2, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, h, w, c)).astype(np.float32)


def test_half_of_the_pictures_are_mirrored_whole():
    x = pictures(4000)
    kept = x.copy()
    y = Augmentation(flip=True)(x, np.random.default_rng(1))
    mirrored = (y == x[:, :, ::-1]).all((1, 2, 3))
    assert (mirrored | (y == x).all((1, 2, 3))).all()
    assert abs(mirrored.sum() - 2000) < 5 * np.sqrt(4000 / 4)  # five deviations of a fair coin
    np.testing.assert_array_equal(x, kept)


def test_jitter_cuts_pictures_out_of_enlarged_ones():
    """Against Pillow's bilinear interpolation of every possible part."""
    x = pictures(60)
    more = 3
    y = Augmentation(jitter=more)(x, np.random.default_rng(1))
    assert (y.shape, y.dtype) == (x.shape, np.float32)
    used = set()
    for before, after in zip(x, y, strict=True):
        large = [
            np.asarray(Image.fromarray(before[..., k]).resize((5 + more, 6 + more), Image.BILINEAR))
            for k in range(2)
        ]
        parts = {
            (i, j): np.stack([part[i : i + 6, j : j + 5] for part in large], -1)
            for i in range(more + 1)
            for j in range(more + 1)
        }
        close = {at for at, part in parts.items() if np.abs(part - after).max() < 1e-5}
        assert len(close) == 1
        used |= close
    assert len(used) > 10  # of 16 places


def test_equal_states_give_equal_pictures_and_others_others():
    augment, x = Augmentation(flip=True, jitter=2), pictures(9)
    first, again, other = (augment(x, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_none_is_false_and_a_negative_one_is_refused():
    assert not Augmentation()
    assert Augmentation(flip=True)
    assert Augmentation(jitter=1)
    with pytest.raises(OptionError, match="--jitter -1: give 0 or more"):
        Augmentation(jitter=-1)
