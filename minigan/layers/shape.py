"""Layers that rearrange, resize or scale and train nothing: linear, the adjoint as backward.

For a linear layer y = A x: dx = A^T dy, and <v, A^T dy> gives ddy = A v and no x_extra.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.layers.base import GradContext, Layer, pair
from minigan.ops import resample


class Linear(Layer):
    """Base: a subclass gives the map A and its adjoint. The context is the input's shape."""

    def apply(self, x: Array) -> Array:
        """A x, a new array or a view; ShapeError for an x that the map cannot take."""
        raise NotImplementedError

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        """A^T dy, a new array or a view."""
        raise NotImplementedError

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, tuple[int, ...]]:
        (x,) = xs
        self.check_array(x, "an array")
        return self.apply(x), x.shape

    def backward(
        self, dy: Array, ctx: tuple[int, ...], need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        if not need_dx:
            return None
        dx = self.adjoint(dy, ctx)
        return dx.copy() if np.may_share_memory(dx, dy) else dx

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        return self.apply(ddx), None


class Identity(Linear):
    """y = x: the skip in a skip connection."""

    def apply(self, x: Array) -> Array:
        return x

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return dy


class Scale(Linear):
    """y = factor x, of an array of any shape: what a residual branch is damped by."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def describe(self) -> str:
        return str(self.factor)

    def apply(self, x: Array) -> Array:
        return x * x.dtype.type(self.factor)

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return self.apply(dy)


class Reshape(Linear):
    """(N, ...) -> (N, *shape). Raises ShapeError for another number of numbers in an example."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def describe(self) -> str:
        return ", ".join(map(str, self.shape))

    def apply(self, x: Array) -> Array:
        if math.prod(x.shape[1:]) != math.prod(self.shape):
            raise ShapeError(
                f"{self!r} wanted (N, ...) with {math.prod(self.shape)} numbers per example, "
                f"got shape {x.shape}"
            )
        return x.reshape(x.shape[0], *self.shape)

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return dy.reshape(x_shape)


class Flatten(Linear):
    """(N, ...) -> (N, features), all numbers of an example in a row."""

    def apply(self, x: Array) -> Array:
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return dy.reshape(x_shape)


class Upsample(Linear):
    """(N, H, W, C) -> (N, a H, b W, C), scale_factor (a, b) or one number for both.

    mode: "nearest" or "bilinear" (PyTorch's with align_corners=False). Raises OptionError for
    another, and for a factor below 1.
    """

    MODES: dict[str, tuple[Any, Any]] = {  # noqa: RUF012
        "nearest": (resample.upsample_nearest, resample.upsample_nearest_dx),
        "bilinear": (resample.upsample_bilinear, resample.upsample_bilinear_dx),
    }

    def __init__(self, *, scale_factor: int | tuple[int, int] = 2, mode: str = "nearest") -> None:
        super().__init__()
        if mode not in self.MODES:
            raise OptionError(f"mode={mode!r}; allowed: {', '.join(self.MODES)}")
        self.scale = pair(scale_factor, "scale_factor")
        self.mode = mode

    def describe(self) -> str:
        return f"scale_factor={self.scale}, mode={self.mode!r}"

    def apply(self, x: Array) -> Array:
        self.check_images(x)
        return self.MODES[self.mode][0](x, self.scale)

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return self.MODES[self.mode][1](dy, self.scale)


class PixelShuffle(Linear):
    """(N, H, W, C r r) -> (N, H r, W r, C) with r = upscale_factor (Shi et al. 2016).

    Raises OptionError for r below 1, ShapeError unless r r divides the channels.
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        if upscale_factor < 1:
            raise OptionError(f"upscale_factor={upscale_factor!r} must be at least 1")
        self.upscale_factor = upscale_factor

    def describe(self) -> str:
        return str(self.upscale_factor)

    def apply(self, x: Array) -> Array:
        self.check_images(x)
        square = self.upscale_factor**2
        if x.shape[-1] % square:
            raise ShapeError(f"{self!r} wanted (N, H, W, C * {square}), got shape {x.shape}")
        return resample.pixel_shuffle(x, self.upscale_factor)

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return resample.pixel_unshuffle(dy, self.upscale_factor)
