"""Melodies bar by bar, with the bar before and a chord: what MidiNet learns from.

A bar of 4/4 has 16 steps, each with one pitch, a MIDI number; nothing tells a long note from a
repeated one. An example is the bar as a matrix, float32 (16, 128, 1) with a 1 at each step's pitch,
and its labels are the condition: `root` and `mode` of the chord, and the pitch of each of the 16
steps before, "rest" in front of a tune's first bar.

As Yang et al. (2017) have it, pitches lie in two octaves from C4 on, others are moved
there by octaves, and training meets every example in any of the 12 keys.

A file of tunes is an .npz with

    pitch  int (N, 16), 0 to 127
    chord  int (N,), the root 0 to 11, and 12 more for minor
    tune   int (N,), the tune that a bar belongs to; bars of a tune follow one another

or a folder with such a file called tunes.npz. Every tenth tune, from the first on, is for testing.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Literal

import numpy as np

from minigan.data.base import Batch, Finite, LabelNames
from minigan.data.chords import MODES, ROOTS
from minigan.data.options import Options
from minigan.errors import DataError, OptionError

STEPS, PITCHES = 16, 128
REST = PITCHES  # in a bar before, where there is none
LOW, HIGH = 60, 83  # the two octaves, C4 to B5
KEYS = 12
HELD_OUT = 10  # every so many tunes
FILE = "tunes.npz"
ARRAYS = ("pitch", "chord", "tune")
BEFORE = tuple(f"before {i + 1}" for i in range(STEPS))
LABELS: LabelNames = {
    "root": ROOTS,
    "mode": MODES,
    **dict.fromkeys(BEFORE, (*map(str, range(PITCHES)), "rest")),
}


class Tunes(Finite):
    """Bars with what they are conditioned on.

    pitch   int (N, 16), of any octave
    chords  int (N, 2), roots and modes
    tune    int (N,), rising
    """

    def __init__(self, name: str, pitch: np.ndarray, chords: np.ndarray, tune: np.ndarray) -> None:
        super().__init__(name, (STEPS, PITCHES, 1), LABELS)
        self._pitch = folded(pitch.astype(np.int64))
        first = np.append(True, tune[1:] != tune[:-1])
        before = np.where(first[:, None], REST, np.roll(self._pitch, 1, axis=0))
        self._labels = np.concatenate([chords, before], 1).astype(np.int64)
        self._starts = np.append(np.flatnonzero(first), len(tune))

    @property
    def kind(self) -> Literal["bars"]:
        return "bars"

    @property
    def tunes(self) -> int:
        """How many tunes there are."""
        return len(self._starts) - 1

    def __len__(self) -> int:
        return len(self._pitch)

    def take(self, indices: np.ndarray) -> Batch:
        return Batch(matrices(self._pitch[indices]), self._labels[indices])

    def tune(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Pitches (B, 16) and chords (B, 2) of tune i."""
        bars = slice(self._starts[i], self._starts[i + 1])
        return self._pitch[bars], self._labels[bars, :2]

    def vary(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Each example in one of the 12 keys, as likely as the others."""
        assert batch.labels is not None
        shift = rng.integers(-KEYS // 2, KEYS // 2, size=(len(batch.x), 1))
        labels = batch.labels.copy()
        before = labels[:, 2:]
        labels[:, :1] = (labels[:, :1] + shift) % KEYS
        labels[:, 2:] = np.where(before == REST, REST, folded(before + shift))
        return Batch(matrices(folded(pitches(batch.x) + shift)), labels)


def folded(pitch: np.ndarray) -> np.ndarray:
    """Pitches within the two octaves: those below move into the lower one, those above down."""
    pitch = np.where(pitch < LOW, LOW + pitch % 12, pitch)
    return np.where(pitch > HIGH, HIGH - 11 + pitch % 12, pitch)


def matrices(pitch: np.ndarray) -> np.ndarray:
    """Bars (N, 16) as matrices, float32 (N, 16, 128, 1)."""
    return (pitch[..., None] == np.arange(PITCHES)).astype(np.float32)[..., None]


def pitches(x: np.ndarray) -> np.ndarray:
    """The loudest pitch of each step of matrices (N, 16, 128, 1): int (N, 16)."""
    return x[..., 0].argmax(-1)


# --- files ----------------------------------------------------------------------------------------


def recognises(path: Path) -> bool:
    """Whether `path` is a file of tunes, or a folder that holds one."""
    if path.is_dir():
        return (path / FILE).is_file()
    if path.suffix != ".npz" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {f"{name}.npy" for name in ARRAYS} <= set(archive.namelist())


def open(path: Path, options: Options) -> Tunes:
    """The tunes of a file. Raises DataError where it is damaged, OptionError for sizes."""
    refuse_sizes(str(path), options)
    file = path / FILE if path.is_dir() else path
    try:
        with np.load(file, allow_pickle=False) as archive:
            pitch, chord, tune = (np.asarray(archive[name]) for name in ARRAYS)
    except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{file} cannot be read ({error}); write it with numpy.savez: {', '.join(ARRAYS)}"
        ) from error
    _check(file, pitch, chord, tune)
    return of_split(str(path), pitch, chord, tune, options)


def of_split(
    name: str, pitch: np.ndarray, chord: np.ndarray, tune: np.ndarray, options: Options
) -> Tunes:
    """The tunes of the split that is asked for. Raises DataError where there are none of it."""
    number = np.cumsum(np.append(False, tune[1:] != tune[:-1]))
    chosen = (number % HELD_OUT == 0) == (options.split == "test")
    if not chosen.any():
        raise DataError(f"{name} holds one tune, which is for testing; give two or more")
    chords = np.stack([chord % 12, chord // 12], 1)[chosen]
    return Tunes(name, pitch[chosen], chords, number[chosen])


def refuse_sizes(name: str, options: Options) -> None:
    """Raise OptionError where a size or channels are asked of bars."""
    if options.size is not None or options.channels is not None:
        asked = "--size" if options.size is not None else "--channels"
        raise OptionError(f"{name} holds bars of melody, which have no {asked}; leave {asked} out")


def _check(file: Path, pitch: np.ndarray, chord: np.ndarray, tune: np.ndarray) -> None:
    """Raise DataError unless the arrays are those of a file of tunes."""
    n = len(pitch) if pitch.ndim else -1
    wanted = {"pitch": ((n, STEPS), PITCHES), "chord": ((n,), 2 * KEYS), "tune": ((n,), None)}
    for array, (name, (shape, count)) in zip((pitch, chord, tune), wanted.items(), strict=True):
        whole = np.issubdtype(array.dtype, np.integer)
        if array.shape != shape or not whole or not array.size:
            raise DataError(
                f"{file}: {name} is {array.dtype} {array.shape}; wanted whole numbers: pitch "
                "(N, 16), chord (N,), tune (N,)"
            )
        if count and (array.min() < 0 or array.max() >= count):
            raise DataError(
                f"{file}: {name} has {array.min()} to {array.max()}; wanted 0 to {count - 1}"
            )
