"""Tunes as pictures: time to the right, pitch upward, a line for each tune."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from minigan.backend import Array
from minigan.data.chords import chord_name, triads
from minigan.data.tunes import HIGH, LOW, STEPS

ACROSS, UP = 5, 4  # pixels of a step and of a semitone
MARGIN, LINE = 8, 13  # around each roll; of the chords' names above it
IN_CHORD, OUTSIDE, GIVEN = (38, 84, 160), (214, 96, 38), (120, 120, 120)
SHADE, BAR, BEAT, PAPER = (232, 238, 248), (150, 150, 150), (226, 226, 226), (255, 255, 255)


class Tune(NamedTuple):
    """Pitches (B, 16) and chords (B, 2), roots and modes; the first bars may have been given."""

    pitch: Array
    chords: Array
    given: int = 0


class Note(NamedTuple):
    """A pitch from step `start` of a tune on, for `length` steps."""

    pitch: int
    start: int
    length: int


def notes(pitch: Array) -> Iterator[Note]:
    """The notes of pitches (B, 16): equal neighbours are one, but each bar begins a new one."""
    for bar, steps in enumerate(np.asarray(pitch)):
        edges = [0, *(np.flatnonzero(np.diff(steps)) + 1), len(steps)]
        for a, b in pairwise(edges):
            yield Note(int(steps[a]), bar * len(steps) + int(a), int(b - a))


def piano_rolls(tunes: Sequence[Tune]) -> Image.Image:
    """A picture of tunes below one another, of as many bars as the longest has.

    Notes of a bar's chord are blue, others orange, those of given bars grey; the chord's tones are
    shaded behind them, and its name stands above.
    """
    bars = max(len(tune.pitch) for tune in tunes)
    low = min(LOW, *(int(tune.pitch.min()) for tune in tunes))
    high = max(HIGH, *(int(tune.pitch.max()) for tune in tunes))
    roll = (high - low + 1) * UP
    sheet = Image.new(
        "RGB",
        (bars * STEPS * ACROSS + 2 * MARGIN, len(tunes) * (roll + LINE + MARGIN) + MARGIN),
        PAPER,
    )
    pen = ImageDraw.Draw(sheet)
    for i, tune in enumerate(tunes):
        _draw(pen, tune, MARGIN + i * (roll + LINE + MARGIN) + LINE, low, high)
    return sheet


def _draw(pen: ImageDraw.ImageDraw, tune: Tune, top: int, low: int, high: int) -> None:
    tones, bottom = triads(tune.chords), top + (high - low + 1) * UP

    def box(pitch: int, start: int, length: int) -> list[float]:
        left, upper = MARGIN + start * ACROSS, top + (high - pitch) * UP
        return [left, upper, left + length * ACROSS - 1, upper + UP - 1]

    for bar, chord in enumerate(tune.chords):
        left = MARGIN + bar * STEPS * ACROSS
        pen.text((left + 2, top - LINE), chord_name(*map(int, chord)), fill="black")
        for pitch in range(low, high + 1):
            if tones[bar, pitch % 12]:
                pen.rectangle(box(pitch, bar * STEPS, STEPS), fill=SHADE)
        for beat in range(1, 4):
            at = left + beat * STEPS * ACROSS // 4
            pen.line([at, top, at, bottom], fill=BEAT)
    for bar in range(len(tune.pitch) + 1):
        at = MARGIN + bar * STEPS * ACROSS
        pen.line([at, top, at, bottom], fill=BAR)
    for pitch, start, length in notes(tune.pitch):
        colour = IN_CHORD if tones[start // STEPS, pitch % 12] else OUTSIDE
        colour = GIVEN if start < tune.given * STEPS else colour
        x0, y0, x1, y1 = box(pitch, start, length)
        pen.rectangle([x0 + 1, y0, x1 - 1, y1], fill=colour)
