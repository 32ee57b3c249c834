r"""Random arrays that are a function of a key and a counter: the same on the CPU and on a card.

Philox 4x64-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") turns a key k
and a counter c into four words of 64 bits, so the i-th block of four can be had without those
before it, by any thread of a card. `state` is one array of six words, k_0 k_1 c_0 c_1 c_2 c_3; an
array is drawn from the blocks c + 1, c + 2, ... No function here moves the counter: its owner adds
1 to c_3 after each draw, so that no draw reaches the next one's numbers.

    uniform    u = 2^-53 floor(b / 2^11) in [0, 1)
    normal     (Box and Muller 1958)  r = sqrt(-2 log(1 - u)),  r cos(2 pi u'),  r sin(2 pi u')

Both are computed in float64 and then cast. The bits are equal everywhere; a card's logarithm, sine
and cosine may differ from the CPU's in their last bit.
"""

from __future__ import annotations

import math

import numpy as np

from minigan.backend import Array, DTypeLike
from minigan.ops.dispatch import op

Shape = tuple[int, ...]

WORDS = 6  # of a state


@op
def uniform(state: Array, shape: Shape, low: float, high: float, dtype: DTypeLike) -> Array:
    """Independent numbers of U(low, high), low included."""
    u = _unit(_bits(state, math.prod(shape)))
    u *= high - low
    u += low
    return u.reshape(shape).astype(dtype, copy=False)


@op
def normal(state: Array, shape: Shape, dtype: DTypeLike) -> Array:
    """Independent numbers of N(0, 1)."""
    n = math.prod(shape)
    pairs = _bits(state, n + n % 2).reshape(-1, 2)
    radius = 1 - _unit(pairs[:, 0])
    np.log(radius, out=radius)
    radius *= -2
    np.sqrt(radius, out=radius)
    angle = _unit(pairs[:, 1])
    angle *= 2 * math.pi
    z = np.empty(pairs.shape)
    np.multiply(radius, np.cos(angle), out=z[:, 0])
    np.multiply(radius, np.sin(angle), out=z[:, 1])
    return z.reshape(-1)[:n].reshape(shape).astype(dtype, copy=False)


@op
def dropout_scale(state: Array, shape: Shape, p: float, dtype: DTypeLike) -> Array:
    """0 with probability p, else 1 / (1 - p). Each word gives two numbers, its low half first."""
    n = math.prod(shape)
    halves = _bits(state, (n + 1) // 2).astype("<u8", copy=False).view("<u4")[:n]
    keep = (halves >= np.uint32(p * 2**32)).reshape(shape)
    return keep * np.dtype(dtype).type(1 / (1 - p))


def _bits(state: Array, n: int) -> Array:
    """n words of the blocks after the counter; NumPy's generator counts before each block."""
    return np.random.Philox(key=state[:2], counter=state[2:]).random_raw(n)


def _unit(bits: Array) -> Array:
    """The upper 53 bits as a number of [0, 1)."""
    return (bits >> np.uint64(11)) * 2.0**-53
