"""minigan/ops/special.py on a card: kernels/special.cu."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import suffix, vectors


def lambertw_exp(x: Array) -> Array:
    xp = array_module(x)
    x, w = xp.ascontiguousarray(x), xp.empty(x.shape, x.dtype)
    launch(f"special.lambertw_exp{suffix(x)}", *vectors(x), x, w, np.int64(x.size))
    return w
