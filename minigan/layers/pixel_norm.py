r"""Pixel norm: each vector of channels scaled to length sqrt(C) (Karras et al. 2018, section 4.2).

    y = s x,    s = 1 / sqrt(mean_C x^2 + eps)

Its Jacobian is symmetric, P(g) = s (g - y mean(y g)), so dx = P(dy). For <v, P(dy)> = C s A with
A = mean(v dy) - mean(v y) mean(y dy), and with c = -s (v mean(y dy) + dy mean(v y)),

    dy is owed P(v)        x is owed P(c) - s^2 y A

as in ops/norm.py, whose means of g and u alone are not there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigan.backend import Array, is_array
from minigan.errors import OptionError
from minigan.layers.base import GradContext, Layer

PAPER = "Karras et al. 2018, Progressive growing of GANs, arXiv:1710.10196, section 4.2"

EQUATIONS = {
    "pixelnorm.norm": r"b_{x,y} = a_{x,y} / \sqrt{\frac{1}{N} \sum_{j=0}^{N-1}"
    r" (a^j_{x,y})^2 + \epsilon}",
}


@dataclass(slots=True)
class PixelNormContext:
    """The output and the factor that made it."""

    y: Array
    s: Array

    def project(self, g: Array) -> Array:
        """P(g)."""
        return self.s * (g - self.y * _mean(self.y * g))


class PixelNorm(Layer):
    """(N, ..., C) -> the same, the mean square of each vector of C numbers 1. eps is above 0."""

    def __init__(self, *, eps: float = 1e-8) -> None:
        super().__init__()
        if not eps > 0:
            raise OptionError(f"eps={eps!r} must be above 0")
        self.eps = eps

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, PixelNormContext]:
        (x,) = xs
        self.check_array(x, "(N, ..., C)", is_array(x) and x.ndim >= 2)
        s = 1 / np.sqrt(_mean(np.square(x)) + x.dtype.type(self.eps))
        y = s * x  # eq: pixelnorm.norm
        return y, PixelNormContext(y, s)

    def backward(
        self, dy: Array, ctx: PixelNormContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        return ctx.project(dy) if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, Array]:
        ctx, dy = gctx.ctx, gctx.dy
        v_y, dy_y = _mean(ddx * ctx.y), _mean(dy * ctx.y)
        area = _mean(ddx * dy) - v_y * dy_y
        c = -ctx.s * (ddx * dy_y + dy * v_y)
        return ctx.project(ddx), ctx.project(c) - ctx.s * ctx.s * ctx.y * area


def _mean(a: Array) -> Array:
    return a.mean(-1, keepdims=True)
