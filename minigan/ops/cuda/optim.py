"""minigan/ops/optim.py and the rules of minigan/optim.py on a card: kernels/optim.cu.

The rules take theta, g, their state and `rates`, the numbers that change from step to step, in
float64 in the card's memory; kernels/optim.cu says which those are. They work in place.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.columns import Columns, reduce_rows
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import suffix, vectors


def moving_average(average: Array, value: Array, decay: float) -> None:
    _in_place("average", average, value, average.dtype.type(1 - decay))


def sum_of_squares(x: Array) -> Array:
    out = array_module(x).empty((), np.float64)
    reduce_rows(
        Columns(1, x.size, 1),
        f"reduce.squares{suffix(x)}",
        "reduce.sum_slabs_f64",
        (x,),
        (out,),
        numbers=1,
        slabs_settings=(np.float64(1), np.int32(0)),
    )
    return out


def sgd(theta: Array, g: Array, rates: Array) -> None:
    """theta -= eta g."""
    _in_place("sgd", theta, g, rates)


def momentum(
    theta: Array, g: Array, v: Array, rates: Array, *, momentum: float, nesterov: bool
) -> None:
    """v = mu v + g; theta -= eta v, or eta (g + mu v) in Nesterov's form."""
    _in_place("momentum", theta, g, v, rates, theta.dtype.type(momentum), np.int32(nesterov))


def rmsprop(theta: Array, g: Array, v: Array, rates: Array, *, alpha: float, eps: float) -> None:
    """v = alpha v + (1 - alpha) g^2; theta -= eta g / (sqrt(v) + eps)."""
    of = theta.dtype.type
    _in_place("rmsprop", theta, g, v, rates, of(alpha), of(1 - alpha), of(eps))


def adam(
    theta: Array,
    g: Array,
    m: Array,
    v: Array,
    rates: Array,
    *,
    beta1: float,
    beta2: float,
    eps: float,
) -> None:
    """Kingma and Ba's Algorithm 1, and decoupled weight decay."""
    of = theta.dtype.type
    settings = (of(beta1), of(1 - beta1), of(beta2), of(1 - beta2), of(eps))
    _in_place("adam", theta, g, m, v, rates, *settings)


def _in_place(name: str, theta: Array, *rest: Array | np.generic) -> None:
    """Launch a kernel that changes theta, and perhaps more."""
    kernel = f"optim.{name}{suffix(theta)}"
    launch(kernel, *vectors(theta), theta, *rest, np.int64(theta.size))
