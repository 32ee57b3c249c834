r"""BigGAN's residual pair at any legal size (Brock et al. 2019, appendix B, figure 15).

G: the condition c is embedded once for all layers; z is cut into chunks. The first chunk makes the
smallest features, and each residual block is conditioned on the embedding beside a chunk of its own
("skip-z"), through the gains and shifts of its batch norms:

    h_i = [embed(c), z_i]
    block: x -> up(shortcut(x)) + conv(relu(cbn(conv(up(relu(cbn(x, h_i)))), h_i)))

D: residual blocks that halve the size by averaging, activations in front of convolutions; the sum
over places at the end, whose inner product with an embedding of c joins its score (projection).

Both hold self-attention at one size, and all their weights are divided by their largest singular
values. Weights are drawn orthogonal. Features next to the picture are `width`, doubled by every
halving; a picture of (H, W) is halved down to a base whose shorter side is 4 to 7, as in DCGAN.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minigan.backend import Array, is_array
from minigan.errors import OptionError
from minigan.layers import (
    AvgPool2d,
    BatchNorm,
    ConditionalBatchNorm,
    ConditionalSequential,
    Conv2d,
    Dense,
    Embedded,
    GlobalSumPool,
    Layer,
    Projection,
    ReLU,
    Reshape,
    Residual,
    SelfAttention,
    Sequential,
    SpectralNorm,
    Tanh,
    Upsample,
)
from minigan.layers.base import add
from minigan.layers.compose import ManyGradContext
from minigan.layers.given import ConditionalLayer, dx_and_dc, fed, owed
from minigan.layers.params import Directions
from minigan.models.dcgan import halvings

PAPER = "Brock et al. 2019, Large scale GAN training, arXiv:1809.11096, appendix B"

Rng = np.random.Generator
INIT = "orthogonal"


class ConditionalResidual(ConditionalLayer):
    """body(x, c) + shortcut(x)."""

    def __init__(self, body: ConditionalLayer, shortcut: Layer) -> None:
        super().__init__()
        self.body, self.shortcut = body, self.add_child("shortcut", shortcut)
        self.add_child("body", body)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Any]:
        how = {"train": train, "update_stats": update_stats}
        y, body = self.body.forward(*xs, **how)
        skip, shortcut = self.shortcut.forward(xs[0], **how)
        return y + skip, (body, shortcut)

    def backward(self, dy: Array, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> Any:
        below = self.body.backward(dy, ctx[0], need_dx, need_dw)
        skip = self.shortcut.backward(dy, ctx[1], need_dx, need_dw)
        if not need_dx:
            return None
        dx, dc = below
        return dx + skip, dc

    def input_gradient(self, dy: Array, ctx: Any) -> tuple[Any, ManyGradContext]:
        (dx, dc), body = self.body.input_gradient(dy, ctx[0])
        skip, shortcut = self.shortcut.input_gradient(dy, ctx[1])
        return (dx + skip, dc), ManyGradContext(ctx, [body, shortcut])

    def second(
        self, v: Any, w: Any, ddw: Directions | None, gctx: ManyGradContext
    ) -> tuple[Any, Any]:
        body, (extra, c_extra) = owed(self.body, v, w, ddw, gctx.gctxs[0])
        skip, (more, _) = owed(self.shortcut, v, None, ddw, gctx.gctxs[1])
        return add(body, skip), (add(extra, more), c_extra)


class Stage(NamedTuple):
    """A part of `SkipZ` and its chunk of z; None for a part that is not conditional."""

    layer: Layer
    chunk: slice | None


class SkipZ(ConditionalLayer):
    """z (N, chunks * chunk) and e (N, E) -> pictures: skip connections from z to every block.

    x_0 = first(z_0); then the stages one after another. A conditional one is a block, which sees
    h_i = [e, z_i] with the next chunk of z; the others see x alone.
    """

    def __init__(self, first: Layer, stages: list[Layer], *, chunk: int, embed_dim: int) -> None:
        super().__init__()
        self.chunk, self.embed_dim = chunk, embed_dim
        self.first = self.add_child("first", first)
        self.stages = []
        self.z_dim = chunk
        for i, layer in enumerate(stages):
            z_i = None
            if isinstance(layer, ConditionalLayer):
                z_i = slice(self.z_dim, self.z_dim + chunk)
                self.z_dim += chunk
            self.stages.append(Stage(self.add_child(str(i), layer), z_i))

    def describe(self) -> str:
        return f"z of {self.z_dim} in chunks of {self.chunk}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, list[Any]]:
        z, e = xs[0], self.condition(xs)
        ok = is_array(z) and z.ndim == 2 and z.shape[1] == self.z_dim
        self.check_array(z, f"(N, {self.z_dim})", ok)
        how = {"train": train, "update_stats": update_stats}
        x, ctx = self.first.forward(z[:, : self.chunk], **how)
        ctxs = [ctx]
        for (layer, _), h in zip(self.stages, self._conditions(z, e), strict=True):
            x, ctx = layer.forward(*fed(layer, x, h), **how)
            ctxs.append(ctx)
        return x, ctxs

    def backward(
        self, dy: Array, ctx: list[Any], need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        if not (need_dx or need_dw):
            return None
        dx, dhs = dy, []
        for (layer, _), inner in reversed(list(zip(self.stages, ctx[1:], strict=True))):
            dx, dh = dx_and_dc(layer, layer.backward(dx, inner, True, need_dw))
            dhs.append(dh)
        dz_0 = self.first.backward(dx, ctx[0], True, need_dw)
        return self._dz_and_de(dz_0, dhs[::-1])

    def input_gradient(self, dy: Array, ctx: list[Any]) -> tuple[Any, ManyGradContext]:
        dx, dhs, gctxs = dy, [], []
        for (layer, _), inner in reversed(list(zip(self.stages, ctx[1:], strict=True))):
            gradients, gctx = layer.input_gradient(dx, inner)
            dx, dh = dx_and_dc(layer, gradients)
            dhs.append(dh)
            gctxs.append(gctx)
        dz_0, gctx = self.first.input_gradient(dx, ctx[0])
        return self._dz_and_de(dz_0, dhs[::-1]), ManyGradContext(ctx, [gctx, *gctxs[::-1]])

    def second(
        self, v: Any, w: Any, ddw: Directions | None, gctx: ManyGradContext
    ) -> tuple[Any, Any]:
        """As its base's, in the two passes of layers/given.py: up with u, then down with c."""
        u, u_hs = None, [None] * len(self.stages)
        if v is not None or w is not None:
            v = np.zeros_like(w, shape=(len(w), self.z_dim)) if v is None else v
            w = np.zeros_like(v, shape=(len(v), self.embed_dim)) if w is None else w
            u, u_hs = v[:, : self.chunk], self._conditions(v, w)
        first, *inner = gctx.gctxs
        u, (z_0_extra, _) = owed(self.first, u, None, ddw, first)
        extras = []
        for (layer, _), u_h, part in zip(self.stages, u_hs, inner, strict=True):
            u, extra = owed(layer, u, u_h, ddw, part)
            extras.append(extra)

        c, dhs = None, []
        for (layer, _), ctx, (x_extra, h_extra) in reversed(
            list(zip(self.stages, gctx.ctxs[1:], extras, strict=True))
        ):
            below: Any = None if c is None else layer.backward(c, ctx)
            dx, dh = dx_and_dc(layer, below)
            c = add(dx, x_extra)
            dhs.append(add(dh, h_extra))
        dz_0 = None if c is None else self.first.backward(c, gctx.ctxs[0])
        return u, self._dz_and_de(add(dz_0, z_0_extra), dhs[::-1])

    def _conditions(self, z: Array, e: Array) -> list[Any]:
        """h of every stage: [e, z_i] of a block, None of a layer that sees x alone."""
        return [
            None if z_i is None else np.concatenate([e, z[:, z_i]], 1) for _, z_i in self.stages
        ]

    def _dz_and_de(self, dz_0: Any, dhs: list[Any]) -> tuple[Any, Any]:
        """The gradients of z and e from those of z_0 and of every stage's h."""
        dzs, de = [], None
        for dh in reversed(dhs):
            if dh is not None:
                de = add(de, dh[:, : self.embed_dim])
                dzs.append(dh[:, self.embed_dim :])
        return np.concatenate([dz_0, *reversed(dzs)], 1), de


def biggan_generator(
    z_dim: int,
    cond_dim: int,
    shape: tuple[int, ...],
    *,
    width: int = 16,
    embed_dim: int = 32,
    attention: int | None = None,
    rng: Rng,
) -> Embedded:
    """G: z (N, z_dim), c (N, cond_dim) -> pictures (N, H, W, C) in (-1, 1).

    attention: the shorter side of the features that attend to each other, half the picture's unless
    given; 0: none. Raises OptionError for a size, a width, an attention or a z_dim that cannot be,
    naming what can.
    """
    n = halvings(shape, network="BigGAN")
    h, w, channels = shape
    at = _attention(shape, n, width, attention)
    if embed_dim < 1:
        raise OptionError(f"--embed-dim {embed_dim} must be at least 1")
    chunk = _chunk(z_dim, n + 1)
    features = width << n
    base = (h >> n, w >> n, features)
    first = Sequential(_dense(chunk, math.prod(base), rng), Reshape(*base))
    stages: list[Layer] = _attending(base[:2], features, at, rng)
    for i in reversed(range(n)):
        stages.append(_up(features, width << i, embed_dim + chunk, rng))
        features = width << i
        stages += _attending((h >> i, w >> i), features, at, rng)
    last = [BatchNorm(features), ReLU(), _conv(features, channels, 3, rng), Tanh()]
    embed = Dense(cond_dim, embed_dim, bias=False, init=INIT, rng=rng)
    stages.append(Sequential(*last))
    return Embedded(embed, SkipZ(first, stages, chunk=chunk, embed_dim=embed_dim))


def biggan_discriminator(
    shape: tuple[int, ...],
    cond_dim: int,
    *,
    width: int = 16,
    attention: int | None = None,
    rng: Rng,
) -> ConditionalSequential:
    """D: x (N, H, W, C), c (N, cond_dim) -> scores (N, 1). Raises OptionError as the generator."""
    n = halvings(shape, network="BigGAN")
    h, w, features = shape
    at = _attention(shape, n, width, attention)
    layers: list[Layer] = []
    for i in range(1, n + 1):
        layers.append(_down(features, width << i, rng, first=i == 1))
        features = width << i
        layers += _attending((h >> i, w >> i), features, at, rng)
    trunk = Sequential(*layers, ReLU(), GlobalSumPool())
    embed = SpectralNorm(Dense(cond_dim, features, bias=False, init=INIT, rng=rng), rng=rng)
    head = Projection(features, cond_dim, embed=embed, score=_dense(features, 1, rng), rng=rng)
    return ConditionalSequential(trunk, head)


def _up(cin: int, cout: int, cond_dim: int, rng: Rng) -> ConditionalResidual:
    """A block of G: twice the size. No biases: the batch norms behind would take them out."""
    body = ConditionalSequential(
        _norm(cin, cond_dim, rng),
        ReLU(),
        Upsample(scale_factor=2),
        _conv(cin, cout, 3, rng, bias=False),
        _norm(cout, cond_dim, rng),
        ReLU(),
        _conv(cout, cout, 3, rng, bias=False),
    )
    # A 1x1 convolution and repeating pixels may change places: the smaller picture is convolved.
    shortcut = Sequential(_conv(cin, cout, 1, rng, bias=False), Upsample(scale_factor=2))
    return ConditionalResidual(body, shortcut)


def _down(cin: int, cout: int, rng: Rng, *, first: bool) -> Residual:
    """A block of D: half the size. The first sees a picture, which no activation stands before."""
    body = [_conv(cin, cout, 3, rng), ReLU(), _conv(cout, cout, 3, rng), AvgPool2d(2)]
    before = [] if first else [ReLU()]
    # Averaging and a 1x1 convolution may change places.
    shortcut = Sequential(AvgPool2d(2), _conv(cin, cout, 1, rng))
    return Residual(Sequential(*before, *body), shortcut)


def _norm(features: int, cond_dim: int, rng: Rng) -> ConditionalBatchNorm:
    """Batch norm with a gain near 1 and a shift near 0, both linear in the condition."""

    def linear() -> Layer:
        dense = Dense(cond_dim, features, bias=False, init=INIT, rng=rng)
        return SpectralNorm(dense, rng=rng)

    return ConditionalBatchNorm(features, cond_dim, scale=linear(), shift=linear(), rng=rng)


def _conv(cin: int, cout: int, kernel_size: int, rng: Rng, *, bias: bool = True) -> SpectralNorm:
    padding = kernel_size // 2
    conv = Conv2d(cin, cout, kernel_size, padding=padding, bias=bias, init=INIT, rng=rng)
    return SpectralNorm(conv, rng=rng)


def _dense(features: int, units: int, rng: Rng) -> SpectralNorm:
    return SpectralNorm(Dense(features, units, init=INIT, rng=rng), rng=rng)


def _attending(size: tuple[int, int], features: int, at: int, rng: Rng) -> list[Layer]:
    """Self-attention where the shorter side is `at`."""
    if min(size) != at:
        return []
    return [SelfAttention(features, spectral_norm=True, init=INIT, rng=rng)]


def _attention(shape: tuple[int, ...], n: int, width: int, given: int | None) -> int:
    """The side that attends, 0 for none. Raises OptionError for one that is not there."""
    if width < 1:
        raise OptionError(f"--width {width} must be at least 1")
    sides = [min(shape[:2]) >> i for i in range(1, n + 1)]
    at = sides[0] if given is None else given
    if at and at not in sides:
        known = ", ".join(map(str, sides))
        raise OptionError(
            f"--attention {at}: features of a {shape[0]}x{shape[1]} picture have sides of {known} "
            "(0: no attention)"
        )
    if at and (features := width << (sides.index(at) + 1)) % 8:
        raise OptionError(
            f"--width {width} gives {features} features of side {at}, and attention there wants a "
            f"multiple of 8; use --width {-(-width // 4) * 4}, or --attention 0"
        )
    return at


def _chunk(z_dim: int, chunks: int) -> int:
    """Numbers of z in each of the chunks. Raises OptionError where they are not alike."""
    if z_dim < chunks or z_dim % chunks:
        near = sorted({max(1, z_dim // chunks + d) * chunks for d in (0, 1)})
        raise OptionError(
            f"--z-dim {z_dim} cannot be cut into {chunks} chunks, one for each size: use "
            f"{' or '.join(map(str, near))}"
        )
    return z_dim // chunks
