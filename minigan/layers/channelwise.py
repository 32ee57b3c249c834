r"""A dense layer within each channel: every place sees all places, no channel another one.

    y[n, q, c] = sum_p x[n, p, c] W[c, p, q]        p, q over the H W places

has C (H W)^2 weights where a dense layer over everything has (C H W)^2 (Pathak et al. 2016, section
3.1). With the channels in front it is C products of matrices, X_c (N, P) and W_c (P, Q = P):

    y = X W        dx = dy W^T        dW = X^T dy
    second: <v, dx> = <v W, dy>       so ddy = v W, and W is owed v^T dy
            <V, dW> = <X V, dy>       so ddy = X V, and x is owed dy V^T
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, is_array
from minigan.errors import OptionError
from minigan.layers.base import GradContext, Layer
from minigan.layers.params import Directions
from minigan.ops.attention import each_matmul

PAPER = "Pathak et al. 2016, Context encoders, arXiv:1604.07379, section 3.1"

EQUATIONS = {
    "channelwise.layer": r"y_{n,q,c} = \sum_p x_{n,p,c} W_{c,p,q}"
    r" \text{: of } m \text{ maps of } n \times n \text{ it has } m n^4 \text{ parameters}",
}


@dataclass(slots=True)
class ChannelwiseContext:
    """The input, channels in front, its shape as it came, and the weight's version then."""

    rows: Array  # (C, N, P)
    shape: tuple[int, ...]
    version: int


class ChannelwiseDense(Layer):
    """(N, H, W, channels) -> the same, with `places` = H W; no bias.

    The parameter "weight" (channels, places, places) is drawn by `init`. Raises OptionError for
    less than 1 of either, ShapeError for maps of another number of places.
    """

    def __init__(
        self,
        channels: int,
        places: int,
        *,
        init: str | initializers.Initializer = "glorot_uniform",
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        if min(channels, places) < 1:
            raise OptionError(f"ChannelwiseDense({channels}, {places}): give 1 or more of each")
        self.channels, self.places = channels, places
        draw = initializers.get(init)
        self.weight = self.add_param(
            "weight", draw((channels, places, places), places, places, rng)
        )

    def describe(self) -> str:
        return f"{self.channels}, {self.places}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, ChannelwiseContext]:
        (x,) = xs
        ok = is_array(x) and x.ndim == 4 and x.shape[-1] == self.channels
        ok = ok and math.prod(x.shape[1:3]) == self.places
        wanted = f"(N, H, W, {self.channels}) with {self.places} places"
        self.check_array(x, wanted, ok, self.weight.data.dtype)
        rows = in_front(x)
        y = each_matmul(rows, self.weight.data)  # eq: channelwise.layer
        return behind(y, x.shape), ChannelwiseContext(rows, x.shape, self.weight.version)

    def backward(
        self, dy: Array, ctx: ChannelwiseContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        self.check_fresh(ctx.version, self.weight)
        self.check_upstream(dy, ctx.shape)
        rows = in_front(dy)
        if need_dw:
            self.weight.grad += each_matmul(turned(ctx.rows), rows)
        if not need_dx:
            return None
        return behind(each_matmul(rows, turned(self.weight.data)), ctx.shape)

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        self.check_fresh(gctx.ctx.version, self.weight)
        v = in_front(ddx)
        self.weight.grad += each_matmul(turned(v), in_front(gctx.dy))
        return behind(each_matmul(v, self.weight.data), gctx.ctx.shape), None

    def weight_double_backward(self, ddw: Directions, gctx: GradContext) -> tuple[Array, Array]:
        self.check_fresh(gctx.ctx.version, self.weight)
        V, shape = ddw[self.weight], gctx.ctx.shape
        ddy = each_matmul(gctx.ctx.rows, V)
        x_extra = each_matmul(in_front(gctx.dy), turned(V))
        return behind(ddy, shape), behind(x_extra, shape)


def in_front(x: Array) -> Array:
    """(N, H, W, C) -> (C, N, H W), in memory of its own."""
    n, h, w, c = x.shape
    return x.reshape(n, h * w, c).transpose(2, 0, 1).copy()


def behind(rows: Array, shape: tuple[int, ...]) -> Array:
    """(C, N, H W) -> `shape` (N, H, W, C), in memory of its own."""
    return rows.transpose(1, 2, 0).reshape(shape).copy()


def turned(a: Array) -> Array:
    """Each channel's matrix transposed."""
    return a.swapaxes(1, 2)
