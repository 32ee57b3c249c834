r"""An auto-encoder as a discriminator: the energy of an example is how badly it is reconstructed.

    r(x) = decode(encode(x)),   d = r(x) - x,   E(x) = (1/F) sum_j |d_j|^eta,   eta 1 or 2

over the F numbers of one example. With J the Jacobian of r, phi(d) = |d|^eta and u = dE phi'(d) / F

    dx = J^T u - u
    second: <v, dx> = <J v - v, u>, so with w = J v - v the gradient of dE is sum(w phi'(d)) / F,
    and d gains q = w dE phi''(d) / F, which goes down as u did: x_extra = J^T q - q

besides what r itself owes to x where it is curved. phi'' vanishes for eta = 1.

Zhao, Mathieu, LeCun 2017, arXiv:1609.03126, section 2.3; Berthelot et al. 2017, arXiv:1703.10717,
section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.layers.base import Layer, add
from minigan.layers.compose import Sequential


@dataclass(slots=True)
class EnergyContext:
    """What the backward pass needs: the contexts inside, the code, and r(x) - x."""

    ctxs: list[Any]  # of the encoder and the decoder
    code: Array
    difference: Array


@dataclass(slots=True)
class EnergyGradContext:
    """The forward context, the second-order one of the auto-encoder, and the energies' gradient."""

    ctx: EnergyContext
    chain: Any
    dy: Array


class ReconstructionError(Layer):
    """Energies (N, 1) of examples: mean |decode(encode(x)) - x|^power, power 1 or 2.

    Raises OptionError for another power, ShapeError where the decoder gives another shape than the
    encoder takes.
    """

    def __init__(self, encoder: Layer, decoder: Layer, *, power: int = 2) -> None:
        super().__init__()
        if power not in (1, 2):
            raise OptionError(f"power={power!r}: the energy is the mean of |r(x) - x|^1 or ^2")
        self.encoder = self.add_child("encoder", encoder)
        self.decoder = self.add_child("decoder", decoder)
        self.chain = Sequential(encoder, decoder)  # for computing; the names are those above
        self.power = power

    def describe(self) -> str:
        return f"{self.encoder!r}, {self.decoder!r}, power={self.power}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, EnergyContext]:
        (x,) = xs
        code, encoder_ctx = self.encoder.forward(x, train=train, update_stats=update_stats)
        r, decoder_ctx = self.decoder.forward(code, train=train, update_stats=update_stats)
        if r.shape != x.shape:
            raise ShapeError(
                f"{type(self).__name__} wanted a decoder that gives back {x.shape}, got {r.shape}"
            )
        d = r - x
        size = np.abs(d) if self.power == 1 else d * d
        y = size.reshape(len(x), -1).mean(1, keepdims=True)
        return y, EnergyContext([encoder_ctx, decoder_ctx], code, d)

    def backward(
        self, dy: Array, ctx: EnergyContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        u = self._spread(dy, ctx.difference) * self._slope(ctx.difference)
        dx = self.chain.backward(u, ctx.ctxs, need_dx, need_dw)
        return dx - u if need_dx else None

    def code_backward(self, dcode: Array, ctx: EnergyContext) -> Array:
        """The gradient of the input owed to a loss of the code; the weights get none."""
        dx: Array = self.encoder.backward(dcode, ctx.ctxs[0], need_dw=False)
        return dx

    def input_gradient(self, dy: Array, ctx: EnergyContext) -> tuple[Array, EnergyGradContext]:
        u = self._spread(dy, ctx.difference) * self._slope(ctx.difference)
        dx, chain = self.chain.input_gradient(u, ctx.ctxs)
        return dx - u, EnergyGradContext(ctx, chain, dy)

    def double_backward(self, ddx: Array, gctx: EnergyGradContext) -> tuple[Array, Array | None]:
        ctx = gctx.ctx
        du, extra = self.chain.double_backward(ddx, gctx.chain)
        w = du - ddx
        features = ctx.difference[0].size
        products = (w * self._slope(ctx.difference)).reshape(len(w), -1)
        ddy = products.sum(1, keepdims=True) / features
        if self.power == 2:
            q = 2 * w * self._spread(gctx.dy, ctx.difference)
            extra = add(extra, self.chain.backward(q, ctx.ctxs) - q)
        return ddy, extra

    def _slope(self, d: Array) -> Array:
        """phi'(d)."""
        return np.sign(d) if self.power == 1 else 2 * d

    def _spread(self, dy: Array, d: Array) -> Array:
        """The energies' gradient (N, 1) over the numbers of each example, divided by F."""
        return dy.reshape(-1, *[1] * (d.ndim - 1)) / d[0].size
