"""Augmentations of pictures that keep what lies in one array together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigan.errors import OptionError


@dataclass(frozen=True)
class Augmentation:
    """Mirrors half of the pictures, and cuts each out of an enlarged copy of itself.

    flip    left and right change places with probability 1/2
    jitter  pixels by which a side is enlarged before as many are cut off at random: 30 of 256 in
            pix2pix (Isola et al. 2017, section 6.2), in bilinear interpolation

    All channels of a picture go the same way, so that two pictures joined along them stay aligned.
    Raises OptionError for a negative jitter.
    """

    flip: bool = False
    jitter: int = 0

    def __post_init__(self) -> None:
        if self.jitter < 0:
            raise OptionError(f"--jitter {self.jitter}: give 0 or more pixels")

    def __bool__(self) -> bool:
        return self.flip or self.jitter > 0

    def __call__(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """New pictures in x's shape, (N, H, W, C)."""
        if self.jitter:
            for axis in (1, 2):
                offsets = rng.integers(self.jitter + 1, size=len(x))
                x = _enlarged_part(x, axis, self.jitter, offsets)
        if self.flip:
            x = np.where(rng.random(len(x))[:, None, None, None] < 0.5, x[:, :, ::-1], x)
        return x


def _enlarged_part(x: np.ndarray, axis: int, more: int, offsets: np.ndarray) -> np.ndarray:
    """x enlarged by `more` pixels along an axis, and of each picture the part from its offset on.

    Pixels are areas: place i of n + more samples (i + 1/2) n / (n + more) - 1/2, within the border.
    """
    n = x.shape[axis]
    places = offsets[:, None] + np.arange(n)
    position = np.clip((places + 0.5) * n / (n + more) - 0.5, 0, n - 1)
    low = np.floor(position).astype(int)
    shape = [len(x), 1, 1, 1]
    shape[axis] = n
    part = (position - low).astype(x.dtype).reshape(shape)

    def at(index: np.ndarray) -> np.ndarray:
        return np.take_along_axis(x, index.reshape(shape), axis)

    return at(low) * (1 - part) + at(np.minimum(low + 1, n - 1)) * part
