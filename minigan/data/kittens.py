"""Kittens, composed from layers and drawn without end: the default data of minigan.

David Revoy painted each part of a kitten on a transparent layer; one layer of each label, painted
over one another on white in the order of `NAMES`, is a kitten. 15 x 9 x 15 x 10 x 16 layers make
324,000 combinations. (The artist's set has a tenth fur, as empty as "plain"; one of the two was
left out so that one picture has one name.)

A scarf hides the mouth, so combinations that differ only under a scarf have one *look*. A tenth of
the 287,550 looks is held out for the test split: a model that shows one of those cannot have
copied it.

Source: Revoy (2016), "Cat avatar generator", CC-BY 4.0, see NOTICE; made by tools/make_kittens.py.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from minigan.data import resources
from minigan.data.base import Composed
from minigan.data.options import Channels, Options, Split
from minigan.errors import DataError, OptionError

NAMES: dict[str, tuple[str, ...]] = {
    "body": (
        *("maroon", "lime", "black", "lilac", "red"),
        *("sand", "pink", "brown", "blue", "yellow"),
        *("mustard", "grey", "caramel", "cream", "orange"),
    ),
    "fur": (
        *("faint stripes", "tiger stripes", "plain", "swirls", "dark patch"),
        *("white patch", "white muzzle", "squares", "white spots"),
    ),
    "eyes": (
        *("round", "almond", "dots", "pointed", "monocle"),
        *("square", "closed", "grey", "soft square", "green"),
        *("winged", "oval", "glasses", "tall", "lashes"),
    ),
    "mouth": (
        *("open red", "wide smile", "small o", "shout", "open dark"),
        *("lopsided", "smile", "open narrow", "grin", "open wide"),
    ),
    "accessory": (
        *("red scarf", "bell", "red collar", "headband", "pink bow"),
        *("black hat", "red headphones", "blue scarf", "barrel", "typewriter"),
        *("diamond", "bandana", "blue bow", "red hat", "silver headphones"),
        "none",
    ),
}
COUNTS = tuple(len(classes) for classes in NAMES.values())
COMBINATIONS = int(np.prod(COUNTS))
NATIVE_SIZES = (32, 64)
SIZES = range(8, 65)

_MOUTH, _ACCESSORY = list(NAMES).index("mouth"), list(NAMES).index("accessory")
_SCARVES = [NAMES["accessory"].index(scarf) for scarf in ("red scarf", "blue scarf")]
LUMINANCE = np.array([299, 587, 114]) / 1000  # ITU-R BT.601, the weights of Pillow's "L"


class Kittens(Composed):
    """Kittens of one split, uniform over its combinations.

    size          side in pixels, 8 to 64; 32 and 64 are stored, others are reduced from 64
    channels      3, or 1 for ITU-R 601 luminance
    combinations  int (K,), the combinations of this split in ascending order

    Raises OptionError for another size or channels.
    """

    def __init__(self, size: int = 32, channels: Channels = 3, split: Split = "train") -> None:
        if size not in SIZES:
            raise OptionError(f"kittens of size {size}: give a side from {SIZES[0]} to {SIZES[-1]}")
        super().__init__("kittens", (size, size, channels), NAMES)
        everything = np.arange(COMBINATIONS)
        self.combinations = everything[held_out(everything) == (split == "test")]
        self._layers = [_affine(layers, channels) for layers in _load(size)]

    def parts(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """The labels of n kittens, int64 (n, 5): they decide all of it."""
        return self.labels(self.combinations[rng.integers(len(self.combinations), size=n)])

    def compose(self, labels: np.ndarray) -> np.ndarray:
        """Pictures, float32 (N, H, W, C) in [-1, 1], of `labels`, int (N, 5), held out or not."""
        _check_labels(labels)
        x = np.ones((len(labels), *self.shape), np.float32)  # white paper
        for (keep, shift), chosen in zip(self._layers, labels.T, strict=True):
            x *= keep[chosen]
            x += shift[chosen]
        return x

    @staticmethod
    def combination(labels: np.ndarray) -> np.ndarray:
        """Number of each combination, int64 (N,), from `labels`, int (N, 5)."""
        _check_labels(labels)
        return np.ravel_multi_index(tuple(labels.T), COUNTS)

    @staticmethod
    def labels(combination: np.ndarray) -> np.ndarray:
        """Labels, int64 (N, 5), of each combination, int (N,): the inverse of `combination`."""
        return np.stack(np.unravel_index(combination, COUNTS), axis=1)


def look(combination: np.ndarray) -> np.ndarray:
    """The lowest combination, int64 (N,), that differs from each one only under a scarf."""
    labels = Kittens.labels(combination)
    labels[np.isin(labels[:, _ACCESSORY], _SCARVES), _MOUTH] = 0
    return Kittens.combination(labels)


def held_out(combination: np.ndarray) -> np.ndarray:
    """Whether each combination, int (N,), belongs to the test split, bool (N,).

    A look of number m is held out when the fractional part of m / golden ratio, in 32-bit fixed
    point, is below a tenth (Fibonacci hashing: Knuth, The Art of Computer Programming 3, section
    6.4). It spreads the held-out looks more evenly over all classes and pairs of classes than a
    random choice would.
    """
    return look(combination) * 2_654_435_769 % 2**32 < 2**32 // 10


def reduce(layers: list[Image.Image], size: int) -> np.ndarray:
    """Square layers of mode "RGBa" (colour times alpha) reduced to uint8 (K, size, size, 4).

    Colour is multiplied by alpha before filtering, so that the unseen colour of transparent pixels
    does not bleed into the edges.
    """
    small = [layer.resize((size, size), Image.Resampling.LANCZOS) for layer in layers]
    pixels = np.stack([np.asarray(layer) for layer in small])
    # Lanczos' filter rings; a colour above its alpha would be brighter than white.
    pixels[..., :3] = np.minimum(pixels[..., :3], pixels[..., 3:])
    return pixels


def open_kittens(options: Options) -> Kittens:
    """Kittens as `open_data` asks for them; 32 x 32 in colour unless told otherwise."""
    height, width = options.size or (32, 32)
    if height != width:
        raise OptionError(f"kittens of size {height}x{width}: kittens are square, give one side")
    return Kittens(height, options.channels or 3, options.split)


def _load(size: int) -> list[np.ndarray]:
    """For each label its layers, uint8 (K, size, size, 4), colour times alpha."""
    stored = size if size in NATIVE_SIZES else max(NATIVE_SIZES)
    arrays = resources.load(f"kittens_{stored}.npz")
    layers = [arrays[label] for label in NAMES]
    if size == stored:
        return layers
    return [
        reduce([Image.frombytes("RGBa", (stored, stored), x.tobytes()) for x in family], size)
        for family in layers
    ]


def _affine(layers: np.ndarray, channels: Channels) -> tuple[np.ndarray, np.ndarray]:
    """Painting a layer of colour c (times alpha) and alpha a over x as x * keep + shift.

    Over is  v <- c + (1 - a) v  for v in [0, 1]  (Porter and Duff, 1984). With x = 2 v - 1:
        x <- (1 - a) x + (2 c - a)
    As 0 <= c <= a, x stays in [-1, 1], even rounded. Both factors are float32 (K, H, W, C): one
    that broadcasts over so few channels would be slow.
    """
    scaled = layers / 255
    c, a = scaled[..., :3], scaled[..., 3:]
    if channels == 1:  # luminance is linear, so it may be taken before painting
        c = (c @ LUMINANCE)[..., None]
    keep = np.broadcast_to(1 - a, c.shape).astype(np.float32)
    return keep, (2 * c - a).astype(np.float32)


def _check_labels(labels: np.ndarray) -> None:
    if labels.ndim != 2 or labels.shape[1] != len(COUNTS):
        raise DataError(f"kitten labels of shape {labels.shape}: give (N, {len(COUNTS)})")
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"kitten labels of dtype {labels.dtype}: give integers")
    if ((labels < 0) | (labels >= COUNTS)).any():
        raise DataError(
            f"kitten labels up to {labels.max(0)} from {labels.min(0)}: "
            f"give 0 to {np.array(COUNTS) - 1}, for {', '.join(NAMES)}"
        )
