"""An exponential moving average of a network's weights, to sample from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from minigan.backend import Array, to_device
from minigan.errors import OptionError
from minigan.layers.base import Layer
from minigan.ops.optim import moving_average


class EMA:
    """average = decay average + (1 - decay) theta after each step, from theta's first value.

    Running statistics are averaged with the weights, so that they belong together; what follows
    from the weights, such as the vectors of a spectral norm, is made anew for the average. Raises
    OptionError unless decay lies in [0, 1).
    """

    def __init__(self, net: Layer, decay: float) -> None:
        if not 0 <= decay < 1:
            raise OptionError(f"EMA decay={decay!r} must lie in [0, 1)")
        self.net, self.decay = net, decay
        self.average = {name: array.copy() for name, array in self._live().items()}

    def to(self, device: str) -> None:
        """Follow the network to `device`."""
        self.average = {name: to_device(array, device) for name, array in self.average.items()}

    def update(self) -> None:
        """Call once after each step of the network's optimiser."""
        for name, array in self._live().items():
            moving_average(self.average[name], array, self.decay)

    def restart(self) -> None:
        """Begin anew at the network's weights as they are."""
        for name, array in self._live().items():
            self.average[name][...] = array

    @contextmanager
    def applied(self) -> Iterator[Layer]:
        """Within the block the network holds the average; afterwards its own weights again."""
        self._swap()
        averaged = {name: buffer.copy() for name, buffer in self.net.buffers.items()}
        try:
            for _, layer in self.net.walk():
                layer.follow_weights()
            yield self.net
        finally:
            for name, buffer in self.net.buffers.items():
                buffer[...] = averaged[name]  # nothing is learned in the block
            self._swap()

    def _live(self) -> dict[str, Array]:
        """The arrays that are averaged: all parameters as one, and floating-point buffers."""
        buffers = {
            name: b for name, b in self.net.buffers.items() if np.issubdtype(b.dtype, np.floating)
        }
        return {"params": self.net.flat.data, **buffers}

    def _swap(self) -> None:
        """Exchange the numbers and keep the arrays, which a captured step goes on writing to."""
        swapped: set[int] = set()
        for name, array in self._live().items():
            if id(array) in swapped:  # a layer that stands in two places
                continue
            swapped.add(id(array))
            held = array.copy()
            array[...] = self.average[name]
            self.average[name][...] = held
        self.net.flat.touch()
