r"""Activations: element-wise, without parameters.

    y = f(x)      dx = dy f'(x)
    second: <v, dy f'(x)> gives ddy = v f'(x) and x_extra = v dy f''(x)

f'' vanishes for the piecewise-linear ones, and only for those.
"""

from __future__ import annotations

from dataclasses import dataclass

from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.layers.base import GradContext, Layer
from minigan.ops import activation as ops
from minigan.ops.maxout import maxout, maxout_dx, maxout_gather


class Activation(Layer):
    """Base: a subclass gives f, its derivative and, where it is curved, the second one.

    The context is the one array that the derivative is computed from.
    """

    def f(self, x: Array) -> tuple[Array, Array]:
        """y, and the array to save: x or y."""
        raise NotImplementedError

    def f_dx(self, dy: Array, saved: Array) -> Array:
        """dy f'(x)."""
        raise NotImplementedError

    def f_d2(self, saved: Array) -> Array | None:
        """f''(x), or None where it vanishes."""
        return None

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Array]:
        (x,) = xs
        self.check_array(x, "an array")
        return self.f(x)

    def backward(
        self, dy: Array, ctx: Array, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        return self.f_dx(dy, ctx) if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, Array | None]:
        curvature = self.f_d2(gctx.ctx)
        x_extra = None if curvature is None else ddx * gctx.dy * curvature
        return self.f_dx(ddx, gctx.ctx), x_extra


class ReLU(Activation):
    """max(x, 0), of an array of any shape."""

    def f(self, x: Array) -> tuple[Array, Array]:
        y = ops.relu(x)
        return y, y

    def f_dx(self, dy: Array, saved: Array) -> Array:
        return ops.relu_dx(dy, saved)


class LeakyReLU(Activation):
    """x where positive, negative_slope * x elsewhere (Maas et al. 2013).

    Raises OptionError unless 0 <= negative_slope < 1.
    """

    def __init__(self, *, negative_slope: float = 0.01) -> None:
        super().__init__()
        if not 0 <= negative_slope < 1:
            raise OptionError(f"negative_slope={negative_slope!r} must lie in [0, 1)")
        self.negative_slope = negative_slope

    def describe(self) -> str:
        return f"negative_slope={self.negative_slope}"

    def f(self, x: Array) -> tuple[Array, Array]:
        y = ops.leaky_relu(x, self.negative_slope)
        return y, y  # of x's sign, and the next layer keeps it anyway: x may be freed

    def f_dx(self, dy: Array, saved: Array) -> Array:
        return ops.leaky_relu_dx(dy, saved, self.negative_slope)


class ELU(Activation):
    """x where positive, alpha (exp(x) - 1) elsewhere (Clevert et al. 2016, arXiv:1511.07289).

    Raises OptionError unless alpha is above 0.
    """

    def __init__(self, *, alpha: float = 1.0) -> None:
        super().__init__()
        if not alpha > 0:
            raise OptionError(f"alpha={alpha!r} must be above 0")
        self.alpha = alpha

    def f(self, x: Array) -> tuple[Array, Array]:
        y = ops.elu(x, self.alpha)
        return y, y

    def f_dx(self, dy: Array, saved: Array) -> Array:
        return ops.elu_dx(dy, saved, self.alpha)

    def f_d2(self, saved: Array) -> Array:
        return ops.elu_d2(saved, self.alpha)


class Tanh(Activation):
    """The hyperbolic tangent, in (-1, 1)."""

    def f(self, x: Array) -> tuple[Array, Array]:
        y = ops.tanh(x)
        return y, y

    def f_dx(self, dy: Array, saved: Array) -> Array:
        return ops.tanh_dx(dy, saved)

    def f_d2(self, saved: Array) -> Array:
        return ops.tanh_d2(saved)


class Hardtanh(Activation):
    """x held in [min_val, max_val]. Raises OptionError unless min_val is below max_val."""

    def __init__(self, *, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        if not min_val < max_val:
            raise OptionError(f"min_val={min_val!r} must lie below max_val={max_val!r}")
        self.min_val, self.max_val = min_val, max_val

    def describe(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"

    def f(self, x: Array) -> tuple[Array, Array]:
        y = ops.hardtanh(x, self.min_val, self.max_val)
        return y, y

    def f_dx(self, dy: Array, saved: Array) -> Array:
        return ops.hardtanh_dx(dy, saved, self.min_val, self.max_val)


class Sigmoid(Activation):
    """1 / (1 + exp(-x)), in (0, 1).

    Losses take logits: put it at a network's end for reading only.
    """

    def f(self, x: Array) -> tuple[Array, Array]:
        y = ops.sigmoid(x)
        return y, y

    def f_dx(self, dy: Array, saved: Array) -> Array:
        return ops.sigmoid_dx(dy, saved)

    def f_d2(self, saved: Array) -> Array:
        return ops.sigmoid_d2(saved)


class Softplus(Activation):
    """log(1 + exp(beta x)) / beta. Raises OptionError unless beta is above 0."""

    def __init__(self, *, beta: float = 1.0) -> None:
        super().__init__()
        if not beta > 0:
            raise OptionError(f"beta={beta!r} must be above 0")
        self.beta = beta

    def f(self, x: Array) -> tuple[Array, Array]:
        return ops.softplus(x, self.beta), x

    def f_dx(self, dy: Array, saved: Array) -> Array:
        return ops.softplus_dx(dy, saved, self.beta)

    def f_d2(self, saved: Array) -> Array:
        return ops.softplus_d2(saved, self.beta)


@dataclass(slots=True)
class MaxoutContext:
    """What `Maxout.backward` needs."""

    winner: Array  # (..., C) of small integers: which piece was the largest, the first if tied


class Maxout(Layer):
    """The largest of num_pieces neighbours: (..., C * num_pieces) -> (..., C).

    After Dense(in, C * num_pieces) it is the maxout unit of Goodfellow et al. 2013, eq. 2. Raises
    OptionError unless num_pieces lies in [2, 255], ShapeError where it does not divide the last
    axis.
    """

    def __init__(self, num_pieces: int) -> None:
        super().__init__()
        if not 2 <= num_pieces <= 255:
            raise OptionError(f"num_pieces={num_pieces!r} must lie in [2, 255]")
        self.num_pieces = num_pieces

    def describe(self) -> str:
        return str(self.num_pieces)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, MaxoutContext]:
        (x,) = xs
        self.check_array(x, "an array")
        if x.shape[-1] % self.num_pieces:
            raise ShapeError(f"{self!r} wanted (..., C * {self.num_pieces}), got shape {x.shape}")
        y, winner = maxout(x, self.num_pieces)
        return y, MaxoutContext(winner)

    def backward(
        self, dy: Array, ctx: MaxoutContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        return maxout_dx(dy, ctx.winner, self.num_pieces) if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        return maxout_gather(ddx, gctx.ctx.winner, self.num_pieces), None
