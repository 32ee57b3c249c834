r"""Highway layers: how much of an input is transformed is a gate's to say (Srivastava et al. 2015).

    t = sigmoid(x W_T + b_T),   q = x W_H + b_H,   y = t relu(q) + (1 - t) x

Backward, with s = t (1 - t), r = relu(q) and m = 1 where q > 0,

    da = s (r - x) dy    (of the gate's x W_T + b_T),    dq = t m dy
    dx = (1 - t) dy + da W_T^T + dq W_H^T

Second, with v = ddx, u_T = v W_T and u_H = v W_H,

    <v, dx> = <dy, (1 - t) v + s (r - x) u_T + t m u_H>

the bracket is ddy; W_T gains v^T (s (r - x) dy), W_H gains v^T (t m dy), and through what the
bracket is made of it owes

    dy (-s v + s (1 - 2 t) (r - x) u_T + s m u_H)    to the gate's x W_T + b_T
    dy s m u_T                                       to q
    -dy s u_T                                        to x itself
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, is_array
from minigan.layers.base import GradContext, Layer
from minigan.layers.dense import Dense, DenseContext
from minigan.ops.activation import relu, sigmoid


@dataclass(slots=True)
class HighwayContext:
    """The input, t, relu(q), and the contexts of both affine maps."""

    x: Array
    t: Array
    r: Array
    gate: DenseContext
    transform: DenseContext


class Highway(Layer):
    """y = t relu(x W_H + b_H) + (1 - t) x over the last axis: (N, features) -> (N, features).

    Its parts are "transform" (W_H, b_H) and "gate" (W_T, b_T); init draws both weights. Raises
    ShapeError for another last axis.
    """

    def __init__(
        self, features: int, *, init: str = "glorot_uniform", rng: np.random.Generator
    ) -> None:
        super().__init__()
        self.features = features
        self.transform = Dense(features, features, init=init, rng=rng)
        self.gate = Dense(features, features, init=init, rng=rng)
        self.add_child("transform", self.transform)
        self.add_child("gate", self.gate)

    def describe(self) -> str:
        return str(self.features)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, HighwayContext]:
        (x,) = xs
        ok = is_array(x) and x.ndim >= 2 and x.shape[-1] == self.features
        self.check_array(x, f"(..., {self.features})", ok, self.gate.weight.data.dtype)
        a, gate_ctx = self.gate.forward(x)
        q, transform_ctx = self.transform.forward(x)
        t, r = sigmoid(a), relu(q)
        return x + t * (r - x), HighwayContext(x, t, r, gate_ctx, transform_ctx)

    def backward(
        self, dy: Array, ctx: HighwayContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        self.check_upstream(dy, ctx.x.shape)
        da, dq = self._inner(dy, ctx)
        of_gate = self.gate.backward(da, ctx.gate, need_dx, need_dw)
        of_transform = self.transform.backward(dq, ctx.transform, need_dx, need_dw)
        if of_gate is None or of_transform is None:
            return None
        return dy - ctx.t * dy + of_gate + of_transform

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, Any]:
        ctx, dy = gctx.ctx, gctx.dy
        da, dq = self._inner(dy, ctx)
        u_T, _ = self.gate.double_backward(ddx, GradContext(ctx.gate, da))
        u_H, _ = self.transform.double_backward(ddx, GradContext(ctx.transform, dq))
        t, apart, m = ctx.t, ctx.r - ctx.x, (ctx.r > 0).astype(dy.dtype)
        s = t * (1 - t)
        ddy = ddx - t * ddx + s * apart * u_T + t * m * u_H
        to_gate = dy * s * ((1 - 2 * t) * apart * u_T + m * u_H - ddx)
        of_gate = self.gate.backward(to_gate, ctx.gate)
        of_transform = self.transform.backward(dy * s * m * u_T, ctx.transform)
        assert of_gate is not None
        assert of_transform is not None
        return ddy, of_gate + of_transform - dy * s * u_T

    def _inner(self, dy: Array, ctx: HighwayContext) -> tuple[Array, Array]:
        """da and dq."""
        da = dy * ctx.t * (1 - ctx.t) * (ctx.r - ctx.x)
        return da, dy * ctx.t * (ctx.r > 0).astype(dy.dtype)
