"""A kitten that wears something, and the thing alone: pairs of two domains, nothing to install.

    kittens-worn  A a kitten somewhere in a picture, with something on, over a background;
                  B what it wears, alone, as large as fits and in the middle of white paper

What is worn is one of six of the artist's accessories (kittens.py), dyed in one of eight colours:
its luminance, as bright as it gets, times that colour. A kitten of any look is painted with it on,
reduced to a side of 3/4 of the picture's or more, mirrored or not, and put anywhere; the background
blends four pale colours from corner to corner. None of this is to be seen in B, which is always the
same for a thing in a colour: 48 pictures in all.

Twelve of the 48 are held out for the test split, two of each thing, one or two of each colour.
Training shows every thing and every colour, but never these together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from minigan.data import resources
from minigan.data.kittens import LUMINANCE, NAMES, SIZES, reduce
from minigan.data.pairs import DrawnPairs, PairOptions
from minigan.errors import OptionError

SIDE = 32  # pixels, unless told
STORED = 64  # pixels of the layers
WORN = NAMES["accessory"]
THINGS = tuple(
    WORN.index(name)
    for name in ("red scarf", "headband", "pink bow", "red hat", "silver headphones", "bandana")
)
DYES = np.array(
    [
        *((226, 40, 40), (245, 140, 30), (250, 225, 60), (80, 190, 50)),
        *((60, 190, 220), (45, 75, 200), (150, 70, 190), (250, 130, 190)),
    ]
)
LEAST = 3 / 4  # of the picture's side: that of the smallest kitten
PALE = 0.5  # the darkest red, green or blue of a background's corner, from 0 to 1
FILLED = 7 / 8  # of B's side: the longer side of what is worn
HELD_OUT = 4  # one of so many combinations


class Scenes(NamedTuple):
    """What n pictures show.

    parts     int (n, 4), body, fur, eyes and mouth
    thing     int (n,), of THINGS;   dye  int (n,), of DYES
    side      int (n,), pixels of the kitten;   place  int (n, 2), its first row and column
    mirrored  bool (n,)
    corners   float32 (n, 2, 2, 3), the background's colours, from PALE to 1
    """

    parts: np.ndarray
    thing: np.ndarray
    dye: np.ndarray
    side: np.ndarray
    place: np.ndarray
    mirrored: np.ndarray
    corners: np.ndarray


class Wardrobe:
    """Paints both sides of scenes for pictures of one size. Raises OptionError for a size."""

    def __init__(self, size: int) -> None:
        if size not in SIZES:
            raise OptionError(f"kittens of size {size}: give a side from {SIZES[0]} to {SIZES[-1]}")
        self.size = size
        arrays = resources.load(f"kittens_{STORED}.npz")
        self._parts = [arrays[name].astype(np.float32) / 255 for name in list(NAMES)[:-1]]
        stored = arrays["accessory"][list(THINGS)]
        self._worn = _shaded(stored)
        self._alone = np.stack([_centred(layer, size) for layer in self._worn])

    def kittens(self, scenes: Scenes) -> np.ndarray:
        """A: float32 (n, size, size, 3) in [-1, 1]."""
        layers = [part[i] for part, i in zip(self._parts, scenes.parts.T, strict=True)]
        painted = np.zeros_like(layers[0])
        for layer in [*layers, _dyed(self._worn[scenes.thing], scenes.dye)]:
            painted = over(layer, painted)
        painted[scenes.mirrored] = painted[scenes.mirrored, :, ::-1]
        pixels = np.rint(np.clip(painted, 0, 1) * 255).astype(np.uint8)
        x = _blended(scenes.corners, self.size)
        for i, (side, (row, column)) in enumerate(zip(scenes.side, scenes.place, strict=True)):
            kitten = reduce([_image(pixels[i])], side)[0].astype(np.float32) / 255
            at = x[i, row : row + side, column : column + side]
            at[...] = kitten[..., :3] + (1 - kitten[..., 3:]) * at
        return 2 * x - 1

    def worn(self, scenes: Scenes) -> np.ndarray:
        """B: float32 (n, size, size, 3) in [-1, 1]."""
        return self.alone(scenes.thing, scenes.dye)

    def alone(self, thing: np.ndarray, dye: np.ndarray) -> np.ndarray:
        """Things, each in its colour, as B shows them."""
        layer = _dyed(self._alone[thing], dye)
        return 2 * (layer[..., :3] + (1 - layer[..., 3:])) - 1


class WornPairs(DrawnPairs):
    """Kittens and what they wear; `combinations` int (K, 2) are the split's things and dyes."""

    def __init__(self, name: str, wardrobe: Wardrobe, options: PairOptions) -> None:
        sides = (wardrobe.kittens, wardrobe.worn)
        size = (wardrobe.size, wardrobe.size)
        super().__init__(name, size, options, sides=sides, channels=(3, 3))
        self.wardrobe = wardrobe
        self.combinations = combinations(held_out=options.split == "test")

    def scenes(self, n: int, rng: np.random.Generator) -> Scenes:
        counts = [len(classes) for classes in NAMES.values()][:-1]
        parts = np.stack([rng.integers(count, size=n) for count in counts], 1)
        thing, dye = self.combinations[rng.integers(len(self.combinations), size=n)].T
        size = self.wardrobe.size
        side = rng.integers(int(np.ceil(LEAST * size)), size, size=n, endpoint=True)
        place = (rng.random((n, 2)) * (size - side + 1)[:, None]).astype(int)
        mirrored = rng.random(n) < 0.5
        corners = PALE + (1 - PALE) * rng.random((n, 2, 2, 3), np.float32)
        return Scenes(parts, thing, dye, side, place, mirrored, corners)


def combinations(*, held_out: bool) -> np.ndarray:
    """Things and dyes, int (K, 2), of either split."""
    thing, dye = np.divmod(np.arange(len(THINGS) * len(DYES)), len(DYES))
    of_test = (thing + dye) % HELD_OUT == 0
    return np.stack([thing, dye], 1)[of_test == held_out]


def open_worn(name: str, options: PairOptions) -> WornPairs:
    """Kittens and what they wear, 32x32 unless told otherwise."""
    height, width = options.size or (SIDE, SIDE)
    if height != width:
        raise OptionError(f"{name} of size {height}x{width}: kittens are square, give one side")
    return WornPairs(name, Wardrobe(height), options)


def over(layer: np.ndarray, below: np.ndarray) -> np.ndarray:
    """A layer painted over another, both colours times alpha, and alpha (Porter and Duff, 1984)."""
    return layer + (1 - layer[..., 3:]) * below


def _shaded(layers: np.ndarray) -> np.ndarray:
    """Layers uint8 (K, H, W, 4), colour times alpha, as float32: luminance times alpha, and alpha.

    The luminance of each is stretched so that its brightest opaque pixel has 1.
    """
    colour, alpha = layers[..., :3] / 255, layers[..., 3:] / 255
    light = (colour @ LUMINANCE)[..., None]
    opaque = np.where(alpha > 0.99, light, 0)
    stretched = np.minimum(light / opaque.max((1, 2, 3), keepdims=True), alpha)
    return np.concatenate([stretched, alpha], -1).astype(np.float32)


def _dyed(shaded: np.ndarray, dye: np.ndarray) -> np.ndarray:
    """Layers (N, H, W, 4) of luminance and alpha (N, H, W, 2), each in a colour of DYES."""
    colour = (DYES[dye] / 255).astype(np.float32)[:, None, None]
    return np.concatenate([shaded[..., :1] * colour, shaded[..., 1:]], -1)


def _centred(shaded: np.ndarray, size: int) -> np.ndarray:
    """What a layer (H, W, 2) shows, enlarged to FILLED of a square of `size`, in its middle."""
    rows, columns = (np.flatnonzero(shaded[..., 1].any(axis)) for axis in (1, 0))
    cut = shaded[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    h, w = (max(1, round(FILLED * size * side / max(cut.shape[:2]))) for side in cut.shape[:2])
    planes = [
        np.asarray(Image.fromarray(plane).resize((w, h), Image.Resampling.BICUBIC))
        for plane in np.moveaxis(cut, -1, 0)
    ]
    alpha = np.clip(planes[1], 0, 1)
    square = np.zeros((size, size, 2), np.float32)
    top, left = (size - h) // 2, (size - w) // 2
    square[top : top + h, left : left + w, 0] = np.clip(planes[0], 0, alpha)
    square[top : top + h, left : left + w, 1] = alpha
    return square


def _blended(corners: np.ndarray, size: int) -> np.ndarray:
    """Colours (N, 2, 2, 3) in the corners of pictures (N, size, size, 3), in between blended."""
    t = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    columns = corners[:, :, :1] * (1 - t) + corners[:, :, 1:] * t  # (N, 2, size, 3)
    t = t[..., None]
    return columns[:, :1] * (1 - t) + columns[:, 1:] * t


def _image(pixels: np.ndarray) -> Image.Image:
    """uint8 (H, W, 4), colour times alpha, for `reduce`."""
    return Image.frombytes("RGBa", pixels.shape[1::-1], pixels.tobytes())
