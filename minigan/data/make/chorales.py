"""Bach's chorales, as music21's package holds them: melodies in bars, with a chord for each.

The soprano is the melody; the chord of a bar is the major or minor triad whose tones alto, tenor
and bass hold longest. Only bars of 4/4 are taken, and what is none, such as an upbeat, parts two
tunes. A step of silence has the pitch before it, or the next one where a bar begins so.

Files are MusicXML in a zip (.mxl): parts > measures > notes, durations in `divisions` of a quarter.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np

from minigan.data.chords import LETTERS, likeliest_triad
from minigan.data.make.packages import Files, Package
from minigan.data.make.writing import Writer
from minigan.data.tunes import FILE, STEPS
from minigan.errors import DataError

MUSIC21 = Package(
    "pypi",
    "music21",
    "10.5.1",
    "chorales by J. S. Bach; the scores as files by Margaret Greentree and others, distributed "
    "with music21 by their permission (music21/corpus/license.txt): for your own use",
)
FOLDER = "music21/corpus/bach/"
MELODY, ACCOMPANIMENT = "Soprano", ("Alto", "Tenor", "Bass")
SILENT = -1
BEATS = 4


def make_chorales(files: dict[Package, Files], writer: Writer, size: int) -> None:
    """tunes.npz (tunes.py), and its notice. Raises DataError for a package without chorales."""
    pitch: list[np.ndarray] = []
    chord, tune, number = [], [], 0
    for name in files[MUSIC21].names():
        if not (name.startswith(FOLDER) and name.endswith(".mxl")):
            continue
        for run in _tunes(_score(files[MUSIC21].read(name), name)):
            for melody, (root, mode) in run:
                pitch.append(melody)
                chord.append(root + 12 * mode)
                tune.append(number)
            number += 1
    if not pitch:
        raise DataError(f"{MUSIC21} holds no chorales below {FOLDER}")
    writer.arrays(
        FILE,
        pitch=np.array(pitch, np.uint8),
        chord=np.array(chord, np.uint8),
        tune=np.array(tune, np.int16),
    )
    writer.counts |= {"bars": len(pitch), "tunes": number}


Tune = list[tuple[np.ndarray, tuple[int, int]]]  # bars: the melody, and root and mode


def _score(data: bytes, name: str) -> ElementTree.Element:
    """The score in an .mxl file. Raises DataError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = ElementTree.fromstring(archive.read("META-INF/container.xml"))
            files = [e.get("full-path") for e in listed.iter() if e.tag.endswith("rootfile")]
            return ElementTree.fromstring(archive.read(str(files[0])))
    except (zipfile.BadZipFile, KeyError, IndexError, ElementTree.ParseError) as error:
        raise DataError(f"{MUSIC21}: {name} is no score: {error}") from error


def _tunes(score: ElementTree.Element) -> Iterator[Tune]:
    """The tunes of a score: runs of bars. None of one that has no four named voices."""
    names = {part.get("id"): part.findtext("part-name") for part in score.iter("score-part")}
    parts = {names[part.get("id")]: part for part in score.findall("part")}
    if not {MELODY, *ACCOMPANIMENT} <= parts.keys():
        return
    run: Tune = []
    for bar in _bars([list(_measures(parts[name])) for name in (MELODY, *ACCOMPANIMENT)]):
        if bar is not None and (bar[0] != SILENT).any():
            run.append((_sounding(bar[0]), _chord(bar[1:])))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _bars(voices: list[list[np.ndarray | None]]) -> Iterator[np.ndarray | None]:
    """Whole bars (voices, 16); None for what makes none: an upbeat, another time.

    Shorter measures that follow one another are one bar, as where a repeat ends within it.
    """
    held: list[np.ndarray] = []  # measures of a bar that is not whole yet
    for together in zip(*voices, strict=False):
        given = [voice for voice in together if voice is not None]
        if len(given) < len(voices) or len({len(voice) for voice in given}) > 1:
            held = []
            yield None
            continue
        length = sum(part.shape[1] for part in held) + len(given[0])
        if length > STEPS:
            held = []
            yield None
        held.append(np.stack(given))
        if sum(part.shape[1] for part in held) == STEPS:
            yield np.concatenate(held, 1)
            held = []


def _measures(part: ElementTree.Element) -> Iterator[np.ndarray | None]:
    """The pitch at each sixteenth of each measure; None of one that is not in 4/4."""
    divisions, quarters = 1, 0.0
    for measure in part.findall("measure"):
        for attributes in measure.findall("attributes"):
            divisions = int(attributes.findtext("divisions", str(divisions)))
            beats, unit = attributes.findtext("time/beats"), attributes.findtext("time/beat-type")
            quarters = quarters if beats is None else 4 * int(beats) / int(unit or 4)
        yield _steps(measure, divisions) if quarters == BEATS else None


def _steps(measure: ElementTree.Element, divisions: int) -> np.ndarray | None:
    """The pitch at each sixteenth; None for notes that fill more than four quarters."""
    pitch = np.full(STEPS, SILENT)
    place, filled = 0, 0  # in divisions of a quarter
    for note in measure:
        length = int(note.findtext("duration", "0"))
        if note.tag == "backup":
            place -= length
        elif note.tag == "forward":
            place += length
        elif note.tag == "note" and note.find("chord") is None:
            first, last = (_sixteenth(t, divisions) for t in (place, place + length))
            if note.find("pitch") is not None and (pitch[first:last] == SILENT).all():
                pitch[first:last] = _midi(note)
            place += length
        filled = max(filled, place)
    return None if filled > BEATS * divisions else pitch[: _sixteenth(filled, divisions)]


def _sixteenth(place: int, divisions: int) -> int:
    """The first sixteenth that does not begin before a place of a measure."""
    return -(-place * STEPS // (BEATS * divisions))


def _midi(note: ElementTree.Element) -> int:
    """A note's MIDI number: 60 is C4."""
    step, octave = note.findtext("pitch/step", ""), note.findtext("pitch/octave", "")
    return 12 * (int(octave) + 1) + LETTERS[step] + int(note.findtext("pitch/alter", "0"))


def _sounding(pitch: np.ndarray) -> np.ndarray:
    """Silence filled with the pitch before it, at the beginning with the first one."""
    last = np.maximum.accumulate(np.where(pitch == SILENT, -1, np.arange(len(pitch))))
    first = np.flatnonzero(pitch != SILENT)[0]
    return pitch[np.where(last < 0, first, last)]


def _chord(voices: np.ndarray) -> tuple[int, int]:
    """Root and mode of the triad of voices (3, 16), the last the lowest."""
    held = voices[voices != SILENT]
    weights = np.bincount(held % 12, minlength=12)
    sounding = voices[-1][voices[-1] != SILENT]
    return likeliest_triad(weights, int(sounding[0] % 12) if len(sounding) else 0)
