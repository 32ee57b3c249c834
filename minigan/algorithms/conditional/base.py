"""What conditional algorithms share: labels, how they are asked for, and how they are drawn.

A label is a column of class numbers, one column for each entry of `label_names`, in its order; the
labels of a batch are integers (N, L). A recipe that takes "labelled" examples has its step called
as step(x, labels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from minigan.algorithms.options import LabelNames, OptimizerOptions, Task
from minigan.algorithms.settings import option
from minigan.backend import Array
from minigan.errors import DataError, OptionError, UnknownNameError
from minigan.prior import Prior


@runtime_checkable
class Conditional(Protocol):
    """Its samples are made of a latent z and of labels, both of which can be given.

    label_names: label -> names of its classes, in the order of the labels' columns.
    """

    prior: Prior
    label_names: LabelNames

    def generate(self, z: Array, labels: Array) -> Array:
        """The samples of draws z (N, z_dim) and labels, integers (N, L); arrays of the host."""

    def draw_labels(self, n: int, rng: np.random.Generator) -> Array:
        """n rows of labels (n, L) as the data has them, on the host."""


@runtime_checkable
class VectorConditional(Conditional, Protocol):
    """Its condition is a vector made of labels, and may be another one: zeros for no label."""

    def encode(self, labels: Array, like: Array) -> Array:
        """The condition (N, E) of labels (N, L), in the dtype of `like`."""

    def generate_for(self, z: Array, c: Array) -> Array:
        """The samples of z (N, z_dim) and conditions (N, E); arrays of the host."""


@runtime_checkable
class Relabelling(Protocol):
    """It makes of a picture what that would be with other labels.

    label_names: as Conditional's; labels are integers (N, L) in its order.
    """

    label_names: LabelNames

    def relabel(self, x: Array, labels: Array) -> Array:
        """Pictures x (N, H, W, C) as they are with `labels`; arrays of the host."""

    def named(self, x: Array) -> Array:
        """The labels that it takes pictures for."""

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise OptionError for a size of pictures (H, W) that `relabel` does not take."""


@dataclass(frozen=True, kw_only=True)
class LabelOptions(OptimizerOptions):
    """Which of the data's labels an algorithm looks at."""

    label: str | None = option(
        None, "labels of the data that are the condition, with commas between (default: all)"
    )


def uniform_labels(label_names: LabelNames, n: int, rng: np.random.Generator) -> Array:
    """Labels (n, L), every class of each label as likely as the others."""
    return np.stack([rng.integers(len(names), size=n) for names in label_names.values()], axis=1)


def draw_labels(task: Task, n: int, rng: np.random.Generator) -> Array:
    """Labels (n, L) as the task's data has them; uniform where it does not say."""
    if task.labels is not None:
        return task.labels(n, rng)
    return uniform_labels(task.label_names, n, rng)


def class_number(label_names: LabelNames, label: str, name: str) -> tuple[int, int]:
    """The column of a label, and the number of its class of that name.

    Raises UnknownNameError, naming the nearest known ones, for one that is not there.
    """
    if label not in label_names:
        raise UnknownNameError("label", label, label_names)
    classes = label_names[label]
    if name not in classes:
        raise UnknownNameError(f"class of label {label!r}:", name, classes)
    return list(label_names).index(label), classes.index(name)


def check_labels(label_names: LabelNames, labels: Array) -> None:
    """Raise DataError unless labels of the host are integers (N, L) within their classes."""
    counts = [len(classes) for classes in label_names.values()]
    if labels.ndim != 2 or labels.shape[1] != len(counts):
        raise DataError(
            f"labels of shape {labels.shape}: give (N, {len(counts)}), "
            f"a column for each of {', '.join(label_names)}"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"labels of dtype {labels.dtype}: give integers")
    for (label, classes), column in zip(label_names.items(), labels.T, strict=True):
        if column.size and (column.min() < 0 or column.max() >= len(classes)):
            raise DataError(
                f"label {label!r} of {column.min()} to {column.max()} is out of range: it has "
                f"{len(classes)} classes, 0 to {len(classes) - 1}"
            )


def check_classes(label_names: LabelNames) -> None:
    """Raise OptionError where there is nothing to condition on: no label, or one of one class."""
    if not label_names:
        raise OptionError("a conditional algorithm needs labels: give Task(label_names=...)")
    for label, classes in label_names.items():
        if len(classes) < 2:
            raise OptionError(
                f"label {label!r} has one class only ({', '.join(classes)}): there is nothing to "
                "choose; leave it out (--label), or add data of another class"
            )
