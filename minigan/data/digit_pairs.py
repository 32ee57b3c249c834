"""Digits in two domains, as the coupled GANs have them: nothing has to be installed.

    digits-negative  A digits, B other digits in negative: black on white
    digits-edges     A digits, B the outlines of other digits

Every second digit of each class belongs to A, the others to B, so no digit is in both (Liu and
Tuzel 2016, section 4). Aligned, A and B are of one digit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from minigan.data import resources
from minigan.data.base import Batch
from minigan.data.digits import in_test
from minigan.data.pairs import AlignedPictures, PairOptions, Pairs, TwoDomains
from minigan.data.pictures import fit_all

Make = Callable[[np.ndarray], np.ndarray]


def negative(x: np.ndarray) -> np.ndarray:
    """Pictures uint8 with black for white."""
    return 255 - x


def outlines(x: np.ndarray) -> np.ndarray:
    """What dilation by a pixel adds to pictures uint8 (N, H, W, C): their outer edges."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    h, w = x.shape[1:3]
    shifted = [padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)]
    return np.max(shifted, 0) - x


def in_first(digit: np.ndarray) -> np.ndarray:
    """Whether each example belongs to the first domain, bool (N,), from its class, int (N,)."""
    chosen = np.zeros(len(digit), bool)
    for number in np.unique(digit):
        chosen[np.flatnonzero(digit == number)[::2]] = True
    return chosen


class DigitDomains(TwoDomains):
    """Digits of either domain; pairs of one digit, which training never draws, are `aligned`'s."""

    def __init__(
        self,
        name: str,
        x: np.ndarray,
        y: np.ndarray,
        options: PairOptions,
        aligned: AlignedPictures,
    ) -> None:
        super().__init__(name, x, y, options)
        self._aligned = aligned

    def matched(self, n: int, rng: np.random.Generator) -> Batch:
        return self._aligned.draw(n, rng)


def _open(make: Make, name: str, options: PairOptions) -> Pairs:
    arrays = resources.load("digits.npz")
    digit = arrays["digit"]
    chosen = in_test(digit) == (options.split == "test")
    pixels, digit = arrays["x"][chosen][..., None], digit[chosen]
    of_a, of_b = options.of_sides
    a = fit_all(pixels, of_a.size, of_a.channels)
    b = fit_all(make(pixels), of_b.size, of_b.channels)
    aligned = AlignedPictures(name, *options.in_order(a, b), options)
    if options.aligned:
        return aligned
    in_a = in_first(digit)
    return DigitDomains(name, *options.in_order(a[in_a], b[~in_a]), options, aligned)


open_negative = partial(_open, negative)
open_edges = partial(_open, outlines)
