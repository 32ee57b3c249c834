"""A data set from arrays: pictures or points, with their classes if they have some."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from minigan.data.base import DataWarning, LabelNames
from minigan.data.memory import InMemory
from minigan.errors import DataError

MOST_CLASSES = 100_000


def from_arrays(
    x: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    label_names: Sequence[str] | None = None,
    name: str = "the arrays",
) -> InMemory:
    """A data set of the user's own arrays, ready for a `Loader`.

    x       pictures uint8, or float in [-1, 1]: (N, H, W, C) with C of 1 or 3, or (N, H, W) for
            grey; they are kept as bytes, so floats are rounded to the nearest of 256 levels.
            Points float (N, D), finite; they are kept as float32
    labels  whole numbers (N,) from 0: the classes of the label "class"; or (N, L), several labels
            such as attributes that are there (1) or not (0)
    label_names  a name for each of the labels, "label 1", "label 2", ... unless given

    Raises DataError on anything else; `name` is what its messages speak of.
    """
    x = checked(name, _array(name, x))
    data = points(name, x) if x.ndim == 2 else pixels(name, x)
    if labels is None:
        return InMemory(name, data)
    return InMemory(name, data, *classes_of(name, _array(name, labels), len(x), label_names))


def _array(name: str, values: ArrayLike) -> np.ndarray:
    """A copy, which later changes of the user's own array leave as it is."""
    try:
        return np.array(values)
    except ValueError as error:
        raise DataError(f"{name}: no array can be made of them: {error}") from None


def checked(name: str, x: np.ndarray) -> np.ndarray:
    """Examples as uint8 or float32, finite. Raises DataError."""
    if x.ndim not in (2, 3, 4) or 0 in x.shape:
        raise DataError(
            f"{name}: the examples have shape {x.shape}; give points (N, D) or pictures "
            "(N, H, W) or (N, H, W, C), at least one"
        )
    if x.dtype != np.uint8 and not np.issubdtype(x.dtype, np.floating):
        raise DataError(f"{name}: the examples have dtype {x.dtype}; give uint8 or a float type")
    if x.dtype != np.uint8:
        with np.errstate(over="ignore"):  # what overflows float32 is refused just below
            x = x.astype(np.float32)
    if not np.isfinite(x).all():
        count = np.count_nonzero(~np.isfinite(x))
        raise DataError(
            f"{name}: {count} values are NaN or infinite as float32; remove those examples"
        )
    return x


def points(name: str, x: np.ndarray) -> np.ndarray:
    """Float (N, D). Raises DataError for bytes."""
    if x.dtype == np.uint8:
        raise DataError(f"{name}: points (N, D) of dtype uint8; give a float type")
    return x


def pixels(name: str, x: np.ndarray) -> np.ndarray:
    """Bytes (N, H, W, C) of pictures. Raises DataError, and warns of a doubtful range."""
    x = x[..., None] if x.ndim == 3 else x
    if x.shape[3] not in (1, 3):
        hint = "; move the channels to the end" if x.shape[1] in (1, 3) else ""
        raise DataError(
            f"{name}: pictures of shape {x.shape} need 1 or 3 channels at the end{hint}"
        )
    if x.dtype == np.uint8:
        return x
    if x.min() < -1 or x.max() > 1:
        raise DataError(
            f"{name}: pictures run from {x.min():.4g} to {x.max():.4g}; give floats in [-1, 1], "
            "or uint8 for 0 to 255"
        )
    if x.min() >= 0:
        warnings.warn(
            f"{name}: pictures run from {x.min():.4g} to {x.max():.4g} and are taken as floats in "
            "[-1, 1], so that 0 is grey; if 0 is black, store 2 x - 1",
            DataWarning,
            stacklevel=3,
        )
    return np.rint((x + 1) * 127.5).astype(np.uint8)


def classes_of(
    name: str, y: np.ndarray, examples: int, names: Sequence[str] | None = None
) -> tuple[np.ndarray, LabelNames]:
    """Labels (N, L) of y (N,) or (N, L), and the names of their classes, which are numbers.

    names: of the labels. Raises DataError.
    """
    whole = np.issubdtype(y.dtype, np.integer)
    if y.ndim not in (1, 2) or len(y) != examples or 0 in y.shape or not whole or y.min() < 0:
        raise DataError(
            f"{name}: labels of shape {y.shape} and dtype {y.dtype}; give one whole number, "
            f"0 or more, for each of the {examples} examples, or a row of as many for each"
        )
    columns = y.reshape(examples, -1)
    labels = _names(name, columns.shape[1], names, alone=y.ndim == 1)
    counts = [int(most) + 1 for most in columns.max(0)]
    if max(counts) > MOST_CLASSES:
        raise DataError(
            f"{name}: a class of number {max(counts) - 1:,}; number them from 0, below "
            f"{MOST_CLASSES:,}"
        )
    classes = (tuple(map(str, range(count))) for count in counts)
    return columns, dict(zip(labels, classes, strict=True))


def _names(name: str, columns: int, given: Sequence[str] | None, *, alone: bool) -> list[str]:
    """Of the labels. Raises DataError unless those given are as many words, each another one."""
    if given is None:
        return ["class"] if alone else [f"label {i + 1}" for i in range(columns)]
    words = [str(word) for word in given]
    if len(words) != columns or len(set(words)) != columns or not all(words):
        raise DataError(
            f"{name}: label_names {', '.join(words) or 'none'}; give {columns}, each another name"
        )
    return words
