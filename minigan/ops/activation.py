r"""Element-wise functions, each with the derivatives that its backward passes need.

Naming: f(x) -> y;  f_dx(dy, saved) = dy f'(x);  f_d2(saved) = f''(x). What is saved (x or y) is the
cheapest array that determines the derivative. Piecewise-linear functions have no f_d2: it vanishes
away from the kinks, where PyTorch's choice is taken: the flat side's 0 where there is one, else the
slope from the left.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from minigan.backend import Array
from minigan.ops.dispatch import op
from minigan.parallel import elementwise


@op
def relu(x: Array) -> Array:
    """max(x, 0)."""
    return elementwise(lambda out, x: np.maximum(x, 0, out=out), x)


@op
def relu_dx(dy: Array, y: Array) -> Array:
    """dy where y > 0, 0 elsewhere."""

    def block(out: Array, dy: Array, y: Array) -> None:
        np.multiply(dy, y > 0, out=out)

    return elementwise(block, dy, y)


@op
def leaky_relu(x: Array, slope: float) -> Array:
    """x where x > 0, slope * x elsewhere; 0 <= slope < 1."""

    def block(out: Array, x: Array) -> None:
        np.multiply(x, x.dtype.type(slope), out=out)
        np.maximum(x, out, out=out)

    return elementwise(block, x)


@op
def leaky_relu_dx(dy: Array, y: Array, slope: float) -> Array:
    """dy where y = leaky_relu(x) > 0, which is where x > 0; slope * dy elsewhere.

    The factor is max(1 or 0, slope): on random signs numpy.where is eight times slower, for it
    branches at each number.
    """

    def block(out: Array, dy: Array, y: Array) -> None:
        np.greater(y, 0, out=out, casting="unsafe")
        np.maximum(out, y.dtype.type(slope), out=out)
        out *= dy

    return elementwise(block, dy, y)


@op
def elu(x: Array, alpha: float) -> Array:
    """x where x > 0, alpha (exp(x) - 1) elsewhere (Clevert et al. 2016, eq. 15)."""
    return np.where(x > 0, x, x.dtype.type(alpha) * np.expm1(np.minimum(x, 0)))


@op
def elu_dx(dy: Array, y: Array, alpha: float) -> Array:
    """dy ELU'(x), from y = ELU(x): the slope is y + alpha where y <= 0."""
    return dy * np.where(y > 0, y.dtype.type(1), y + y.dtype.type(alpha))


@op
def elu_d2(y: Array, alpha: float) -> Array:
    """ELU''(x), from y = ELU(x)."""
    return np.where(y > 0, y.dtype.type(0), y + y.dtype.type(alpha))


@op
def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    return elementwise(lambda out, x: np.tanh(x, out=out), x)


@op
def tanh_dx(dy: Array, y: Array) -> Array:
    """dy (1 - y^2)."""

    def block(out: Array, dy: Array, y: Array) -> None:
        np.multiply(y, y, out=out)
        np.subtract(1, out, out=out)
        out *= dy

    return elementwise(block, dy, y)


@op
def tanh_d2(y: Array) -> Array:
    """tanh''(x) = -2 y (1 - y^2), from y = tanh(x)."""
    return -2 * y * (1 - y * y)


@op(plain=True)
def hardtanh(x: Array, low: float, high: float) -> Array:
    """x held in [low, high]. On a card this is plain CuPy."""
    kind = x.dtype.type
    y = np.maximum(x, kind(low))
    return np.minimum(y, kind(high), out=y)


@op(plain=True)
def hardtanh_dx(dy: Array, y: Array, low: float, high: float) -> Array:
    """dy where y = hardtanh(x) lies between both, 0 elsewhere. On a card this is plain CuPy."""
    kind = y.dtype.type
    return dy * ((y > kind(low)) & (y < kind(high)))


@op
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    return special.expit(x)


@op
def sigmoid_dx(dy: Array, y: Array) -> Array:
    """dy y (1 - y), from y = sigmoid(x)."""
    return dy * y * (1 - y)


@op
def sigmoid_d2(y: Array) -> Array:
    """sigmoid''(x) = y (1 - y) (1 - 2 y), from y = sigmoid(x)."""
    return y * (1 - y) * (1 - 2 * y)


@op
def softplus(x: Array, beta: float = 1.0) -> Array:
    """log(1 + exp(beta x)) / beta, without overflow: max(x, 0) + log1p(exp(-|beta x|)) / beta."""
    b = x.dtype.type(beta)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(b * x))) / b


@op
def softplus_dx(dy: Array, x: Array, beta: float = 1.0) -> Array:
    """dy sigmoid(beta x)."""
    return dy * sigmoid(x.dtype.type(beta) * x)


@op
def softplus_d2(x: Array, beta: float = 1.0) -> Array:
    """softplus''(x) = beta y (1 - y) with y = sigmoid(beta x)."""
    b = x.dtype.type(beta)
    y = sigmoid(b * x)
    return b * y * (1 - y)
