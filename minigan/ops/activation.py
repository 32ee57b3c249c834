r"""Element-wise functions, each with the derivatives that its backward passes need.

Naming: f(x) -> y;  f_dx(dy, saved) = dy f'(x);  f_d2(saved) = f''(x). What is saved (x or y) is the
cheapest array that determines the derivative. Piecewise-linear functions have no f_d2: it vanishes
away from the kink, where the derivative from the left is taken (as PyTorch does).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from minigan.backend import Array


def relu(x: Array) -> Array:
    """max(x, 0)."""
    return np.maximum(x, 0)


def relu_dx(dy: Array, y: Array) -> Array:
    return dy * (y > 0)


def leaky_relu(x: Array, slope: float) -> Array:
    """x where x > 0, slope * x elsewhere; 0 <= slope < 1."""
    return np.maximum(x, x * x.dtype.type(slope))


def leaky_relu_dx(dy: Array, x: Array, slope: float) -> Array:
    return np.where(x > 0, dy, dy * dy.dtype.type(slope))


def elu(x: Array, alpha: float) -> Array:
    """x where x > 0, alpha (exp(x) - 1) elsewhere (Clevert et al. 2016, eq. 15)."""
    return np.where(x > 0, x, x.dtype.type(alpha) * np.expm1(np.minimum(x, 0)))


def elu_dx(dy: Array, y: Array, alpha: float) -> Array:
    return dy * np.where(y > 0, y.dtype.type(1), y + y.dtype.type(alpha))


def elu_d2(y: Array, alpha: float) -> Array:
    return np.where(y > 0, y.dtype.type(0), y + y.dtype.type(alpha))


def tanh(x: Array) -> Array:
    return np.tanh(x)


def tanh_dx(dy: Array, y: Array) -> Array:
    return dy * (1 - y * y)


def tanh_d2(y: Array) -> Array:
    return -2 * y * (1 - y * y)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    return special.expit(x)


def sigmoid_dx(dy: Array, y: Array) -> Array:
    return dy * y * (1 - y)


def sigmoid_d2(y: Array) -> Array:
    return y * (1 - y) * (1 - 2 * y)


def softplus(x: Array, beta: float = 1.0) -> Array:
    """log(1 + exp(beta x)) / beta, without overflow: max(x, 0) + log1p(exp(-|beta x|)) / beta."""
    b = x.dtype.type(beta)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(b * x))) / b


def softplus_dx(dy: Array, x: Array, beta: float = 1.0) -> Array:
    return dy * sigmoid(x.dtype.type(beta) * x)


def softplus_d2(x: Array, beta: float = 1.0) -> Array:
    b = x.dtype.type(beta)
    y = sigmoid(b * x)
    return b * y * (1 - y)
