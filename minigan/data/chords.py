"""Major and minor triads by their names: what stands under a bar of melody."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from minigan.errors import OptionError

ROOTS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = ("major", "minor")
TRIADS = np.array([[0, 4, 7], [0, 3, 7]])  # semitones above the root, of each mode
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SIGNS = {"": 0, "#": 1, "b": -1}


def chord_name(root: int, mode: int) -> str:
    """ "F#" of (6, 0), "F#m" of (6, 1)."""
    return ROOTS[root] + ("", "m")[mode]


def parse_chords(text: str) -> np.ndarray:
    """Roots and modes, int (B, 2), of names with spaces or commas between: "C Am F G", "Bb, F#m".

    Raises OptionError for a name that is no major or minor triad.
    """
    names = text.replace(",", " ").split()
    if not names:
        raise OptionError(f"--chords {text!r}: give triads, such as 'C Am F G'")
    return np.array([_parsed(name) for name in names])


def _parsed(name: str) -> tuple[int, int]:
    found = re.fullmatch(r"([A-Ga-g])([#b]?)(m?)", name)
    if not found:
        raise OptionError(
            f"chord {name!r}: give a letter A to G, then # or b where needed, then m for minor: "
            "C, F#, Bb, Am, C#m"
        )
    letter, sign, minor = found.groups()
    return (LETTERS[letter.upper()] + SIGNS[sign]) % 12, len(minor)


def triads(chords: np.ndarray) -> np.ndarray:
    """Whether each pitch class belongs to each chord: bool (N, 12) of roots and modes (N, 2)."""
    tones = (chords[:, :1] + TRIADS[chords[:, 1]]) % 12
    return (tones[:, :, None] == np.arange(12)).any(1)


def likeliest_triad(weights: Sequence[float] | np.ndarray, bass: int) -> tuple[int, int]:
    """Root and mode of the triad whose tones have most of the weights, of 12 pitch classes.

    bass: the pitch class of the lowest tone, which decides between equals; then the lower number.
    """
    numbers = np.stack(np.meshgrid(np.arange(12), np.arange(2)), -1).reshape(-1, 2)
    score = triads(numbers) @ np.asarray(weights, float)
    first = np.lexsort((numbers[:, 0] != bass, -np.round(score, 9)))[0]
    return int(numbers[first, 0]), int(numbers[first, 1])
