"""minigan/ops/activation.py on a card: kernels/activation.cu."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import suffix, vectors


def relu(x: Array) -> Array:
    return _unary("relu", x)


def relu_dx(dy: Array, y: Array) -> Array:
    return _binary("relu_dx", y, dy)


def leaky_relu(x: Array, slope: float) -> Array:
    return _unary("leaky_relu", x, slope)


def leaky_relu_dx(dy: Array, y: Array, slope: float) -> Array:
    return _binary("leaky_relu_dx", y, dy, slope)


def elu(x: Array, alpha: float) -> Array:
    return _unary("elu", x, alpha)


def elu_dx(dy: Array, y: Array, alpha: float) -> Array:
    return _binary("elu_dx", y, dy, alpha)


def elu_d2(y: Array, alpha: float) -> Array:
    return _unary("elu_d2", y, alpha)


def tanh(x: Array) -> Array:
    return _unary("tanh", x)


def tanh_dx(dy: Array, y: Array) -> Array:
    return _binary("tanh_dx", y, dy)


def tanh_d2(y: Array) -> Array:
    return _unary("tanh_d2", y)


def sigmoid(x: Array) -> Array:
    return _unary("sigmoid", x)


def sigmoid_dx(dy: Array, y: Array) -> Array:
    return _binary("sigmoid_dx", y, dy)


def sigmoid_d2(y: Array) -> Array:
    return _unary("sigmoid_d2", y)


def softplus(x: Array, beta: float = 1.0) -> Array:
    return _unary("softplus", x, beta)


def softplus_dx(dy: Array, x: Array, beta: float = 1.0) -> Array:
    return _binary("softplus_dx", x, dy, beta)


def softplus_d2(x: Array, beta: float = 1.0) -> Array:
    return _unary("softplus_d2", x, beta)


def _unary(name: str, kept: Array, parameter: float = 0.0) -> Array:
    """A new array of a function of one array: of what its backward pass keeps, x or y."""
    xp = array_module(kept)
    kept = xp.ascontiguousarray(kept)
    out = xp.empty(kept.shape, kept.dtype)
    p = kept.dtype.type(parameter)
    launch(f"activation.{name}{suffix(kept)}", *vectors(kept), kept, out, p, np.int64(kept.size))
    return out


def _binary(name: str, kept: Array, dy: Array, parameter: float = 0.0) -> Array:
    """A new array of a function of what was kept and dy."""
    xp = array_module(kept)
    kept, dy = xp.ascontiguousarray(kept), xp.ascontiguousarray(dy)
    out = xp.empty(dy.shape, dy.dtype)
    p = kept.dtype.type(parameter)
    kernel = f"activation.{name}{suffix(kept)}"
    launch(kernel, *vectors(kept), kept, dy, out, p, np.int64(kept.size))
    return out
