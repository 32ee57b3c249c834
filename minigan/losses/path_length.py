r"""Path length regularisation: a step in W moves the picture by one length (StyleGAN2, eq. 4).

    E_{w, y ~ N(0, I)} (||J_w^T y||_2 - a)^2        J_w = dG(w)/dw,  a the moving mean of the length

For random directions y of pictures, J_w^T y is the input gradient of G for the upstream y, so the
term's gradient needs the second derivative of G, as that of a gradient penalty needs that of D. As
in the paper's code each layer has a style of its own, the length is that over all numbers of w,
averaged over the layers before the root is taken, and y is divided by the root of the number of
pixels:

    l_i = sqrt((1/L) sum_l ||g_il||^2)     g = J_w^T y        P = weight (1/N) sum_i (l_i - a)^2
    dP/dg_il = weight (2/N) (l_i - a) / (L l_i) g_il

a has moved towards the batch's mean by then, and counts as a constant.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.backend import Array, array_module, scalar, to_device
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses.objective import Value
from minigan.noise import Rng

PAPER = "Karras et al. 2020, StyleGAN2, arXiv:1912.04958, section 3.2, eq. 4"

EQUATIONS = {
    "pathlength.loss": r"\mathbb{E}_{w, y \sim \mathcal{N}(0, I)}"
    r" \left( \|J_w^T y\|_2 - a \right)^2",
    "pathlength.mean": r"a \leftarrow a + \beta (\mathbb{E} \|J_w^T y\|_2 - a)",
}


class PathLength:
    """The term for a network of styles ws (N, L, w_dim) and noise: see `Synthesis`.

    weight: 2 in the paper's code. decay: the beta above, 0.01 there. `state` holds a.
    """

    name = "path_length"

    def __init__(self, *, weight: float = 2.0, decay: float = 0.01, like: Array) -> None:
        if not 0 < weight < math.inf:
            raise OptionError(f"path length of weight={weight!r}: wanted above 0 and finite")
        if not 0 < decay <= 1:
            raise OptionError(f"path length with decay={decay!r}: wanted in (0, 1]")
        self.weight, self.decay = weight, decay
        self.state = {"mean": np.zeros(1, like.dtype)}

    def __call__(self, net: Layer, ctx: Any, y: Array) -> tuple[Value, Array]:
        """The term's value and its gradient of ws, from the context of a forward pass.

        y: a direction of each picture. Adds the gradient of the net's parameters.
        """
        (g, _), gctx = net.input_gradient(y, ctx)
        layers = g.shape[1]
        length = np.sqrt(np.square(g).sum((1, 2)) / layers + np.finfo(g.dtype).tiny)
        mean = self.state["mean"]
        mean += self.decay * (length.mean() - mean)  # eq: pathlength.mean
        off = length - mean
        slope = (2 * self.weight / len(g) / layers) * off / length
        _, (dws, _) = net.double_backward((slope[:, None, None] * g, None), gctx)
        return scalar(self.weight * np.square(off).mean()), dws  # eq: pathlength.loss

    def to(self, device: str) -> None:
        """Follow the network to `device`."""
        self.state = {name: to_device(array, device) for name, array in self.state.items()}


def picture_directions(pictures: Array, rng: Rng) -> Array:
    """y: normal numbers of the pictures' shape, divided by the root of the number of pixels."""
    xp, (h, w) = array_module(pictures), pictures.shape[1:3]
    return xp.asarray(rng.standard_normal(pictures.shape), pictures.dtype) / math.sqrt(h * w)
