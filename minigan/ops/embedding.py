"""Rows of a table by their numbers, and its adjoint."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.dispatch import op


@op
def take_rows(table: Array, index: Array) -> Array:
    """table (V, C), index (...) integers in [0, V) -> (..., C).

    On a card, which is not waited for, an integer outside gives a row of NaNs.
    """
    return table[index]


@op
def add_rows(total: Array, index: Array, rows: Array) -> None:
    """total[index[i]] += rows[i] for each i, in place; an index (n,) may occur many times.

    Rows are added in their order, on a card too.
    """
    np.add.at(total, index, rows)
