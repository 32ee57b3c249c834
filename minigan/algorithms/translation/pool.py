"""A history of generated pictures, for discriminators to look back on.

Discriminators that see only the latest pictures forget what generators did before, and both go in
circles. Shrivastava et al. 2017 (arXiv:1612.07828, section 2.3) show them earlier ones too, and
CycleGAN does with 50 (Zhu et al. 2017, section 4).
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, DTypeLike, array_module, stacked, to_device
from minigan.errors import OptionError
from minigan.noise import Rng


class ImagePool:
    """Keeps up to `size` generated pictures; a size of 0 keeps none.

    Until it is full every picture is kept and shown. From then on each one is shown itself with
    probability 1/2; else one drawn from the pool is shown, and this one takes its place.

    `state` is what a resumed run needs. Nothing is decided on the host, so that the pool works in
    a captured step on a card too.
    """

    def __init__(self, shape: tuple[int, ...], *, size: int, dtype: DTypeLike = np.float32) -> None:
        if size < 0:
            raise OptionError(f"a pool of {size} pictures: give 0 or more (--pool)")
        self.size = size
        self.state = {
            "pictures": np.zeros((size, *shape), dtype),
            "count": np.zeros(1, np.int64),  # pictures that are there
        }

    def __call__(self, fake: Array, rng: Rng) -> Array:
        """What a discriminator is shown in the place of generated pictures (N, H, W, C)."""
        if self.size == 0:
            return fake
        xp = array_module(fake)
        draws = xp.asarray(rng.uniform(0.0, 1.0, (len(fake), 2)))
        shown = [
            self._swap(picture, keep, place)
            for picture, (keep, place) in zip(fake, draws, strict=True)
        ]
        return stacked(shown)

    def _swap(self, picture: Array, keep: Array, place: Array) -> Array:
        """The picture to be shown; keep and place are draws of U(0, 1)."""
        pictures, count = self.state["pictures"], self.state["count"]
        filling = count < self.size
        drawn = (place * self.size).astype(np.int64)
        at = np.clip(np.where(filling, count, drawn), 0, self.size - 1)
        earlier = pictures[at][0]
        swapped = ~filling & (keep < 0.5)
        pictures[at] = np.where(filling | swapped, picture, earlier)
        count += filling
        return np.where(swapped, earlier, picture)

    def to(self, device: str) -> None:
        """Follow the networks to `device`."""
        self.state = {name: to_device(array, device) for name, array in self.state.items()}
