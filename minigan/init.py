r"""Initialisers, by the names of the literature.

An initialiser is a function (shape, fan_in, fan_out, rng) -> float32 array. fan_in is the number
of inputs that one output sums over, fan_out the number of outputs that one input reaches. As usual,
convolutions count every place of their kernel in both, whatever their stride: an output of a
transposed convolution of stride s meets one place in s^2 only, so that under `he_normal` its
variance is by that factor smaller.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minigan.backend import Array, check_rng
from minigan.errors import UnknownNameError

Shape = tuple[int, ...]
Initializer = Callable[[Shape, int, int, np.random.Generator], Array]


def normal(std: float, mean: float = 0.0) -> Initializer:
    """N(mean, std^2)."""

    def init(shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return (mean + std * check_rng(rng).standard_normal(shape)).astype(np.float32)

    return init


def uniform(bound: float) -> Initializer:
    """U(-bound, bound)."""

    def init(shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return check_rng(rng).uniform(-bound, bound, shape).astype(np.float32)

    return init


def constant(value: float) -> Initializer:
    """The same value everywhere."""

    def init(shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return np.full(shape, value, np.float32)

    return init


def glorot_normal(shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
    """Variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010, eq. 12)."""
    return normal(math.sqrt(2 / (fan_in + fan_out)))(shape, fan_in, fan_out, rng)


def glorot_uniform(shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
    """U(-b, b) with b = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16)."""
    return uniform(math.sqrt(6 / (fan_in + fan_out)))(shape, fan_in, fan_out, rng)


def he_normal(shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
    """Variance 2 / fan_in, for ReLU networks (He et al. 2015, eq. 10)."""
    return normal(math.sqrt(2 / fan_in))(shape, fan_in, fan_out, rng)


def he_uniform(shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
    """U(-b, b) with b = sqrt(6 / fan_in): the variance of `he_normal`."""
    return uniform(math.sqrt(6 / fan_in))(shape, fan_in, fan_out, rng)


def lecun_normal(shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
    """Variance 1 / fan_in (LeCun et al. 1998, "Efficient BackProp", section 4.6)."""
    return normal(math.sqrt(1 / fan_in))(shape, fan_in, fan_out, rng)


def orthogonal(shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
    """Orthonormal rows or columns of the matrix (prod(shape[:-1]), shape[-1]) (Saxe et al. 2014).

    The sign of R's diagonal is divided out, so that the draw is uniform over such matrices.
    """
    rows, columns = math.prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(check_rng(rng).standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))
    return (q if rows >= columns else q.T).reshape(shape).astype(np.float32)


dcgan = normal(0.02)
"""N(0, 0.02^2), for every weight of a DCGAN (Radford et al. 2016, section 4)."""

INITIALIZERS: dict[str, Initializer] = {
    "dcgan": dcgan,
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "lecun_normal": lecun_normal,
    "orthogonal": orthogonal,
    "zeros": constant(0.0),
    "ones": constant(1.0),
}


def get(init: str | Initializer) -> Initializer:
    """The initialiser of that name, or the function itself. Raises UnknownNameError."""
    if callable(init):
        return init
    if init not in INITIALIZERS:
        raise UnknownNameError("initialiser", init, INITIALIZERS)
    return INITIALIZERS[init]
