r"""Mathieu, Couprie and LeCun's networks of frames, from coarse to fine (2016).

A convolution of 7x7 sees little of a large picture, and pooling loses detail. So the next frame is
predicted at N sizes, each twice the one before. With X_k the frames at size k, u the enlargement
by 2 and G'_k a network of its own,

    Y_1 = tanh(G'_1(X_1)),    Y_k = tanh(u(Y_{k-1}) + G'_k(X_k, u(Y_{k-1})))

(section 3.1; the authors' code puts a tanh behind each size, enlarges by nearest neighbours and
averages pictures down). A discriminator D_k of each size sees X_k and one frame. Feature maps and
kernels are those of the paper's table, from coarse to fine:

    G'_1  128, 256, 128             3 3 3 3       D_1  64                  3        512, 256
    G'_2  128, 256, 128             5 3 3 5       D_2  64, 128, 128        3 3 3    1024, 512
    G'_3  128, 256, 512, 256, 128   5 3 3 3 3 5   D_3  128, 256, 256       5 5 5    1024, 512
    G'_4  128, 256, 512, 256, 128   7 5 5 5 5 7   D_4  128, 256, 512, 128  7 7 5 5  1024, 512

G pads its convolutions, D does not; ReLU stands between them, a 2x2 maximum behind D_4's, and dense
layers of the last column's units follow. `width` is the paper's 128. A fifth size is as the fourth.

The gradient of the prediction Y_k comes from its own loss and from the next size, which got u(Y_k)
twice: added, and beside X_{k+1}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minigan import init
from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.layers import (
    AvgPool2d,
    Conv2d,
    Dense,
    Flatten,
    Identity,
    Layer,
    MaxPool2d,
    Parallel,
    ReLU,
    Sequential,
    Tanh,
    Upsample,
)
from minigan.layers.base import add

SCALES = 4  # the paper's
LAST = init.normal(0.01)  # of the last convolutions: at first each size is the one before, enlarged
SMALLEST = 4  # pixels on a side of the coarsest frames


class Size(NamedTuple):
    """A row of the paper's table; maps and units in shares of `width`."""

    maps_G: tuple[float, ...]
    kernels_G: tuple[int, ...]
    maps_D: tuple[float, ...]
    kernels_D: tuple[int, ...]
    units_D: tuple[float, ...]
    pooled: bool = False


TABLE = (
    Size((1, 2, 1), (3, 3, 3, 3), (0.5,), (3,), (4, 2)),
    Size((1, 2, 1), (5, 3, 3, 5), (0.5, 1, 1), (3, 3, 3), (8, 4)),
    Size((1, 2, 4, 2, 1), (5, 3, 3, 3, 3, 5), (1, 2, 2), (5, 5, 5), (8, 4)),
    Size((1, 2, 4, 2, 1), (7, 5, 5, 5, 5, 7), (1, 2, 4, 1), (7, 7, 5, 5), (8, 4), pooled=True),
)


def row(k: int) -> Size:
    """The table's row of size k, counted from 0, the coarsest."""
    return TABLE[min(k, len(TABLE) - 1)]


def sizes(h: int, w: int, scales: int | None) -> list[tuple[int, int]]:
    """Height and width of each size, from coarse to fine: `scales`, or 4, or as many as there are.

    Raises OptionError for frames that cannot be halved so often.
    """
    able = [n for n in range(1, 32) if _halved(h, w, n - 1)]
    if not able or (scales is not None and scales not in able):
        asked = f"--scales {scales}: " if scales is not None else ""
        most = f"; these have {max(able)}" if able else ""
        raise OptionError(
            f"{asked}frames of {h}x{w} are halved for each scale but the first, down to "
            f"{SMALLEST}x{SMALLEST} at least{most}; give --scales {max(able, default=1)} or less, "
            "or another --size, such as 32"
        )
    n = min(max(able), SCALES) if scales is None else scales
    return [(h >> k, w >> k) for k in reversed(range(n))]


def _halved(h: int, w: int, k: int) -> bool:
    """Whether frames of h x w are `SMALLEST` at least after k halvings."""
    return all(side % (1 << k) == 0 and side >> k >= SMALLEST for side in (h, w))


def frame_pyramid(
    shape: tuple[int, ...],
    out_channels: int,
    *,
    width: int = 128,
    scales: int | None = None,
    rng: np.random.Generator,
) -> FramePyramid:
    """G: the last frames (N, H, W, C) in one array -> the next (N, H, W, out_channels).

    Raises OptionError for frames that cannot be halved as often as there are scales.
    """
    h, w, channels = shape
    parts = []
    for k, _ in enumerate(sizes(h, w, scales)):
        cin = channels + (out_channels if k else 0)
        maps = [*(int(share * width) for share in row(k).maps_G), out_channels]
        layers: list[Layer] = []
        for i, (cout, kernel) in enumerate(zip(maps, row(k).kernels_G, strict=True)):
            last = i == len(maps) - 1
            start = LAST if last else "he_normal"
            layers.append(Conv2d(cin, cout, kernel, padding=kernel // 2, init=start, rng=rng))
            layers += [] if last else [ReLU()]
            cin = cout
        parts.append(Sequential(*layers))
    return FramePyramid(*parts)


def frame_discriminator(
    shape: tuple[int, ...],
    *,
    beside: int,
    k: int,
    width: int = 128,
    rng: np.random.Generator,
) -> Sequential:
    """D_k: frames (N, H, W, beside), one more (N, H, W, C) of `shape` -> logits (N, 1).

    k counts from 0, the coarsest. Raises OptionError for an odd width.
    """
    if width % 2:
        raise OptionError(
            f"a width of {width}: the first layers of D_1 and D_2 have half as many maps; give an "
            "even --width, or --width-D"
        )
    h, w, channels = shape
    own, cin = row(k), channels + beside
    layers: list[Layer] = [Parallel(Identity(), Identity())]
    for share, kernel in zip(own.maps_D, own.kernels_D, strict=True):
        cout = int(share * width)
        layers += [Conv2d(cin, cout, kernel, rng=rng), ReLU()]
        cin, h, w = cout, h - kernel + 1, w - kernel + 1
    if own.pooled:
        layers.append(MaxPool2d(2))
        h, w = h // 2, w // 2
    layers.append(Flatten())
    features = cin * h * w
    for share in own.units_D:
        layers += [Dense(features, int(share * width), rng=rng), ReLU()]
        features = int(share * width)
    return Sequential(*layers, Dense(features, 1, init="glorot_uniform", rng=rng))


@dataclass(slots=True)
class PyramidContext:
    """Each size's prediction, the coarsest first, and what its layers need."""

    predictions: list[Array]
    parts: list[Any]
    bounds: list[Any]
    pools: list[Any]
    ups: list[Any]


class FramePyramid(Layer):
    """Y_N of frames; the predictions of all sizes are in the context.

    parts: G'_1, G'_2, ..., the coarsest first, named "0", "1", ... `backward` takes the gradient of
    Y_N, `backward_all` those of all predictions.
    """

    def __init__(self, *parts: Layer) -> None:
        super().__init__()
        self.parts = [self.add_child(str(k), part) for k, part in enumerate(parts)]
        self.pool, self.up, self.bound = AvgPool2d(2), Upsample(scale_factor=2), Tanh()

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, PyramidContext]:
        (x,) = xs
        self.check_images(x)
        times = len(self.parts) - 1
        if any(side % (1 << times) for side in x.shape[1:3]):
            raise ShapeError(f"frames {x.shape} cannot be halved {times} times")
        frames, pools = [x], list[Any]()
        for _ in range(times):
            half, pool = self.pool.forward(frames[0])
            frames.insert(0, half)
            pools.insert(0, pool)
        how = {"train": train, "update_stats": update_stats}
        ctx = PyramidContext([], [], [], pools, [])
        for part, own in zip(self.parts, frames, strict=True):
            if not ctx.predictions:
                y, part_ctx = part.forward(own, **how)
            else:
                guess, up = self.up.forward(ctx.predictions[-1])
                change, part_ctx = part.forward(np.concatenate([own, guess], -1), **how)
                y = guess + change
                ctx.ups.append(up)
            prediction, bound = self.bound.forward(y)
            ctx.predictions.append(prediction)
            ctx.parts.append(part_ctx)
            ctx.bounds.append(bound)
        return ctx.predictions[-1], ctx

    def backward(
        self, dy: Array, ctx: PyramidContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        return self.backward_all([None] * (len(self.parts) - 1) + [dy], ctx, need_dx, need_dw)

    def backward_all(
        self,
        dpredictions: list[Array | None],
        ctx: PyramidContext,
        need_dx: bool = True,
        need_dw: bool = True,
    ) -> Array | None:
        """The gradient of the frames, from that of each prediction; None where nothing is owed."""
        dguess: Any = None
        dframes: list[Array] = []  # of each size, the finest first
        for k in reversed(range(len(self.parts))):
            dcoarser = None if dguess is None else self.up.backward(dguess, ctx.ups[k])
            owed: Any = add(dpredictions[k], dcoarser)
            dy: Any = self.bound.backward(owed, ctx.bounds[k])
            both = self.parts[k].backward(dy, ctx.parts[k], need_dx or k > 0, need_dw)
            if k:
                channels = dy.shape[-1]
                dguess = dy + both[..., -channels:]
                both = both[..., :-channels]
            if need_dx:
                dframes.append(both)
        if not need_dx:
            return None
        dx = dframes[-1]
        for pool, dfiner in zip(ctx.pools, reversed(dframes[:-1]), strict=True):
            dx = self.pool.backward(dx, pool) + dfiner
        return dx
