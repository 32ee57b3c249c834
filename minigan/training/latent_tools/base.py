"""A trained generator as the latent tools see it, and what they make of it: a sheet."""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from minigan.algorithms.codes.prior import CodePrior
from minigan.algorithms.conditional.base import Conditional
from minigan.algorithms.latent import Latent
from minigan.backend import Array
from minigan.data import Dataset
from minigan.errors import OptionError
from minigan.prior import Prior
from minigan.training.generation import in_chunks

COLUMNS = 8  # pictures in a row unless said


@runtime_checkable
class StyleMixing(Protocol):
    """Its generator takes styles layer by layer, each of a z."""

    def mix(self, z_a: Array, z_b: Array, crossover_layer: int, *labels: Array) -> Array:
        """Samples whose layers below `crossover_layer` have the styles of z_a, the others z_b's.

        labels: of a conditional algorithm, (N, L).
        """


class Source:
    """A trained generator, the labels of the rows if it takes some, and its data."""

    def __init__(self, algorithm: Any, dataset: Dataset, labels: Array | None = None) -> None:
        self.algorithm, self.dataset, self.labels = algorithm, dataset, labels
        self.prior: Prior = algorithm.prior

    def make(self, z: Array, *, columns: int = 1) -> Array:
        """Samples of z (rows * columns, z_dim), row by row."""
        return in_chunks(self.algorithm.generate, z, *self._labels(len(z) // columns, columns))

    def mix(self, a: Array, b: Array, layer: int, *, columns: int) -> Array:
        """Samples with mixed styles. Raises OptionError where the generator has none."""
        if not isinstance(self.algorithm, StyleMixing):
            raise OptionError(
                "--mix-styles takes a generator with styles for each layer; train stylegan"
            )
        mixed = self.algorithm.mix

        def of_chunk(a: Array, b: Array, *labels: Array) -> Array:
            return mixed(a, b, layer, *labels)

        return in_chunks(of_chunk, a, b, *self._labels(len(a) // columns, columns))

    def _labels(self, rows: int, columns: int) -> tuple[Array, ...]:
        """Each row's label for each of its columns, from above again if too few; () of none."""
        if self.labels is None:
            return ()
        repeats = -(-rows // len(self.labels))
        return (np.repeat(np.tile(self.labels, (repeats, 1))[:rows], columns, axis=0),)


class Sheet(NamedTuple):
    """Samples row by row."""

    x: Array
    columns: int


class Tool(Protocol):
    """One way through the latent space; `flag` is the command line's option for it."""

    flag: ClassVar[str]

    def sheet(self, source: Source, n: int, rng: np.random.Generator) -> Sheet:
        """n rows of samples. Raises OptionError for a run that it cannot work with."""


def source_of(
    algorithm: Any, dataset: Dataset, labels: Array | None, n: int, rng: np.random.Generator
) -> Source | None:
    """The algorithm as a source of n rows; None for one without a latent z.

    labels: of the rows of a conditional run, drawn as the data has them if None.
    """
    if isinstance(algorithm, Conditional):
        drawn = algorithm.draw_labels(n, rng) if labels is None else labels
        return Source(algorithm, dataset, drawn)
    return Source(algorithm, dataset) if isinstance(algorithm, Latent) else None


def noise_of(prior: Prior) -> Prior:
    """The prior of the numbers in front of the codes, if there are codes."""
    return prior.noise if isinstance(prior, CodePrior) else prior


def ends(low: float | None, high: float | None, usual: tuple[float, float]) -> tuple[float, float]:
    """--low and --high, the usual ones where they were not given. Raises OptionError."""
    reach = usual[0] if low is None else low, usual[1] if high is None else high
    if not -math.inf < reach[0] < reach[1] < math.inf:
        raise OptionError(f"from --low {reach[0]} to --high {reach[1]}: wanted low below high")
    return reach


def rows(points: list[Array]) -> Array:
    """The points (N, z_dim) of each column, as the rows of a sheet (N * columns, z_dim)."""
    return np.stack(points, 1).reshape(-1, points[0].shape[1])
