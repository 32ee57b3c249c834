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
from minigan.layers.given import ConditionalLayer, owed
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
        both = self.body.backward(dy, ctx[0], need_dx, need_dw)
        skip = self.shortcut.backward(dy, ctx[1], need_dx, need_dw)
        return (both[0] + skip, both[1]) if need_dx else None

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
    """z (N, chunks * size) and e (N, E) -> pictures: each block sees e beside its chunk of z.

    The first stage makes features of the first chunk alone; `stages` follow one after another, and
    those that are conditional take the further chunks in their order.
    """

    def __init__(self, first: Layer, stages: list[Layer], *, chunk: int, embed_dim: int) -> None:
        super().__init__()
        self.first, self.chunk = self.add_child("first", first), chunk
        self.embed_dim = embed_dim
        self.stages = []
        used = 1
        for i, layer in enumerate(stages):
            place = None
            if isinstance(layer, ConditionalLayer):
                place = slice(used * chunk, (used + 1) * chunk)
                used += 1
            self.stages.append(Stage(self.add_child(str(i), layer), place))
        self.z_dim = used * chunk

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
        for layer, place in self.stages:
            given = (x,) if place is None else (x, np.concatenate([e, z[:, place]], 1))
            x, ctx = layer.forward(*given, **how)
            ctxs.append(ctx)
        return x, ctxs

    def backward(
        self, dy: Array, ctx: list[Any], need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        def below(i: int, layer: Layer, d: Array) -> Any:
            return layer.backward(d, ctx[i], True, need_dw)

        return self._down(dy, below) if need_dx or need_dw else None

    def input_gradient(self, dy: Array, ctx: list[Any]) -> tuple[Any, ManyGradContext]:
        gctxs: list[Any] = [None] * len(ctx)

        def below(i: int, layer: Layer, d: Array) -> Any:
            gradients, gctxs[i] = layer.input_gradient(d, ctx[i])
            return gradients

        return self._down(dy, below), ManyGradContext(ctx, gctxs)

    def second(
        self, v: Any, w: Any, ddw: Directions | None, gctx: ManyGradContext
    ) -> tuple[Any, Any]:
        first, extras = gctx.gctxs[0], []
        if v is None and w is not None:
            v = np.zeros_like(w, shape=(len(w), self.z_dim))
        if w is None and v is not None:
            w = np.zeros_like(v, shape=(len(v), self.embed_dim))
        v_0 = None if v is None else v[:, : self.chunk]
        u, (extra, _) = owed(self.first, v_0, None, ddw, first)
        extras.append((extra, None))
        for (layer, place), inner in zip(self.stages, gctx.gctxs[1:], strict=True):
            u_h = None
            if place is not None and v is not None:
                u_h = np.concatenate([w, v[:, place]], 1)
            u, extra = owed(layer, u, u_h, ddw, inner)
            extras.append(extra)

        def below(i: int, layer: Layer, d: Array | None) -> Any:
            own, given = extras[i], layer.backward(d, gctx.ctxs[i]) if d is not None else None
            if i and self.stages[i - 1].chunk is not None:
                dx, dh = (None, None) if given is None else given
                return add(dx, own[0]), add(dh, own[1])
            return add(given, own[0])

        return u, self._down(None, below)

    def _down(self, dy: Any, below: Any) -> tuple[Any, Any]:
        """Gradients of z and e: below(i, layer, dy) gives those of the inputs of part i."""
        dx, de, parts = dy, None, []
        for i, (layer, place) in reversed(list(enumerate(self.stages, 1))):
            dx = below(i, layer, dx)
            if place is not None:
                dx, dh = dx
                de = add(de, dh[:, : -self.chunk])
                parts.append(dh[:, -self.chunk :])
        parts.append(below(0, self.first, dx))
        return np.concatenate(parts[::-1], 1), de


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
