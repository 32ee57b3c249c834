r"""Synthetic voices, drawn without end: vowels with gliding pitch and formants, and pauses.

Source and filter (Fant 1960, Acoustic Theory of Speech Production): the glottis gives a harmonic
sound whose amplitudes fall by 12 dB an octave, the lips' radiation takes 6 of these back, and the
vocal tract multiplies by its resonances, the formants. With the formants F_i of bandwidth B_i,

    |H(f)| = prod_i  F_i^2 / sqrt((F_i^2 - f^2)^2 + (B_i f)^2),     x(t) = sum_k A(k f_0) sin(k phi)

A(f) = |H(f)| / f^tilt at the k-th harmonic of the pitch f_0 = phi' / (2 pi), for all k below the
highest frequency. Vowels are the men's averages of Peterson and Barney 1952 (Control methods used
in a study of the vowels, table II), times a factor for the length of a voice's tract; the fourth
formant is that of a uniform tube of 17.5 cm, 3500 Hz.

It is no speech: there are no consonants and no words. It has what an enhancer can hold on to,
harmonics that glide together and formants that move, where the truth is known to the bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import make_rng
from minigan.data.base import Batch, Endless
from minigan.data.noises import Noises
from minigan.data.options import Split
from minigan.data.sounds import SoundOptions, Sounds

RATE = 8000  # samples a second
FRAME = 64  # samples, 8 ms, between which pitch and formants move in straight lines
HIGHEST = 0.95 * RATE / 2  # Hz, of the harmonics that are kept

VOWELS = np.array(  # Hz: the first three formants of the ten vowels
    [
        [270, 2290, 3010],  # heed
        [390, 1990, 2550],  # hid
        [530, 1840, 2480],  # head
        [660, 1720, 2410],  # had
        [730, 1090, 2440],  # hod
        [570, 840, 2410],  # hawed
        [440, 1020, 2240],  # hood
        [300, 870, 2240],  # who'd
        [640, 1190, 2390],  # hud
        [490, 1350, 1690],  # heard
    ],
    float,
)
FOURTH = 3500.0
BANDWIDTHS = np.array([60.0, 90.0, 150.0, 200.0])  # Hz

SYLLABLE = (0.10, 0.35)  # seconds, shortest and longest
PAUSE = (0.08, 0.40)
PAUSES = 0.3  # of the syllables are pauses
GLIDE = 0.04  # seconds over which loudness, pitch and formants move on

VOICES = 120
HELD_OUT = 10  # every so many are of the test split


class Cast(NamedTuple):
    """Voices, a row of each array: pitch in Hz, factor of formants, and how the source falls."""

    pitch: np.ndarray
    tract: np.ndarray
    tilt: np.ndarray


def cast(split: Split) -> Cast:
    """The voices of a split: high ones with short tracts and low ones with long, and between."""
    rng = make_rng(0)
    height = rng.uniform(0, 1, VOICES)
    pitch = 95 * (240 / 95) ** height * rng.uniform(0.9, 1.1, VOICES)
    tract = 0.95 + 0.25 * np.clip(height + rng.normal(0, 0.15, VOICES), 0, 1)
    tilt = rng.uniform(0.8, 1.3, VOICES)
    of_test = np.arange(VOICES) % HELD_OUT == 0
    chosen = of_test == (split == "test")
    return Cast(pitch[chosen], tract[chosen], tilt[chosen])


class Voices(Sounds, Endless):
    """Voices of a split in its noises: every draw is fresh."""

    def __init__(self, name: str, options: SoundOptions) -> None:
        super().__init__(name, options.window, RATE)
        self._cast = cast(options.split)
        self._noises = Noises(options.split, RATE, self.speech)

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        return self.joined(*self._noises.over(self.speech(n, self.window, rng), rng))

    def speech(self, n: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """n voices that say something, float64 (n, length), their peaks from 0.3 to 0.9."""
        frames = -(-length // FRAME) + 1
        who = rng.integers(len(self._cast.pitch), size=n)
        plans = [_said(frames, rng) for _ in range(n)]
        pitch = self._cast.pitch[who, None] * np.stack([plan.pitch for plan in plans])
        formants = np.stack([plan.formants for plan in plans]) * self._cast.tract[who, None, None]
        loudness = np.stack([plan.loudness for plan in plans])
        x = sung(pitch, formants, loudness, self._cast.tilt[who])[:, :length]
        loudest = np.maximum(np.abs(x).max(1, keepdims=True), 1e-9)
        return x / loudest * rng.uniform(0.3, 0.9, (n, 1))


class _Said(NamedTuple):
    """What is said, frame by frame: pitch about 1, formants (frames, 4) in Hz, loudness."""

    pitch: np.ndarray
    formants: np.ndarray
    loudness: np.ndarray


def _said(frames: int, rng: np.random.Generator) -> _Said:
    """Syllables and pauses from somewhere within the first on; at least one syllable."""
    ends: list[float] = []
    vowels, heights = [], []
    loud: list[float] = []
    seconds = FRAME / RATE
    at = -rng.uniform(0, SYLLABLE[0])
    while at < frames * seconds:
        silent = bool(loud) and any(loud) and rng.uniform() < PAUSES
        at += rng.uniform(*(PAUSE if silent else SYLLABLE))
        ends.append(at)
        vowels.append(np.append(VOWELS[rng.integers(len(VOWELS))], FOURTH))
        heights.append(2 ** rng.normal(0, 0.2))
        loud.append(0.0 if silent else rng.uniform(0.4, 1))
    moments = np.arange(frames) * seconds
    which = np.searchsorted(ends, moments, side="right").clip(0, len(ends) - 1)
    glide = max(1, round(GLIDE / seconds))
    return _Said(
        _smooth(np.array(heights)[which], 3 * glide),
        _smooth(np.array(vowels)[which], glide),
        _smooth(np.array(loud)[which], glide),
    )


def _smooth(a: np.ndarray, frames: int) -> np.ndarray:
    """The mean over `frames` frames to both sides: steps become straight lines."""
    width = 2 * frames + 1
    padded = np.pad(a, [(frames, frames)] + [(0, 0)] * (a.ndim - 1), mode="edge")
    sums = np.cumsum(np.concatenate([np.zeros_like(padded[:1]), padded]), 0)
    return (sums[width:] - sums[:-width]) / width


def sung(
    pitch: np.ndarray, formants: np.ndarray, loudness: np.ndarray, tilt: np.ndarray
) -> np.ndarray:
    """The sum of harmonics, (N, (frames - 1) FRAME), from what holds at each frame.

    pitch and loudness (N, frames), formants (N, frames, 4) in Hz, tilt (N,).
    """
    turn = np.exp(2j * np.pi * np.cumsum(_between(pitch), 1) / RATE)
    harmonic = np.ones_like(turn)
    x = np.zeros(turn.shape)
    for k in range(1, int(HIGHEST / pitch.min()) + 1):
        harmonic *= turn
        f = k * pitch
        amplitude = loudness * resonance(f, formants) * (f / 100) ** -tilt[:, None]
        x += _between(amplitude * (f < HIGHEST)) * harmonic.imag
    return x


def resonance(f: np.ndarray, formants: np.ndarray) -> np.ndarray:
    """|H(f)| of the formants (..., 4), 1 at f = 0."""
    below = formants**2 - f[..., None] ** 2
    width = BANDWIDTHS * f[..., None]
    return (formants**2 / np.sqrt(below**2 + width**2)).prod(-1)


def _between(frames: np.ndarray) -> np.ndarray:
    """Straight lines from frame to frame: (N, F) -> (N, (F - 1) FRAME)."""
    part = np.arange(FRAME) / FRAME
    lines = frames[:, :-1, None] * (1 - part) + frames[:, 1:, None] * part
    return lines.reshape(len(frames), -1)


def open_voices(name: str, options: SoundOptions) -> Voices:
    """Voices at 8,000 samples a second."""
    return Voices(name, options)
