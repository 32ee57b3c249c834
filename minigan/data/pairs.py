"""Pairs of pictures (x, y): aligned, so that y is what x should become, or from two domains.

The pictures of a pair have one size and lie in one array, x in its first channels and y in the
others: a pair goes through loaders, copies and augmentations as one example.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np

from minigan.data.augment import Augmentation
from minigan.data.base import Batch, Dataset, Endless, Finite
from minigan.data.kittens import LUMINANCE
from minigan.data.options import Channels, Options, Split
from minigan.data.pictures import to_float
from minigan.errors import OptionError

T = TypeVar("T")
Direction = Literal["AtoB", "BtoA"]
DIRECTIONS = ("AtoB", "BtoA")


@dataclass(frozen=True)
class PairOptions:
    """The checked arguments of `open_pairs`.

    aligned    x and y of an example belong together; else each is drawn from its own domain
    direction  "AtoB": x from the left half or folder A; "BtoA": the other way
    channels   of x and of y: 1 (luminance), 3, or None for the data's own
    """

    aligned: bool
    size: tuple[int, int] | None = None
    channels: tuple[Channels | None, Channels | None] = (None, None)
    split: Split = "train"
    strict: bool = False
    direction: Direction = "AtoB"
    augmentation: Augmentation = field(default_factory=Augmentation)

    @classmethod
    def checked(
        cls,
        aligned: bool,
        size: int | tuple[int, int] | None,
        channels: tuple[int | None, int | None],
        split: str,
        strict: bool,
        direction: str,
        augmentation: Augmentation,
    ) -> PairOptions:
        """Options from what a user typed. Raises OptionError."""
        x, y = (Options.checked(size, c, split, strict) for c in channels)
        if direction not in DIRECTIONS:
            raise OptionError(f"direction {direction!r}: give {' or '.join(DIRECTIONS)}")
        return cls(
            aligned,
            x.size,
            (x.channels, y.channels),
            x.split,
            strict,
            direction,  # type: ignore[arg-type]
            augmentation,
        )

    @property
    def of_sides(self) -> tuple[Options, Options]:
        """What is asked of the pictures A and of the pictures B."""
        a, b = self.in_order(*self.channels)
        both: dict[str, Any] = {"size": self.size, "split": self.split, "strict": self.strict}
        return Options(channels=a, **both), Options(channels=b, **both)

    def in_order(self, a: T, b: T) -> tuple[T, T]:
        """What belongs to A and B as what belongs to x and y, or the other way round."""
        return (a, b) if self.direction == "AtoB" else (b, a)


class Pairs(Dataset):
    """A data set of pairs; examples are (H, W, channels of x + channels of y)."""

    def __init__(
        self, name: str, size: tuple[int, int], channels: tuple[int, int], options: PairOptions
    ) -> None:
        super().__init__(name, (*size, sum(channels)))
        self.channels = channels
        self.aligned = options.aligned
        self.augmentation = options.augmentation

    @property
    def kind(self) -> Literal["pairs"]:
        return "pairs"

    def split(self, examples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x and y of examples, as views."""
        return examples[..., : self.channels[0]], examples[..., self.channels[0] :]

    def unchanged(self, x: np.ndarray) -> np.ndarray:
        """What y would be where nothing is done to x: x, if it has y's channels."""
        return x

    def shown(self, x: np.ndarray) -> np.ndarray:
        """x as pictures with 1 or 3 channels, for sheets: itself, where it is no more."""
        return x

    def matched(self, n: int, rng: np.random.Generator) -> Batch | None:
        """n pairs that belong together; None where nobody knows any."""
        return self.draw(n, rng) if self.aligned else None

    def vary(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Augmented: aligned pictures together, those of two domains each for itself."""
        if not self.augmentation:
            return batch
        parts = [batch.x] if self.aligned else self.split(batch.x)
        return Batch(np.concatenate([self.augmentation(p, rng) for p in parts], -1), batch.labels)


class AlignedPictures(Pairs, Finite):
    """Pairs in memory: uint8 (N, H, W, C) of x and of y, row by row; their names."""

    def __init__(
        self,
        name: str,
        x: np.ndarray,
        y: np.ndarray,
        options: PairOptions,
    ) -> None:
        super().__init__(name, x.shape[1:3], (x.shape[3], y.shape[3]), options)
        self._x, self._y = x, y

    def __len__(self) -> int:
        return len(self._x)

    def take(self, indices: np.ndarray) -> Batch:
        return Batch(to_float(np.concatenate([self._x[indices], self._y[indices]], -1)), None)


class TwoDomains(Pairs, Endless):
    """Two sets in memory, uint8 (N, H, W, C) and (M, H, W, C); each draw takes one of either.

    partners  int (K, 2), rows of x and y that belong together, where some do; only `matched` looks
    """

    def __init__(
        self,
        name: str,
        x: np.ndarray,
        y: np.ndarray,
        options: PairOptions,
        partners: np.ndarray | None = None,
    ) -> None:
        super().__init__(name, x.shape[1:3], (x.shape[3], y.shape[3]), options)
        self._x, self._y = x, y
        self._partners = np.empty((0, 2), int) if partners is None else partners

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        return self._at(rng.integers(len(self._x), size=n), rng.integers(len(self._y), size=n))

    def matched(self, n: int, rng: np.random.Generator) -> Batch | None:
        if not len(self._partners):
            return None
        return self._at(*self._partners[rng.integers(len(self._partners), size=n)].T)

    def _at(self, i: np.ndarray, j: np.ndarray) -> Batch:
        return Batch(to_float(np.concatenate([self._x[i], self._y[j]], -1)), None)


class DrawnPairs(Pairs, Endless):
    """Pairs painted without end: what is to be seen is drawn first, then both sides of it are made.

    sides     from what `scenes` draws to the pictures A and to the pictures B, (N, H, W, C)
    channels  of A and of B unless the options ask for others
    """

    def __init__(
        self,
        name: str,
        size: tuple[int, int],
        options: PairOptions,
        *,
        sides: tuple[Callable[[Any], np.ndarray], Callable[[Any], np.ndarray]],
        channels: tuple[int, int],
    ) -> None:
        wanted = zip(options.channels, options.in_order(*channels), strict=True)
        x, y = [asked or own for asked, own in wanted]
        super().__init__(name, size, (x, y), options)
        self._of_x, self._of_y = options.in_order(*sides)

    @abstractmethod
    def scenes(self, n: int, rng: np.random.Generator) -> Any:
        """What n pictures shall show."""

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        x = self.scenes(n, rng)
        return self._pairs(x, x if self.aligned else self.scenes(n, rng))

    def matched(self, n: int, rng: np.random.Generator) -> Batch:
        scenes = self.scenes(n, rng)
        return self._pairs(scenes, scenes)

    def _pairs(self, x: Any, y: Any) -> Batch:
        sides = self._of_x(x), self._of_y(y)
        both = [with_channels(s, c) for s, c in zip(sides, self.channels, strict=True)]
        return Batch(np.concatenate(both, -1), None)


def with_channels(x: np.ndarray, channels: int) -> np.ndarray:
    """Pictures as they are, their luminance, or grey ones with three equal channels."""
    if x.shape[-1] == channels:
        return x
    if channels == 1:
        return (x @ LUMINANCE.astype(x.dtype))[..., None]
    return np.repeat(x, channels, -1)
