r"""Convolutions and transposed convolutions, on images and sequences.

With the triad of ops/conv.py, y = K(w) x:

    Conv2d           y = conv2d(x, w)         dx = conv2d_dx(dy, w)     dw = conv2d_dw(x, dy)
    ConvTranspose2d  y = conv2d_dx(x, w)      dx = conv2d(dy, w)        dw = conv2d_dw(dy, x)

Second derivatives stay inside the triad: for Conv2d, <v, dx> = <K(w) v, dy>, so ddy = conv2d(v, w)
and dw gains conv2d_dw(v, dy); for the transpose, roles of v and dy change places. Through the
weight's gradient, <V, dw> = <K(V) x, dy>: ddy = K(V) x and x_extra is the input gradient under V.

A weight is (kh, kw, C, O) of the underlying convolution: (kh, kw, in, out) for Conv2d, and
(kh, kw, out, in) for ConvTranspose2d, whose underlying convolution runs from its output to its
input.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, is_array
from minigan.errors import OptionError, ShapeError
from minigan.layers.base import GradContext, Layer, pair
from minigan.layers.params import Directions
from minigan.ops import conv as ops
from minigan.ops.channels import add_channel_sum


@dataclass(slots=True)
class ConvContext:
    """The input, the parameters' version when it came, and the output's shape."""

    x: Array
    version: int
    shape: tuple[int, ...]


class _Convolution(Layer):
    """What the four layers share: the geometry, the weight, the bias."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        bias: bool = True,
        init: str | initializers.Initializer = "he_normal",
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        if min(in_channels, out_channels) < 1:
            raise OptionError(
                f"{type(self).__name__}({in_channels}, {out_channels}, ...): give 1 or more "
                "channels each"
            )
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = pair(stride, "stride")
        self.padding = pair(padding, "padding", minimum=0)
        self.dilation = pair(dilation, "dilation")
        taps = math.prod(self.kernel_size)
        fan_in, fan_out = in_channels * taps, out_channels * taps
        weight = initializers.get(init)(self.weight_shape(), fan_in, fan_out, rng)
        self.weight = self.add_param("weight", weight)
        self.bias = self.add_param("bias", np.zeros(out_channels, np.float32)) if bias else None

    def weight_shape(self) -> tuple[int, ...]:
        """(kh, kw, in_channels, out_channels)."""
        return (*self.kernel_size, self.in_channels, self.out_channels)

    def describe(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}"
        )

    @property
    def geometry(self) -> dict[str, tuple[int, int]]:
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    def activated(
        self, x: Array, function: str = "none", slope: float = 0.0
    ) -> tuple[Array, ConvContext]:
        """f(K(w) x + b), f one of ops/affine.py, and the context; on a card in one pass."""
        raise NotImplementedError

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, ConvContext]:
        (x,) = xs
        return self.activated(x)

    @property
    def bias_data(self) -> Array | None:
        return None if self.bias is None else self.bias.data

    def add_bias_grad(self, dy: Array) -> None:
        if self.bias is not None:
            add_channel_sum(self.bias.grad, dy)


class Conv2d(_Convolution):
    """Convolution (N, H, W, in_channels) -> (N, OH, OW, out_channels).

    OH = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1. Raises OptionError
    for less than 1 channel, ShapeError where the kernel does not fit.
    """

    def activated(
        self, x: Array, function: str = "none", slope: float = 0.0
    ) -> tuple[Array, ConvContext]:
        self.check_images(x, self.in_channels, self.weight.data.dtype)
        w, b = self.weight.data, self.bias_data
        try:
            y = ops.conv2d_bias_act(x, w, b, function, slope=slope, **self.geometry)
        except ShapeError as error:
            raise error.within(repr(self)) from error
        return y, ConvContext(x, self.weight.version, y.shape)

    def backward(
        self, dy: Array, ctx: ConvContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        self.check_fresh(ctx.version, self.weight)
        self.check_upstream(dy, ctx.shape)
        if need_dw:
            ops.add_conv2d_dw(self.weight.grad, ctx.x, dy, **self.geometry)
            self.add_bias_grad(dy)
        if not need_dx:
            return None
        return ops.conv2d_dx(dy, self.weight.data, ctx.x.shape, **self.geometry)

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        self.check_fresh(gctx.ctx.version, self.weight)
        ops.add_conv2d_dw(self.weight.grad, ddx, gctx.dy, **self.geometry)
        return ops.conv2d(ddx, self.weight.data, **self.geometry), None

    def weight_double_backward(self, ddw: Directions, gctx: GradContext) -> tuple[Array, Array]:
        self.check_fresh(gctx.ctx.version, self.weight)
        V, x = ddw[self.weight], gctx.ctx.x
        ddy = ops.conv2d(x, V, **self.geometry)
        if self.bias is not None:
            ddy += ddw[self.bias]
        return ddy, ops.conv2d_dx(gctx.dy, V, x.shape, **self.geometry)


class ConvTranspose2d(_Convolution):
    """Transposed convolution (N, H, W, in_channels) -> (N, OH, OW, out_channels).

    OH = (H - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1. Raises
    OptionError unless output_padding is below stride or dilation, and ShapeError where OH < 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        output_padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        bias: bool = True,
        init: str | initializers.Initializer = "he_normal",
        rng: np.random.Generator,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            bias=bias,
            init=init,
            rng=rng,
        )
        self.output_padding = pair(output_padding, "output_padding", minimum=0)
        for extra, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if extra >= max(s, d):
                raise OptionError(
                    f"output_padding={output_padding} must be smaller than stride={stride} "
                    f"or dilation={dilation}"
                )

    def weight_shape(self) -> tuple[int, ...]:
        """(kh, kw, out_channels, in_channels)."""
        return (*self.kernel_size, self.out_channels, self.in_channels)

    def output_shape(self, x: Array) -> tuple[int, int, int, int]:
        """(N, OH, OW, out_channels) for an input x."""
        oh, ow = (
            ops.conv_transpose_output_size(*axis)
            for axis in zip(
                x.shape[1:3],
                self.kernel_size,
                self.stride,
                self.padding,
                self.dilation,
                self.output_padding,
                strict=True,
            )
        )
        if oh < 1 or ow < 1:
            raise ShapeError(
                f"{self!r} would make pictures of {oh}x{ow} from {x.shape[1]}x{x.shape[2]}; "
                "use a larger input or less padding"
            )
        return x.shape[0], oh, ow, self.out_channels

    def activated(
        self, x: Array, function: str = "none", slope: float = 0.0
    ) -> tuple[Array, ConvContext]:
        self.check_images(x, self.in_channels, self.weight.data.dtype)
        w, b, shape = self.weight.data, self.bias_data, self.output_shape(x)
        y = ops.conv2d_dx_bias_act(x, w, shape, b, function, slope=slope, **self.geometry)
        return y, ConvContext(x, self.weight.version, y.shape)

    def backward(
        self, dy: Array, ctx: ConvContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        self.check_fresh(ctx.version, self.weight)
        self.check_upstream(dy, ctx.shape)
        if need_dw:
            ops.add_conv2d_dw(self.weight.grad, dy, ctx.x, **self.geometry)
            self.add_bias_grad(dy)
        if not need_dx:
            return None
        dx = ops.conv2d(dy, self.weight.data, **self.geometry)
        # An output_padding of a whole stride leaves room for places that x does not have.
        return dx[:, : ctx.x.shape[1], : ctx.x.shape[2]]

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        self.check_fresh(gctx.ctx.version, self.weight)
        dy = gctx.dy
        ops.add_conv2d_dw(self.weight.grad, dy, ddx, **self.geometry)
        return ops.conv2d_dx(ddx, self.weight.data, dy.shape, **self.geometry), None

    def weight_double_backward(self, ddw: Directions, gctx: GradContext) -> tuple[Array, Array]:
        self.check_fresh(gctx.ctx.version, self.weight)
        V, x = ddw[self.weight], gctx.ctx.x
        ddy = ops.conv2d_dx(x, V, gctx.dy.shape, **self.geometry)
        if self.bias is not None:
            ddy += ddw[self.bias]
        x_extra = ops.conv2d(gctx.dy, V, **self.geometry)
        return ddy, x_extra[:, : x.shape[1], : x.shape[2]]


class _OnSequences(Layer):
    """Runs an image layer on sequences (N, T, C), as images of one row."""

    in_channels: int

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, ConvContext]:
        (x,) = xs
        self.check_array(
            x,
            f"(N, T, {self.in_channels})",
            is_array(x) and x.ndim == 3 and x.shape[-1] == self.in_channels,
        )
        y, ctx = super().forward(x[:, None], train=train, update_stats=update_stats)
        return y[:, 0], ctx

    def backward(
        self, dy: Array, ctx: ConvContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        dx = super().backward(dy[:, None], ctx, need_dx, need_dw)
        return dx[:, 0] if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        rows = GradContext(gctx.ctx, gctx.dy[:, None])
        return super().double_backward(ddx[:, None], rows)[0][:, 0], None

    def weight_double_backward(self, ddw: Directions, gctx: GradContext) -> tuple[Array, Array]:
        rows = GradContext(gctx.ctx, gctx.dy[:, None])
        ddy, x_extra = super().weight_double_backward(ddw, rows)
        return ddy[:, 0], x_extra[:, 0]


class Conv1d(_OnSequences, Conv2d):
    """Convolution (N, T, in) -> (N, OT, out), as Conv2d over one row; weight (1, k, in, out)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
        init: str | initializers.Initializer = "he_normal",
        rng: np.random.Generator,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            (1, kernel_size),
            stride=(1, stride),
            padding=(0, padding),
            dilation=(1, dilation),
            bias=bias,
            init=init,
            rng=rng,
        )


class ConvTranspose1d(_OnSequences, ConvTranspose2d):
    """Transposed convolution (N, T, in) -> (N, OT, out), as ConvTranspose2d over one row.

    Its weight is (1, k, out, in).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        output_padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
        init: str | initializers.Initializer = "he_normal",
        rng: np.random.Generator,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            (1, kernel_size),
            stride=(1, stride),
            padding=(0, padding),
            output_padding=(0, output_padding),
            dilation=(1, dilation),
            bias=bias,
            init=init,
            rng=rng,
        )
