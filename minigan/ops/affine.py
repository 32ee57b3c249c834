r"""Batch norm's passes with the activation that follows it: y = f((x - mean) scale + shift).

x is (..., C); mean, scale = gamma s and shift = beta are (C,). f is "none", "relu", "leaky_relu"
(with `slope`) or "tanh". With g = dy f'(y), the backward passes are those of ops/channels.py for an
upstream g; f'(y) is computed from x again, so nothing but x is kept from the forward pass. On a
card each of the three is one pass over memory.
"""

from __future__ import annotations

from collections.abc import Callable

from minigan.backend import Array
from minigan.errors import UnknownNameError
from minigan.ops import activation as f
from minigan.ops.channels import batch_norm_dx, batch_norm_sums, scale_and_shift
from minigan.ops.dispatch import op

# name: y = f(pre-activation), dy f'(y) from y; both with the slope
_FUNCTIONS: dict[str, tuple[Callable[..., Array], Callable[..., Array]]] = {
    "none": (lambda a, slope: a, lambda dy, y, slope: dy),
    "relu": (lambda a, slope: f.relu(a), lambda dy, y, slope: f.relu_dx(dy, y)),
    "leaky_relu": (f.leaky_relu, f.leaky_relu_dx),
    "tanh": (lambda a, slope: f.tanh(a), lambda dy, y, slope: f.tanh_dx(dy, y)),
}
ACTIVATIONS = tuple(_FUNCTIONS)


def check_activation(name: str) -> None:
    """Raise UnknownNameError for a name that is not in ACTIVATIONS."""
    if name not in ACTIVATIONS:
        raise UnknownNameError("fused activation", name, ACTIVATIONS)


def activate(x: Array, activation: str, slope: float = 0.0) -> Array:
    """f(x)."""
    check_activation(activation)
    return _FUNCTIONS[activation][0](x, slope)


@op
def activated(
    x: Array, mean: Array, scale: Array, shift: Array | None, activation: str, slope: float = 0.0
) -> Array:
    """f((x - mean) scale + shift)."""
    return activate(scale_and_shift(x, mean, scale, shift), activation, slope)


@op
def activated_sums(
    dy: Array,
    x: Array,
    mean: Array,
    scale: Array,
    shift: Array | None,
    activation: str,
    slope: float = 0.0,
) -> tuple[Array, Array]:
    """sum g and sum g (x - mean), (C,) each: dbeta, and dgamma / s."""
    g = _upstream(dy, x, mean, scale, shift, activation, slope)
    return batch_norm_sums(g, x, mean)


@op
def activated_dx(
    dy: Array,
    x: Array,
    mean: Array,
    s: Array,
    scale: Array,
    shift: Array | None,
    sum_g: Array,
    sum_g_centred: Array,
    activation: str,
    slope: float = 0.0,
) -> Array:
    """scale (g - sum_g / M - (x - mean) s^2 sum_g_centred / M), M the number of rows."""
    g = _upstream(dy, x, mean, scale, shift, activation, slope)
    return batch_norm_dx(g, x, mean, s, scale, sum_g, sum_g_centred)


def _upstream(
    dy: Array,
    x: Array,
    mean: Array,
    scale: Array,
    shift: Array | None,
    activation: str,
    slope: float,
) -> Array:
    """g."""
    check_activation(activation)
    if activation == "none":
        return dy
    y = activated(x, mean, scale, shift, activation, slope)
    return _FUNCTIONS[activation][1](dy, y, slope)
