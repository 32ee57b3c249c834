r"""Spectral normalisation (Miyato et al. 2018): a layer whose weight has spectral norm 1.

With W a layer's weight as a matrix (rows, out_channels), sigma its largest singular value, and
A(W) the linear map of the layer:

    y = A(W / sigma) x + b = A(W) x / sigma + b

Power iteration follows sigma as W moves, with vectors that start where they were last:

    v <- W u / |W u|        u <- W^T v / |W^T v|        sigma = v^T W u

u and v count as constants in every derivative, so dsigma/dW = v u^T =: U, and with s = 1 / sigma

    dx = A^T(W) (s dy)      dW = A'(x, s dy) - s <dy, A(W/sigma) x> U        (paper, eq. 12)

where A'(x, g), the wrapped layer's own weight gradient, is that of <g, A(W) x>. The map's linearity
lets the wrapped layer do its part on its own weight: it is given s dy where dy stood.

Second order, with g = s dy, y0 = A(W) x and k = <V, U>:

    <v, dx>:  dy is owed s A(W) v;  W is owed A'(v, g) - s <A(W) v, g> U
    <V, dW> = <A(V) x, g> - s k <g, y0>:
              dy is owed s A(V) x - s^2 k y0;   x is owed A^T(V) g - s k A^T(W) g;
              W is owed (2 s^2 k <g, y0> - s <A(V) x, g>) U - s k A'(x, g)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, to_host
from minigan.errors import OptionError
from minigan.layers.base import Layer
from minigan.layers.conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from minigan.layers.dense import Dense
from minigan.layers.params import Directions
from minigan.ops.channels import add_channel_sum
from minigan.ops.linear import matvec

PAPER = "Miyato et al. 2018, arXiv:1802.05957, section 2 and Algorithm 1"

EQUATIONS = {
    "spectral.norm": r"\bar{W}_{SN}(W) = W / \sigma(W)",
    "spectral.power": r"\tilde{v} \leftarrow W^T \tilde{u} / \|W^T \tilde{u}\|_2,"
    r" \quad \tilde{u} \leftarrow W \tilde{v} / \|W \tilde{v}\|_2,"
    r" \quad \sigma(W) \approx \tilde{u}^T W \tilde{v}",
    "spectral.gradient": r"\frac{\partial V}{\partial W} = \frac{1}{\sigma(W)}"
    r" (\hat{E}[\delta h^T] - \lambda u_1 v_1^T), \quad"
    r" \lambda = \hat{E}[\delta^T \bar{W}_{SN} h]",
}

# Layers that may be wrapped, each with the axis of its weight that counts outputs.
OUTPUT_AXIS: dict[type[Layer], int] = {
    Dense: -1,
    Conv1d: -1,
    Conv2d: -1,
    ConvTranspose1d: -2,
    ConvTranspose2d: -2,
}
WARM_UP = 15  # power iterations on the first weights, so that the first sigma is a good one


@dataclass(slots=True)
class SpectralContext:
    """The wrapped layer's context, its output y0 / sigma, and the constants of the pass."""

    inner: Any
    scaled: Array
    u: Array
    v: Array
    s: Array  # 1 / sigma


@dataclass(slots=True)
class SpectralGradContext:
    """The context, dy, and the wrapped layer's second-order context for s dy."""

    ctx: SpectralContext
    dy: Array
    inner: Any


class SpectralNorm(Layer):
    """`layer`, dense or convolutional, with its weight divided by its largest singular value.

    u (out,) and v (rows,) are buffers. They move by n_power_iterations in a training pass that may
    update state; any other pass takes them as they are. The wrapper takes over the layer's bias,
    which is not normalised. Raises OptionError for a layer of another kind.
    """

    def __init__(
        self,
        layer: Layer,
        *,
        n_power_iterations: int = 1,
        eps: float = 1e-12,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        if type(layer) not in OUTPUT_AXIS:
            kinds = ", ".join(kind.__name__ for kind in OUTPUT_AXIS)
            raise OptionError(f"SpectralNorm cannot wrap {layer!r}; it wraps: {kinds}")
        if n_power_iterations < 1:
            raise OptionError(f"n_power_iterations={n_power_iterations!r} must be at least 1")
        if not eps > 0:
            raise OptionError(f"eps={eps!r} must be above 0")
        self.n_power_iterations, self.eps = n_power_iterations, eps
        self.bias = layer.own_params.pop("bias", None)
        layer.bias = None  # type: ignore[attr-defined]  # the kinds above have one
        self.layer = self.add_child("layer", layer)
        self.weight = layer.own_params["weight"]
        if self.bias is not None:
            self.own_params["bias"] = self.bias
        W = self._matrix(self.weight.data)
        u = np.asarray(rng.standard_normal(W.shape[1]), W.dtype)
        self.own_buffers["u"], self.own_buffers["v"] = self._iterate(W, u, WARM_UP)

    def describe(self) -> str:
        return repr(self.layer)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, SpectralContext]:
        y, inner = self.layer.forward(*xs, train=train, update_stats=update_stats)
        W = self._matrix(self.weight.data)
        if train and update_stats:
            u, v = self._iterate(W, self.own_buffers["u"], self.n_power_iterations)
            self.own_buffers["u"][...], self.own_buffers["v"][...] = u, v
        else:
            u, v = self.own_buffers["u"].copy(), self.own_buffers["v"].copy()
        s = 1 / (v * matvec(W, u)).sum()
        y *= s  # eq: spectral.norm
        ctx = SpectralContext(inner, y, u, v, s)
        return (y if self.bias is None else y + self.bias.data), ctx

    def backward(
        self, dy: Array, ctx: SpectralContext, need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        dx = self.layer.backward(dy * ctx.s, ctx.inner, need_dx, need_dw)  # eq: spectral.gradient
        if need_dw:
            self._add_to_sigma(-ctx.s * (dy * ctx.scaled).sum(), ctx)  # eq: spectral.gradient
            if self.bias is not None:
                add_channel_sum(self.bias.grad, dy)
        return dx

    def input_gradient(self, dy: Array, ctx: SpectralContext) -> tuple[Any, SpectralGradContext]:
        dx, inner = self.layer.input_gradient(dy * ctx.s, ctx.inner)
        return dx, SpectralGradContext(ctx, dy, inner)

    def double_backward(self, ddx: Any, gctx: SpectralGradContext) -> tuple[Array, None]:
        ctx = gctx.ctx
        Av, _ = self.layer.double_backward(ddx, gctx.inner)
        ddy = Av * ctx.s
        self._add_to_sigma(-ctx.s * (ddy * gctx.dy).sum(), ctx)
        return ddy, None

    def weight_double_backward(
        self, ddw: Directions, gctx: SpectralGradContext
    ) -> tuple[Array, Any]:
        ctx, s = gctx.ctx, gctx.ctx.s
        V = self._matrix(ddw[self.weight])
        k = (ctx.v * matvec(V, ctx.u)).sum()
        AVx, x_extra = self.layer.weight_double_backward(ddw, gctx.inner)
        ddy = s * (AVx - k * ctx.scaled)
        along = (gctx.dy * (2 * k * ctx.scaled - AVx)).sum()
        self._add_to_sigma(s * s * along, ctx)
        x_extra = x_extra + self.layer.backward(gctx.dy * (-s * s * k), ctx.inner)
        if self.bias is not None:
            ddy += ddw[self.bias]
        return ddy, x_extra

    def follow_weights(self) -> None:
        """u and v anew, for weights that came from elsewhere, such as an average."""
        W, u = self._matrix(self.weight.data), self.own_buffers["u"]
        self.own_buffers["u"][...], self.own_buffers["v"][...] = self._iterate(W, u, WARM_UP)

    def normalized_weight(self) -> Array:
        """W / sigma(W) by u and v as they stand, on the host: what a layer without the norm has."""
        weight, u, v = (
            to_host(a).astype(np.float64)
            for a in (self.weight.data, self.own_buffers["u"], self.own_buffers["v"])
        )
        return weight / (v * matvec(self._matrix(weight), u)).sum()

    def _add_to_sigma(self, coefficient: Array, ctx: SpectralContext) -> None:
        """Add coefficient * dsigma/dW to the weight's gradient."""
        grad = np.moveaxis(self.weight.grad, OUTPUT_AXIS[type(self.layer)], -1)
        grad += ((coefficient * ctx.v)[:, None] * ctx.u).reshape(grad.shape)

    def _matrix(self, w: Array) -> Array:
        """An array of the weight's shape as (rows, out_channels)."""
        outputs_last = np.moveaxis(w, OUTPUT_AXIS[type(self.layer)], -1)
        return outputs_last.reshape(-1, outputs_last.shape[-1])

    def _iterate(self, W: Array, u: Array, times: int) -> tuple[Array, Array]:
        """u and v after `times` rounds of the power method (paper, Algorithm 1)."""
        for _ in range(times):
            v = self._normalized(matvec(W, u))  # eq: spectral.power
            u = self._normalized(matvec(W.T, v))  # eq: spectral.power
        return u, v

    def _normalized(self, a: Array) -> Array:
        return a / np.maximum(np.sqrt(np.square(a).sum()), a.dtype.type(self.eps))
