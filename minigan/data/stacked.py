"""Stacked digits: three digits as the red, green and blue channel of one picture; 1,000 modes.

Each channel is drawn on its own from the split of the embedded digits. The classes differ a little
in number (863 to 1,127 of 10,000), so each channel first draws its class and then one of its
pictures: all 1,000 triples are equally likely.

Source: Srivastava et al. (2017), "VEEGAN", section 4.2, after Metz et al. (2017), "Unrolled GANs".
"""

from __future__ import annotations

import numpy as np

from minigan.data import digits
from minigan.data.base import Batch, Endless
from minigan.data.memory import InMemory
from minigan.data.options import Options
from minigan.errors import OptionError

CHANNELS = ("red", "green", "blue")
MODES = len(digits.CLASSES) ** len(CHANNELS)


class StackedDigits(Endless):
    """Triples of the digits of one split, (H, W, 3); the labels are the digit of each channel."""

    def __init__(self, source: InMemory) -> None:
        height, width, _ = source.shape
        names = dict.fromkeys(CHANNELS, digits.CLASSES)
        super().__init__("stacked-digits", (height, width, len(CHANNELS)), names)
        everything = source.take(np.arange(len(source)))
        assert everything.labels is not None
        digit = everything.labels[:, 0]
        self._x = everything.x[..., 0]
        self._order = np.argsort(digit, kind="stable")  # the places of class 0, then of class 1 ...
        self._counts = np.bincount(digit, minlength=len(digits.CLASSES))
        self._starts = np.cumsum(self._counts) - self._counts

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        labels = rng.integers(len(digits.CLASSES), size=(n, len(CHANNELS)))
        places = self._order[self._starts[labels] + rng.integers(self._counts[labels])]
        return Batch(np.stack([self._x[column] for column in places.T], axis=-1), labels)


def mode(labels: np.ndarray) -> np.ndarray:
    """The number of each triple of digits, int (N, 3): (N,), 0 to 999."""
    return labels @ np.array([100, 10, 1])


def open_stacked(options: Options) -> StackedDigits:
    """Stacked digits as `open_data` asks for them, 28 x 28 unless told otherwise."""
    if options.channels not in (None, len(CHANNELS)):
        raise OptionError("stacked-digits has 3 channels, a digit in each; leave --channels out")
    grey = Options(options.size, 1, options.split, options.strict)
    return StackedDigits(digits.open_digits(grey))
