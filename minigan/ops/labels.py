"""Class numbers as vectors of zeros and ones."""

from __future__ import annotations

from collections.abc import Sequence

from minigan.backend import Array, DTypeLike, array_module, joined
from minigan.ops.dispatch import op


@op(plain=True)
def multi_hot(labels: Array, counts: Sequence[int], dtype: DTypeLike) -> Array:
    """labels (N, L), column i in [0, counts[i]) -> (N, sum of counts): a 1 for each label's class.

    A number outside gives no 1. Runs as plain CuPy on a card.
    """
    xp = array_module(labels)
    columns = [labels[:, i : i + 1] == xp.arange(count) for i, count in enumerate(counts)]
    return joined(columns, 1).astype(dtype)
