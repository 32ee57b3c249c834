"""Streams of random numbers whose state lives where their numbers are wanted."""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np

from minigan import backend
from minigan.backend import Array, to_device, to_host
from minigan.errors import OptionError
from minigan.ops import random

Size = int | tuple[int, ...]

KIND = "Philox 4x64-10, a draw a counter"


class Rng(Protocol):
    """What a prior draws from: a `Stream`, or NumPy's Generator on the CPU."""

    def uniform(self, low: float, high: float, size: Size) -> Array:
        """Numbers of U(low, high)."""

    def standard_normal(self, size: Size) -> Array:
        """Numbers of N(0, 1)."""


class Stream:
    """Noise from one seed, the same on the CPU and on a card: see ops/random.py.

    It has the methods of NumPy's Generator that draw noise; arrays are made where its state is.
    Different tuples of integers give independent streams, as in `backend.make_rng`.
    """

    def __init__(self, *seed: int) -> None:
        key = np.random.SeedSequence((len(seed), *seed)).generate_state(2, np.uint64)
        self.state: Array = np.concatenate([key, np.zeros(random.WORDS - 2, np.uint64)])

    def to(self, device: str) -> Self:
        """Go on from here on `device`."""
        self.state = to_device(self.state, device)
        return self

    def uniform(self, low: float, high: float, size: Size) -> Array:
        """Numbers of U(low, high), in float64."""
        return self._moved(random.uniform(self.state, _shape(size), low, high, np.float64))

    def standard_normal(self, size: Size) -> Array:
        """Numbers of N(0, 1), in float64."""
        return self._moved(random.normal(self.state, _shape(size), np.float64))

    def random(self, size: Size) -> Array:
        """Numbers of U(0, 1), in float64."""
        return self.uniform(0.0, 1.0, size)

    def _moved(self, drawn: Array) -> Array:
        advance(self.state)
        return drawn


def advance(state: Array) -> None:
    """Leave the numbers of this draw behind: add 1 to the counter's last word, where it lives."""
    last = state[5:]
    last += np.uint64(1)  # a card would write the sum back once more for state[5:] += 1


def rng_state(rng: np.random.Generator | Stream) -> dict[str, Any]:
    """The whole state as plain integers, strings and lists, fit for JSON."""
    if isinstance(rng, Stream):
        return {"bit_generator": KIND, "state": [int(word) for word in to_host(rng.state)]}
    return backend.rng_state(rng)


def restore_rng(rng: np.random.Generator | Stream, state: dict[str, Any]) -> None:
    """Put back a state that `rng_state` returned. Raises OptionError for another kind's."""
    if not isinstance(rng, Stream):
        backend.restore_rng(rng, state)
        return
    if state["bit_generator"] != KIND:
        raise OptionError(f"random state of {state['bit_generator']} given to a stream of noise")
    words = np.array(state["state"], np.uint64)
    if words.shape != (random.WORDS,):
        raise OptionError(f"a random state of {words.size} words; wanted {random.WORDS}")
    rng.state[...] = backend.array_module(rng.state).asarray(words)


def _shape(size: Size) -> tuple[int, ...]:
    return (size,) if isinstance(size, int) else tuple(size)
