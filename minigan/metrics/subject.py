"""What is measured: samples of a generator, and the data that they are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import NamedTuple

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data import Batch, Dataset, Finite
from minigan.metrics.extractors import Extractor, extractor_for
from minigan.streams import Purpose


class Asked(NamedTuple):
    """Samples by their labels: the labels' names, and how samples are asked for.

    draw  (n, rng) -> samples and labels (n, L), as the run's data has them
    make  (labels (N, L), rng) -> samples of these
    """

    label_names: Mapping[str, tuple[str, ...]]
    draw: Callable[[int, np.random.Generator], tuple[Array, Array]]
    make: Callable[[Array, np.random.Generator], Array]


class Judge(NamedTuple):
    """A discriminator's features (N, H, W, C) -> (N, F) of pictures of the host, those that it had
    before its training, and what opens the data that it was trained on."""

    trained: Callable[[Array], Array]
    untrained: Callable[[Array], Array]
    data: Callable[[], Dataset]


class Subject:
    """Samples and data for the metrics; what several metrics need is made once.

    draw       n, rng -> n samples (n, ...), the same for the same state of rng
    data       the split that samples are compared with, called `split`
    held_out   the test split, where the data has one; else None
    extractor  a shipped one's name, an .onnx file, or None for the data's own
    asked      samples by their labels, of a conditional generator
    judge      the discriminator as it sees pictures
    """

    def __init__(
        self,
        draw: Callable[[int, np.random.Generator], Array],
        data: Dataset,
        *,
        split: str,
        held_out: Dataset | None = None,
        extractor: str | None = None,
        seed: int = 0,
        asked: Asked | None = None,
        judge: Judge | None = None,
    ) -> None:
        self.data, self.split, self.held_out, self.seed = data, split, held_out, seed
        self.asked, self.judge = asked, judge
        self._draw, self._wanted = draw, extractor
        self._extractor: Extractor | None = None
        self._of_data: dict[tuple[str, int], Array] = {}
        self._of_samples: dict[tuple[str, int], Array] = {}

    def redrawn(self, draw: Callable[[int, np.random.Generator], Array]) -> Subject:
        """Other samples before the same data; what is made of the data serves both."""
        other = copy(self)
        other._draw, other._of_samples = draw, {}
        return other

    @property
    def said(self) -> str:
        """What is measured against what, where a protocol must say it."""
        return ""

    def views(self) -> list[tuple[str, Subject]]:
        """What is measured in the place of this subject, and what follows their values' names."""
        return [("", self)]

    @property
    def extractor(self) -> Extractor:
        """Made when first asked for. Raises what `extractor_for` raises."""
        if self._extractor is None:
            self._extractor = extractor_for(self.data, self._wanted)
        return self._extractor

    def paired(self, n: int) -> int:
        """n, or as many as the data has where that is less."""
        return n if self.data.size is None else min(n, self.data.size)

    def samples(self, n: int) -> Array:
        """n samples; fewer are the first of more only where `draw` makes them so."""
        return _once(
            self._of_samples,
            ("examples", n),
            lambda: self._draw(n, make_rng(self.seed, Purpose.MEASURED)),
        )

    def real(self, n: int) -> Array:
        """n examples of the data; different ones where it is finite."""
        return _once(
            self._of_data,
            ("examples", n),
            lambda: examples(self.data, n, make_rng(self.seed, Purpose.REAL)).x,
        )

    def labelled(self, n: int, rng: np.random.Generator) -> Batch:
        """n examples of the data with their labels; different ones where it is finite."""
        return examples(self.data, n, rng)

    def sample_features(self, n: int) -> Array:
        """(n, F)."""
        return _once(
            self._of_samples, ("features", n), lambda: self.extractor.features(self.samples(n))
        )

    def real_features(self, n: int) -> Array:
        """(n, F)."""
        return _once(self._of_data, ("features", n), lambda: self.extractor.features(self.real(n)))


def _once(
    kept: dict[tuple[str, int], Array], key: tuple[str, int], make: Callable[[], Array]
) -> Array:
    if key not in kept:
        kept[key] = make()
    return kept[key]


def examples(data: Dataset, n: int, rng: np.random.Generator) -> Batch:
    """n examples: without replacement from finite data, fresh ones from endless data."""
    if isinstance(data, Finite):
        return data.take(rng.permutation(len(data))[:n])
    return data.draw(n, rng)
