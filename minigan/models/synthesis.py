r"""StyleGAN2's synthesis network: styles and noise to a picture (Karras et al. 2020, figure 7).

A learned constant stands at the bottom. At each size two styled convolutions (one at the smallest),
then colours; the first convolution of a size doubles it, and so do the skips of the colours:

    x_0 = conv(const)
    x_b = conv(conv_up(x_{b-1}))
    rgb_b = up(rgb_{b-1}) + modulated(x_b, A'(w_l))        1x1, not demodulated

    conv:     y = f(modulated(x, A(w_l)) + strength n_l)
    conv_up:  y = f(up(modulated(x, A(w_l))) + strength n_l)

with f a leaky ReLU, A affine maps and up linear interpolation, which is the blur of the paper's
upsampling. (The paper convolves between spreading the pixels and blurring; up behind the
convolution costs a quarter of up before it.) There are as many styles w_l as convolutions, and one
more: the colours of a size share the style of the convolution after them.

Both backward passes follow the arrows. For <u, dws> what u gives to a gradient goes up along the
features and is added where colours are added; what convolutions and affine maps owe to their inputs
comes down through an ordinary backward pass, to the constant at last.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import init
from minigan.backend import Array, is_array
from minigan.layers import (
    AddNoise,
    Dense,
    EqualizedLR,
    Identity,
    Layer,
    LeakyReLU,
    ModulatedConv2d,
    Upsample,
)
from minigan.layers.base import add
from minigan.layers.compose import ManyGradContext
from minigan.layers.shape import Linear

PAPER = "Karras et al. 2020, StyleGAN2, arXiv:1912.04958, section 2.2 and figure 7"
SLOPE = 0.2
Owed = tuple[Array | None, ...]


class Styled(Layer):
    """x (N, H, W, in) and w (N, w_dim) -> (N, H, W, out): modulated by the style s = A(w).

    The affine map's bias starts at 1, so that a style changes nothing at first.
    """

    def __init__(
        self, w_dim: int, cin: int, cout: int, kernel_size: int, *, rng: Any, **options: Any
    ) -> None:
        super().__init__()
        self.style = self.add_child("style", EqualizedLR(Dense(w_dim, cin, rng=rng), rng=rng))
        self.style.own_params["bias"].data[...] = 1
        self.conv = self.add_child(
            "conv", ModulatedConv2d(cin, cout, kernel_size, rng=rng, **options)
        )

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Any]:
        x, w = xs
        s, style = self.style.forward(w)
        y, conv = self.conv.forward(x, s)
        return y, (style, conv)

    def backward(self, dy: Array, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> Any:
        style, conv = ctx
        dx, ds = self.conv.backward(dy, conv, True, need_dw)
        dw = self.style.backward(ds, style, need_dx, need_dw)
        return (dx, dw) if need_dx else None

    def input_gradient(self, dy: Array, ctx: Any) -> tuple[Any, ManyGradContext]:
        style, conv = ctx
        (dx, ds), conv_gctx = self.conv.input_gradient(dy, conv)
        dw, style_gctx = self.style.input_gradient(ds, style)
        return (dx, dw), ManyGradContext(ctx, [style_gctx, conv_gctx])

    def double_backward(self, ddx: Any, gctx: ManyGradContext) -> tuple[Array, Any]:
        u_x, u_w = ddx
        style_gctx, conv_gctx = gctx.gctxs
        u_s, _ = self.style.double_backward(u_w, style_gctx)
        ddy, (owed_x, owed_s) = self.conv.double_backward((u_x, u_s), conv_gctx)
        return ddy, (owed_x, self.style.backward(owed_s, gctx.ctxs[0]))


class StyledConv(Layer):
    """x, w and noise (N, H, W, 1) -> (N, H, W, out): `Styled`, noise, leaky ReLU.

    up: x is half as large as the noise and the output.
    """

    def __init__(self, w_dim: int, cin: int, cout: int, *, up: bool, rng: Any) -> None:
        super().__init__()
        self.up: Linear = doubling() if up else Identity()
        gain = math.sqrt(2)
        self.styled = self.add_child("styled", Styled(w_dim, cin, cout, 3, gain=gain, rng=rng))
        self.noise = self.add_child("noise", AddNoise())
        self.act = self.add_child("act", LeakyReLU(negative_slope=SLOPE))

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Any]:
        x, w, n = xs
        a, styled = self.styled.forward(x, w)
        b, noise = self.noise.forward(self.up.apply(a), n)
        y, act = self.act.forward(b)
        return y, (styled, noise, act)

    def backward(self, dy: Array, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> Any:
        styled, noise, act = ctx
        da, dn = self.noise.backward(self.act.backward(dy, act), noise, True, need_dw)
        below = self.styled.backward(self._down(da), styled, need_dx, need_dw)
        return (*below, dn) if need_dx else None

    def input_gradient(self, dy: Array, ctx: Any) -> tuple[Any, ManyGradContext]:
        styled, noise, act = ctx
        db, act_gctx = self.act.input_gradient(dy, act)
        (da, dn), noise_gctx = self.noise.input_gradient(db, noise)
        below, styled_gctx = self.styled.input_gradient(self._down(da), styled)
        return (*below, dn), ManyGradContext(ctx, [styled_gctx, noise_gctx, act_gctx])

    def double_backward(self, ddx: Any, gctx: ManyGradContext) -> tuple[Array, Any]:
        """As its base's; the first and the last of ddx may be None."""
        u_x, u_w, u_n = ddx
        styled_gctx, noise_gctx, act_gctx = gctx.gctxs
        u_a, owed = self.styled.double_backward((u_x, u_w), styled_gctx)
        u_b, _ = self.noise.double_backward((self.up.apply(u_a), u_n), noise_gctx)
        ddy, _ = self.act.double_backward(u_b, act_gctx)
        return ddy, (*owed, None)

    def _down(self, da: Array) -> Array:
        """The gradient in front of `up`."""
        return self.up.adjoint(da, da.shape)


def doubling() -> Upsample:
    """Linear interpolation to twice the size; its adjoint needs no shape of its input."""
    return Upsample(scale_factor=2, mode="bilinear")


@dataclass(frozen=True, slots=True)
class Part:
    """One convolution of the network: its style, and its place in the noise; None for colours."""

    layer: Layer
    style: int
    noise: slice | None


@dataclass(slots=True)
class SynthesisContext:
    """The parts' contexts, and the shapes of the inputs."""

    parts: list[Any]
    ws_shape: tuple[int, ...]
    noise_shape: tuple[int, ...]


class Synthesis(Layer):
    """Styles ws (N, styles, w_dim) and noise (N, pixels) -> pictures (N, H, W, C).

    sizes: (H, W, features) from the smallest to the picture's, each twice the one before.
    """

    def __init__(
        self,
        sizes: list[tuple[int, int, int]],
        channels: int,
        *,
        w_dim: int,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.w_dim = w_dim
        self.sizes = sizes
        self.const = self.add_param("const", init.normal(1.0)(sizes[0], 1, 1, rng))
        self.up = doubling()
        self.blocks: list[list[Part]] = []
        self.pixels, style, cin = 0, 0, sizes[0][2]
        for b, (h, w, features) in enumerate(sizes):
            block = []
            for i in range(2 if b else 1):
                conv = StyledConv(w_dim, cin, features, up=b > 0 and i == 0, rng=rng)
                noise = slice(self.pixels, self.pixels + h * w)
                block.append(Part(self.add_child(f"conv{b}.{i}", conv), style, noise))
                self.pixels += h * w
                style += 1
                cin = features
            rgb = Styled(w_dim, features, channels, 1, demodulate=False, rng=rng)
            block.append(Part(self.add_child(f"rgb{b}", rgb), style, None))
            self.blocks.append(block)
        self.styles = style + 1

    def describe(self) -> str:
        h, w, _ = self.sizes[-1]
        return f"{h}x{w}, {self.styles} styles of {self.w_dim}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, SynthesisContext]:
        ws, noise = xs
        wanted = (self.styles, self.w_dim)
        ok = is_array(ws) and ws.ndim == 3 and ws.shape[1:] == wanted
        self.check_array(ws, f"styles (N, {self.styles}, {self.w_dim})", ok, self.const.data.dtype)
        ok = is_array(noise) and noise.shape == (len(ws), self.pixels)
        self.check_array(noise, f"noise {(len(ws), self.pixels)}", ok, ws.dtype)
        x = np.broadcast_to(self.const.data, (len(ws), *self.const.shape))
        rgb: Any = None
        ctxs = []
        for b, block in enumerate(self.blocks):
            if b:
                rgb = self.up.apply(rgb)
            for part in block:
                w = ws[:, part.style]
                if part.noise is None:
                    colours, ctx = part.layer.forward(x, w)
                    rgb = add(rgb, colours)
                else:
                    x, ctx = part.layer.forward(x, w, self._plane(noise, part, b))
                ctxs.append(ctx)
        return rgb, SynthesisContext(ctxs, ws.shape, noise.shape)

    def backward(
        self, dy: Array, ctx: SynthesisContext, need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        def backward(i: int, part: Part, d: Any) -> Owed:
            gradients: Owed = part.layer.backward(d, ctx.parts[i], True, need_dw)
            return gradients

        both = self._down(dy, ctx, backward, need_dw)
        return both if need_dx else None

    def input_gradient(self, dy: Array, ctx: SynthesisContext) -> tuple[Any, ManyGradContext]:
        gctxs: list[Any] = [None] * len(ctx.parts)

        def input_gradient(i: int, part: Part, d: Any) -> Owed:
            gradients, gctxs[i] = part.layer.input_gradient(d, ctx.parts[i])
            return gradients

        return self._down(dy, ctx, input_gradient, False), ManyGradContext(ctx, gctxs)

    def double_backward(self, ddx: Any, gctx: ManyGradContext) -> tuple[Array, Any]:
        """As its base's; the second of ddx may be None, where noise is held fixed."""
        u_ws, u_noise = ddx
        u_x: Any = None  # the constant is no input
        u_rgb: Any = None
        owed: list[Owed] = []
        for b, block in enumerate(self.blocks):
            if b:
                u_rgb = self.up.apply(u_rgb)
            for part in block:
                inner, u_w = gctx.gctxs[len(owed)], u_ws[:, part.style]
                if part.noise is None:
                    u_colours, extra = part.layer.double_backward((u_x, u_w), inner)
                    u_rgb = add(u_rgb, u_colours)
                else:
                    u_n = None if u_noise is None else self._plane(u_noise, part, b)
                    u_x, extra = part.layer.double_backward((u_x, u_w, u_n), inner)
                owed.append(extra)

        def backward(i: int, part: Part, d: Any) -> Owed:
            if d is None:  # nothing above owes anything, as at the picture
                return owed[i]
            gradients = part.layer.backward(d, gctx.ctxs.parts[i])
            return tuple(add(g, e) for g, e in zip(gradients, owed[i], strict=True))

        return u_rgb, self._down(None, gctx.ctxs, backward, True)

    def _down(
        self,
        d_rgb: Any,
        ctx: SynthesisContext,
        gradients: Callable[[int, Part, Any], Owed],
        need_dw: bool,
    ) -> tuple[Array, Array]:
        """Gradients of ws and noise, and if need_dw the constant's, from that of the picture.

        gradients(i, part, dy): of the inputs of the i-th part, from that of its output.
        """
        dws: Any = np.zeros_like(self.const.data, shape=ctx.ws_shape)
        dnoise: Any = np.zeros_like(self.const.data, shape=ctx.noise_shape)
        dx: Any = None
        parts = [(b, part) for b, block in enumerate(self.blocks) for part in block]
        for i, (b, part) in reversed(list(enumerate(parts))):
            if part.noise is None:
                dx_rgb, dw = gradients(i, part, d_rgb)
                dx = add(dx, dx_rgb)
                if b and d_rgb is not None:  # of the colours of the size below
                    d_rgb = self.up.adjoint(d_rgb, d_rgb.shape)
            else:
                dx, dw, dn = gradients(i, part, dx)
                if dn is not None:
                    dnoise[:, part.noise] = dn.reshape(len(dn), -1)
            dws[:, part.style] += dw
        if need_dw and dx is not None:
            self.const.grad += dx.sum(0)
        return dws, dnoise

    def _plane(self, noise: Array, part: Part, block: int) -> Array:
        """A part's noise as a picture."""
        h, w, _ = self.sizes[block]
        return noise[:, part.noise].reshape(len(noise), h, w, 1)
