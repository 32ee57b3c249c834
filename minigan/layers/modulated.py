r"""Modulated convolution with demodulation (Karras et al. 2020, section 2.2).

A style s, one number for each channel of x and each example, scales the kernel; demodulation scales
each output's kernel back to length 1:

    w'_ijk  = s_i w_ijk                                          modulated.scale
    w''_ijk = w'_ijk / sqrt(sum_ik w'_ijk^2 + eps)               modulated.demodulate

with i over input channels, j over outputs and k over places of the kernel. The kernel then differs
from example to example. As s scales inputs and the square root belongs to an output, the same is
one convolution of all examples between two scalings, which is what is computed:

    a = K(W) (s x)      d = (s^2 Q + eps)^(-1/2),  Q_ij = sum_k W_ijk^2      y = gain d a + b

W = w / sqrt(fan_in) is the stored weight under equalised learning rate (layers/equalized.py). Call
p = s x the modulated input and q = s^2 Q + eps. With g = gain dy, sums over places written sum,

    da = d g      dd = sum g a      dp = K^T(W) da      dx = s dp
    dq = -1/2 d^3 dd                ds = sum dp x + 2 s (dq Q^T)
    dW = K'(p, da) + 2 W dQ         dQ = (s^2)^T dq                          K' conv2d_dw

Second order, <u, dx> + <t, ds>, each line the share of what stands on its right above:

    dp is owed P = s u + t x        so da is owed r = K(W) P, W is owed K'(P, da),
                                    s is owed sum u dp, x is owed t dp
    with e = 2 s t: dq is owed e Q, Q is owed e^T dq, s is owed 2 t (dq Q^T)
    dd is owed f = -1/2 d^3 (e Q);  d is owed -3/2 d^2 dd (e Q) + sum r g =: h
    g is owed d r + f a;            a is owed f g

and what a and d are owed goes down as da and dd do in the first-order pass. Without demodulation
d = 1 and everything about q is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minigan import init
from minigan.backend import Array, is_array
from minigan.errors import OptionError, ShapeError
from minigan.layers.base import Layer
from minigan.layers.conditional import summed_places
from minigan.ops import conv as ops
from minigan.ops.channels import add_channel_sum
from minigan.ops.linear import matmul

PAPER = "Karras et al. 2020, StyleGAN2, arXiv:1912.04958, section 2.2, eq. 1 to 3"

EQUATIONS = {
    "modulated.scale": r"w'_{ijk} = s_i \cdot w_{ijk}",
    "modulated.demodulate": r"w''_{ijk} = w'_{ijk} \Big/ \sqrt{\textstyle\sum_{i,k}"
    r" {w'_{ijk}}^2 + \epsilon}",
}


@dataclass(slots=True)
class ModulatedContext:
    """The inputs, the convolution a, and d (N, out), None where nothing is demodulated."""

    x: Array
    s: Array
    a: Array
    d: Array | None
    version: int


@dataclass(slots=True)
class ModulatedGradContext:
    """The context, g = gain dy, and the gradients on the way: da, dp, and dq where there is one."""

    ctx: ModulatedContext
    g: Array
    da: Array
    dp: Array
    dq: Array | None


class ModulatedConv2d(Layer):
    """x (N, H, W, in_channels) and style (N, in_channels) -> (N, H, W, out_channels).

    kernel_size is odd and the size is kept. gain: deviation of the output, without the bias, for
    inputs of deviation 1; sqrt(2) in front of a leaky ReLU. demodulate: off where colours are made
    of features. Raises OptionError for an even kernel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        demodulate: bool = True,
        gain: float = 1.0,
        eps: float = 1e-8,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise OptionError(f"kernel_size={kernel_size!r} must be odd, so that sizes are kept")
        if not (eps > 0 and 0 < gain < math.inf):
            raise OptionError(f"eps={eps!r} and gain={gain!r} must be above 0 and finite")
        self.in_channels, self.out_channels, self.kernel_size = (
            in_channels,
            out_channels,
            kernel_size,
        )
        self.demodulate, self.gain, self.eps = demodulate, gain, eps
        shape = (kernel_size, kernel_size, in_channels, out_channels)
        fan_in = math.prod(shape[:-1])
        self.scale = 1 / math.sqrt(fan_in)
        self.weight = self.add_param("weight", init.normal(1.0)(shape, fan_in, 0, rng))
        self.bias = self.add_param("bias", np.zeros(out_channels, np.float32))

    def describe(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, ModulatedContext]:
        self.check_images(xs[0], self.in_channels, self.weight.data.dtype)
        if len(xs) != 2:
            raise ShapeError(f"{self!r} wanted a picture and a style, got {len(xs)} inputs")
        x, s = xs
        wanted = f"a style {(len(x), self.in_channels)} for a picture {x.shape}"
        fits = is_array(s) and s.shape == (len(x), self.in_channels)
        self.check_array(s, wanted, fits, x.dtype)
        W = self.weight.data * self.scale
        a = ops.conv2d(_spread(s) * x, W, **self.geometry)  # eq: modulated.scale
        y, d = self.gain * a, None
        if self.demodulate:
            q = matmul(np.square(s), _squares(W)) + x.dtype.type(self.eps)
            d = 1 / np.sqrt(q)
            y *= _spread(d)  # eq: modulated.demodulate
        y += self.bias.data
        return y, ModulatedContext(x, s, a, d, self.weight.version)

    def backward(
        self, dy: Array, ctx: ModulatedContext, need_dx: bool = True, need_dw: bool = True
    ) -> tuple[Array, Array] | None:
        self.check_fresh(ctx.version, self.weight)
        if need_dw:
            add_channel_sum(self.bias.grad, dy)
        da, dq = self._da_and_dq(self.gain * dy, ctx)
        dp = self._dp(da) if need_dx else None
        return self._down(da, dq, ctx, dp, need_dw)

    def input_gradient(
        self, dy: Array, ctx: ModulatedContext
    ) -> tuple[tuple[Array, Array] | None, ModulatedGradContext]:
        self.check_fresh(ctx.version, self.weight)
        g = self.gain * dy
        da, dq = self._da_and_dq(g, ctx)
        dp = self._dp(da)
        return self._down(da, dq, ctx, dp, False), ModulatedGradContext(ctx, g, da, dp, dq)

    def double_backward(
        self, ddx: tuple[Array | None, Array], gctx: ModulatedGradContext
    ) -> tuple[Array, tuple[Array, Array] | None]:
        """As its base's; the first of ddx may be None, where nobody asked for dx."""
        u, t = ddx
        ctx, g, dp = gctx.ctx, gctx.g, gctx.dp
        self.check_fresh(ctx.version, self.weight)
        W = self.weight.data * self.scale
        P = _spread(t) * ctx.x
        s_extra = np.zeros_like(ctx.s)
        if u is not None:
            P += _spread(ctx.s) * u
            s_extra += summed_places(u * dp)
        r = ops.conv2d(P, W, **self.geometry)
        self._add(P, gctx.da)
        if ctx.d is None or gctx.dq is None:
            return self.gain * r, (_spread(t) * dp, s_extra)
        Q, d = _squares(W), ctx.d
        e = 2 * ctx.s * t
        eQ = matmul(e, Q)
        self._add_squares(W, e, gctx.dq)
        s_extra += 2 * t * matmul(gctx.dq, Q.T)
        f = -0.5 * d**3 * eQ
        dd = -2 * gctx.dq / d**3
        h = summed_places(r * g) - 1.5 * d * d * dd * eQ
        owed_a = _spread(f) * g
        below = self._down(owed_a, -0.5 * d**3 * h, ctx, self._dp(owed_a), True)
        assert below is not None
        ddy = _spread(d) * r + _spread(f) * ctx.a
        return self.gain * ddy, (below[0] + _spread(t) * dp, below[1] + s_extra)

    @property
    def geometry(self) -> dict[str, tuple[int, int]]:
        """What the operations of convolution take: stride 1, and padding that keeps the size."""
        p = self.kernel_size // 2
        return {"stride": (1, 1), "padding": (p, p), "dilation": (1, 1)}

    def _da_and_dq(self, g: Array, ctx: ModulatedContext) -> tuple[Array, Array | None]:
        """da, and dq where the kernel is demodulated."""
        if ctx.d is None:
            return g, None
        return _spread(ctx.d) * g, -0.5 * ctx.d**3 * summed_places(g * ctx.a)

    def _dp(self, da: Array) -> Array:
        """K^T(W) da."""
        shape = (*da.shape[:-1], self.in_channels)
        return ops.conv2d_dx(da, self.weight.data * self.scale, shape, **self.geometry)

    def _down(
        self,
        da: Array,
        dq: Array | None,
        ctx: ModulatedContext,
        dp: Array | None,
        need_dw: bool,
    ) -> tuple[Array, Array] | None:
        """dx and ds from dp and dq, None without dp; adds into the weight's gradient if need_dw."""
        W = self.weight.data * self.scale
        if need_dw:
            self._add(_spread(ctx.s) * ctx.x, da)
            if dq is not None:
                self._add_squares(W, np.square(ctx.s), dq)
        if dp is None:
            return None
        ds = summed_places(dp * ctx.x)
        if dq is not None:
            ds += 2 * ctx.s * matmul(dq, _squares(W).T)
        return _spread(ctx.s) * dp, ds

    def _add(self, p: Array, da: Array) -> None:
        """Add K'(p, da) to the gradient of w."""
        ops.add_conv2d_dw(self.weight.grad, p, self.scale * da, **self.geometry)

    def _add_squares(self, W: Array, left: Array, dq: Array) -> None:
        """Add 2 W (left^T dq), what Q = sum_k W^2 is owed, to the gradient of w."""
        self.weight.grad += (2 * self.scale) * W * matmul(left.T, dq)


def _spread(a: Array) -> Array:
    """(N, C) as (N, 1, 1, C), for every place."""
    return a[:, None, None]


def _squares(W: Array) -> Array:
    """Q (in, out): the kernel's squares, summed over its places."""
    return np.square(W).sum((0, 1))
