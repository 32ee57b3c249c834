r"""Leaky units whose slope is learned, one for all channels or for each (He et al. 2015, eq. 1).

    y = max(x, 0) + a min(x, 0)      dx = dy f'(x),  f'(x) = 1 where x > 0, a elsewhere

The kink's derivative is the one from the left, as PyTorch has it. The slopes a are (1,) or (C,).
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.channels import add_channel_sum
from minigan.ops.dispatch import op


@op(plain=True)
def prelu(x: Array, a: Array) -> Array:
    """max(x, 0) + a min(x, 0). On a card this is plain CuPy."""
    y = np.minimum(x, 0)
    y *= a
    y += np.maximum(x, 0)
    return y


@op(plain=True)
def prelu_dx(dy: Array, x: Array, a: Array) -> Array:
    """dy where x > 0, a dy elsewhere. On a card this is plain CuPy.

    The factor is computed, for numpy.where branches at each number.
    """
    factor = (x > 0) * (1 - a)
    factor += a
    factor *= dy
    return factor


@op(plain=True)
def add_prelu_da(da: Array, dy: Array, saved: Array) -> Array:
    """da += the sum of dy saved over all that one slope serves; on a card partly plain CuPy.

    saved: dy/da of each number, which is min(x, 0).
    """
    products = dy * saved
    return add_channel_sum(da, products.reshape(-1, len(da)))
