"""Stacked digits: a digit in each channel, every triple equally likely."""

import numpy as np
import pytest

from minigan.data import open_data
from minigan.data.stacked import MODES, mode
from minigan.errors import OptionError


@pytest.fixture(scope="module")
def drawn():
    return open_data("stacked-digits").draw(6000, np.random.default_rng(0))


def test_each_channel_is_a_picture_of_its_digit():
    data, source = open_data("stacked-digits", size=8), open_data("digits", size=8)
    x, digit = source.take(np.arange(source.size))
    known = {picture.tobytes(): d for picture, d in zip(x, digit[:, 0], strict=True)}
    drawn, labels = data.draw(200, np.random.default_rng(1))
    for channel in range(3):
        pictures = np.ascontiguousarray(drawn[..., channel : channel + 1])
        assert [known[p.tobytes()] for p in pictures] == labels[:, channel].tolist()


def test_the_splits_have_no_digit_in_common():
    rng = np.random.default_rng(2)
    train, test = (
        {
            p.tobytes()
            for p in np.moveaxis(
                open_data("stacked-digits", split=s).draw(900, rng).x, -1, 1
            ).reshape(-1, 28, 28)
        }
        for s in ("train", "test")
    )
    assert not train & test


def test_classes_are_equally_likely_and_channels_independent(drawn):
    n = len(drawn.labels)
    for channel in range(3):
        share = np.bincount(drawn.labels[:, channel], minlength=10) / n
        np.testing.assert_allclose(share, 0.1, atol=5 * np.sqrt(0.09 / n))
    pairs = np.bincount(drawn.labels[:, 0] * 10 + drawn.labels[:, 2], minlength=100) / n
    np.testing.assert_allclose(pairs, 0.01, atol=5 * np.sqrt(0.0099 / n))


def test_every_picture_of_a_class_is_drawn():
    data, source = open_data("stacked-digits", size=4), open_data("digits", size=4)
    x, _ = source.take(np.arange(source.size))
    everything = {p.tobytes() for p in x}
    drawn = data.draw(40_000, np.random.default_rng(3)).x
    seen = {p.tobytes() for p in np.moveaxis(drawn, -1, 1).reshape(-1, 4, 4)}
    assert seen <= everything
    # 120,000 draws of about 800 pictures in each of 10 classes: e^-15 of them stay out.
    assert len(seen) > 0.999 * len(everything)


def test_modes_are_numbered_by_their_digits():
    assert mode(np.array([[0, 0, 0], [1, 2, 3], [9, 9, 9]])).tolist() == [0, 123, MODES - 1]


def test_sizes_and_channels():
    assert open_data("stacked-digits", size=16, channels=3).shape == (16, 16, 3)
    with pytest.raises(OptionError, match="stacked-digits has 3 channels"):
        open_data("stacked-digits", channels=1)
