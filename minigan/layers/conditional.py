r"""How a condition c (N, E) enters a network: joined, as gain and shift, as an inner product.

JoinCondition         y = [x, e(c)], e(c) standing at every place of a picture, or of x's places
Modulation            y = (1 + c S) * x + c T          S, T (E, F); over all places of an example
ConditionalBatchNorm  Modulation of batch norm         (Dumoulin et al. 2017; de Vries et al. 2017)
AdaIN                 Modulation of instance norm      (Huang and Belongie 2017, eq. 8)
Projection            y = c V . x + psi(x)             (Miyato and Koyama 2018, eq. 3)

Derivatives of Modulation, with a = 1 + s(c) and b = t(c) (s and t affine) and sums over places:

    dx = a dy            da = sum dy x           db = sum dy         dc = s'(da) + t'(db)
    second: <v, dx>      owes a v to dy, and sum v dy to a
            <w, dc>      owes some da* to da and db* to db (s and t say which), so that dy is owed
                         da* x + db*, and x is owed da* dy

Of Projection, with e = c V:

    dx = dy e + psi'(dy)                         de = dy x           dc = de V^T
    second: <v, dx>      owes <v, e> to dy, and dy v to e, beside what psi owes
            <w, dc>      owes w V = de* to de: <de*, x> to dy, and dy de* to x

c is a vector of floats: classes come in as `multi_hot` makes them (ops/labels.py), where c S is the
sum of a row of S for each class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, array_module, is_array
from minigan.errors import ShapeError
from minigan.layers.base import Layer, add
from minigan.layers.dense import Dense
from minigan.layers.given import ConditionalLayer, ConditionalSequential, owed
from minigan.layers.norm import BatchNorm, InstanceNorm
from minigan.layers.params import Directions

PAPER = {
    "condition.norm": "Dumoulin et al. 2017, arXiv:1610.07629, section 2.2",
    "condition.adain": "Huang and Belongie 2017, AdaIN, arXiv:1703.06868, eq. 8",
    "projection": "Miyato and Koyama 2018, arXiv:1802.05637, eq. 3",
}

EQUATIONS = {
    "condition.norm": r"z = \gamma_s \left(\frac{x - \mu}{\sigma}\right) + \beta_s",
    "condition.adain": r"\mathrm{AdaIN}(x, y) = \sigma(y) \left(\frac{x - \mu(x)}{\sigma(x)}\right)"
    r" + \mu(y)",
    "projection.3": r"f(x, y) = y^T V \phi(x) + \psi(\phi(x))",
}

INIT = initializers.normal(0.02)


@dataclass(slots=True)
class JoinedContext:
    """The shapes of x and of e(c), and the context of the embedding."""

    shape: tuple[int, ...]
    beside: tuple[int, ...]
    embed: Any


@dataclass(slots=True)
class JoinedGradContext:
    """The forward context, and the second-order context of the embedding."""

    ctx: JoinedContext
    embed: Any


class JoinCondition(ConditionalLayer):
    """x (N, ..., F) and c (N, E) -> (N, ..., F + E'): e(c) as constant planes beside x's channels.

    cond_dim: E. embed: e, a layer from (N, E) to (N, E'), or to (N, ..., E') with x's places, which
    then differ; c itself unless given. Joined at the input: Mirza and Osindero 2014,
    arXiv:1411.1784; before D's last layers: Reed et al. 2016, arXiv:1605.05396, section 4.1. Raises
    ShapeError for an e(c) of other places than x's.
    """

    def __init__(self, cond_dim: int, embed: Layer | None = None) -> None:
        super().__init__()
        self.cond_dim = cond_dim
        self.embed = None if embed is None else self.add_child("embed", embed)

    def describe(self) -> str:
        return f"{self.cond_dim}" + (f", {self.embed!r}" if self.embed else "")

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, JoinedContext]:
        x = xs[0]
        self.check_array(x, "(N, ..., F)", is_array(x) and x.ndim >= 2)
        c = self.condition(xs, self.cond_dim)
        e, ctx = c, None
        if self.embed is not None:
            e, ctx = self.embed.forward(c, train=train, update_stats=update_stats)
        if e.ndim > 2 and e.shape[:-1] != x.shape[:-1]:
            raise ShapeError(
                f"{self!r}: the input has shape {x.shape}, and what stands beside it {e.shape}; "
                "all but the last axis must agree"
            )
        return _joined(x, e), JoinedContext(x.shape, e.shape, ctx)

    def backward(
        self, dy: Array, ctx: JoinedContext, need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        dx, dc = self._split(dy, ctx)
        if self.embed is not None:
            dc = self.embed.backward(dc, ctx.embed, need_dx, need_dw)
        return (dx, dc) if need_dx else None

    def input_gradient(self, dy: Array, ctx: JoinedContext) -> tuple[Any, JoinedGradContext]:
        dx, dc = self._split(dy, ctx)
        gctx = None
        if self.embed is not None:
            dc, gctx = self.embed.input_gradient(dc, ctx.embed)
        return (dx, dc), JoinedGradContext(ctx, gctx)

    def second(
        self, v: Any, w: Any, ddw: Directions | None, gctx: JoinedGradContext
    ) -> tuple[Any, Any]:
        ctx = gctx.ctx
        e, c_extra = w, None
        if self.embed is not None:
            e, (c_extra, _) = owed(self.embed, w, None, ddw, gctx.embed)
        if v is None and e is None:
            return None, (None, c_extra)
        if v is None:
            v = np.zeros_like(e, shape=ctx.shape)
        if e is None:
            e = np.zeros_like(v, shape=ctx.beside)
        return _joined(v, e), (None, c_extra)

    def _split(self, dy: Array, ctx: JoinedContext) -> tuple[Array, Array]:
        features = ctx.shape[-1]
        dx, de = dy[..., :features].copy(), dy[..., features:]
        return dx, de.copy() if len(ctx.beside) == de.ndim else summed_places(de)


@dataclass(slots=True)
class ModulationContext:
    """The input, its gain 1 + s(c) over places, and the contexts of s and t."""

    x: Array
    gain: Array
    scale: Any
    shift: Any


@dataclass(slots=True)
class ModulationGradContext:
    """The forward context, dy, and the second-order contexts of s and t."""

    ctx: ModulationContext
    dy: Array
    scale: Any
    shift: Any


class Modulation(ConditionalLayer):
    """(1 + s(c)) * x + t(c), x (N, ..., F), c (N, E); s and t are dense layers unless given.

    FiLM (Perez et al. 2018, arXiv:1709.07871, eq. 2). Named "scale" and "shift"; `init` draws their
    weights where they are not given: at first y is near x.
    """

    def __init__(
        self,
        num_features: int,
        cond_dim: int,
        *,
        bias: bool = True,
        init: str | initializers.Initializer = INIT,
        scale: Layer | None = None,
        shift: Layer | None = None,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.num_features, self.cond_dim = num_features, cond_dim

        def dense() -> Layer:
            return Dense(cond_dim, num_features, bias=bias, init=init, rng=rng)

        self.scale = self.add_child("scale", scale or dense())
        self.shift = self.add_child("shift", shift or dense())

    def describe(self) -> str:
        return f"{self.num_features}, {self.cond_dim}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, ModulationContext]:
        x = xs[0]
        ok = is_array(x) and x.ndim >= 2 and x.shape[-1] == self.num_features
        self.check_array(x, f"(N, ..., {self.num_features})", ok)
        c = self.condition(xs, self.cond_dim)
        s, scale_ctx = self.scale.forward(c, train=train, update_stats=update_stats)
        t, shift_ctx = self.shift.forward(c, train=train, update_stats=update_stats)
        gain = over_places(1 + s, x)
        y = gain * x + over_places(t, x)  # eq: condition.norm, condition.adain
        return y, ModulationContext(x, gain, scale_ctx, shift_ctx)

    def backward(
        self, dy: Array, ctx: ModulationContext, need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        ds, dt = summed_places(dy * ctx.x), summed_places(dy)
        through_s = self.scale.backward(ds, ctx.scale, need_dx, need_dw)
        through_t = self.shift.backward(dt, ctx.shift, need_dx, need_dw)
        return (ctx.gain * dy, add(through_s, through_t)) if need_dx else None

    def input_gradient(self, dy: Array, ctx: ModulationContext) -> tuple[Any, Any]:
        through_s, scale_gctx = self.scale.input_gradient(summed_places(dy * ctx.x), ctx.scale)
        through_t, shift_gctx = self.shift.input_gradient(summed_places(dy), ctx.shift)
        gctx = ModulationGradContext(ctx, dy, scale_gctx, shift_gctx)
        return (ctx.gain * dy, through_s + through_t), gctx

    def second(
        self, v: Any, w: Any, ddw: Directions | None, gctx: ModulationGradContext
    ) -> tuple[Any, Any]:
        ctx, dy = gctx.ctx, gctx.dy
        dds, (c_extra, _) = owed(self.scale, w, None, ddw, gctx.scale)
        ddt, (more, _) = owed(self.shift, w, None, ddw, gctx.shift)
        ddy, x_extra, c_extra = None, None, add(c_extra, more)
        if v is not None:
            ddy = ctx.gain * v
            c_extra = add(c_extra, self.scale.backward(summed_places(v * dy), ctx.scale))
        if dds is not None:
            dds = over_places(dds, dy)
            ddy, x_extra = add(ddy, dds * ctx.x), dds * dy
        if ddt is not None:
            ddt = over_places(ddt, dy)
            ddy = np.zeros_like(dy) + ddt if ddy is None else ddy + ddt
        return ddy, (x_extra, c_extra)


class ConditionalBatchNorm(ConditionalSequential):
    """Batch norm whose gain and shift are affine in c: x (N, ..., C), c (N, cond_dim).

    Dumoulin et al. 2017, "A learned representation for artistic style", arXiv:1610.07629, section
    2.2, a row of gains for each class; de Vries et al. 2017, arXiv:1707.00683, as a change of a
    gain of 1. Give bias=False where c is one class for certain: each has its own row then.
    """

    def __init__(
        self,
        num_features: int,
        cond_dim: int,
        *,
        eps: float = 1e-5,
        momentum: float = 0.1,
        rng: np.random.Generator,
        **modulation: Any,
    ) -> None:
        norm = BatchNorm(num_features, eps=eps, momentum=momentum, affine=False)
        super().__init__(norm, Modulation(num_features, cond_dim, rng=rng, **modulation))


class AdaIN(ConditionalSequential):
    """Instance norm whose gain and shift are affine in c: x (N, ..., C), c (N, cond_dim).

    Adaptive instance normalisation: Huang and Belongie 2017, arXiv:1703.06868, eq. 8, whose
    statistics are an affine map of c as in Karras et al. 2019, arXiv:1812.04948, eq. 1.
    """

    def __init__(
        self,
        num_features: int,
        cond_dim: int,
        *,
        eps: float = 1e-5,
        rng: np.random.Generator,
        **modulation: Any,
    ) -> None:
        norm = InstanceNorm(num_features, eps=eps)
        super().__init__(norm, Modulation(num_features, cond_dim, rng=rng, **modulation))


@dataclass(slots=True)
class ProjectionContext:
    """x, e = c V, and the contexts of both parts."""

    x: Array
    e: Array
    embed: Any
    score: Any


@dataclass(slots=True)
class ProjectionGradContext:
    """The forward context, dy, and the second-order contexts of both parts."""

    ctx: ProjectionContext
    dy: Array
    embed: Any
    score: Any


class Projection(ConditionalLayer):
    """c V . x + psi(x), x (N, F), c (N, E) -> (N, 1): how well c fits, and how real x is.

    V is "embed", (E, F), and psi "score", (F, 1): dense layers unless given, e.g. with spectral
    norm. c V is the sum of the classes' rows where c is multi-hot.
    """

    def __init__(
        self,
        in_features: int,
        cond_dim: int,
        *,
        init: str | initializers.Initializer = INIT,
        embed: Layer | None = None,
        score: Layer | None = None,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.in_features, self.cond_dim = in_features, cond_dim
        embed = embed or Dense(cond_dim, in_features, bias=False, init=init, rng=rng)
        self.embed = self.add_child("embed", embed)
        self.score = self.add_child("score", score or Dense(in_features, 1, init=init, rng=rng))

    def describe(self) -> str:
        return f"{self.in_features}, {self.cond_dim}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, ProjectionContext]:
        x = xs[0]
        ok = is_array(x) and x.ndim == 2 and x.shape[-1] == self.in_features
        self.check_array(x, f"(N, {self.in_features})", ok)
        c = self.condition(xs, self.cond_dim)
        e, embed_ctx = self.embed.forward(c, train=train, update_stats=update_stats)
        y, score_ctx = self.score.forward(x, train=train, update_stats=update_stats)
        return y + _dot(e, x), ProjectionContext(x, e, embed_ctx, score_ctx)  # eq: projection.3

    def backward(
        self, dy: Array, ctx: ProjectionContext, need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        dc = self.embed.backward(dy * ctx.x, ctx.embed, need_dx, need_dw)
        dx = self.score.backward(dy, ctx.score, need_dx, need_dw)
        return (dx + dy * ctx.e, dc) if need_dx else None

    def input_gradient(self, dy: Array, ctx: ProjectionContext) -> tuple[Any, Any]:
        dc, embed_gctx = self.embed.input_gradient(dy * ctx.x, ctx.embed)
        dx, score_gctx = self.score.input_gradient(dy, ctx.score)
        gctx = ProjectionGradContext(ctx, dy, embed_gctx, score_gctx)
        return (dx + dy * ctx.e, dc), gctx

    def second(
        self, v: Any, w: Any, ddw: Directions | None, gctx: ProjectionGradContext
    ) -> tuple[Any, Any]:
        ctx, dy = gctx.ctx, gctx.dy
        dde, (c_extra, _) = owed(self.embed, w, None, ddw, gctx.embed)
        ddy, (x_extra, _) = owed(self.score, v, None, ddw, gctx.score)
        if v is not None:
            ddy = add(ddy, _dot(ctx.e, v))
            c_extra = add(c_extra, self.embed.backward(dy * v, ctx.embed))
        if dde is not None:
            ddy, x_extra = add(ddy, _dot(dde, ctx.x)), add(x_extra, dy * dde)
        return ddy, (x_extra, c_extra)


def over_places(a: Array, like: Array) -> Array:
    """(N, F) as (N, 1, ..., F), to stand beside all places of `like`."""
    return a.reshape(len(a), *[1] * (like.ndim - 2), a.shape[-1])


def summed_places(a: Array) -> Array:
    """(N, ..., F) summed over the places: (N, F).

    One axis after the other, for the shorter the float32 sums, the smaller their rounding error.
    """
    for axis in reversed(range(1, a.ndim - 1)):
        a = a.sum(axis)
    return a


def _joined(x: Array, e: Array) -> Array:
    placed = e if e.ndim == x.ndim else over_places(e, x)
    planes = array_module(x).broadcast_to(placed, (*x.shape[:-1], e.shape[-1]))
    return np.concatenate([x, planes.astype(x.dtype)], -1)


def _dot(a: Array, b: Array) -> Array:
    """The inner product of each row: (N, 1)."""
    return (a * b).sum(-1, keepdims=True)
