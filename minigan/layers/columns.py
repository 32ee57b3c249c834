"""Some of a row's numbers: one of several heads of a network, as a network of its own."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.layers.shape import Linear


class Columns(Linear):
    """Numbers `start` to `stop` - 1 of the last axis: (..., C) -> (..., stop - start).

    Raises OptionError for an empty range, ShapeError for rows with fewer than `stop` numbers.
    """

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        if not 0 <= start < stop:
            raise OptionError(f"columns from {start} to {stop}: wanted 0 <= start < stop")
        self.start, self.stop = start, stop

    def describe(self) -> str:
        return f"{self.start}, {self.stop}"

    def apply(self, x: Array) -> Array:
        if x.shape[-1] < self.stop:
            raise ShapeError(f"{self!r} wanted (..., {self.stop} or more), got shape {x.shape}")
        return x[..., self.start : self.stop].copy()

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        dx = np.zeros_like(dy, shape=x_shape)
        dx[..., self.start : self.stop] = dy
        return dx
