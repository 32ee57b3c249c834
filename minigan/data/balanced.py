"""A few examples, as many of each class: those that have a label where most have none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minigan.data.base import Batch, Dataset, Finite
from minigan.errors import DataError

CHUNK = 500  # examples that are looked at together
PATIENCE = 1000  # chunks of an endless data set


def balanced(dataset: Dataset, label: str, n: int, rng: np.random.Generator) -> Batch:
    """n examples, n / K of each of the K classes of `label`; rng decides which.

    They come class by class. Raises DataError where there are too few of a class.
    """
    place, names = list(dataset.label_names).index(label), dataset.label_names[label]
    wanted = n // len(names)
    found: list[list[np.ndarray]] = [[] for _ in names]
    for batch in _chunks(dataset, rng):
        assert batch.labels is not None
        for x, number in zip(batch.x, batch.labels[:, place], strict=True):
            if len(found[number]) < wanted:
                found[number].append(x)
        if all(len(kept) == wanted for kept in found):
            labels = np.repeat(np.arange(len(names)), wanted)[:, None]
            return Batch(np.stack([x for kept in found for x in kept]), labels)
    few = min(range(len(names)), key=lambda number: len(found[number]))
    raise DataError(
        f"{n} labelled examples of {dataset.name} take {wanted} of each class, and there are "
        f"{len(found[few])} of {label} {names[few]!r}; ask for fewer"
    )


def _chunks(dataset: Dataset, rng: np.random.Generator) -> Iterator[Batch]:
    """Examples in random order: all of finite data, many of endless data."""
    if not isinstance(dataset, Finite):
        for _ in range(PATIENCE):
            yield dataset.draw(CHUNK, rng)
        return
    order = rng.permutation(len(dataset))
    for start in range(0, len(order), CHUNK):
        yield dataset.take(order[start : start + CHUNK])
