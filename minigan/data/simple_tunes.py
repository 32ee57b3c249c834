"""Tunes made by rule, for a start without any file: "tunes".

A tune has 8 bars, a key, major or minor, and a chord for each bar from a few common progressions.
A bar has one of a few rhythms. On a beat stands the tone of the chord that is nearest to the note
before, or the next nearest; between beats the melody goes a step of the scale up or down. The last
bar is one long root of the key. So on every beat a note fits its chord, and all notes are of the
key: what a metric should find is known.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import make_rng
from minigan.data.chords import triads
from minigan.data.options import Options
from minigan.data.tunes import HIGH, LOW, STEPS, Tunes, of_split, refuse_sizes

TUNES, BARS = 500, 8
SCALES = np.array([[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10]])
# Semitones above the key, and whether minor; a tune ends on its first chord.
PROGRESSIONS: tuple[tuple[tuple[tuple[int, int], ...], ...], ...] = (
    (
        ((0, 0), (7, 0), (9, 1), (5, 0)),
        ((0, 0), (9, 1), (5, 0), (7, 0)),
        ((0, 0), (5, 0), (7, 0), (0, 0)),
        ((9, 1), (5, 0), (0, 0), (7, 0)),
    ),
    (
        ((0, 1), (8, 0), (3, 0), (10, 0)),
        ((0, 1), (5, 1), (7, 1), (0, 1)),
        ((0, 1), (10, 0), (8, 0), (10, 0)),
    ),
)
RHYTHMS = ((4, 4, 4, 4), (4, 4, 8), (8, 4, 4), (2, 2, 4, 4, 4), (4, 2, 2, 4, 4), (6, 2, 4, 4))


def open_tunes(options: Options) -> Tunes:
    """450 tunes for training, 50 for testing. Raises OptionError for a size or channels."""
    refuse_sizes("tunes", options)
    return of_split("tunes", *made(), options)


def made() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pitches (N, 16), chords (N,) and tunes (N,), always the same."""
    rng = make_rng(0)
    both = [_tune(rng) for _ in range(TUNES)]
    pitch = np.concatenate([melody for melody, _ in both]).astype(np.uint8)
    chord = np.concatenate([chords for _, chords in both]).astype(np.uint8)
    return pitch, chord, np.repeat(np.arange(TUNES), BARS)


def _tune(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pitches (8, 16) and chords (8,) of a tune."""
    key, minor = int(rng.integers(12)), int(rng.integers(2))
    half = [PROGRESSIONS[minor][i] for i in rng.integers(len(PROGRESSIONS[minor]), size=2)]
    steps = [*half[0], *half[1][:3], (0, minor)]
    chords = np.array([((key + above) % 12, mode) for above, mode in steps])
    scale = np.zeros(12, bool)
    scale[(key + SCALES[minor]) % 12] = True
    tones = triads(chords)
    at = LOW + int(rng.integers(7, 17))
    melody = np.zeros((BARS, STEPS), int)
    for bar in range(BARS - 1):
        place = 0
        for length in RHYTHMS[rng.integers(len(RHYTHMS))]:
            on_beat = place % 4 == 0
            at = _next(at, tones[bar] if on_beat else scale, rng)
            melody[bar, place : place + length] = at
            place += length
    root = np.zeros(12, bool)
    root[key] = True
    melody[-1] = _next(at, root, rng)
    return melody, chords[:, 0] + 12 * chords[:, 1]


def _next(at: int, allowed: np.ndarray, rng: np.random.Generator) -> int:
    """One of the two other pitches nearest to `at` of the pitch classes that are allowed."""
    pitch = np.arange(LOW, HIGH + 1)
    fits = pitch[allowed[pitch % 12] & (pitch != at)]
    nearest = fits[np.argsort(np.abs(fits - at), kind="stable")]
    return int(nearest[rng.integers(min(2, len(nearest)))])
