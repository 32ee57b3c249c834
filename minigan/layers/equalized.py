r"""Equalised learning rate: weights of one size, scaled at run time (Karras et al. 2018, 4.1).

The weight W is drawn from N(0, 1 / m^2) and used as c W, the bias b as m b, with

    c = gain m / sqrt(fan_in)

so that y = c A(W) x + m b for the linear map A of the layer. The paper prints a division by c; He's
constant asks for this product. Adam moves every stored number by about its learning rate, whatever
its size; scaled like this all layers learn at one pace, and those with a small m (the mapping
network's 0.01; Karras et al. 2019, appendix C) as much more slowly.

A is linear, so each derivative is the wrapped layer's with c dy where dy stood:

    dx = A^T(W) (c dy)        dW = A'(x, c dy)        db = m sum dy
    <v, dx> = <c A(W) v, dy>  so dy is owed c A(W) v, and W is owed A'(v, c dy)
    <V, dW> + <e, db>         so dy is owed c A(V) x + m e, and x is owed A^T(V) (c dy)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import init
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers.base import Layer
from minigan.layers.conv import Conv2d
from minigan.layers.dense import Dense
from minigan.layers.params import Directions
from minigan.ops.channels import add_channel_sum

PAPER = "Karras et al. 2018, Progressive growing of GANs, arXiv:1710.10196, section 4.1"

EQUATIONS = {
    "equalized.weight": r"\hat{w}_i = c \, w_i \text{ (printed as } w_i / c \text{)},"
    r" \quad c = \mathrm{gain} \cdot m / \sqrt{\mathrm{fan_{in}}}",
}

WRAPS: tuple[type[Layer], ...] = (Dense, Conv2d)


@dataclass(slots=True)
class EqualizedGradContext:
    """The wrapped layer's second-order context for c dy."""

    inner: Any


class EqualizedLR(Layer):
    """`layer`, a Dense or a Conv2d, with its weight drawn anew and scaled as above.

    gain: the deviation of what comes out for inputs of deviation 1; sqrt(2) in front of a ReLU.
    lr_multiplier: m above. The wrapper takes over the layer's bias. Raises OptionError for a layer
    of another kind, and for numbers that are not above 0.
    """

    def __init__(
        self,
        layer: Layer,
        *,
        gain: float = 1.0,
        lr_multiplier: float = 1.0,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        if type(layer) not in WRAPS:
            kinds = ", ".join(kind.__name__ for kind in WRAPS)
            raise OptionError(f"EqualizedLR cannot wrap {layer!r}; it wraps: {kinds}")
        if not (0 < gain < math.inf and 0 < lr_multiplier < math.inf):
            raise OptionError(
                f"gain={gain!r} and lr_multiplier={lr_multiplier!r} must be above 0 and finite"
            )
        self.layer, self.lr_multiplier = self.add_child("layer", layer), lr_multiplier
        self.bias = layer.own_params.pop("bias", None)
        layer.bias = None  # type: ignore[attr-defined]  # the kinds above have one
        if self.bias is not None:
            self.own_params["bias"] = self.bias
        weight = layer.own_params["weight"]
        fan_in = math.prod(weight.shape[:-1])
        weight.data[...] = init.normal(1 / lr_multiplier)(weight.shape, fan_in, 0, rng)
        self.scale = gain * lr_multiplier / math.sqrt(fan_in)

    def describe(self) -> str:
        return repr(self.layer)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Any]:
        y, ctx = self.layer.forward(*xs, train=train, update_stats=update_stats)
        y *= self.scale  # eq: equalized.weight
        if self.bias is not None:
            y += self.lr_multiplier * self.bias.data
        return y, ctx

    def backward(self, dy: Array, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> Any:
        if need_dw and self.bias is not None:
            add_channel_sum(self.bias.grad, dy, self.lr_multiplier)
        return self.layer.backward(self.scale * dy, ctx, need_dx, need_dw)

    def input_gradient(self, dy: Array, ctx: Any) -> tuple[Any, EqualizedGradContext]:
        dx, inner = self.layer.input_gradient(self.scale * dy, ctx)
        return dx, EqualizedGradContext(inner)

    def double_backward(self, ddx: Any, gctx: EqualizedGradContext) -> tuple[Array, None]:
        ddy, _ = self.layer.double_backward(ddx, gctx.inner)
        return self.scale * ddy, None

    def weight_double_backward(
        self, ddw: Directions, gctx: EqualizedGradContext
    ) -> tuple[Array, Any]:
        ddy, x_extra = self.layer.weight_double_backward(ddw, gctx.inner)
        ddy *= self.scale
        if self.bias is not None:
            ddy += self.lr_multiplier * ddw[self.bias]
        return ddy, x_extra
