"""Labels of a run: which columns of the data's labels are its condition, and the pictures of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.conditional.base import Conditional
from minigan.backend import Array, make_rng
from minigan.data import Batch, Dataset
from minigan.data.base import LabelNames
from minigan.errors import DataError, UnknownNameError
from minigan.streams import Purpose
from minigan.training.config import Config

LABELLED = (
    "digits, kittens, faces-ages, stacked-digits, ring or grid; a folder that has a folder for "
    "each class; IDX files with their labels beside them; CIFAR-10; an .npz archive with labels"
)
ROWS, COLUMNS = 10, 8  # of the picture of a run


class Conditions(NamedTuple):
    """The labels that a run is conditioned on, and their columns among the data's."""

    label_names: LabelNames
    columns: list[int]

    def of(self, batch: Batch) -> Array:
        """Class numbers, int64 (N, L)."""
        assert batch.labels is not None  # conditions() has seen that there are labels
        return batch.labels[:, self.columns]

    def draw(self, dataset: Dataset, n: int, rng: np.random.Generator) -> Array:
        """n rows of labels as the data has them."""
        return self.of(dataset.draw(n, rng))


def conditions(config: Config, dataset: Dataset) -> Conditions | None:
    """What the run is conditioned on; None for an algorithm that looks at no labels.

    Raises DataError for data without labels, UnknownNameError for a label that it does not have.
    """
    if recipe(config.algorithm).takes not in ("labelled", "captions", "bars"):
        return None
    known = dataset.label_names
    if not known:
        raise DataError(
            f"{config.algorithm} learns from labelled examples, and data {dataset.name!r} has no "
            f"labels; data with labels: {LABELLED}"
        )
    said = getattr(config.options, "label", None)
    wanted = list(known) if said is None else [name.strip() for name in said.split(",")]
    for name in wanted:
        if name not in known:
            raise UnknownNameError("label", name, known)
    names = [name for name in known if name in wanted]  # in the data's order
    found = {name: known[name] for name in names}
    if config.classes and config.classes != found:
        raise DataError(
            f"the classes of {dataset.name!r} are not those that the run was trained on: "
            f"{_listed(found)} now, {_listed(config.classes)} then; name its folders as they were"
        )
    return Conditions(found, [list(known).index(n) for n in names])


def _listed(classes: LabelNames) -> str:
    return "; ".join(f"{label}: {', '.join(names)}" for label, names in classes.items())


def inputs(batch: Batch, chosen: Conditions | None) -> tuple[Array, ...]:
    """What a step is given of a batch."""
    return (batch.x,) if chosen is None else (batch.x, chosen.of(batch))


def panel_labels(algorithm: Conditional, *, seed: int, rows: int = ROWS) -> Array:
    """The labels (R, L) of the rows of a picture: each class of a single label, else draws."""
    names = list(algorithm.label_names.values())
    if len(names) == 1:
        return np.arange(min(len(names[0]), rows))[:, None]
    return algorithm.draw_labels(rows, make_rng(seed, Purpose.LABELS))


def panel(algorithm: Conditional, *, seed: int, columns: int = COLUMNS) -> Array:
    """Samples (R * columns, ...) row by row: one label along a row, one noise down a column."""
    labels = panel_labels(algorithm, seed=seed)
    z = algorithm.prior.draw(columns, make_rng(seed, Purpose.PICTURES))
    rows = len(labels)
    return algorithm.generate(np.tile(z, (rows, 1)), np.repeat(labels, columns, axis=0))
