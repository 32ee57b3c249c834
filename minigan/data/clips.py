"""Clips: frames one after another, as pairs of the last m of them and the next.

An example is a pair (pairs.py): x holds m frames, the oldest first, in its channels, and y the
frame that follows. A data set of clips also gives longer ones, to compare with what is predicted
frame by frame.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from minigan.data.pairs import PairOptions, Pairs
from minigan.errors import OptionError

FRAMES = 4  # that a prediction is made of, unless told (Mathieu et al. 2016, section 4)


class Clips(Pairs):
    """A data set of clips; examples are (H, W, (m + 1) channels), m of them in x.

    frames    m, how many frames tell the next
    channels  of x and of y: m times those of a frame, and those of a frame

    Raises OptionError for less than one frame.
    """

    def __init__(
        self, name: str, size: tuple[int, int], channels: int, options: PairOptions, frames: int
    ) -> None:
        if frames < 1:
            raise OptionError(f"--frames {frames}: the next frame is predicted from 1 at least")
        super().__init__(name, size, (frames * channels, channels), options)
        self.frames = frames

    @abstractmethod
    def sequences(self, n: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """n clips of `length` frames, float32 (n, length, H, W, channels of a frame) in [-1, 1].

        Raises DataError where the data has none of that length.
        """

    def telling(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n examples for a picture of a run: any, unless some tell more."""
        return self.draw(n, rng).x

    def unchanged(self, x: np.ndarray) -> np.ndarray:
        """The last of the frames x: what the next one is where nothing moves."""
        return x[..., -self.channels[1] :]


def joined(frames: np.ndarray) -> np.ndarray:
    """Frames (N, T, H, W, C) in the channels of one array, (N, H, W, T C), the oldest first."""
    n, t, h, w, c = frames.shape
    return np.ascontiguousarray(frames.transpose(0, 2, 3, 1, 4)).reshape(n, h, w, t * c)


def apart(x: np.ndarray, channels: int) -> np.ndarray:
    """Frames (N, T, H, W, channels) of (N, H, W, T channels): what `joined` joined."""
    n, h, w, c = x.shape
    return x.reshape(n, h, w, c // channels, channels).transpose(0, 3, 1, 2, 4)
