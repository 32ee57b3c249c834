"""What a number decides of something drawn: its numbers and its colours."""

from __future__ import annotations

import numpy as np

Rows = np.ndarray  # float (N,), a number of each that is drawn, or (N, 3), a colour


class Draws:
    """Uniform numbers that (stream, number, count of draws) decide: SplitMix64 of them.

    Source: Steele et al. 2014, "Fast splittable pseudorandom number generators", OOPSLA.
    """

    def __init__(self, of: np.ndarray, *, stream: int) -> None:
        self._start = (of.astype(np.uint64) << np.uint64(16)) + np.uint64(stream << 8)

    def __call__(self, low: float = 0.0, high: float = 1.0) -> Rows:
        self._start = self._start + np.uint64(1)
        z = self._start * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
        return low + (high - low) * (z >> np.uint64(11)) * 2.0**-53


def between(colours: np.ndarray, share: Rows) -> Rows:
    """Colours (N, 3) on the line through `colours`, from the first at 0 to the last at 1."""
    at = share * (len(colours) - 1)
    low = np.minimum(at.astype(int), len(colours) - 2)
    part = (at - low)[:, None]
    return colours[low] * (1 - part) + colours[low + 1] * part


def hsv(hue: Rows, saturation: Rows, value: Rows) -> Rows:
    """Colours (N, 3) of hue, saturation and value, each (N,); a hue of 1 is that of 0."""
    corner = np.abs((hue[:, None] * 6 + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1
    return value[:, None] * (1 - saturation[:, None] * (1 - np.clip(corner, 0, 1)))
