r"""Neighbours of a Sequential that a card computes in one step: a layer and its activation.

    NormActivation     y = f(gamma xhat + beta)    ops/affine.py: forward, both sums and dx are one
                                                   pass each, and nothing but x is kept
    LinearActivation   y = f(K x + b)              finished inside the kernel of the product; dx and
                                                   dw follow from dy f'(y)

f is ReLU, LeakyReLU or tanh. A step is a view of two layers: it has no parameters, no name and no
place among a network's children, and it can hand out the contexts that the two layers themselves
would have made, so that second derivatives are theirs.

On the CPU the two layers run one after the other: batch norm's sums and dx would each have to make
y again, and NumPy passes over memory once more for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from minigan.backend import Array
from minigan.layers.activation import Activation, LeakyReLU, ReLU, Tanh
from minigan.layers.base import Layer
from minigan.layers.conv import Conv2d, ConvTranspose2d
from minigan.layers.dense import Dense
from minigan.layers.norm import BatchNorm, BatchNormContext

# Of exactly these classes: a subclass may compute something else. Each keeps its y.
FUNCTIONS: dict[type[Layer], str] = {ReLU: "relu", LeakyReLU: "leaky_relu", Tanh: "tanh"}


class Fused:
    """Two neighbours; a subclass says how both are computed at once."""

    def __init__(self, lower: Any, activation: Activation) -> None:
        self.lower, self.activation = lower, activation
        slope = activation.negative_slope if isinstance(activation, LeakyReLU) else 0.0
        self.function = (FUNCTIONS[type(activation)], slope)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Any]:
        """y of both layers, and the step's own context."""
        raise NotImplementedError

    def backward(self, dy: Array, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> Any:
        """As Layer.backward's, of both layers, from the step's own context."""
        raise NotImplementedError

    def contexts(self, ctx: Any) -> tuple[Any, Any]:
        """What the forward passes of the two layers would have returned."""
        raise NotImplementedError


class NormActivation(Fused):
    """Batch norm and its activation. Keeps batch norm's context alone."""

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, BatchNormContext]:
        (x,) = xs
        ctx = self.lower.statistics(x, train, update_stats)
        return self.lower.activated(ctx, *self.function), ctx

    def backward(
        self, dy: Array, ctx: BatchNormContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        return self.lower.activated_backward(dy, ctx, *self.function, need_dx, need_dw)

    def contexts(self, ctx: BatchNormContext) -> tuple[BatchNormContext, Array]:
        return ctx, self.lower.activated(ctx, *self.function)


@dataclass(slots=True)
class LinearActivationContext:
    """The contexts of both."""

    lower: Any
    y: Array


class LinearActivation(Fused):
    """A convolution, a transposed one or a dense layer, and its activation."""

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, LinearActivationContext]:
        (x,) = xs
        y, ctx = self.lower.activated(x, *self.function)
        return y, LinearActivationContext(ctx, y)

    def backward(
        self,
        dy: Array,
        ctx: LinearActivationContext,
        need_dx: bool = True,
        need_dw: bool = True,
    ) -> Array | None:
        below = self.activation.f_dx(dy, ctx.y)
        return self.lower.backward(below, ctx.lower, need_dx, need_dw)

    def contexts(self, ctx: LinearActivationContext) -> tuple[Any, Array]:
        return ctx.lower, ctx.y


FUSES: dict[type[Layer], type[Fused]] = {
    BatchNorm: NormActivation,
    Conv2d: LinearActivation,
    ConvTranspose2d: LinearActivation,
    Dense: LinearActivation,
}


@dataclass(frozen=True, slots=True)
class Step:
    """Layers start, ..., stop - 1 of a chain: one of them, or two that are run at once."""

    run: Layer | Fused
    start: int
    stop: int

    def contexts(self, ctx: Any) -> tuple[Any, ...]:
        """The contexts of its layers."""
        return self.run.contexts(ctx) if isinstance(self.run, Fused) else (ctx,)


def single_steps(layers: Sequence[Layer]) -> list[Step]:
    """Each layer by itself."""
    return [Step(layer, i, i + 1) for i, layer in enumerate(layers)]


def fused_steps(layers: Sequence[Layer]) -> list[Step]:
    """Each layer with the activation behind it, where both fuse; the others by themselves."""
    steps: list[Step] = []
    i = 0
    while i < len(layers):
        lower, above = layers[i], layers[i + 1] if i + 1 < len(layers) else None
        if type(lower) in FUSES and isinstance(above, Activation) and type(above) in FUNCTIONS:
            steps.append(Step(FUSES[type(lower)](lower, above), i, i + 2))
        else:
            steps.append(Step(lower, i, i + 1))
        i = steps[-1].stop
    return steps
