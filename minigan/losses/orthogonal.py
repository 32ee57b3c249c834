r"""Orthogonal regularisation without its diagonal (Brock et al. 2019, BigGAN, eq. 3).

    R(W) = beta || W^T W o (1 - I) ||_F^2        o element by element

of every weight W as a matrix (rows, outputs), a filter in each column: filters are kept apart in
direction and free in length. With a smooth, full-rank-like G, truncating z gives pictures where it
otherwise gives noise (section 3.1). With O = W^T W o (1 - I), symmetric, dR/dW = 4 beta W O.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minigan.backend import Array, array_module, scalar
from minigan.errors import OptionError
from minigan.layers import ConvTranspose2d, Layer
from minigan.losses.objective import Value
from minigan.ops.linear import matmul

PAPER = "Brock et al. 2019, Large scale GAN training, arXiv:1809.11096, section 3.1, eq. 3"

EQUATIONS = {
    "orthogonal.reg": r"R_\beta(W) = \beta \|W^\top W \odot (\mathbf{1} - I)\|_F^2",
}


class OrthogonalRegularization:
    """A regularizer of one network: the sum of R over its weights of two axes and more.

    weight: beta, 1e-4 in the paper. skip: the beginnings of names of parameters that are left out,
    such as an embedding that layers share.
    """

    name = "orthogonal"

    def __init__(self, weight: float = 1e-4, *, skip: Sequence[str] = ()) -> None:
        if not 0 < weight < math.inf:
            raise OptionError(f"orthogonal regularisation of {weight!r}: wanted above 0 and finite")
        self.weight, self.skip = weight, tuple(skip)

    def __call__(self, net: Layer) -> Value:
        """The term's value; adds its gradient to the network's."""
        total: Value = 0.0
        for path, layer in net.walk():
            outputs = -2 if isinstance(layer, ConvTranspose2d) else -1
            for name, p in layer.own_params.items():
                # What several layers share is listed once, under its first name.
                listed = f"{path}{name}" in net.flat.params
                if listed and p.data.ndim > 1 and not f"{path}{name}".startswith(self.skip):
                    moved = (np.moveaxis(a, outputs, -1) for a in (p.data, p.grad))
                    total = total + self._of(*moved)
        return scalar(total)

    def state_dict(self) -> dict[str, Array]:
        """Nothing is kept from step to step."""
        return {}

    def to(self, device: str) -> None:
        """Nothing to move."""

    def _of(self, weight: Array, grad: Array) -> Value:
        """R of a weight (..., outputs); adds its gradient to `grad`."""
        W = weight.reshape(-1, weight.shape[-1])
        off = matmul(W.T, W) * (1 - array_module(W).eye(W.shape[1], dtype=W.dtype))
        grad += (matmul(W, off) * (4 * self.weight)).reshape(grad.shape)
        return self.weight * np.square(off).sum()  # eq: orthogonal.reg
