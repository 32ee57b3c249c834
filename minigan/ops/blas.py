"""NumPy's matrix product, without the false alarms of the library behind it."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array


def multiply(a: Array, b: Array, out: Array | None = None) -> Array:
    """a @ b on the CPU, into `out` if given.

    OpenBLAS pads what it multiplies with whatever its buffers hold, so that it sets the processor's
    flag of an invalid operation now and then where every number is finite and every result right
    (numpy issues 13173 and 24067); NumPy would warn of it. A product that is truly not finite is
    found by the training's own check.
    """
    with np.errstate(invalid="ignore"):
        return np.matmul(a, b, out=out)
