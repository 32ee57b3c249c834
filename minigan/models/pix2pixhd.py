r"""pix2pixHD's coarse-to-fine generator and discriminators of several scales (Wang et al. 2018).

    G1, the global generator      c7s1-64, d128, d256, d512, d1024, R1024 (9 times), u512, ..., u64,
                                  c7s1-3, on pictures of half the size
    G2, the local enhancer        c7s1-32, d64, then R64 (3 times), u32, c7s1-3

(section 3.2 and appendix, in the notation of resnet.py). G2's residual blocks take the sum of two
feature maps: that of its own first part, from the whole picture, and G1's last one before its
convolution to a picture. So G1 can be trained first, as a generator of its own.

Discriminators D_1, D_2, D_3 of one architecture see the pictures, and them halved once and twice by
averages over 2x2 pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.layers import AvgPool2d, Layer, LeakyReLU, Sequential
from minigan.layers.base import add
from minigan.layers.compose import ManyGradContext
from minigan.models.enlarging import halvable
from minigan.models.resnet import LEAST, Parts

HALVINGS = 4  # the paper's
HEAD = 3  # layers that make a picture of the last feature map: border, convolution, tanh


def global_halvings(size: tuple[int, int], halvings: int | None, *, enhanced: bool) -> int:
    """How often G1 halves what it gets: `halvings`, or 4, or as often as can be.

    enhanced: it gets pictures of half the size. Raises OptionError for a size that cannot be halved
    so often, naming the nearest ones.
    """
    if halvings is not None and halvings < 1:
        raise OptionError(f"--halvings {halvings}: G1 halves its pictures at least once")
    if halvings is None:
        able = (n for n in range(HALVINGS, 1, -1) if _divides(size, n + enhanced))
        halvings = next(able, 1)
    coarse_to_fine_size(*size, halvings, enhanced=enhanced)
    return halvings


def coarse_to_fine_size(h: int, w: int, halvings: int, *, enhanced: bool) -> None:
    """Raise OptionError unless the generator takes pictures of h x w, naming the nearest sizes."""
    halvable(h, w, halvings + enhanced, network="pix2pixHD's generator", least=LEAST)


def local_enhancer(
    shape: tuple[int, ...],
    out_channels: int,
    *,
    width: int = 64,
    blocks: int = 3,
    norm: str = "instance",
    up: str = "transposed",
    rng: np.random.Generator,
) -> LocalEnhancer:
    """G2: pictures (N, H, W, C), features (N, H/2, W/2, width) -> (N, H, W, out_channels).

    `width` is that of G1, the paper's 64. Raises OptionError for an odd one.
    """
    h, w, channels = shape
    if width % 2:
        raise OptionError(f"--width {width}: the local enhancer has half as many channels as G1")
    parts = Parts((h, w), norm=norm, up=up, rng=rng)
    front = [*parts.first(channels, width // 2), *parts.halved(width // 2, 1)]
    back = [
        *parts.blocks(blocks, width, 1),
        *parts.doubled(width // 2, 1),
        *parts.last(width // 2, out_channels),
    ]
    return LocalEnhancer(Sequential(*front), Sequential(*back))


class LocalEnhancer(Layer):
    """back(front(x) + coarse): two inputs, and as many gradients."""

    def __init__(self, front: Layer, back: Layer) -> None:
        super().__init__()
        self.front = self.add_child("front", front)
        self.back = self.add_child("back", back)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, tuple[Any, Any]]:
        x, coarse = xs
        features, front_ctx = self.front.forward(x, train=train, update_stats=update_stats)
        if features.shape != coarse.shape:
            raise ShapeError(
                f"the local enhancer made features {features.shape} and got {coarse.shape}; give "
                "G1 pictures of half the size"
            )
        y, back_ctx = self.back.forward(features + coarse, train=train, update_stats=update_stats)
        return y, (front_ctx, back_ctx)

    def backward(
        self, dy: Array, ctx: tuple[Any, Any], need_dx: bool = True, need_dw: bool = True
    ) -> tuple[Array, Array] | None:
        dfeatures = self.back.backward(dy, ctx[1], True, need_dw)
        dx = self.front.backward(dfeatures, ctx[0], need_dx, need_dw)
        return (dx, dfeatures) if need_dx else None

    def input_gradient(
        self, dy: Array, ctx: tuple[Any, Any]
    ) -> tuple[tuple[Array, Array], ManyGradContext]:
        dfeatures, back = self.back.input_gradient(dy, ctx[1])
        dx, front = self.front.input_gradient(dfeatures, ctx[0])
        return (dx, dfeatures), ManyGradContext(ctx, [front, back])

    def double_backward(
        self, ddx: tuple[Array, Array], gctx: ManyGradContext
    ) -> tuple[Array, tuple[Array | None, Array | None]]:
        (front, back), ctxs = gctx.gctxs, gctx.ctxs
        v, x_extra = self.front.double_backward(ddx[0], front)
        ddy, extra = self.back.double_backward(v + ddx[1], back)
        below = None if extra is None else self.front.backward(extra, ctxs[0])
        return ddy, (add(below, x_extra), extra)

    def backward_to_coarse(self, dy: Array, ctx: tuple[Any, Any]) -> Array:
        """The gradient of the features alone; that of the picture is not computed."""
        dfeatures = self.back.backward(dy, ctx[1])
        self.front.backward(dfeatures, ctx[0], need_dx=False)
        return dfeatures


class CoarseToFine(Layer):
    """G2(x, G1's features of the halved x): pictures to pictures."""

    def __init__(self, G1: Sequential, G2: LocalEnhancer) -> None:
        super().__init__()
        self.pool = AvgPool2d(2)
        self.features = self.add_child("G1", coarse_features(G1))
        self.G2 = self.add_child("G2", G2)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, tuple[Any, Any, Any]]:
        (x,) = xs
        half, pool_ctx = self.pool.forward(x)
        coarse, coarse_ctx = self.features.forward(half, train=train, update_stats=update_stats)
        y, fine_ctx = self.G2.forward(x, coarse, train=train, update_stats=update_stats)
        return y, (pool_ctx, coarse_ctx, fine_ctx)

    def backward(
        self, dy: Array, ctx: tuple[Any, Any, Any], need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        both = self.G2.backward(dy, ctx[2], True, need_dw)
        assert both is not None
        dx, dcoarse = both
        dhalf = self.features.backward(dcoarse, ctx[1], need_dx, need_dw)
        return dx + self.pool.backward(dhalf, ctx[0]) if need_dx else None


def coarse_features(G1: Sequential) -> Sequential:
    """G1 without its last convolution; the layers are G1's own."""
    return Sequential(*G1.layers[:-HEAD])


def until_activations(D: Sequential) -> list[Sequential]:
    """A discriminator cut behind each of its activations; the last part makes logits.

    The parts share D's layers.
    """
    parts: list[list[Layer]] = [[]]
    for layer in D.layers:
        parts[-1].append(layer)
        if isinstance(layer, LeakyReLU):
            parts.append([])
    return [Sequential(*layers) for layers in parts if layers]


def _divides(size: tuple[int, int], halvings: int) -> bool:
    step = 1 << halvings
    return all(side % step == 0 and side >= LEAST * step for side in size)
