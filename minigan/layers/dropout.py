"""Dropout (Srivastava et al. 2014), in the inverted scaling."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers.base import GradContext, Layer
from minigan.noise import advance
from minigan.ops import random


class Dropout(Layer):
    """In training each number becomes 0 with probability p, else x / (1 - p); otherwise y = x.

    The mask is a pure function of the layer's state "noise": a key, drawn once from rng, and a
    counter that moves with every training pass that may update state (see ops/random.py). A
    stored network therefore goes on with the masks that it would have had, on any device.
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise OptionError(f"dropout p={p!r} must lie in [0, 1)")
        self.p = p
        noise = np.zeros(random.WORDS, np.uint64)
        noise[:2] = rng.integers(0, 2**63, 2, np.uint64)
        self.own_buffers["noise"] = noise

    def describe(self) -> str:
        return f"p={self.p}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Array | None]:
        (x,) = xs
        self.check_array(x, "an array")
        if not train or self.p == 0:
            return x, None
        noise = self.own_buffers["noise"]
        scale = random.dropout_scale(noise, x.shape, self.p, x.dtype)
        if update_stats:
            advance(noise)
        return x * scale, scale

    def backward(
        self, dy: Array, ctx: Array | None, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        if not need_dx:
            return None
        return dy.copy() if ctx is None else dy * ctx

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        return ddx if gctx.ctx is None else ddx * gctx.ctx, None
