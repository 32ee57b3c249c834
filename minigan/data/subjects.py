"""Subjects whose truth is known in every style; nothing has to be installed.

    faces-makeup  A drawn faces, B drawn faces with makeup (faces.py)
    kittens-fur   A kittens without a pattern, B kittens with one of eight patterns of the fur,
                  its layer painted with a strength of 0.3 to 1; their parts are in one place

The test split is made of faces, styles and kittens that the training split never shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.data import faces
from minigan.data.kittens import NAMES, Kittens
from minigan.data.makeup import StyledPairs, StyledReferences, Subjects
from minigan.data.options import Split
from minigan.data.pairs import PairOptions
from minigan.errors import OptionError

SIDE = 32
SIZES = range(16, 257)
PLAIN = NAMES["fur"].index("plain")
PATTERNS = np.array([i for i in range(len(NAMES["fur"])) if i != PLAIN])
WEAKEST = 0.3  # strength of a pattern


class Faces(Subjects):
    """Drawn faces, each by its number; a style is a number too. Raises OptionError for a size."""

    def __init__(self, size: int, split: Split) -> None:
        if size not in SIZES:
            raise OptionError(f"faces of size {size}: give a side from {SIZES[0]} to {SIZES[-1]}")
        self.size = size
        self._faces = faces.numbers(faces.FACES, split)
        self._styles = faces.numbers(faces.STYLES, split)

    def some(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self._faces[rng.integers(len(self._faces), size=n)]

    def styles(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self._styles[rng.integers(len(self._styles), size=n)]

    def shown(self, who: np.ndarray, style: np.ndarray | None = None) -> np.ndarray:
        worn = None if style is None else faces.style(style)
        return faces.draw(faces.shapes(who), worn, size=self.size)

    def landmarks(self, who: np.ndarray) -> np.ndarray:
        return faces.landmarks(faces.shapes(who))


class Furs(NamedTuple):
    """Patterns of the fur, int (N,), and the strength, float (N,), that each is painted with."""

    pattern: np.ndarray
    strength: np.ndarray


class Furred(Subjects):
    """Kittens by their labels; a style is the pattern of the fur and beta, its strength.

    A layer over which others are painted enters the picture linearly, so that a pattern of strength
    beta is the mean of the kittens without and with it, weighted by 1 - beta and beta.
    """

    def __init__(self, size: int, split: Split) -> None:
        self._kittens = Kittens(size, 3, split)
        self.size = size
        labels = self._kittens.labels(self._kittens.combinations)
        self._labels = labels[labels[:, 1] == PLAIN]

    def some(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self._labels[rng.integers(len(self._labels), size=n)]

    def styles(self, n: int, rng: np.random.Generator) -> Furs:
        return Furs(PATTERNS[rng.integers(len(PATTERNS), size=n)], rng.uniform(WEAKEST, 1, n))

    def shown(self, who: np.ndarray, style: Furs | None = None) -> np.ndarray:
        bare = self._kittens.compose(who)
        if style is None:
            return bare
        furred = who.copy()
        furred[:, 1] = style.pattern
        beta = style.strength.astype(np.float32)[:, None, None, None]
        return bare * (1 - beta) + self._kittens.compose(furred) * beta

    def landmarks(self, who: np.ndarray) -> None:
        return None


SUBJECTS: dict[str, type[Faces] | type[Furred]] = {"faces-makeup": Faces, "kittens-fur": Furred}


def open_pairs(name: str, options: PairOptions) -> StyledPairs:
    """A without a style, B with one; 32x32 unless told otherwise."""
    return StyledPairs(name, _subjects(name, options), options)


def open_references(name: str, options: PairOptions) -> StyledReferences:
    """Pictures, references of others and these warped; 32x32 unless told otherwise."""
    return StyledReferences(name, _subjects(name, options), options)


def _subjects(name: str, options: PairOptions) -> Subjects:
    height, width = options.size or (SIDE, SIDE)
    if height != width:
        raise OptionError(f"{name} of size {height}x{width}: they are square, give one side")
    return SUBJECTS[name](height, options.split)
