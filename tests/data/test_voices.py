"""Synthetic voices and noises: the ratio asked for, harmonics of one pitch, splits, determinism."""

import numpy as np
import pytest

from minigan.data import Loader, open_data, open_pairs, open_sounds
from minigan.data.noises import KINDS, QUIET, Noises, mixed
from minigan.data.voices import FRAME, RATE, cast, resonance, sung
from minigan.errors import DataError, OptionError


def rng(seed=0):
    return np.random.default_rng(seed)


def test_windows_are_noisy_and_clean_speech():
    data = open_sounds("voices", window=1000)
    batch = data.draw(7, rng())
    assert (data.kind, data.size, data.shape, data.rate) == ("sounds", None, (1000, 2), 8000)
    assert (batch.x.shape, batch.x.dtype, batch.labels) == ((7, 1000, 2), np.float32, None)
    assert np.abs(batch.x).max() <= 0.9 + 1e-6
    noisy, clean = data.split(batch.x)
    ratios = 10 * np.log10(np.square(clean).mean(1) / np.square(noisy - clean).mean(1))
    np.testing.assert_allclose(ratios[:, None] - [0, 5, 10, 15], 0, atol=20)
    assert (np.abs(ratios[:, None] - [0, 5, 10, 15]).min(1) < 1e-3).all()


def test_the_same_state_gives_the_same_windows_and_another_others():
    data = open_sounds("voices", window=256)
    a, b, c = (data.draw(3, rng(seed)).x for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    with Loader(data, 4, seed=0) as loader:
        np.testing.assert_array_equal(next(loader).x, loader.batch(0).x)


def test_voices_noises_and_ratios_of_the_test_split_are_others():
    train, test = cast("train"), cast("test")
    assert (len(train.pitch), len(test.pitch)) == (108, 12)
    assert not set(train.pitch) & set(test.pitch)
    assert all(not set(a) & set(b) for a, b in zip(KINDS["train"], KINDS["test"], strict=True))
    noisy, clean = np.moveaxis(
        open_sounds("voices", window=900, split="test").draw(9, rng()).x, -1, 0
    )
    ratios = 10 * np.log10(np.square(clean).mean(1) / np.square(noisy - clean).mean(1))
    assert (np.abs(ratios[:, None] - [2.5, 7.5, 12.5, 17.5]).min(1) < 1e-3).all()


def test_a_voice_is_made_of_harmonics_that_the_formants_shape():
    """A still vowel of 100 Hz: lines at its multiples alone, as strong as the formula has them."""
    frames = 1 + RATE // FRAME
    formants = np.tile([700.0, 1100.0, 2400.0, 3500.0], (1, frames, 1))
    x = sung(np.full((1, frames), 100.0), formants, np.ones((1, frames)), np.array([1.0]))
    assert x.shape == (1, 8000)
    levels = np.abs(np.fft.rfft(x[0])) / 4000  # of lines at whole Hz
    k = np.arange(1, 38)  # below HIGHEST
    expected = resonance(100.0 * k, formants[0, :1]) / k
    np.testing.assert_allclose(levels[100 * k], expected, rtol=1e-6)
    between = np.ones(len(levels), bool)
    between[100 * k] = False
    assert levels[between].max() < 1e-9 * levels.max()
    assert resonance(np.zeros(1), formants[0, :1])[0] == pytest.approx(1)
    near, off = resonance(np.array([700.0, 900.0]), formants[0, :1])
    assert near > 3 * off


def test_every_kind_of_noise_is_drawn():
    """White is flat, pink falls by 3 dB an octave, hum has lines at multiples of the mains."""
    speech = lambda n, t, r: r.standard_normal((n, t))  # noqa: E731
    noises = Noises("train", 8000, speech)
    assert len(noises.kinds) == 4
    white, pink, hum, babble = (kind(200, 8000, rng()) for kind in noises.kinds)
    for x in (white, pink, hum, babble):
        assert x.shape == (200, 8000)
        assert np.isfinite(x).all()

    def slope(x):  # dB an octave, between 500 and 2000 Hz
        power = np.square(np.abs(np.fft.rfft(x))).mean(0)
        low, high = power[450:550].mean(), power[1900:2100].mean()
        return 10 * np.log10(high / low) / 2

    assert slope(white) == pytest.approx(0, abs=0.2)
    assert slope(pink) == pytest.approx(-3, abs=0.2)
    lines = np.square(np.abs(np.fft.rfft(hum[0])))
    assert lines[50:401:50].sum() > 0.999 * lines.sum()


def test_mixtures_have_their_ratio_whatever_the_level():
    speech, noise = rng(1).standard_normal((2, 5, 400))
    ratios = np.array([-5.0, 0, 5, 20, 40])
    mixture, clean = mixed(3 * speech, 0.01 * noise, ratios)
    found = 10 * np.log10(
        np.square(clean.astype(float)).mean(1) / np.square(mixture.astype(float) - clean).mean(1)
    )
    np.testing.assert_allclose(found, ratios, atol=0.01)
    assert np.abs(mixture).max() <= 0.9 + 1e-6
    np.testing.assert_allclose(clean[0] / clean[0, 0], speech[0] / speech[0, 0], rtol=1e-5)
    quiet, _ = mixed(np.zeros((1, 400)), noise[:1], np.zeros(1))
    assert np.square(quiet).mean() == pytest.approx(QUIET, rel=1e-5)


def test_what_voices_are_not_is_said():
    with pytest.raises(DataError, match="which segan learns from: `minigan train segan`"):
        open_data("voices")
    with pytest.raises(DataError, match="voices holds sounds; pairs are"):
        open_pairs("voices", aligned=True)
    with pytest.raises(DataError, match="digits holds no speech; voices does"):
        open_sounds("digits", window=100)
    with pytest.raises(OptionError, match="--window 0: give 1 sample or more"):
        open_sounds("voices", window=0)
    with pytest.raises(OptionError, match="give 'train' or 'test'"):
        open_sounds("voices", window=8, split="dev")
