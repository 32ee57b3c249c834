r"""The evidence of K classes together: what makes a classifier a discriminator.

    y = log Z,  Z = sum_k exp(x_k)          p_k = exp(x_k) / Z

    dx_k = dy p_k
    second: <v, dx> = dy <v, p>, so ddy = <v, p> and x_extra_k = dy p_k (v_k - <v, p>)

With an additional class whose logit is always 0, D(x) = Z / (Z + 1) = sigmoid(log Z): log Z is the
logit of "real" (Salimans et al. 2016, section 5).
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.layers.base import GradContext, Layer


class LogSumExp(Layer):
    """log sum_k exp(x_k) over the last axis: (..., K) -> (..., 1)."""

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Array]:
        (x,) = xs
        self.check_array(x, "(..., K)", getattr(x, "ndim", 0) > 1)
        top = x.max(-1, keepdims=True)  # the largest becomes exp(0): nothing overflows
        up = np.exp(x - top)
        z = up.sum(-1, keepdims=True)
        return top + np.log(z), up / z

    def backward(
        self, dy: Array, ctx: Array, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        return dy * ctx if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, Array]:
        p = gctx.ctx
        inner = (ddx * p).sum(-1, keepdims=True)
        return inner, gctx.dy * p * (ddx - inner)
