"""Samples of an algorithm for metrics: on the host, any number of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigan.algorithms import Algorithm
from minigan.backend import Array, to_host

CHUNK = 256  # samples generated at a time, so that any number fits into memory

Draw = Callable[[int, np.random.Generator], Array]


def drawing(algorithm: Algorithm) -> Draw:
    """The function from n and rng to n samples, a chunk at a time."""

    def draw(n: int, rng: np.random.Generator) -> Array:
        sizes = [min(CHUNK, n - start) for start in range(0, n, CHUNK)]
        return np.concatenate([to_host(algorithm.sample(size, rng)) for size in sizes])

    return draw
