"""Pictures and what is left of them: aligned pairs that are made of any pictures.

A degradation turns pictures y into what a restoration is given, x, which has their size:

    shrunk  x is y made s times smaller, by the mean of each s x s square, and then shown at y's
            size by repeating its pixels: every s-th one is the small picture
    holed   x is y with 0 where it is missing, and behind its channels 1 there, 0 elsewhere
    blurred x is y as a camera that moves sees it, by a path of each picture's own (motion.py)

so that sheets, measures and `minigan translate` take these pairs like any others. An augmented
picture is degraded after it was varied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from minigan.backend import make_rng
from minigan.data.augment import Augmentation
from minigan.data.base import Batch, Dataset, Endless, Finite
from minigan.data.motion import LENGTH, SIDE, blurred, kernel
from minigan.data.pairs import PairOptions, Pairs
from minigan.errors import DataError, OptionError, UnknownNameError
from minigan.streams import Purpose


class Degradation(Protocol):
    """What is done to pictures. random: whether it draws any numbers."""

    random: ClassVar[bool]

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise OptionError for pictures (H, W, C) that it cannot be done to."""

    def channels(self, of_y: int) -> int:
        """Of x, for pictures y with so many."""

    def __call__(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """x (N, H, W, channels) of pictures y (N, H, W, C) in [-1, 1]; y stays as it is."""

    def shown(self, x: np.ndarray) -> np.ndarray:
        """x as pictures of 1 or 3 channels, for sheets."""
        return x


@dataclass(frozen=True)
class Shrunk(Degradation):
    """Smaller by `scale` along either side, then every pixel repeated as often."""

    random: ClassVar[bool] = False

    scale: int

    def check(self, shape: tuple[int, ...]) -> None:
        h, w, s = *shape[:2], self.scale
        if h % s or w % s:
            below = f"{max(s, h // s * s)}x{max(s, w // s * s)}"
            above = f"{-(-h // s) * s}x{-(-w // s) * s}"
            raise OptionError(
                f"pictures of {h}x{w} cannot be made {s} times smaller: both sides must be "
                f"multiples of {s}; give --size {' or '.join(dict.fromkeys([below, above]))}"
            )

    def channels(self, of_y: int) -> int:
        return of_y

    def __call__(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, h, w, c = y.shape
        s = self.scale
        small = y.reshape(n, h // s, s, w // s, s, c).mean((2, 4), dtype=y.dtype)
        return small.repeat(s, 1).repeat(s, 2)


@dataclass(frozen=True)
class Holed(Degradation):
    """With a hole in the centre, or rectangles missing anywhere (Pathak et al. 2016, section 3.3).

    hole     "center": the central half but a rim of `overlap` pixels within it; "random": up to
             eight rectangles, each side an eighth to a quarter of the picture's, that together
             cover a quarter of it at most
    overlap  None for 7 pixels of 128
    """

    hole: str = "center"
    overlap: int | None = None

    @property
    def random(self) -> bool:  # type: ignore[override]  # of the hole's kind
        """Whether holes are anywhere."""
        return self.hole == "random"

    def check(self, shape: tuple[int, ...]) -> None:
        if self.hole not in HOLES:
            raise UnknownNameError("hole", self.hole, HOLES)
        h, w = shape[:2]
        most = max((min(h, w) // 2 - 1) // 2, 0)
        if min(h, w) < LEAST or (not self.random and self._rim(h, w) > most):
            raise OptionError(
                f"pictures of {h}x{w} with an --overlap of {self._rim(h, w)} have no hole in their "
                f"central half; give {most} or less, or larger pictures (--size)"
            )

    def channels(self, of_y: int) -> int:
        return of_y + 1

    def __call__(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        missing = HOLES[self.hole](self, y.shape, rng)[..., None].astype(y.dtype)
        return np.concatenate([y * (1 - missing), missing], -1)

    def shown(self, x: np.ndarray) -> np.ndarray:
        return x[..., :-1]

    def center(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """(N, H, W), true in the centre."""
        n, h, w, _ = shape
        missing = np.zeros((n, h, w), bool)
        rim, (top, left) = self._rim(h, w), (h // 4, w // 4)
        missing[:, top + rim : top + h // 2 - rim, left + rim : left + w // 2 - rim] = True
        return missing

    def rectangles(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """(N, H, W), true in rectangles of each picture's own."""
        n, h, w, _ = shape
        missing = np.zeros((n, h, w), bool)
        for picture in missing:
            for _ in range(RECTANGLES):
                with_it = picture.copy()
                down, across = (_part(side, rng) for side in (h, w))
                with_it[down, across] = True
                if with_it.mean() > MOST_MISSING:
                    break
                picture[...] = with_it
        return missing

    def _rim(self, h: int, w: int) -> int:
        return max(1, round(RIM * min(h, w))) if self.overlap is None else self.overlap


@dataclass(frozen=True)
class Blurred(Degradation):
    """Through a kernel of each picture's own, the path of a shaken camera (motion.py).

    length: of the path in pixels; None for 60 of 256.
    """

    random: ClassVar[bool] = True

    length: float | None = None

    def check(self, shape: tuple[int, ...]) -> None:
        h, w = shape[:2]
        if self.length is not None and not 0 < self.length < min(h, w):
            raise OptionError(
                f"--length {self.length} of pictures of {h}x{w}: give pixels above 0 and below "
                f"{min(h, w)}"
            )

    def channels(self, of_y: int) -> int:
        return of_y

    def __call__(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        length = LENGTH / SIDE * min(y.shape[1:3]) if self.length is None else self.length
        each = [blurred(picture, kernel(length, rng)) for picture in y]
        return np.stack(each) if each else y.copy()


def _part(side: int, rng: np.random.Generator) -> slice:
    """An eighth to a quarter of a side, anywhere on it."""
    length = int(rng.integers(max(1, side // 8), max(1, side // 4) + 1))
    start = int(rng.integers(side - length + 1))
    return slice(start, start + length)


RIM = 7 / 128  # of the shorter side
RECTANGLES = 8
MOST_MISSING = 1 / 4
LEAST = 4  # pixels of a side
HOLES = {"center": Holed.center, "random": Holed.rectangles}

# By name: what an algorithm's options can ask for.
DEGRADATIONS: dict[str, Callable[..., Degradation]] = {
    "shrunk": Shrunk,
    "holed": Holed,
    "blurred": Blurred,
}


class Degraded(Pairs):
    """The pictures of another data set as y, beside what a degradation leaves of them as x."""

    def __init__(
        self, pictures: Dataset, degradation: Degradation, augmentation: Augmentation
    ) -> None:
        h, w, c = pictures.shape
        options = PairOptions(aligned=True, augmentation=augmentation)
        super().__init__(pictures.name, (h, w), (degradation.channels(c), c), options)
        self.pictures, self.degradation = pictures, degradation

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        return self.beside(self.pictures.draw(n, rng).x, rng)

    def vary(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """The pictures augmented, and degraded anew."""
        if not (self.augmentation or self.degradation.random):
            return batch
        _, y = self.split(batch.x)
        return self.beside(self.augmentation(y, rng) if self.augmentation else y, rng)

    def shown(self, x: np.ndarray) -> np.ndarray:
        """As the degradation shows it."""
        return self.degradation.shown(x)

    def beside(self, y: np.ndarray, rng: np.random.Generator) -> Batch:
        """The pairs of pictures y."""
        return Batch(np.concatenate([self.degradation(y, rng), y], -1), None)


class DegradedDrawn(Degraded, Endless):
    """Of pictures without end."""


class DegradedTaken(Degraded, Finite):
    """Of finitely many pictures. What `take` does to a picture depends on its index alone."""

    pictures: Finite

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, indices: np.ndarray) -> Batch:
        y = self.pictures.take(indices).x
        if not self.degradation.random or not len(indices):
            return self.beside(y, make_rng(0, Purpose.DEGRADED))
        each = [
            self.beside(picture[None], make_rng(int(i), Purpose.DEGRADED)).x
            for i, picture in zip(indices, y, strict=True)
        ]
        return Batch(np.concatenate(each), None)


def degraded(pictures: Dataset, degradation: Degradation, augmentation: Augmentation) -> Degraded:
    """The pairs of a data set. Raises DataError for points, OptionError for a size."""
    if pictures.kind != "image":
        raise DataError(
            f"{pictures.name} holds {pictures.kind} of shape {pictures.shape}, and only pictures "
            "can be restored: give kittens, digits, a folder of pictures or an archive of them"
        )
    degradation.check(pictures.shape)
    kind: Any = DegradedTaken if isinstance(pictures, Finite) else DegradedDrawn
    made: Degraded = kind(pictures, degradation, augmentation)
    return made
