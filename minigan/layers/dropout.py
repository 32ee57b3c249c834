"""Dropout (Srivastava et al. 2014), in the inverted scaling."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers.base import GradContext, Layer


class Dropout(Layer):
    """In training each number becomes 0 with probability p, else x / (1 - p); otherwise y = x.

    The mask is a pure function of two integers in the layer's state: `key`, drawn once from rng,
    and `count`, which moves with every training pass that may update state. A stored network
    therefore goes on with the masks that it would have had.
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise OptionError(f"dropout p={p!r} must lie in [0, 1)")
        self.p = p
        self.own_buffers["key"] = rng.integers(0, 2**63, 2, np.uint64)
        self.own_buffers["count"] = np.zeros(1, np.uint64)

    def describe(self) -> str:
        return f"p={self.p}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Array | None]:
        (x,) = xs
        self.check_array(x, "an array")
        if not train or self.p == 0:
            return x, None
        scale = self._mask(x)
        if update_stats:
            self.own_buffers["count"] += np.uint64(1)
        return x * scale, scale

    def backward(
        self, dy: Array, ctx: Array | None, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        if not need_dx:
            return None
        return dy.copy() if ctx is None else dy * ctx

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        return ddx if gctx.ctx is None else ddx * gctx.ctx, None

    def _mask(self, x: Array) -> Array:
        """0 or 1 / (1 - p), in x's shape and dtype."""
        # The pass number is the high word: a pass never reaches the next one's numbers.
        counter = np.array([0, 0, 0, self.own_buffers["count"][0]], np.uint64)
        bits = np.random.Philox(key=self.own_buffers["key"], counter=counter)
        keep = np.random.Generator(bits).random(x.shape, np.float32) >= self.p
        return keep * x.dtype.type(1 / (1 - self.p))
