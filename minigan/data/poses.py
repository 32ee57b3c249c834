"""Persons in two poses: a picture of each, the joints of the second, and where its body is.

PG2 (Ma et al. 2017) learns from pictures of one person in two poses. An example holds in the
channels of one array

    I_A  the person in one pose          the first channels
    P_B  heat maps of the other pose     the next 18 (joints.py)
    I_B  the person in that pose         as many as I_A
    M_B  its mask                        the last one

so that x, what G is given, is I_A beside P_B, and y, what it should make of it, is I_B.
"""

from __future__ import annotations

import numpy as np

from minigan.data.augment import Augmentation
from minigan.data.base import Batch
from minigan.data.joints import JOINTS, MIRRORED, maps, mask
from minigan.data.pairs import PairOptions, Pairs


class Poses(Pairs):
    """A data set of examples (I_A, P_B, I_B, M_B); `split` gives x and y, which belong together."""

    def __init__(
        self, name: str, size: tuple[int, int], channels: int, options: PairOptions
    ) -> None:
        super().__init__(name, size, (channels + JOINTS, channels), options)
        self.shape = (*size, 2 * channels + JOINTS + 1)

    def split(self, examples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = self.channels
        return examples[..., :x], examples[..., x : x + y]

    def masks(self, examples: np.ndarray) -> np.ndarray:
        """M_B of examples, (N, H, W, 1), as a view."""
        return examples[..., -1:]

    def unchanged(self, x: np.ndarray) -> np.ndarray:
        """I_A: the person as it was."""
        return x[..., : self.channels[1]]

    def posed(self, x: np.ndarray) -> np.ndarray:
        """P_B of x, (N, H, W, 18), as a view."""
        return x[..., self.channels[1] :]

    def shown(self, x: np.ndarray) -> np.ndarray:
        return self.unchanged(x)

    def joined(self, a: np.ndarray, joints: np.ndarray, b: np.ndarray) -> Batch:
        """Examples of pictures I_A, the joints (N, 18, 2) of the other pose, and pictures I_B."""
        h, w, _ = self.shape
        return Batch(np.concatenate([a, maps(joints, (h, w)), b, mask(joints, (h, w))], -1), None)

    def vary(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Augmented, all of an example in one way; in a mirror right joints are left ones."""
        if not self.augmentation:
            return batch
        x = Augmentation(jitter=self.augmentation.jitter)(batch.x, rng)
        if self.augmentation.flip:
            turned = rng.random(len(x))[:, None, None, None] < 0.5
            x = np.where(turned, x[:, :, ::-1, self._mirrored()], x)
        return Batch(x, batch.labels)

    def _mirrored(self) -> np.ndarray:
        """Where each channel comes from in a mirror."""
        channels, first = np.arange(self.shape[2]), self.channels[1]
        channels[first : first + JOINTS] = first + MIRRORED
        return channels
