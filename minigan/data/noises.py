r"""Noises to lay over speech, and how loud: the signal-to-noise ratio that a mixture shall have.

    mixture = c (speech + g noise),   g^2 = P_speech / (P_noise 10^(SNR / 10)),   P: mean square

c brings the larger of both peaks, of the mixture and of the speech, to `PEAK`, so that nothing is
cut off. The ratios are those of the data set on which SEGAN was trained and tested (Pascual et al.
2017, section 4.1): what is tested on was not trained on.

    coloured   power falling as f^-a; a = 0 is white, 1 pink
    hum        mains, with harmonics that fall off
    babble     several other people, from whatever speech there is
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from minigan.data.options import Split

PEAK = 0.9
TALKERS = 5  # of a babble
HARMONICS = 8  # of a hum
QUIET = 1e-8  # mean square of a speech that counts as silence, -80 dB of a full scale

Draw = Callable[[int, int, np.random.Generator], np.ndarray]  # n, samples, rng -> (n, T)


class Kinds(NamedTuple):
    """The noises of a split, and its signal-to-noise ratios in dB."""

    exponents: tuple[float, ...]  # of coloured noise
    mains: tuple[float, ...]  # Hz
    ratios: tuple[float, ...]


KINDS: dict[Split, Kinds] = {
    "train": Kinds((0.0, 1.0), (50.0,), (0.0, 5.0, 10.0, 15.0)),
    "test": Kinds((0.5, 1.5), (60.0,), (2.5, 7.5, 12.5, 17.5)),
}


class Noises:
    """Draws noise of one of the split's kinds, and mixes it into speech.

    rate: samples a second; speech: draws the people of a babble, (n, T).
    """

    def __init__(self, split: Split, rate: int, speech: Draw) -> None:
        of = KINDS[split]
        self.ratios = of.ratios
        self.kinds: list[Draw] = [
            *(partial(_coloured, exponent=a) for a in of.exponents),
            *(partial(_hum, mains=hertz, rate=rate) for hertz in of.mains),
            partial(_babble, speech=speech),
        ]

    def over(self, speech: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The mixture and the speech (N, T) at the level that it has in it, both float32.

        Each example has a noise and a ratio of its own.
        """
        n, length = speech.shape
        chosen = rng.integers(len(self.kinds), size=n)
        noise = np.empty_like(speech)
        for kind, draw in enumerate(self.kinds):
            rows = np.flatnonzero(chosen == kind)
            if len(rows):
                noise[rows] = draw(len(rows), length, rng)
        return mixed(speech, noise, rng.choice(self.ratios, size=n))


def mixed(
    speech: np.ndarray, noise: np.ndarray, ratios: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The mixture at ratios (N,) in dB, and the speech in it: (N, T) each, float32.

    Under a silence the noise is as loud as under speech of a mean square of QUIET.
    """
    powers = np.maximum(np.square(speech).mean(1), QUIET)
    gain = np.sqrt(powers / (np.square(noise).mean(1) * 10 ** (ratios / 10) + 1e-30))
    mixture = speech + gain[:, None] * noise
    peak = np.maximum(np.abs(mixture).max(1), np.abs(speech).max(1))
    level = (PEAK / np.maximum(peak, PEAK))[:, None]
    return (level * mixture).astype(np.float32), (level * speech).astype(np.float32)


def _coloured(n: int, length: int, rng: np.random.Generator, *, exponent: float) -> np.ndarray:
    """Normal noise (n, length) whose power falls as frequency to the power of `exponent`.

    Frequencies below that of one period in the window count as that one: no drift.
    """
    spectrum = np.fft.rfft(rng.standard_normal((n, length)))
    bins = np.maximum(np.arange(spectrum.shape[1]), 1)
    shaped = np.fft.irfft(spectrum * bins ** (-exponent / 2), length)
    return shaped / np.sqrt(np.square(shaped).mean(1, keepdims=True))


def _hum(n: int, length: int, rng: np.random.Generator, *, mains: float, rate: int) -> np.ndarray:
    """The mains and its harmonics, of random phases and strengths, the k-th weaker by 1/k."""
    phase = 2 * np.pi * mains * np.arange(length) / rate
    total = np.zeros((n, length))
    for k in range(1, HARMONICS + 1):
        start, strength = rng.uniform(0, 2 * np.pi, (n, 1)), rng.uniform(0.3, 1, (n, 1))
        total += strength / k * np.sin(k * phase + start)
    return total


def _babble(n: int, length: int, rng: np.random.Generator, *, speech: Draw) -> np.ndarray:
    """TALKERS others at once, of one loudness."""
    people = speech(n * TALKERS, length, rng)
    people = people / np.sqrt(np.maximum(np.square(people).mean(1, keepdims=True), QUIET))
    return people.reshape(n, TALKERS, length).sum(1)
