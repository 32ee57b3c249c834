"""Melodies in bars: which pitches they use, how long notes are, whether they fit their chords.

Of generated bars and of held-out ones after the same bars and with the same chords:

    pitch classes   used in a bar, of 12: UPC               (Dong et al. 2018, MuseGAN)
    pitches         different ones in a bar                 (Yang and Lerch 2020, pitch count)
    notes           in a bar                                (the same, note count)
    interval        semitones from a note to the next       (the same, average pitch interval)
    in chord        share of a bar's time on tones of its chord
    distinct        number of different bars over N: 1 / N where one is all there is

and how far two histograms are apart, by total variation, 1/2 sum |p - q|, which is 0 for equal
ones and 1 for such that have nothing in common:

    pitch-class distance   of time on each pitch class, counted from the chord's root
    length distance        of notes by their length in sixteenths

The histograms are Yang and Lerch's too. Equal pitches of neighbouring steps are one note, since
bars cannot tell them apart.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data.chords import triads
from minigan.data.tunes import Tunes, pitches
from minigan.errors import DataError
from minigan.metrics.result import Result
from minigan.metrics.subject import Subject, examples
from minigan.streams import Purpose

CLASSES = 12


def melody(subject: Subject, n: int) -> Result:
    """Of n bars, asked for after bars and with chords of the data, and of the bars there.

    Raises DataError for samples that were not asked for.
    """
    if subject.asked is None or not isinstance(subject.data, Tunes):
        raise DataError("melody needs bars that are asked for by chords: those of a run of midinet")
    n = subject.paired(n)
    real = examples(subject.data, n, make_rng(subject.seed, Purpose.REAL_LABELLED))
    assert real.labels is not None  # chords, and the bars before
    x = subject.asked.make(real.labels, make_rng(subject.seed, Purpose.MEASURED))
    chords = real.labels[:, :2]
    made, true = pitches(x), pitches(real.x)
    of_made, of_true = described(made, chords), described(true, chords)
    return Result(
        "melody",
        {
            **of_made,
            **{f"{name} (real)": value for name, value in of_true.items()},
            "pitch-class distance": total_variation(
                above_roots(made, chords), above_roots(true, chords)
            ),
            "length distance": total_variation(lengths(made), lengths(true)),
        },
        "bars after held-out bars, with their chords; pitch classes of a bar as MuseGAN (Dong et "
        "al. 2018), the others as Yang and Lerch (2020), histograms by total variation, pitch "
        "classes from the chord's root on",
        extractor="none",
        split=subject.split,
        n_real=n,
        n_fake=n,
        seed=subject.seed,
    )


def described(pitch: Array, chords: Array) -> dict[str, float]:
    """The means above of bars (N, T) with chords (N, 2), roots and modes, each by its name."""
    jumps = np.abs(np.diff(pitch, axis=1))
    return {
        "pitch classes": float(_used(pitch % CLASSES)),
        "pitches": float(_used(pitch)),
        "notes": float(1 + (jumps > 0).sum(1).mean()),
        "interval": float(jumps[jumps > 0].mean()) if jumps.any() else 0.0,
        "in chord": float(np.take_along_axis(triads(chords), pitch % CLASSES, 1).mean()),
        "distinct": len(np.unique(pitch, axis=0)) / len(pitch),
    }


def _used(numbers: Array) -> float:
    """How many different numbers a row has, on average."""
    ordered = np.sort(numbers, axis=1)
    return float(1 + (np.diff(ordered, axis=1) > 0).sum(1).mean())


def above_roots(pitch: Array, chords: Array) -> Array:
    """The share of time on each pitch class, counted from the root of the bar's chord: (12,)."""
    counts = np.bincount(((pitch - chords[:, :1]) % CLASSES).ravel(), minlength=CLASSES)
    return counts / counts.sum()


def lengths(pitch: Array) -> Array:
    """The share of notes of 1, 2, ... T steps in bars (N, T): (T,)."""
    steps = pitch.shape[1]
    ends = np.append(np.diff(pitch, axis=1) != 0, np.ones((len(pitch), 1), bool), axis=1)
    at = np.flatnonzero(ends.ravel())  # every bar ends a note, so that none goes on into the next
    counts = np.bincount(np.diff(at, prepend=-1), minlength=steps + 1)[1:]
    return counts / counts.sum()


def total_variation(p: Array, q: Array) -> float:
    """1/2 sum |p - q| of two histograms."""
    return float(np.abs(p - q).sum() / 2)
