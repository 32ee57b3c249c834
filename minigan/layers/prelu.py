r"""The leaky unit whose slope is learned (He et al. 2015, arXiv:1502.01852, section 2.1).

    y  = max(x, 0) + a min(x, 0)
    dx = dy f'(x)                  f'(x) = 1 where x > 0, a elsewhere
    da = sum dy min(x, 0)          over all that the slope serves

Second order: <v, dx> = sum v dy f'(x), so ddy = v f'(x), a gains sum v dy [x <= 0], and nothing is
owed to x, for f' is constant on both sides. Through a's gradient <V, da> = sum V dy min(x, 0):
ddy = V min(x, 0) and x_extra = V dy [x <= 0].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigan.backend import Array, is_array
from minigan.errors import OptionError
from minigan.layers.base import GradContext, Layer
from minigan.layers.params import Directions
from minigan.ops.prelu import add_prelu_da, prelu, prelu_dx


@dataclass(slots=True)
class PReLUContext:
    """The input: a slope may have any sign, so that y does not say on which side x was."""

    x: Array
    version: int


class PReLU(Layer):
    """x where positive, a x elsewhere, on arrays (..., C); a is the parameter "weight".

    num_parameters: 1 slope for all numbers, or C, one for each channel; init: where they start.
    Raises OptionError for less than 1, ShapeError for other than num_parameters channels, if above
    1.
    """

    def __init__(self, num_parameters: int = 1, *, init: float = 0.25) -> None:
        super().__init__()
        if num_parameters < 1:
            raise OptionError(f"num_parameters={num_parameters!r}: give 1, or the channels")
        self.num_parameters = num_parameters
        self.weight = self.add_param("weight", np.full(num_parameters, init, np.float32))

    def describe(self) -> str:
        return str(self.num_parameters)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, PReLUContext]:
        (x,) = xs
        channels = self.num_parameters
        wanted = "an array" if channels == 1 else f"(..., {channels})"
        fits = channels == 1 or (is_array(x) and x.ndim >= 1 and x.shape[-1] == channels)
        self.check_array(x, wanted, fits, self.weight.data.dtype)
        return prelu(x, self.weight.data), PReLUContext(x, self.weight.version)

    def backward(
        self, dy: Array, ctx: PReLUContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        self.check_fresh(ctx.version, self.weight)
        self.check_upstream(dy, ctx.x.shape)
        if need_dw:
            add_prelu_da(self.weight.grad, dy, np.minimum(ctx.x, 0))
        return prelu_dx(dy, ctx.x, self.weight.data) if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        ctx = gctx.ctx
        self.check_fresh(ctx.version, self.weight)
        add_prelu_da(self.weight.grad, gctx.dy, ddx * (ctx.x <= 0))
        return prelu_dx(ddx, ctx.x, self.weight.data), None

    def weight_double_backward(self, ddw: Directions, gctx: GradContext) -> tuple[Array, Array]:
        ctx, V = gctx.ctx, ddw[self.weight]
        self.check_fresh(ctx.version, self.weight)
        return V * np.minimum(ctx.x, 0), V * (gctx.dy * (ctx.x <= 0))
