r"""Digits that walk along the streets of a small town, and turn left or right at every crossing.

Three streets go across and three down, so there are nine crossings. A digit takes two steps from
one to the next. At a crossing it never goes straight on and never back: where there is a street to
either side it takes one or the other, each with probability 1/2, and else the only one there is.

    +---+---+      At the town's corners and where a digit comes along the border, one way is left.
    |   |   |      At the middle crossing, and where it comes from there to the border, there are
    +---+---+      two: half of all turns are of that kind, and so is every fourth step. Nothing in
    |   |   |      the frames before tells which it will be.
    +---+---+

So the best prediction in the mean of squares shows half a digit at each side: its ghost splits.
Clips are drawn without end from ten thousand handwritten digits (digits.py); those of the test
split are digits that training never shows. `corners` gives frames right before such a turn, with
both frames that may come.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.data import resources
from minigan.data.base import Batch, Endless
from minigan.data.clips import Clips, joined
from minigan.data.digits import in_test
from minigan.data.pairs import PairOptions, with_channels
from minigan.data.pictures import to_float
from minigan.errors import OptionError

NAME = "moving-digits"
SIDE = 32  # pixels, unless told
SIZES = (16, 32, 64, 128)
STEP, MARGIN = 5, 6  # pixels of a step, and from the border to the middle of the first street
LAST = 4  # steps from the first crossing of a street to its last, by two of each segment
DIGIT, INK = 10, 20  # pixels of a digit here, and of one in MNIST, whose border of 4 is cut off
GROUND, PAVED = 40, 88  # of 255: dark greys of what lies between the streets, and of these
AGAIN = 8  # steps after which a digit is at the middle again
FREE = (0, 2)  # of these, those before which it has two ways to go

# Right, down, left, up: a turn to the right is the next one.
DIRECTIONS = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])


class Walk(NamedTuple):
    """Where n digits go: int (n, T, 2), row and column in steps from the first crossing.

    left, right  where each would go next by either turn, where it has both ways
    """

    places: np.ndarray
    left: np.ndarray
    right: np.ndarray


class Corners(NamedTuple):
    """Frames right before a turn with two ways, and what may come: float32 in [-1, 1].

    x       (N, H, W, m channels): the last m frames, as examples have them
    left    (N, H, W, channels): the next frame if the digit turns to its left
    right   the same, to its right
    last    the last of the frames x
    empty   (H, W, channels): the streets without a digit
    """

    x: np.ndarray
    left: np.ndarray
    right: np.ndarray
    last: np.ndarray
    empty: np.ndarray


class MovingDigits(Clips, Endless):
    """Clips of one digit each. Raises OptionError for a size that streets are not drawn at."""

    def __init__(self, name: str, options: PairOptions, frames: int) -> None:
        h, w = options.size or (SIDE, SIDE)
        if h != w or h not in SIZES:
            drawn = ", ".join(f"{side}x{side}" for side in SIZES)
            raise OptionError(f"{name} is drawn at {drawn}; --size {h}x{w} is none of these")
        super().__init__(name, (h, w), options.channels[1] or 1, options, frames)
        arrays = resources.load("digits.npz")
        chosen = in_test(arrays["digit"]) == (options.split == "test")
        self._digits = small(arrays["x"][chosen])

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        return Batch(joined(self.sequences(n, self.frames + 1, rng)), None)

    def sequences(self, n: int, length: int, rng: np.random.Generator) -> np.ndarray:
        who = rng.integers(len(self._digits), size=n)
        walk = walked(rng.integers(AGAIN, size=n), length, rng)
        return self._drawn(walk.places, who)

    def telling(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Half of the examples are right before a turn with two ways, one of which comes."""
        at = self.corners(n // 2, rng)
        to_left = rng.random(len(at.x))[:, None, None, None] < 0.5
        turning = np.concatenate([at.x, np.where(to_left, at.left, at.right)], -1)
        return np.concatenate([turning, self.draw(n - len(turning), rng).x])

    def corners(self, n: int, rng: np.random.Generator) -> Corners:
        """n sets of frames at whose end the digit has two ways to go."""
        m = self.frames
        who = rng.integers(len(self._digits), size=n)
        starts = (rng.choice(FREE, size=n) - (m - 1)) % AGAIN
        walk = walked(starts, m, rng)
        left, right = (self._drawn(way[:, -1:], who)[:, 0] for way in (walk.left, walk.right))
        empty = self._finished(streets()[None])[0]
        x = joined(self._drawn(walk.places, who))
        return Corners(x, left, right, self.unchanged(x), empty)

    def _drawn(self, places: np.ndarray, who: np.ndarray) -> np.ndarray:
        """Frames float32 (n, T, H, W, channels) of digits at places (n, T, 2)."""
        n, t = places.shape[:2]
        frames = np.tile(streets(), (n * t, 1, 1))
        within = MARGIN - DIGIT // 2 + np.arange(DIGIT)
        rows, columns = (STEP * places.reshape(-1, 2)[..., None] + within).swapaxes(0, 1)
        at = np.arange(n * t)[:, None, None], rows[:, :, None], columns[:, None, :]
        frames[at] = np.maximum(frames[at], np.repeat(self._digits[who], t, 0))
        h, w, _ = self.shape
        return self._finished(frames).reshape(n, t, h, w, self.channels[1])

    def _finished(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (N, SIDE, SIDE) at the size and with the channels that were asked for."""
        side = self.shape[0]
        if side < SIDE:
            k = SIDE // side
            pixels = pixels.reshape(-1, side, k, side, k).mean((2, 4)).round().astype(np.uint8)
        else:
            pixels = pixels.repeat(side // SIDE, 1).repeat(side // SIDE, 2)
        return with_channels(to_float(pixels[..., None]), self.channels[1])


def walked(starts: np.ndarray, length: int, rng: np.random.Generator) -> Walk:
    """Ways of `length` places, each from that many steps after the middle crossing on."""
    n = len(starts)
    place, direction = np.full((n, 2), LAST // 2), rng.integers(4, size=n)
    coins = rng.random((AGAIN + length, n)) < 0.5
    seen: list[tuple[np.ndarray, ...]] = []
    for step, coin in enumerate(coins):
        left = right = direction
        if step % 2 == 0:  # all are at crossings
            left, right = (direction - 1) % 4, (direction + 1) % 4
            direction = np.where((coin & _leads(place, left)) | ~_leads(place, right), left, right)
        ways = (place + DIRECTIONS[way] for way in (left, right))
        seen.append((place, *ways))
        place = place + DIRECTIONS[direction]
    times = starts[:, None] + np.arange(length)
    return Walk(*(np.stack(one)[times, np.arange(n)[:, None]] for one in zip(*seen, strict=True)))


def _leads(place: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Whether there is a street in that direction, bool (n,)."""
    there = place + DIRECTIONS[direction]
    return ((there >= 0) & (there <= LAST)).all(-1)


def streets() -> np.ndarray:
    """The town without a digit, uint8 (SIDE, SIDE): lines of two pixels."""
    town = np.full((SIDE, SIDE), GROUND, np.uint8)
    first, last = MARGIN - 1, MARGIN + LAST * STEP
    for middle in range(MARGIN, last + 1, 2 * STEP):
        town[middle - 1 : middle + 1, first : last + 1] = PAVED
        town[first : last + 1, middle - 1 : middle + 1] = PAVED
    return town


def small(digits: np.ndarray) -> np.ndarray:
    """MNIST's pictures, uint8 (N, 28, 28), at 10x10 and each as bright as can be."""
    border, k = (digits.shape[1] - INK) // 2, INK // DIGIT
    inner = digits[:, border : border + INK, border : border + INK].astype(np.float32)
    means = inner.reshape(-1, DIGIT, k, DIGIT, k).mean((2, 4))
    return np.rint(255 * means / means.max((1, 2), keepdims=True)).astype(np.uint8)
