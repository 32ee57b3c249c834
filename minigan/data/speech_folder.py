"""Reads speech from a folder of WAV files of one channel and one rate.

    DIR/clean/*.wav, DIR/noisy/*.wav     files of one name and length belong together
    DIR/clean/*.wav, or DIR/*.wav        clean speech alone: noise is laid over it (noises.py)
    DIR/train/..., DIR/test/...          either of these for each split

Windows begin every half a window, so that neighbours share one half (Pascual et al. 2017, section
4.2), and a last one ends with its file; what is shorter than a window is followed by silence.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np

from minigan.data.base import Batch, DataWarning, Endless, Finite
from minigan.data.noises import QUIET, Noises
from minigan.data.options import Split
from minigan.data.sounds import SoundOptions, Sounds
from minigan.data.wav import read_wav, wav_files
from minigan.errors import DataError, OptionError

SHOWN = 3  # names in a message


class Windows:
    """Windows of one length in sounds: where each begins, and what is in it.

    sounds: float32 (T,) each.
    """

    def __init__(self, sounds: Sequence[np.ndarray], window: int) -> None:
        padded = [np.pad(x, (0, max(0, window - len(x)))) for x in sounds]
        starts, offset = [], 0
        for x in padded:
            last = len(x) - window
            own = np.append(np.arange(0, last, max(1, window // 2)), last)
            starts.append(offset + own)
            offset += len(x)
        self._samples = np.concatenate(padded)
        self._starts = np.concatenate(starts)
        self._window = window

    def __len__(self) -> int:
        return len(self._starts)

    def at(self, indices: np.ndarray) -> np.ndarray:
        """Those of these numbers, (N, window)."""
        return self._samples[self._starts[indices][:, None] + np.arange(self._window)]

    def kept(self, which: np.ndarray) -> None:
        """Leave out the windows where `which`, bool (len,), is false."""
        self._starts = self._starts[which]


class Recorded(Sounds, Finite):
    """Windows of noisy speech and of the same speech without."""

    def __init__(self, name: str, window: int, rate: int, noisy: Windows, clean: Windows) -> None:
        super().__init__(name, window, rate)
        self._noisy, self._clean = noisy, clean

    def __len__(self) -> int:
        return len(self._clean)

    def take(self, indices: np.ndarray) -> Batch:
        return self.joined(self._noisy.at(indices), self._clean.at(indices))


class Overlaid(Sounds, Endless):
    """Windows of clean speech, under fresh noise with every draw; silent ones are left out."""

    def __init__(self, name: str, rate: int, clean: Windows, options: SoundOptions) -> None:
        super().__init__(name, options.window, rate)
        self._clean = clean
        every = np.arange(len(clean))
        loud = np.concatenate([np.square(clean.at(part)).mean(1) > QUIET for part in _parts(every)])
        if not loud.any():
            raise DataError(f"{name} holds silence alone: there is nothing to be heard in noise")
        clean.kept(loud)
        self._noises = Noises(options.split, rate, self.speech)

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        return self.joined(*self._noises.over(self.speech(n, self.window, rng), rng))

    def speech(self, n: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """n windows, float64 (n, window)."""
        return self._clean.at(rng.integers(len(self._clean), size=n)).astype(np.float64)


class _Heard(NamedTuple):
    """Sounds by their names, and their rate."""

    sounds: dict[str, np.ndarray]
    rate: int


def open(path: Path, options: SoundOptions) -> Sounds:
    """The speech in `path`. Raises DataError for a folder without WAV files, for unlike rates, and
    for pairs of unlike names or lengths; OptionError for a test split that is not there. A file
    that cannot be read is left out with a DataWarning, or refused with `options.strict`.
    """
    if not path.is_dir():
        raise DataError(
            f"{path} is no folder; speech is read from a folder of WAV files, or from one that "
            "holds the folders clean and noisy"
        )
    folder = _of_split(path, options.split)
    clean, noisy = folder / "clean", folder / "noisy"
    if noisy.is_dir() and not clean.is_dir():
        raise DataError(f"{noisy} has no counterpart {clean}: noisy speech alone teaches nothing")
    heard = _read(clean if clean.is_dir() else folder, options.strict)
    name = str(path)
    if not noisy.is_dir():
        return Overlaid(name, heard.rate, _windows(heard.sounds, options), options)
    other = _read(noisy, options.strict)
    _check_pairs(clean, heard, noisy, other)
    in_order = {k: other.sounds[k] for k in heard.sounds}
    both = _windows(in_order, options), _windows(heard.sounds, options)
    return Recorded(name, options.window, heard.rate, *both)


def _of_split(path: Path, split: Split) -> Path:
    there = [s for s in get_args(Split) if (path / s).is_dir()]
    if split in there:
        return path / split
    if there or split == "test":
        raise OptionError(
            f"{path} holds no {split} split; put WAV files into folders called train and test"
        )
    return path


def _read(folder: Path, strict: bool) -> _Heard:
    """All files by their paths without suffix. Raises DataError."""
    files = wav_files(folder)
    if not files:
        raise DataError(f"no WAV files in {folder}")
    sounds: dict[str, np.ndarray] = {}
    rates: dict[int, Path] = {}
    for file in files:
        try:
            rate, x = read_wav(file)
        except DataError as error:
            if strict:
                raise
            warnings.warn(f"{error}; it is left out", DataWarning, stacklevel=3)
            continue
        rates.setdefault(rate, file)
        sounds[file.relative_to(folder).with_suffix("").as_posix()] = x
    if not sounds:
        raise DataError(f"none of {len(files)} WAV files in {folder} can be read")
    if len(rates) > 1:
        (a, first), (b, other) = list(rates.items())[:2]
        raise DataError(
            f"{first} has {a} samples a second and {other} {b}: give all files one rate, as "
            f"`sox {other.name} -r {a} OUT.wav` does"
        )
    return _Heard(sounds, next(iter(rates)))


def _check_pairs(clean: Path, a: _Heard, noisy: Path, b: _Heard) -> None:
    """Raise DataError unless both folders hold the same names, lengths and rate."""
    for folder, other, alone in (
        (clean, noisy, a.sounds.keys() - b.sounds.keys()),
        (noisy, clean, b.sounds.keys() - a.sounds.keys()),
    ):
        if alone:
            names = ", ".join(sorted(alone)[:SHOWN]) + ", ..." * (len(alone) > SHOWN)
            raise DataError(
                f"{len(alone)} sounds in {folder} have no counterpart in {other}: {names}; "
                "files of a pair have one name"
            )
    if a.rate != b.rate:
        raise DataError(
            f"sounds in {clean} have {a.rate} samples a second and those in {noisy} {b.rate}: "
            "give both one rate"
        )
    for name, x in a.sounds.items():
        if len(x) != len(b.sounds[name]):
            raise DataError(
                f"the pair {name!r} has {len(x)} samples in {clean} and {len(b.sounds[name])} in "
                f"{noisy}: files of a pair are of one length"
            )


def _windows(sounds: dict[str, np.ndarray], options: SoundOptions) -> Windows:
    return Windows(list(sounds.values()), options.window)


def _parts(indices: np.ndarray, size: int = 256) -> list[np.ndarray]:
    return [indices[i : i + size] for i in range(0, len(indices), size)]
