"""Pooling: local or global, average, sum or maximum.

Average and sum are linear. A maximum is linear too away from ties: its backward pass sends dy to
the entry that won, and its second one reads ddx there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minigan.backend import Array, array_module, is_array
from minigan.errors import OptionError
from minigan.layers.base import GradContext, Layer, pair
from minigan.layers.shape import Linear
from minigan.ops import pool as ops


class _Windows(Layer):
    """The geometry of a local pooling: stride defaults to kernel_size."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "stride")
        self.padding = pair(padding, "padding", minimum=0)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise OptionError(
                f"padding={padding} must be at most half of kernel_size={kernel_size}"
            )

    def describe(self) -> str:
        return f"{self.kernel_size}, stride={self.stride}, padding={self.padding}"

    @property
    def geometry(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        return self.kernel_size, self.stride, self.padding

    def check_fits(self, x: Array) -> None:
        """Raise ShapeError unless one window at least fits into x (N, H, W, C)."""
        least = [k - 2 * p for k, p in zip(self.kernel_size, self.padding, strict=True)]
        fits = x.shape[1] >= least[0] and x.shape[2] >= least[1]
        self.check_array(x, f"pictures of at least {least[0]}x{least[1]}", fits)


class AvgPool2d(_Windows, Linear):
    """The mean of each window, padded zeros included: (N, H, W, C) -> (N, OH, OW, C).

    OH = floor((H + 2 padding - kernel_size) / stride) + 1; stride is kernel_size unless given.
    Raises OptionError for a padding above half a window, ShapeError where no window fits.
    """

    def apply(self, x: Array) -> Array:
        self.check_images(x)
        self.check_fits(x)
        return ops.avg_pool(x, *self.geometry)

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return ops.avg_pool_dx(dy, x_shape, *self.geometry)


@dataclass(slots=True)
class MaxContext:
    """Which element of each window was the largest."""

    winner: Array
    x_shape: tuple[int, ...]


class MaxPool2d(_Windows):
    """The maximum of each window: (N, H, W, C) -> (N, OH, OW, C). Sizes and errors as AvgPool2d."""

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, MaxContext]:
        (x,) = xs
        self.check_images(x)
        self.check_fits(x)
        y, winner = ops.max_pool(x, *self.geometry)
        return y, MaxContext(winner, x.shape)

    def backward(
        self, dy: Array, ctx: MaxContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        return ops.max_pool_dx(dy, ctx.winner, ctx.x_shape, *self.geometry) if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        return ops.max_pool_gather(ddx, gctx.ctx.winner, *self.geometry), None


class GlobalAvgPool(Linear):
    """The mean over all places: (N, ..., C) -> (N, C)."""

    def apply(self, x: Array) -> Array:
        self.check_array(x, "(N, ..., C)", x.ndim >= 3)
        return x.mean(tuple(range(1, x.ndim - 1)))

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return _spread(dy / dy.dtype.type(math.prod(x_shape[1:-1])), x_shape)


class GlobalSumPool(Linear):
    """The sum over all places: (N, ..., C) -> (N, C)."""

    def apply(self, x: Array) -> Array:
        self.check_array(x, "(N, ..., C)", x.ndim >= 3)
        return x.sum(tuple(range(1, x.ndim - 1)))

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return _spread(dy, x_shape)


class GlobalMaxPool(Layer):
    """The maximum over all places: (N, ..., C) -> (N, C)."""

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, MaxContext]:
        (x,) = xs
        self.check_array(x, "(N, ..., C)", is_array(x) and x.ndim >= 3)
        places = x.reshape(x.shape[0], -1, x.shape[-1])
        winner = places.argmax(1)[:, None]
        return np.take_along_axis(places, winner, 1)[:, 0], MaxContext(winner, x.shape)

    def backward(
        self, dy: Array, ctx: MaxContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        if not need_dx:
            return None
        places = array_module(dy).arange(math.prod(ctx.x_shape[1:-1]))[:, None]
        return ((places == ctx.winner) * dy[:, None]).reshape(ctx.x_shape)

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        places = ddx.reshape(ddx.shape[0], -1, ddx.shape[-1])
        return np.take_along_axis(places, gctx.ctx.winner, 1)[:, 0], None


def _spread(dy: Array, x_shape: tuple[int, ...]) -> Array:
    """dy (N, C) copied to every place of x_shape (N, ..., C)."""
    ones = (1,) * (len(x_shape) - 2)
    return np.broadcast_to(dy.reshape(x_shape[0], *ones, x_shape[-1]), x_shape).copy()
