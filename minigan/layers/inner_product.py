r"""How well two vectors match: the halves of a row, multiplied and summed.

    x = (a, b),   y = <a, b> = sum_k a_k b_k

    dx = dy (b, a)
    second: with v = (v_a, v_b), <v, dx> = dy (<v_a, b> + <v_b, a>),
            so ddy = <v_a, b> + <v_b, a> and x_extra = dy (v_b, v_a)

Where a dense layer with a bias makes a of a condition c, a = V c + w, and b are features of a
picture, y = <V c, b> + <w, b>: how well they match and how real b is, the projection of Miyato and
Koyama (2018, eq. 3).
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.layers.base import GradContext, Layer


class InnerProduct(Layer):
    """<a, b> of rows x = (a, b): (..., 2 K) -> (..., 1)."""

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Array]:
        (x,) = xs
        wanted = getattr(x, "ndim", 0) > 1 and x.shape[-1] % 2 == 0
        self.check_array(x, "(..., an even number)", wanted)
        half = x.shape[-1] // 2
        return _matched(x[..., :half], x[..., half:]), x

    def backward(
        self, dy: Array, ctx: Array, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        return dy * _swapped(ctx) if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, Array]:
        return _matched(ddx, _swapped(gctx.ctx)), gctx.dy * _swapped(ddx)


def _swapped(x: Array) -> Array:
    """(b, a) of x = (a, b)."""
    half = x.shape[-1] // 2
    return np.concatenate([x[..., half:], x[..., :half]], -1)


def _matched(x: Array, y: Array) -> Array:
    return (x * y).sum(-1, keepdims=True)
