"""Digits and digits over colour, as MNIST-M is made of MNIST: nothing has to be installed.

    |digit - patch|        of each colour channel, both in [0, 1]

A picture of the target is a digit blended by absolute difference with a patch of a photograph
(Ganin and Lempitsky 2015, arXiv:1409.7495): where the patch is bright the strokes are
dark, and strokes lie over edges and patterns. The patches there are cut from BSDS500; here they are
cut from painted kittens at random places, so that each picture has another. The labels of a digit
are not changed by it.

Every second digit of each class belongs to the source, the others to the target, so no digit is in
both. Held-out pictures are of held-out digits over held-out kittens.
"""

from __future__ import annotations

import numpy as np

from minigan.data import resources
from minigan.data.adaptation import LabelledDomains
from minigan.data.base import Batch, Endless
from minigan.data.digit_pairs import in_first
from minigan.data.digits import CLASSES, in_test
from minigan.data.kittens import Kittens
from minigan.data.memory import InMemory
from minigan.data.options import Options
from minigan.data.pairs import PairOptions
from minigan.data.pictures import fit_all, to_float
from minigan.errors import DataError, OptionError

NAMES = {"digit": CLASSES}
SIDE = 28  # of the digits
KITTEN = 64  # pixels, of what patches are cut from
LARGEST = 48


class BlendedDigits(Endless):
    """|digit - patch| of digits, uint8 (N, H, W, C), each time over another patch of a kitten."""

    def __init__(self, pixels: np.ndarray, digits: np.ndarray, options: Options) -> None:
        super().__init__("digits-m", pixels.shape[1:], NAMES)
        self._pixels, self._digits = pixels, digits
        self._kittens = Kittens(KITTEN, self.shape[2], options.split)  # type: ignore[arg-type]

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        chosen = rng.integers(len(self._pixels), size=n)
        x = np.abs(to_float(self._pixels[chosen]) - self._patches(n, rng)) - 1
        return Batch(x, self._digits[chosen])

    def _patches(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n parts of kittens in [-1, 1], as large as a digit, half of them mirrored."""
        kittens = self._kittens.draw(n, rng).x
        h, w, _ = self.shape
        top, left = (rng.integers(KITTEN - side + 1, size=n) for side in (h, w))
        rows, columns = top[:, None] + np.arange(h), left[:, None] + np.arange(w)
        mirrored = rng.integers(2, size=n)[:, None] == 1
        columns = np.where(mirrored, columns[:, ::-1], columns)
        return kittens[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def open_digits_m(name: str, options: PairOptions) -> LabelledDomains:
    """Digits, in colour unless told otherwise, and digits over patches, of one size.

    Raises DataError for aligned pairs, of which there are none, and OptionError for sides above 48
    pixels, beyond which patches would be whole kittens.
    """
    if options.aligned:
        raise DataError(
            f"{name} holds no pairs that belong together, for a digit has no patch of its own: "
            "train cyclegan, munit or pixelda with it"
        )
    arrays = resources.load("digits.npz")
    digit = arrays["digit"]
    chosen = in_test(digit) == (options.split == "test")
    pixels, digit = arrays["x"][chosen][..., None], digit[chosen]
    first = in_first(digit)
    of_a, of_b = options.of_sides
    a, b = (
        fit_all(pixels[part], o.size or (SIDE, SIDE), o.channels or 3)
        for part, o in ((first, of_a), (~first, of_b))
    )
    if max(b.shape[1:3]) > LARGEST:
        raise OptionError(
            f"{name} of size {b.shape[1]}x{b.shape[2]}: sides go up to {LARGEST}, for patches are "
            f"cut from kittens of {KITTEN}x{KITTEN}"
        )
    plain = InMemory("digits", a, digit[first][:, None], NAMES)
    blended = BlendedDigits(b, digit[~first][:, None].astype(np.int64), of_b)
    return LabelledDomains(name, *options.in_order(plain, blended), options)
