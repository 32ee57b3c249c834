r"""StyleGAN2's networks at any legal size (Karras et al. 2019, 2020).

G: z is normalised and mapped to a style w by dense layers that learn 100 times more slowly; the
synthesis network (synthesis.py) draws a picture from one style for each of its convolutions.

    w = f(z / sqrt(mean z^2))                                        stylegan.mapping
    w' = mean(w) + psi (w - mean(w))                                 stylegan.truncation

D is residual: colours to features by a 1x1 convolution; at each size two 3x3 convolutions with the
average of 2x2 pixels between them, and a skip, their sum divided by sqrt(2); at the last size the
deviation of the minibatch, a convolution and two dense layers. (The paper blurs with [1, 3, 3, 1]
before a convolution of stride 2 where the average stands here.) All weights are equalised
(layers/equalized.py). A leaky ReLU is positively homogeneous: the gains sqrt(2) of the paper's code
and the division by sqrt(2) stand in the scales of the convolutions in front of it.

A picture of (H, W) is halved n times down to a base whose shorter side is 4 to 7, as in DCGAN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import (
    AvgPool2d,
    Conv2d,
    Dense,
    EqualizedLR,
    Flatten,
    Layer,
    LeakyReLU,
    MinibatchStdDev,
    PixelNorm,
    Residual,
    Sequential,
)
from minigan.layers.compose import ManyGradContext
from minigan.models.dcgan import halvings
from minigan.models.synthesis import SLOPE, Synthesis

PAPER = "Karras et al. 2019, arXiv:1812.04948, section 2 and appendix B; 2020, arXiv:1912.04958"

EQUATIONS = {
    "stylegan.mapping": r"w = f(z), \quad f: \mathcal{Z} \to \mathcal{W}",
    "stylegan.truncation": r"w' = \bar{w} + \psi (w - \bar{w}),"
    r" \quad \bar{w} = \mathbb{E}_{z \sim P(z)}[f(z)]",
}

GAIN = math.sqrt(2)  # of a leaky ReLU, about
SLOW = 0.01  # the mapping network's learning rate, relative to the others'
W_AVG_RATE = 0.005  # the moving mean of w moves by this share to a batch's


class StyleGenerator(Layer):
    """z (N, z_dim) and noise (N, pixels) -> pictures (N, H, W, C), in (-1, 1) by training only.

    Buffers: "w_avg", the moving mean of w, and "noise", the noise of samples. An algorithm that
    mixes styles calls `mapping` and `synthesis` itself.
    """

    def __init__(
        self,
        mapping: Sequential,
        synthesis: Synthesis,
        *,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.mapping, self.synthesis = mapping, synthesis
        self.add_child("mapping", mapping)
        self.add_child("synthesis", synthesis)
        self.own_buffers["w_avg"] = np.zeros(synthesis.w_dim, np.float32)
        self.own_buffers["noise"] = rng.standard_normal(synthesis.pixels).astype(np.float32)

    def describe(self) -> str:
        return self.synthesis.describe()

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, tuple[Any, Any]]:
        z, noise = xs
        w, mapping = self.mapping.forward(z)  # eq: stylegan.mapping
        if train and update_stats:
            self.follow(w)
        x, synthesis = self.synthesis.forward(self.spread(w), noise)
        return x, (mapping, synthesis)

    def backward(
        self,
        dy: Array,
        ctx: tuple[Any, Any],
        need_dx: bool = True,
        need_dw: bool = True,
    ) -> tuple[Array, Array] | None:
        mapping, synthesis = ctx
        dws, dnoise = self.synthesis.backward(dy, synthesis, True, need_dw)
        dz = self.mapping.backward(dws.sum(1), mapping, need_dx, need_dw)
        return (dz, dnoise) if need_dx else None

    def input_gradient(
        self, dy: Array, ctx: tuple[Any, Any]
    ) -> tuple[tuple[Array, Array], ManyGradContext]:
        mapping, synthesis = ctx
        (dws, dnoise), above = self.synthesis.input_gradient(dy, synthesis)
        dz, below = self.mapping.input_gradient(dws.sum(1), mapping)
        return (dz, dnoise), ManyGradContext(ctx, [below, above])

    def double_backward(
        self, ddx: tuple[Array, Array], gctx: ManyGradContext
    ) -> tuple[Array, tuple[Array, Array]]:
        u_z, u_noise = ddx
        u_w, z_extra = self.mapping.double_backward(u_z, gctx.gctxs[0])
        owed = self.synthesis.double_backward((self.spread(u_w), u_noise), gctx.gctxs[1])
        ddy, (ws_extra, noise_extra) = owed
        below = self.mapping.backward(ws_extra.sum(1), gctx.ctxs[0])
        return ddy, (below + z_extra, noise_extra)

    def spread(self, w: Array) -> Array:
        """w (N, w_dim) as the style of every convolution, (N, styles, w_dim)."""
        return np.broadcast_to(w[:, None], (len(w), self.synthesis.styles, w.shape[1]))

    def follow(self, w: Array) -> None:
        """Move the mean of w towards a batch's."""
        mean = self.own_buffers["w_avg"]
        mean += mean.dtype.type(W_AVG_RATE) * (w.mean(0) - mean)

    def truncated(self, w: Array, psi: float) -> Array:
        """w' from the mean (psi = 0) to w itself (psi = 1): typical pictures, or varied ones."""
        mean = self.own_buffers["w_avg"]
        return mean + w.dtype.type(psi) * (w - mean)  # eq: stylegan.truncation

    def constant_noise(self, n: int) -> Array:
        """The noise of samples, the same for each of n."""
        noise = self.own_buffers["noise"]
        return np.broadcast_to(noise, (n, *noise.shape))


def stylegan_generator(
    z_dim: int,
    shape: tuple[int, ...],
    *,
    width: int = 16,
    w_dim: int = 64,
    mapping_layers: int = 4,
    rng: np.random.Generator,
) -> StyleGenerator:
    """G for pictures (H, W, C); `width` features next to the picture, doubled by each halving.

    The paper's mapping network has 8 layers of 512 units; w_dim and mapping_layers say how many
    here. Raises OptionError for a size that cannot be, naming the nearest, and numbers below 1.
    """
    _at_least_one(width=width, w_dim=w_dim, mapping_layers=mapping_layers)
    h, w, channels = shape
    n = halvings(shape, network="StyleGAN")
    layers: list[Layer] = [PixelNorm()]
    units = z_dim
    for _ in range(mapping_layers):
        dense = Dense(units, w_dim, rng=rng)
        layers.append(EqualizedLR(dense, gain=GAIN, lr_multiplier=SLOW, rng=rng))
        layers.append(LeakyReLU(negative_slope=SLOPE))
        units = w_dim
    sizes = [(h >> i, w >> i, width << i) for i in reversed(range(n + 1))]
    synthesis = Synthesis(sizes, channels, w_dim=w_dim, rng=rng)
    return StyleGenerator(Sequential(*layers), synthesis, rng=rng)


def stylegan_discriminator(
    shape: tuple[int, ...],
    *,
    width: int = 16,
    group_size: int | None = 4,
    rng: np.random.Generator,
) -> Sequential:
    """D: pictures (N, H, W, C) -> logits (N, 1).

    group_size: examples whose deviation is shown to D, 4 in the papers' code; None: D judges each
    alone. Raises OptionError for a size that cannot be, and a width below 1.
    """
    _at_least_one(width=width)
    h, w, channels = shape
    n = halvings(shape, network="StyleGAN")
    layers: list[Layer] = [*_conv(channels, width, 1, rng)]
    for i in range(n):
        layers.append(_down(width << i, width << (i + 1), rng))
    features, extra = width << n, 0
    if group_size is not None:
        layers.append(MinibatchStdDev(group_size=group_size))
        extra = 1
    base = (h >> n) * (w >> n) * features
    layers += [
        *_conv(features + extra, features, 3, rng),
        Flatten(),
        EqualizedLR(Dense(base, features, rng=rng), gain=GAIN, rng=rng),
        LeakyReLU(negative_slope=SLOPE),
        EqualizedLR(Dense(features, 1, rng=rng), rng=rng),
    ]
    return Sequential(*layers)


def _down(cin: int, cout: int, rng: np.random.Generator) -> Residual:
    """Features at half the size: two convolutions beside a skip, their sum divided by sqrt(2)."""
    body = [*_conv(cin, cin, 3, rng), AvgPool2d(2), *_conv(cin, cout, 3, rng, gain=1.0)]
    skip = Conv2d(cin, cout, 1, bias=False, rng=rng)
    shortcut = [AvgPool2d(2), EqualizedLR(skip, gain=1 / GAIN, rng=rng)]
    return Residual(Sequential(*body), Sequential(*shortcut))


def _conv(
    cin: int, cout: int, kernel_size: int, rng: np.random.Generator, gain: float = GAIN
) -> list[Layer]:
    conv = Conv2d(cin, cout, kernel_size, padding=kernel_size // 2, rng=rng)
    return [EqualizedLR(conv, gain=gain, rng=rng), LeakyReLU(negative_slope=SLOPE)]


def _at_least_one(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise OptionError(f"--{name.replace('_', '-')} {number} must be at least 1")
