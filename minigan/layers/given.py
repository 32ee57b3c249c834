r"""Networks of (x, c): an input x, and a condition c (N, E) that layers at any depth may look at.

A `ConditionalLayer` takes both and gives both gradients back. A container hands c to those of its
parts that are conditional, and x alone to the others; what they owe to c is added. The passes are
those of layers/compose.py with one more input: with v the gradient of the penalty P with respect to
dx and w with respect to dc,

    up      v_i, (e_i, f_i) = layer_i.double_backward((v_{i-1}, w)),   v_0 = v
    down    c_{i-1}, f = layer_i.backward(c_i); e_i joins the first, and every f the extra of c
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, is_array
from minigan.errors import ShapeError
from minigan.layers.base import Layer, add
from minigan.layers.compose import JoinContext, ManyGradContext, second_of
from minigan.layers.params import Directions


class ConditionalLayer(Layer):
    """Base of layers of two inputs: forward(x, c) -> y, backward -> (dx, dc)."""

    def second(self, v: Any, w: Any, ddw: Directions | None, gctx: Any) -> tuple[Any, Any]:
        """ddy and (x_extra, c_extra) of <v, dx> + <w, dc> + <ddw, dw>, each of which may be None.

        Adds the derivative with respect to the parameters into their gradients.
        """
        raise NotImplementedError

    def double_backward(self, ddx: Any, gctx: Any) -> tuple[Any, Any]:
        """ddx is (v, w), either of them None where the penalty does not look."""
        v, w = ddx
        return self.second(v, w, None, gctx)

    def weight_double_backward(self, ddw: Directions, gctx: Any) -> tuple[Any, Any]:
        return self.second(None, None, ddw, gctx)

    def condition(self, xs: tuple[Any, ...], features: int | None = None) -> Array:
        """c of the inputs (x, c). Raises ShapeError unless it is (N, features), in x's dtype."""
        self.check_array(xs[0], "an array")
        if len(xs) != 2:
            raise ShapeError(f"{self!r} wanted an input and a condition, got {len(xs)} inputs")
        x, c = xs
        ok = is_array(c) and c.ndim == 2 and features in (None, c.shape[-1]) and len(c) == len(x)
        self.check_array(c, f"a condition ({len(x)}, {features or 'E'})", ok, x.dtype)
        return c


class ConditionalSequential(ConditionalLayer):
    """Layers one after another; those that are conditional see c too: x (N, ...), c (N, E).

    Parts are named "0", "1", ... Raises ShapeError for a c of other rows than x, naming the layer
    for what a part cannot take.
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__()
        self.layers = [self.add_child(str(i), layer) for i, layer in enumerate(layers)]

    def describe(self) -> str:
        return ", ".join(map(repr, self.layers))

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, list[Any]]:
        x, c = xs[0], self.condition(xs)
        ctxs = []
        for i, layer in enumerate(self.layers):
            try:
                x, ctx = layer.forward(*fed(layer, x, c), train=train, update_stats=update_stats)
            except ShapeError as error:
                raise error.within(f"layer {i}") from error
            ctxs.append(ctx)
        return x, ctxs

    def backward(
        self, dy: Array, ctx: list[Any], need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        dx, dc = dy, None
        lowest = 0 if need_dx else self._lowest_trained()  # below it, nobody reads a gradient
        for i in reversed(range(lowest, len(self.layers))):
            below = need_dx or i > lowest
            both = self.layers[i].backward(dx, ctx[i], below, need_dw)
            dx, more = dx_and_dc(self.layers[i], both)
            dc = add(dc, more)
        return (dx, dc) if need_dx else None

    def _lowest_trained(self) -> int:
        trained = (i for i, layer in enumerate(self.layers) if layer.params)
        return next(trained, len(self.layers))

    def input_gradient(self, dy: Array, ctx: list[Any]) -> tuple[Any, ManyGradContext]:
        gctxs: list[Any] = [None] * len(self.layers)
        dx, dc = dy, None
        for i in reversed(range(len(self.layers))):
            both, gctxs[i] = self.layers[i].input_gradient(dx, ctx[i])
            dx, more = dx_and_dc(self.layers[i], both)
            dc = add(dc, more)
        return (dx, dc), ManyGradContext(ctx, gctxs)

    def second(
        self, v: Any, w: Any, ddw: Directions | None, gctx: ManyGradContext
    ) -> tuple[Any, Any]:
        extras, c_extra = [], None
        for layer, inner in zip(self.layers, gctx.gctxs, strict=True):
            v, (extra, more) = owed(layer, v, w, ddw, inner)
            extras.append(extra)
            c_extra = add(c_extra, more)
        down: Any = None
        for layer, ctx, extra in reversed(list(zip(self.layers, gctx.ctxs, extras, strict=True))):
            if down is not None:
                down, more = dx_and_dc(layer, layer.backward(down, ctx))
                c_extra = add(c_extra, more)
            down = add(down, extra)
        return v, (down, c_extra)


class ConditionalConcat(ConditionalLayer):
    """Branches of one x (N, ..., C), joined along the last axis; conditional ones see c (N, E) too.

    Raises ShapeError as ConditionalSequential, naming the branch.
    """

    def __init__(self, *branches: Layer) -> None:
        super().__init__()
        self.branches = [self.add_child(str(i), branch) for i, branch in enumerate(branches)]

    def describe(self) -> str:
        return ", ".join(map(repr, self.branches))

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, JoinContext]:
        x, c = xs[0], self.condition(xs)
        ys, ctxs, edges = [], [], [0]
        for i, branch in enumerate(self.branches):
            try:
                y, ctx = branch.forward(*fed(branch, x, c), train=train, update_stats=update_stats)
            except ShapeError as error:
                raise error.within(f"branch {i}") from error
            ys.append(y)
            ctxs.append(ctx)
            edges.append(edges[-1] + y.shape[-1])
        return np.concatenate(ys, -1), JoinContext(ctxs, edges)

    def backward(
        self, dy: Array, ctx: JoinContext, need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        dx, dc = None, None
        for branch, part, inner in self._parts(dy, ctx):
            both = dx_and_dc(branch, branch.backward(part, inner, need_dx, need_dw))
            dx, dc = add(dx, both[0]), add(dc, both[1])
        return (dx, dc) if need_dx else None

    def input_gradient(self, dy: Array, ctx: JoinContext) -> tuple[Any, ManyGradContext]:
        dx, dc, gctxs = None, None, []
        for branch, part, inner in self._parts(dy, ctx):
            given, gctx = branch.input_gradient(part, inner)
            both = dx_and_dc(branch, given)
            dx, dc = add(dx, both[0]), add(dc, both[1])
            gctxs.append(gctx)
        return (dx, dc), ManyGradContext(ctx, gctxs)

    def second(
        self, v: Any, w: Any, ddw: Directions | None, gctx: ManyGradContext
    ) -> tuple[Any, Any]:
        ddys, x_extra, c_extra = [], None, None
        for branch, inner in zip(self.branches, gctx.gctxs, strict=True):
            ddy, (extra, more) = owed(branch, v, w, ddw, inner)
            ddys.append(ddy)
            x_extra, c_extra = add(x_extra, extra), add(c_extra, more)
        return gctx.ctxs.joined(ddys), (x_extra, c_extra)

    def _parts(self, dy: Array, ctx: JoinContext) -> Iterator[tuple[Layer, Array, Any]]:
        """Each branch, its part of dy, and its context."""
        return zip(self.branches, ctx.parted(dy), ctx.ctxs, strict=True)


@dataclass(slots=True)
class EmbeddedContext:
    """The contexts, or second-order contexts, of both parts."""

    embed: Any
    net: Any


class Embedded(ConditionalLayer):
    """net(x, embed(c)): one embedding of c (N, E) that every layer of `net` shares."""

    def __init__(self, embed: Layer, net: ConditionalLayer) -> None:
        super().__init__()
        self.embed = self.add_child("embed", embed)
        self.net = net
        self.add_child("net", net)

    def describe(self) -> str:
        return f"{self.embed!r}, {self.net!r}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, EmbeddedContext]:
        x, c = xs[0], self.condition(xs)
        e, embed_ctx = self.embed.forward(c, train=train, update_stats=update_stats)
        y, ctx = self.net.forward(x, e, train=train, update_stats=update_stats)
        return y, EmbeddedContext(embed_ctx, ctx)

    def backward(
        self, dy: Array, ctx: EmbeddedContext, need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        if not (need_dx or need_dw):
            return None
        dx, de = self.net.backward(dy, ctx.net, True, need_dw)
        dc = self.embed.backward(de, ctx.embed, need_dx, need_dw)
        return (dx, dc) if need_dx else None

    def input_gradient(self, dy: Array, ctx: EmbeddedContext) -> tuple[Any, EmbeddedGradContext]:
        (dx, de), gctx = self.net.input_gradient(dy, ctx.net)
        dc, embed_gctx = self.embed.input_gradient(de, ctx.embed)
        return (dx, dc), EmbeddedGradContext(ctx, embed_gctx, gctx)

    def second(
        self, v: Any, w: Any, ddw: Directions | None, gctx: EmbeddedGradContext
    ) -> tuple[Any, Any]:
        dde, (c_extra, _) = owed(self.embed, w, None, ddw, gctx.embed)
        ddy, (x_extra, e_extra) = self.net.second(v, dde, ddw, gctx.net)
        if e_extra is not None:
            c_extra = add(c_extra, self.embed.backward(e_extra, gctx.ctx.embed))
        return ddy, (x_extra, c_extra)


@dataclass(slots=True)
class EmbeddedGradContext:
    """The forward context, and the second-order contexts of both parts."""

    ctx: EmbeddedContext
    embed: Any
    net: Any


def owed(
    layer: Layer, v: Any, w: Any, ddw: Directions | None, gctx: Any
) -> tuple[Any, tuple[Any, Any]]:
    """ddy and (x_extra, c_extra) of any part; all None where nothing is asked of it."""
    if isinstance(layer, ConditionalLayer):
        if v is None and w is None and ddw is None:
            return None, (None, None)
        return layer.second(v, w, ddw, gctx)
    ddy, extra = second_of(layer, v, gctx, ddw)
    return ddy, (extra, None)


def fed(layer: Layer, x: Array, c: Any) -> tuple[Array, ...]:
    """What a part takes: (x, c) if it is conditional, else (x,)."""
    return (x, c) if isinstance(layer, ConditionalLayer) else (x,)


def dx_and_dc(layer: Layer, gradients: Any) -> tuple[Any, Any]:
    """dx and dc from what a part's backward pass returned: both, dx alone, or None."""
    if gradients is None:
        return None, None
    return gradients if isinstance(layer, ConditionalLayer) else (gradients, None)
