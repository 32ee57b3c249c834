r"""Containers: networks built from layers.

Each composes forward, backward and both second-order passes of what it holds. For a chain
x_0 -> x_1 -> ... -> x_n the gradients g_n = dy, ..., g_0 = dx run down; the second derivative

    goes up    v_i, e_i = layer_i.double_backward(v_{i-1}),   v_0 = ddx: v_i belongs to g_i,
               and e_i is what <v, g> owes to x_{i-1} through a curved layer i
    goes down  c_{i-1} = layer_i.backward(c_i) + e_i,   c_n = 0

so that one ordinary backward pass collects every e_i into x_extra = c_0 and adds into the
parameters' gradients on its way what they owe to x_1, ..., x_n. What <ddw, dw> owes joins on the
way up, each layer's share where its parameters are; it alone starts from v_0 = None.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from minigan.backend import Array, on_cuda
from minigan.errors import ShapeError
from minigan.layers.base import Layer, add
from minigan.layers.fused import Step, fused_steps, single_steps
from minigan.layers.params import Directions
from minigan.layers.shape import Identity


@dataclass(slots=True)
class ManyGradContext:
    """The forward contexts of a container's parts, and their second-order contexts."""

    ctxs: Any
    gctxs: list[Any]


class Sequential(Layer):
    """Layers one after another; parts are named "0", "1", ... The first may take several inputs.

    On a card a layer and the activation behind it are one step where layers/fused.py knows how. The
    context is a list with one entry for each step.
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__()
        self.layers = [self.add_child(str(i), layer) for i, layer in enumerate(layers)]
        self._single, self._fused = single_steps(self.layers), fused_steps(self.layers)

    def describe(self) -> str:
        return ", ".join(map(repr, self.layers))

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, list[Any]]:
        ctxs = []
        for step in self._steps(xs[0]):
            try:
                x, ctx = step.run.forward(*xs, train=train, update_stats=update_stats)
            except ShapeError as error:
                raise error.within(f"layer {step.start}") from error
            xs = (x,)
            ctxs.append(ctx)
        (y,) = xs
        return y, ctxs

    def backward(
        self, dy: Array, ctx: list[Any], need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        dx: Any = dy
        lowest = 0 if need_dx else self._lowest_trained()  # below it, nobody reads a gradient
        for step, inner in zip(reversed(self._steps(dy)), reversed(ctx), strict=True):
            if step.stop > lowest:
                dx = step.run.backward(dx, inner, need_dx or step.start > lowest, need_dw)
        return dx if need_dx else None

    def _steps(self, x: Any) -> list[Step]:
        """What is run one after the other for an array x, or a gradient, where it lies."""
        return self._fused if on_cuda(x) else self._single

    def _lowest_trained(self) -> int:
        """The first layer that has parameters; behind the last if none has."""
        trained = (i for i, layer in enumerate(self.layers) if layer.params)
        return next(trained, len(self.layers))

    def input_gradient(self, dy: Array, ctx: list[Any]) -> tuple[Any, ManyGradContext]:
        pairs = zip(self._steps(dy), ctx, strict=True)
        ctxs = [one for step, inner in pairs for one in step.contexts(inner)]  # one for each layer
        gctxs: list[Any] = [None] * len(self.layers)
        dx: Any = dy
        for i in reversed(range(len(self.layers))):
            dx, gctxs[i] = self.layers[i].input_gradient(dx, ctxs[i])
        return dx, ManyGradContext(ctxs, gctxs)

    def double_backward(self, ddx: Any, gctx: ManyGradContext) -> tuple[Any, Any]:
        return self._second(ddx, gctx, None)

    def weight_double_backward(self, ddw: Directions, gctx: ManyGradContext) -> tuple[Any, Any]:
        return self._second(None, gctx, ddw)

    def _second(self, v: Any, gctx: ManyGradContext, ddw: Directions | None) -> tuple[Any, Any]:
        extras = []
        for layer, inner in zip(self.layers, gctx.gctxs, strict=True):
            v, extra = second_of(layer, v, inner, ddw)
            extras.append(extra)
        c: Any = None
        for layer, ctx, extra in reversed(list(zip(self.layers, gctx.ctxs, extras, strict=True))):
            below = None if c is None else layer.backward(c, ctx)
            c = _add_each(below, extra)
        return v, c


class Residual(Layer):
    """body(x) + shortcut(x), the shortcut x unless given (He et al. 2016, eq. 1 and 2).

    Raises ShapeError where both make different shapes.
    """

    def __init__(self, body: Layer, shortcut: Layer | None = None) -> None:
        super().__init__()
        self.body = self.add_child("body", body)
        self.shortcut = self.add_child("shortcut", shortcut or Identity())

    def describe(self) -> str:
        return f"{self.body!r}, {self.shortcut!r}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, tuple[Any, Any]]:
        (x,) = xs
        body, body_ctx = self.body.forward(x, train=train, update_stats=update_stats)
        skip, skip_ctx = self.shortcut.forward(x, train=train, update_stats=update_stats)
        if body.shape != skip.shape:
            raise ShapeError(
                f"{self!r}: the body made {body.shape}, the shortcut {skip.shape}; give a shortcut "
                "that changes the shape as the body does"
            )
        return body + skip, (body_ctx, skip_ctx)

    def backward(
        self, dy: Array, ctx: tuple[Any, Any], need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        body = self.body.backward(dy, ctx[0], need_dx, need_dw)
        skip = self.shortcut.backward(dy, ctx[1], need_dx, need_dw)
        return body + skip if need_dx else None

    def input_gradient(self, dy: Array, ctx: tuple[Any, Any]) -> tuple[Array, ManyGradContext]:
        body, body_gctx = self.body.input_gradient(dy, ctx[0])
        skip, skip_gctx = self.shortcut.input_gradient(dy, ctx[1])
        return body + skip, ManyGradContext(ctx, [body_gctx, skip_gctx])

    def double_backward(self, ddx: Array, gctx: ManyGradContext) -> tuple[Array, Array | None]:
        return self._second(ddx, gctx, None)

    def weight_double_backward(
        self, ddw: Directions, gctx: ManyGradContext
    ) -> tuple[Any, Array | None]:
        return self._second(None, gctx, ddw)

    def _second(
        self, v: Any, gctx: ManyGradContext, ddw: Directions | None
    ) -> tuple[Any, Array | None]:
        body, body_extra = second_of(self.body, v, gctx.gctxs[0], ddw)
        skip, skip_extra = second_of(self.shortcut, v, gctx.gctxs[1], ddw)
        return add(body, skip), add(body_extra, skip_extra)


@dataclass(slots=True)
class JoinContext:
    """What the backward passes of layers with several branches need: the contexts inside."""

    ctxs: list[Any]
    edges: list[int]  # where each branch's channels begin and end

    def parted(self, dy: Array) -> list[Array]:
        """Each branch's part of the gradient of what was joined."""
        return [dy[..., a:b] for a, b in pairwise(self.edges)]

    def joined(self, ddys: list[Any]) -> Array | None:
        """One array of what each branch's part is owed, 0 for None; None if all are."""
        some = next((ddy for ddy in ddys if ddy is not None), None)
        if some is None:
            return None
        widths = [b - a for a, b in pairwise(self.edges)]
        parts = [
            np.zeros_like(some, shape=(*some.shape[:-1], width)) if ddy is None else ddy
            for ddy, width in zip(ddys, widths, strict=True)
        ]
        return np.concatenate(parts, -1)


class _Join(Layer):
    """Branches whose outputs are joined along the last axis; a subclass says what each is fed."""

    def __init__(self, *branches: Layer) -> None:
        super().__init__()
        self.branches = [self.add_child(str(i), branch) for i, branch in enumerate(branches)]

    def describe(self) -> str:
        return ", ".join(map(repr, self.branches))

    def spread(self, xs: tuple[Array, ...]) -> tuple[Array, ...]:
        """The input of each branch."""
        raise NotImplementedError

    def gather(self, dxs: list[Any]) -> Any:
        """The gradient of the inputs from the branches' gradients; each may be None."""
        raise NotImplementedError

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, JoinContext]:
        ys: list[Array] = []
        ctxs, edges = [], [0]
        for i, (branch, x) in enumerate(zip(self.branches, self.spread(xs), strict=True)):
            try:
                y, ctx = branch.forward(x, train=train, update_stats=update_stats)
            except ShapeError as error:
                raise error.within(f"branch {i}") from error
            if ys and y.shape[:-1] != ys[0].shape[:-1]:
                raise ShapeError(
                    f"{type(self).__name__}: branch 0 made {ys[0].shape}, branch {i} {y.shape}; "
                    "all but the last axis must agree"
                )
            ys.append(y)
            ctxs.append(ctx)
            edges.append(edges[-1] + y.shape[-1])
        return np.concatenate(ys, -1), JoinContext(ctxs, edges)

    def backward(
        self, dy: Array, ctx: JoinContext, need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        dxs = [
            branch.backward(part, inner, need_dx, need_dw)
            for branch, part, inner in self._parts(dy, ctx)
        ]
        return self.gather(dxs) if need_dx else None

    def input_gradient(self, dy: Array, ctx: JoinContext) -> tuple[Any, ManyGradContext]:
        both = [branch.input_gradient(part, inner) for branch, part, inner in self._parts(dy, ctx)]
        return self.gather([dx for dx, _ in both]), ManyGradContext(ctx, [g for _, g in both])

    def double_backward(self, ddx: Any, gctx: ManyGradContext) -> tuple[Any, Any]:
        feeds = self.spread(ddx if isinstance(ddx, tuple) else (ddx,))
        return self._second(feeds, gctx, None)

    def weight_double_backward(self, ddw: Directions, gctx: ManyGradContext) -> tuple[Any, Any]:
        return self._second((None,) * len(self.branches), gctx, ddw)

    def _second(
        self, feeds: tuple[Any, ...], gctx: ManyGradContext, ddw: Directions | None
    ) -> tuple[Any, Any]:
        both = [
            second_of(branch, v, inner, ddw)
            for branch, v, inner in zip(self.branches, feeds, gctx.gctxs, strict=True)
        ]
        ddy = gctx.ctxs.joined([ddy for ddy, _ in both])
        return ddy, self.gather([extra for _, extra in both])

    def _parts(self, dy: Array, ctx: JoinContext) -> Iterator[tuple[Layer, Array, Any]]:
        """Each branch, its part of dy, and its context."""
        return zip(self.branches, ctx.parted(dy), ctx.ctxs, strict=True)


class Concat(_Join):
    """Branches of one input, joined along the last axis: (N, ..., C) -> (N, ..., sum of theirs).

    Concat(Identity(), inner) is a U-Net's skip. Raises ShapeError unless all branches make as many
    places.
    """

    def spread(self, xs: tuple[Array, ...]) -> tuple[Array, ...]:
        (x,) = xs
        return (x,) * len(self.branches)

    def gather(self, dxs: list[Any]) -> Array | None:
        total = None
        for dx in dxs:
            total = add(total, dx)
        return total


class Parallel(_Join):
    """Branch i of input i, joined along the last axis; as many inputs as branches, and as many dx.

    Raises ShapeError for another number of inputs, and as Concat.
    """

    def spread(self, xs: tuple[Array, ...]) -> tuple[Array, ...]:
        if len(xs) != len(self.branches):
            raise ShapeError(f"{self!r} wanted {len(self.branches)} inputs, got {len(xs)}")
        return xs

    def gather(self, dxs: list[Any]) -> Any:
        return None if all(dx is None for dx in dxs) else tuple(dxs)


def second_of(layer: Layer, v: Any, gctx: Any, ddw: Directions | None) -> tuple[Any, Any]:
    """ddy and x_extra of <v, dx> + <ddw, dw> of a part; v or ddw may be missing."""
    ddy, extra = (None, None) if v is None else layer.double_backward(v, gctx)
    if ddw is not None and layer.params:
        more, more_extra = layer.weight_double_backward(ddw, gctx)
        ddy, extra = add(ddy, more), _add_each(extra, more_extra)
    return ddy, extra


def _add_each(a: Any, b: Any) -> Any:
    """`add`, over the tuple of gradients of a part with several inputs too."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return tuple(add(x, y) for x, y in zip(a, b, strict=True))
    return add(a, b)
