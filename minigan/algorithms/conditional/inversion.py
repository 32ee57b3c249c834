r"""The z of which a conditional generator makes a given picture, by optimisation.

    z* = argmin_z d(G(z, y), x)

from a first guess z_0, by L-BFGS-B (Byrd et al. 1995), which scipy has. The gradient is the
generator's own backward pass down to z, with its weights frozen and its running statistics at rest:

    x~ = G(z, y)        d, dx~ = distance(x~, x)        dz = G.backward(dx~)

Each picture is a problem of its own, so that what is found does not depend on which others are
asked for beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.backend import Array, array_module, to_host
from minigan.layers import Layer

Distance = Callable[[Array, Array], tuple[Any, Array]]  # of a picture from x, and its gradient


def invert(G: Layer, z: Array, c: Array, x: Array, distance: Distance, *, iterations: int) -> Array:
    """z* (N, z_dim) of pictures x (N, H, W, C) with conditions c (N, E), from guesses z.

    All are arrays of G's device, and so is what is returned. iterations: of L-BFGS-B, at most.
    """
    rows = [slice(i, i + 1) for i in range(len(z))]
    found = [_one(G, z[row], c[row], x[row], distance, iterations) for row in rows]
    return array_module(z).concatenate(found) if found else z


def _one(G: Layer, z: Array, c: Array, x: Array, distance: Distance, iterations: int) -> Array:
    from scipy.optimize import minimize  # seldom used, and slow to import

    asarray = array_module(z).asarray

    def value(at: np.ndarray) -> tuple[float, np.ndarray]:
        made, ctx = G.forward(asarray(at[None], dtype=z.dtype), c, train=False, update_stats=False)
        d, dmade = distance(made, x)
        dz, _ = G.backward(dmade, ctx, need_dw=False)
        return float(to_host(d)), to_host(dz)[0].astype(np.float64)

    start = to_host(z)[0].astype(np.float64)
    best = minimize(value, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    return asarray(best.x[None], dtype=z.dtype)
