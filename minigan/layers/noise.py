r"""Noise on every place of a picture, with a learned strength (Karras et al. 2020, appendix B).

One strength for all channels is StyleGAN2's; StyleGAN (2019) learns a factor for each feature map.

    y = x + strength n        n (N, H, W, 1): one number for all channels of a place

    dx = dy    dn = strength sum_C dy    dstrength = <dy, n>

Second order, <u, dx> + <w, dn>: dy is owed u + strength w, and strength is owed <w, sum_C dy>; x
and n are owed nothing. <c, dstrength>: dy is owed c n, and n is owed c sum_C dy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigan.backend import Array, is_array
from minigan.errors import ShapeError
from minigan.layers.base import GradContext, Layer
from minigan.layers.params import Directions

PAPER = "Karras et al. 2020, StyleGAN2, arXiv:1912.04958, appendix B"


@dataclass(slots=True)
class NoiseContext:
    """The noise, and the parameter's version."""

    n: Array
    version: int


class AddNoise(Layer):
    """x (N, H, W, C) and noise (N, H, W, 1) -> (N, H, W, C). The strength is 0 at first.

    Raises ShapeError for noise of another shape.
    """

    def __init__(self) -> None:
        super().__init__()
        self.strength = self.add_param("strength", np.zeros(1, np.float32))

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, NoiseContext]:
        self.check_images(xs[0], None, self.strength.data.dtype)
        if len(xs) != 2:
            raise ShapeError(f"{self!r} wanted a picture and noise, got {len(xs)} inputs")
        x, n = xs
        fits = is_array(n) and n.shape == (*x.shape[:-1], 1)
        self.check_array(n, f"noise {(*x.shape[:-1], 1)} for a picture {x.shape}", fits, x.dtype)
        return x + self.strength.data * n, NoiseContext(n, self.strength.version)

    def backward(
        self, dy: Array, ctx: NoiseContext, need_dx: bool = True, need_dw: bool = True
    ) -> tuple[Array, Array] | None:
        self.check_fresh(ctx.version, self.strength)
        over_channels = dy.sum(-1, keepdims=True)
        if need_dw:
            self.strength.grad += (over_channels * ctx.n).sum()
        return (dy.copy(), self.strength.data * over_channels) if need_dx else None

    def double_backward(
        self, ddx: tuple[Array, Array | None], gctx: GradContext
    ) -> tuple[Array, tuple[None, None]]:
        """As its base's; the second of ddx may be None, where nobody asked for dn."""
        u, w = ddx
        self.check_fresh(gctx.ctx.version, self.strength)
        if w is None:
            return u, (None, None)
        self.strength.grad += (w * gctx.dy).sum()
        return u + self.strength.data * w, (None, None)

    def weight_double_backward(
        self, ddw: Directions, gctx: GradContext
    ) -> tuple[Array, tuple[None, Array]]:
        self.check_fresh(gctx.ctx.version, self.strength)
        c = ddw[self.strength]
        ddy = np.broadcast_to(c * gctx.ctx.n, gctx.dy.shape)
        return ddy, (None, c * gctx.dy.sum(-1, keepdims=True))
