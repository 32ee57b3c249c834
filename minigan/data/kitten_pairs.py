"""Pairs of kittens, made of the embedded layers (see kittens.py): nothing has to be installed.

    kittens-edges     A the lines of a kitten in grey, B the kitten: many colours fit the same lines
    kittens-recolour  A an orange kitten, B a blue one that is alike in all but the body

Either is drawn aligned, or as two domains whose hidden pairs only pictures and measures look at.
The test split is made of looks that the training split never shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.data.kittens import NAMES, Kittens
from minigan.data.pairs import DrawnPairs, PairOptions, with_channels
from minigan.errors import OptionError

ORANGE, BLUE = (NAMES["body"].index(colour) for colour in ("orange", "blue"))
CONTRAST = 0.6  # difference of neighbouring luminances, in [-1, 1], that is drawn black


class KittenPairs(DrawnPairs):
    """Kittens of `labels`, int (K, 5), each as likely as any; the rest as `DrawnPairs` has it."""

    def __init__(
        self, name: str, kittens: Kittens, options: PairOptions, labels: np.ndarray, **drawn: Any
    ) -> None:
        h, w, _ = kittens.shape
        super().__init__(name, (h, w), options, **drawn)
        self._labels = labels

    def scenes(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self._labels[rng.integers(len(self._labels), size=n)]


def open_edges(name: str, options: PairOptions) -> KittenPairs:
    """Lines and kittens, 32x32 unless told otherwise."""
    kittens = _kittens(name, options)
    return KittenPairs(
        name,
        kittens,
        options,
        labels=kittens.labels(kittens.combinations),
        sides=(lambda labels: edges(kittens.compose(labels)), kittens.compose),
        channels=(1, 3),
    )


def open_recolour(name: str, options: PairOptions) -> KittenPairs:
    """Orange kittens and blue ones, 32x32 unless told otherwise."""
    kittens = _kittens(name, options)
    labels = kittens.labels(kittens.combinations)
    return KittenPairs(
        name,
        kittens,
        options,
        labels=labels[labels[:, 0] == ORANGE],  # the orange one says which split a pair is of
        sides=(
            kittens.compose,
            lambda labels: kittens.compose(_in(labels, BLUE)),
        ),
        channels=(3, 3),
    )


def edges(x: np.ndarray) -> np.ndarray:
    """Dark lines on white, (N, H, W, 1), where the luminance of pictures (N, H, W, 3) changes."""
    grey = with_channels(x, 1)[..., 0]
    down = np.diff(grey, axis=1, append=grey[:, -1:])
    right = np.diff(grey, axis=2, append=grey[:, :, -1:])
    ink = np.clip(np.hypot(down, right) / np.float32(CONTRAST), 0, 1)
    return (1 - 2 * ink)[..., None]


def _in(labels: np.ndarray, body: int) -> np.ndarray:
    """The same kittens with another body."""
    return np.concatenate([np.full_like(labels[:, :1], body), labels[:, 1:]], 1)


def _kittens(name: str, options: PairOptions) -> Kittens:
    height, width = options.size or (32, 32)
    if height != width:
        raise OptionError(f"{name} of size {height}x{width}: kittens are square, give one side")
    return Kittens(height, 3, options.split)
