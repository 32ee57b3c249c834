r"""Self-attention over the places of a picture (Zhang et al. 2019, section 3).

Every place j of x looks at all others and adds what it finds:

    f = W_f x    g = W_g x    h = W_h x                     1x1 convolutions
    beta_{j,i} = softmax_i (f(x_i)^T g(x_j))                how much j attends to place i
    o_j = W_v sum_i beta_{j,i} h(x_i)
    y_j = gamma o_j + x_j                                   gamma starts at 0

f and h are pooled by 2x2 maxima, as in the paper's published code, so that each place looks at a
quarter of them. f and g have C / 8 channels, h has C / 2, as in that code; in the paper h has C / 8
too.

With z = W_v attend(g, f, h) the block is x + gamma z: dz = gamma dy, dgamma = <dy, z>, and
dx = dy + what g, f and h send back. <u, dx> runs up through the same parts: u itself to dy, u's
images under the three convolutions to attention (ops/attention.py), whose answer passes W_v to
dz = gamma dy, to which both gamma and dy contribute. What attention owes to g, f and h goes down
through their ordinary backward passes. <ddw, dw> takes the same way, from what each weight's share
owes to its layer's upstream gradient and input; with c for gamma, c z to dy and c dy to z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, array_module
from minigan.errors import OptionError
from minigan.layers.base import Layer, add
from minigan.layers.compose import Sequential
from minigan.layers.conv import Conv2d
from minigan.layers.given import owed
from minigan.layers.params import Directions
from minigan.layers.pool import MaxPool2d
from minigan.layers.spectral import SpectralNorm
from minigan.ops.attention import Three, attend, attend_ddx, attend_dx

PAPER = "Zhang et al. 2019, Self-attention generative adversarial networks, arXiv:1805.08318"

EQUATIONS = {
    "attention.map": r"\beta_{j,i} = \frac{\exp(s_{ij})}{\sum_{i=1}^N \exp(s_{ij})},"
    r" \quad s_{ij} = f(x_i)^T g(x_j)",
    "attention.output": r"o_j = v\left(\sum_{i=1}^N \beta_{j,i} h(x_i)\right)",
    "attention.residual": r"y_i = \gamma o_i + x_i",
}

NARROW = 8  # channels of x for one of a query or a key
LEAST_SIDE = 2  # keys are pooled by this


@dataclass(slots=True)
class AttentionContext:
    """Contexts of the four convolutions, what attention took and gave, and the output z of v."""

    branches: list[Any]
    shapes: list[tuple[int, ...]]  # of the branches' outputs, as pictures
    rows: Three  # q, k, v as (N, places, channels)
    weights: Array
    out: Any
    z: Array
    version: int


@dataclass(slots=True)
class AttentionGradContext:
    """The context, the gradients of the pass, and the convolutions' second-order contexts."""

    ctx: AttentionContext
    dy: Array
    do: Array
    branches: list[Any]
    out: Any


class SelfAttention(Layer):
    """y = x + gamma o(x): (N, H, W, channels) -> the same, sides of at least 2.

    spectral_norm: divides the four weights by their largest singular values, as SAGAN and BigGAN
    do. Raises OptionError unless 8 divides channels.
    """

    def __init__(
        self,
        channels: int,
        *,
        spectral_norm: bool = False,
        init: str | initializers.Initializer = "glorot_uniform",
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        if channels < NARROW or channels % NARROW:
            raise OptionError(
                f"self-attention over {channels} channels: queries and keys have an eighth of "
                f"them, so that they must be a multiple of {NARROW} (--width)"
            )
        self.channels = channels

        def conv(cin: int, cout: int) -> Layer:
            layer = Conv2d(cin, cout, 1, bias=False, init=init, rng=rng)
            return SpectralNorm(layer, rng=rng) if spectral_norm else layer

        narrow, half = channels // NARROW, channels // 2
        self.branches = [  # the paper's g, f and h
            self.add_child("query", conv(channels, narrow)),
            self.add_child("key", Sequential(conv(channels, narrow), MaxPool2d(LEAST_SIDE))),
            self.add_child("value", Sequential(conv(channels, half), MaxPool2d(LEAST_SIDE))),
        ]
        self.out = self.add_child("out", conv(half, channels))
        self.gamma = self.add_param("gamma", np.zeros(1, np.float32))

    def describe(self) -> str:
        return str(self.channels)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, AttentionContext]:
        (x,) = xs
        self.check_images(x, self.channels, self.gamma.data.dtype)
        fits = min(x.shape[1:3]) >= LEAST_SIDE
        self.check_array(x, f"pictures of at least {LEAST_SIDE}x{LEAST_SIDE}", fits)
        how = {"train": train, "update_stats": update_stats}
        both = [branch.forward(x, **how) for branch in self.branches]
        rows = _each_rows([y for y, _ in both])
        o, weights = attend(*rows)  # eq: attention.map
        z, out = self.out.forward(o.reshape(*x.shape[:-1], -1), **how)  # eq: attention.output
        y = x + self.gamma.data * z  # eq: attention.residual
        shapes = [y.shape for y, _ in both]
        ctxs = [ctx for _, ctx in both]
        return y, AttentionContext(ctxs, shapes, rows, weights, out, z, self.gamma.version)

    def backward(
        self, dy: Array, ctx: AttentionContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        self.check_fresh(ctx.version, self.gamma)
        if need_dw:
            self.gamma.grad += (dy * ctx.z).sum()
        do = self.out.backward(dy * self.gamma.data, ctx.out, True, need_dw)
        dx = self._down(attend_dx(_rows(do), *ctx.rows, ctx.weights), ctx, need_dx, need_dw)
        return dy + dx if need_dx else None

    def input_gradient(
        self, dy: Array, ctx: AttentionContext
    ) -> tuple[Array, AttentionGradContext]:
        self.check_fresh(ctx.version, self.gamma)
        do, out = self.out.input_gradient(dy * self.gamma.data, ctx.out)
        do = _rows(do)
        ds = attend_dx(do, *ctx.rows, ctx.weights)
        dx: Any = None
        gctxs = []
        for branch, d, shape, inner in zip(
            self.branches, ds, ctx.shapes, ctx.branches, strict=True
        ):
            below, gctx = branch.input_gradient(d.reshape(shape), inner)
            dx = add(dx, below)
            gctxs.append(gctx)
        return dy + dx, AttentionGradContext(ctx, dy, do, gctxs, out)

    def double_backward(self, ddx: Array, gctx: AttentionGradContext) -> tuple[Array, Any]:
        return self._second(ddx, None, gctx)

    def weight_double_backward(
        self, ddw: Directions, gctx: AttentionGradContext
    ) -> tuple[Array, Any]:
        return self._second(None, ddw, gctx)

    def _second(
        self, v: Array | None, ddw: Directions | None, gctx: AttentionGradContext
    ) -> tuple[Array, Any]:
        """ddy and x_extra of <v, dx> or of <ddw, dw>."""
        ctx, dy = gctx.ctx, gctx.dy
        self.check_fresh(ctx.version, self.gamma)
        us: list[Array] = []
        x_extra: Any = None
        for branch, inner in zip(self.branches, gctx.branches, strict=True):
            u, (extra, _) = owed(branch, v, None, ddw, inner)
            us.append(u)
            x_extra = add(x_extra, extra)
        owed_o, extras = attend_ddx(_each_rows(us), gctx.do, *ctx.rows, ctx.weights)
        owed_o = owed_o.reshape(*dy.shape[:-1], -1)
        owed_z, (o_extra, _) = owed(self.out, owed_o, None, ddw, gctx.out)
        self.gamma.grad += (owed_z * dy).sum()
        ddy = self.gamma.data * owed_z
        if v is not None:
            ddy += v
        if ddw is not None:  # <c, dgamma> = c <dy, z>
            c = ddw[self.gamma]
            ddy += c * ctx.z
            o_extra = add(o_extra, self.out.backward(c * dy, ctx.out))
        if o_extra is not None:
            dq, dk, dv = attend_dx(_rows(o_extra), *ctx.rows, ctx.weights)
            extras = extras[0] + dq, extras[1] + dk, extras[2] + dv
        return ddy, add(x_extra, self._down(extras, ctx, True, True))

    def _down(self, ds: Three, ctx: AttentionContext, need_dx: bool, need_dw: bool) -> Any:
        """The gradient of x from those of queries, keys and values."""
        dx: Any = None
        for branch, d, shape, inner in zip(
            self.branches, ds, ctx.shapes, ctx.branches, strict=True
        ):
            dx = add(dx, branch.backward(d.reshape(shape), inner, need_dx, need_dw))
        return dx


def _each_rows(xs: list[Array]) -> Three:
    q, k, v = map(_rows, xs)
    return q, k, v


def _rows(x: Array) -> Array:
    """(N, H, W, C) -> (N, H W, C), in order in memory."""
    return array_module(x).ascontiguousarray(x).reshape(len(x), -1, x.shape[-1])
