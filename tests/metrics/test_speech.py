"""Signal-to-noise ratios of speech: closed forms, and what does not count."""

import numpy as np
import pytest

from minigan.data import open_sounds
from minigan.errors import DataError
from minigan.metrics import checked, measure
from minigan.metrics.speech import SpeechSubject, segmental_snr, si_sdr


def speech(n=3, length=4000, seed=0):
    return np.random.default_rng(seed).standard_normal((n, length))


def at(s, noise, decibels):
    """s with noise of that ratio, at right angles to s."""
    noise = noise - (noise * s).sum(1, keepdims=True) / np.square(s).sum(1, keepdims=True) * s
    gain = np.sqrt(np.square(s).sum(1, keepdims=True) / np.square(noise).sum(1, keepdims=True))
    return s + gain * 10 ** (-decibels / 20) * noise


@pytest.mark.parametrize("decibels", [-7.0, 0.0, 12.0])
def test_si_sdr_of_noise_at_right_angles_is_its_ratio_at_any_loudness(decibels):
    s = speech()
    y = at(s, speech(seed=1), decibels)
    for gain in (1.0, 0.01, 30.0):
        np.testing.assert_allclose(si_sdr(gain * y, s), decibels, atol=1e-9)
    assert si_sdr(-y, s) == pytest.approx(si_sdr(y, s))  # a may be negative, as in the paper


def test_segmental_snr_is_the_mean_over_frames_that_are_spoken():
    """By hand: frames of 240 samples, one every 60; each with its ratio cut to [-10, 35]."""
    s, y = speech(2, 1200), speech(2, 1200, 1)
    y[1] = s[1] + 1e-9
    s[0, 600:] = 0
    expected = []
    for row in range(2):
        levels, loud = [], []
        for start in range(0, 1200 - 240 + 1, 60):
            a, b = s[row, start : start + 240], y[row, start : start + 240]
            levels.append(10 * np.log10((np.sum(a**2) + 1e-20) / np.sum((a - b) ** 2)))
            loud.append(np.sum(a**2))
        spoken = np.array(loud) > max(loud) * 1e-4
        expected.append(np.clip(levels, -10, 35)[spoken].mean())
    np.testing.assert_allclose(segmental_snr(y, s, 8000), expected, rtol=1e-6)
    assert expected[1] == 35


def test_a_subject_measures_what_was_made_beside_doing_nothing():
    data = open_sounds("voices", window=512, split="test")
    nothing = SpeechSubject(lambda noisy, rng: noisy, data, split="test")
    result = measure("snr", nothing, 20)
    v = result.values
    assert v["si_sdr"] == v["si_sdr of noisy"]
    assert v["segmental"] == v["segmental of noisy"]
    assert 0 < v["si_sdr of noisy"] < 20
    assert (result.n_real, result.split) == (20, "test")
    _, clean = nothing.windows(20)
    told = nothing.redrawn(lambda noisy, rng: clean)
    assert measure("snr", told, 20).values["segmental"] == 35
    assert measure("snr", nothing, 20).values == v


@pytest.mark.parametrize("name", ["fid", "parzen", "l1", "two-sample", "modes"])
def test_other_metrics_do_not_take_sounds(name):
    with pytest.raises(
        DataError, match=f"metric '{name}' needs .*; the data here is voices, sounds"
    ):
        checked([name], open_sounds("voices", window=64))
