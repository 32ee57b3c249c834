"""Pairs of sounds: speech in noise and the same speech without, cut into windows of one length.

Both lie in the channels of one array, (T, 2), the noisy one first: a pair goes through loaders and
reference batches as one example.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from minigan.data.base import Batch, Dataset
from minigan.data.options import Split
from minigan.errors import OptionError


@dataclass(frozen=True)
class SoundOptions:
    """What is asked of a data set of sounds.

    window  samples of an example
    split   "train", or "test" for speech and noises that "train" never gives
    strict  refuse damaged files instead of skipping them
    """

    window: int
    split: Split = "train"
    strict: bool = False

    @classmethod
    def checked(cls, window: int, split: str, strict: bool) -> SoundOptions:
        """Options from what a user typed. Raises OptionError."""
        if window < 1:
            raise OptionError(f"--window {window}: give 1 sample or more")
        if split not in get_args(Split):
            raise OptionError(f"split {split!r}: give 'train' or 'test'")
        return cls(window, split, strict)  # type: ignore[arg-type]


class Sounds(Dataset):
    """A data set of windows (T, 2) of noisy and of clean speech, float32 in [-1, 1].

    rate: samples a second.
    """

    def __init__(self, name: str, window: int, rate: int) -> None:
        super().__init__(name, (window, 2))
        self.window, self.rate = window, rate

    @property
    def kind(self) -> Literal["sounds"]:
        return "sounds"

    def split(self, examples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Noisy and clean speech of examples (..., T, 2), as views (..., T)."""
        return examples[..., 0], examples[..., 1]

    def joined(self, noisy: np.ndarray, clean: np.ndarray) -> Batch:
        """Windows (N, T) as examples."""
        return Batch(np.stack([noisy, clean], -1).astype(np.float32, copy=False), None)
