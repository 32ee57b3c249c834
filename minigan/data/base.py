"""What a data set is: examples with a fixed shape, finite or drawn without end.

An *image* is float32 (H, W, C) in [-1, 1], a *point* is float32 (D,); *pairs*
are two images that lie in one array (pairs.py), *bars* are melodies, float32 (T, P, 1) of 0 and 1
(tunes.py), *sounds* two windows of speech, float32 (T, 2) (sounds.py), *sentences* rows of tokens,
int64 (T,) (sentences.py). A data set may carry labels:
several columns of class numbers, one column per name in
`label_names`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import numpy as np

LabelNames = dict[str, tuple[str, ...]]
Kind = Literal["image", "points", "pairs", "bars", "sounds", "sentences"]


class DataWarning(UserWarning):
    """Data that was used only in part, such as a folder with unreadable pictures."""


class Batch(NamedTuple):
    """Examples and their labels, row by row.

    x       float32; images (N, H, W, C) in [-1, 1], points (N, D), sounds (N, T, 2); int64 of
            sentences (N, T)
    labels  int64 (N, L), one column per name in the data set's `label_names`, or None
    """

    x: np.ndarray
    labels: np.ndarray | None


class Dataset(ABC):
    """Examples of one shape. Every data set can `draw`; a finite one can also `take` by index.

    name         a short name, or the path as the user typed it
    shape        of one example: (H, W, C), (D,), of sounds (T, 2), of sentences (T,)
    label_names  label -> names of its classes, in the column order of `Batch.labels`;
                 empty when unlabelled
    """

    def __init__(
        self, name: str, shape: tuple[int, ...], label_names: LabelNames | None = None
    ) -> None:
        self.name = name
        self.shape = shape
        self.label_names: LabelNames = label_names or {}

    @property
    def kind(self) -> Kind:
        """ "image" for examples (H, W, C), "points" for (D,); other classes say their own."""
        return "image" if len(self.shape) == 3 else "points"

    @property
    @abstractmethod
    def size(self) -> int | None:
        """Number of examples; None when they are drawn without end."""

    @abstractmethod
    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        """`n` independent examples; the same state of `rng` gives the same ones."""

    def vary(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """The batch as one training step sees it: augmented, where the data set does so."""
        return batch


class Finite(Dataset):
    """A data set with a last example."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, indices: np.ndarray) -> Batch:
        """The examples at `indices`, int (N,), in that order."""

    @property
    def size(self) -> int:
        return len(self)

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        """`n` examples drawn uniformly with replacement."""
        return self.take(rng.integers(len(self), size=n))


class Endless(Dataset):
    """A data set that is a distribution: every `draw` is fresh."""

    @property
    def size(self) -> None:
        return None


class Composed(Endless):
    """A distribution of pictures that are made of parts: which is what each would be with others.

    Parts are rows of numbers. The first are the labels, in the order of `label_names`; what comes
    after them has no label, such as whose face it is.
    """

    @abstractmethod
    def parts(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Those of n pictures, int64 (n, P) with P of as many as there are labels, or more."""

    @abstractmethod
    def compose(self, parts: np.ndarray) -> np.ndarray:
        """Pictures, float32 (N, H, W, C) in [-1, 1], of parts (N, P)."""

    def labels_of(self, parts: np.ndarray) -> np.ndarray:
        """The labels (N, L) among parts (N, P)."""
        return parts[:, : len(self.label_names)]

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        parts = self.parts(n, rng)
        return Batch(self.compose(parts), self.labels_of(parts))
