"""Matrix products, cut among the threads."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.dispatch import op
from minigan.parallel import MACS, over_parts


@op
def matmul(a: Array, b: Array) -> Array:
    """a (M, K) @ b (K, N), each thread computing a part of the longer side of the result.

    Where that is N, each thread reads its part of b alone: for a dense layer, its part of the
    weights.
    """
    (m, k), n = a.shape, b.shape[1]
    out = np.empty((m, n), a.dtype)

    def rows(start: int, stop: int) -> None:
        np.matmul(a[start:stop], b, out=out[start:stop])

    def columns(start: int, stop: int) -> None:
        np.matmul(a, b[:, start:stop], out=out[:, start:stop])

    over_parts(rows if m >= n else columns, max(m, n), m * k * n // MACS)
    return out
