r"""Per-channel arithmetic on arrays (..., C): sums over all rows, and batch norm's passes.

An array of M rows and C channels is worked on in blocks of rows that stay in the cache, so each
function below reads and writes memory once. Rows are taken k at a time, with per-channel vectors
repeated k times: NumPy then works on runs of k C numbers instead of C.

Batch norm over the M rows, with centred = x - mean and s = (v + eps)^(-1/2):

    y      = centred (s gamma) + beta
    dbeta  = sum dy              dgamma = s sum dy centred
    dx     = gamma s (dy - dbeta / M - centred s dgamma / M)

which is P(gamma dy) of ops/norm.py, its two means read off dbeta and dgamma.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.blas import multiply
from minigan.ops.dispatch import op
from minigan.parallel import over_blocks, scratch, sum_over_blocks

RUN = 1024  # numbers in a run of k rows
FEW = 512  # rows that are not worth gathering into runs


@op
def channel_sum(x: Array) -> Array:
    """sum over rows: (C,), of blocks in x's dtype, of all blocks in float64."""
    rows, k = _runs(x)
    return _folded(sum_over_blocks(lambda a, b: _sum(rows[a:b]), *rows.shape), k, x.dtype)


@op
def add_channel_sum(out: Array, x: Array, factor: float = 1.0) -> Array:
    """out (C,) += factor times the sum over the rows of x, and out itself: a bias's gradient."""
    total = channel_sum(x)
    if factor != 1:
        total *= x.dtype.type(factor)
    out += total
    return out


@op
def batch_statistics(
    x: Array,
    gamma: Array | None,
    eps: float,
    running: tuple[Array, Array] | None = None,
    momentum: float = 0.0,
) -> tuple[Array, Array, Array]:
    """The mean, s and scale = gamma s of batch norm's forward pass: (C,) each; no gamma: scale = s.

    The running mean and variance, where given, move in place by `momentum` towards the mean and
    the unbiased variance of these M > 1 rows. On a card all of it belongs to the pass over x.
    """
    of, m = x.dtype.type, x.size // x.shape[-1]
    mean, var = _moments(x)
    s = 1 / np.sqrt(var + of(eps))
    if running is not None:
        for average, value in zip(running, (mean, var * of(m / (m - 1))), strict=True):
            average += of(momentum) * (value - average)
    return mean, s, s if gamma is None else s * gamma


@op
def add_affine_grads(
    dgamma: Array, dbeta: Array, s: Array, sum_dy: Array, sum_dy_centred: Array
) -> tuple[Array, Array]:
    """dgamma += s sum_dy_centred and dbeta += sum_dy, in place: (C,) each."""
    dgamma += s * sum_dy_centred
    dbeta += sum_dy
    return dgamma, dbeta


def _moments(x: Array) -> tuple[Array, Array]:
    """Mean and biased variance: (C,) each, the variance about the mean."""
    rows, k = _runs(x)
    m = x.size // x.shape[-1]
    mean = _folded(sum_over_blocks(lambda a, b: _sum(rows[a:b]), *rows.shape), k) / m
    centre = _repeated(mean.astype(x.dtype), k)

    def squares(a: int, b: int) -> Array:
        centred = np.subtract(rows[a:b], centre, out=_like(rows[a:b]))
        return _sum(np.square(centred, out=centred))

    var = _folded(sum_over_blocks(squares, *rows.shape), k) / m
    return mean.astype(x.dtype), var.astype(x.dtype)


@op
def scale_and_shift(x: Array, mean: Array, scale: Array, shift: Array | None) -> Array:
    """(x - mean) scale + shift."""
    rows, k = _runs(x)
    y = np.empty(rows.shape, x.dtype)
    mean, scale = _repeated(mean, k), _repeated(scale, k)
    shift = None if shift is None else _repeated(shift, k)

    def block(a: int, b: int) -> None:
        out = np.subtract(rows[a:b], mean, out=y[a:b])
        out *= scale
        if shift is not None:
            out += shift

    over_blocks(block, *rows.shape)
    return y.reshape(x.shape)


@op
def batch_norm_sums(dy: Array, x: Array, mean: Array) -> tuple[Array, Array]:
    """sum dy and sum dy (x - mean): (C,) each."""
    rows, k = _runs(x)
    dys, _ = _runs(dy)
    centre = _repeated(mean, k)

    def sums(a: int, b: int) -> Array:
        centred = np.subtract(rows[a:b], centre, out=_like(rows[a:b]))
        centred *= dys[a:b]
        return np.stack([_sum(dys[a:b]), _sum(centred)])

    total = sum_over_blocks(sums, *rows.shape)
    return _folded(total[0], k, x.dtype), _folded(total[1], k, x.dtype)


@op
def batch_norm_dx(
    dy: Array, x: Array, mean: Array, s: Array, scale: Array, sum_dy: Array, sum_dy_centred: Array
) -> Array:
    """scale (dy - sum_dy / M - (x - mean) s^2 sum_dy_centred / M), with scale = gamma s."""
    rows, k = _runs(x)
    dys, _ = _runs(dy)
    m = x.dtype.type(x.size // x.shape[-1])
    dx = np.empty(rows.shape, x.dtype)
    centre, factor = _repeated(mean, k), _repeated(s * s * sum_dy_centred / m, k)
    offset, scale = _repeated(sum_dy / m, k), _repeated(scale, k)

    def block(a: int, b: int) -> None:
        out = np.subtract(rows[a:b], centre, out=dx[a:b])
        out *= factor
        np.subtract(dys[a:b], out, out=out)
        out -= offset
        out *= scale

    over_blocks(block, *rows.shape)
    return dx.reshape(x.shape)


def _runs(x: Array) -> tuple[Array, int]:
    """x as (M / k, k C), contiguous, with k the largest power of 2 that divides M and fits RUN.

    A few rows stay as they are, for repeating the vectors of channels costs more than runs save:
    batch norm's passes took 0.66 of the time on 100 rows of 128 channels, 0.80 on 512 of 64 (one
    core, old and new in turn).
    """
    channels = x.shape[-1]
    m = x.size // channels
    k = 1
    while m > FEW and m % (2 * k) == 0 and 2 * k * channels <= RUN:
        k *= 2
    return np.ascontiguousarray(x).reshape(m // k, k * channels), k


def _repeated(v: Array, k: int) -> Array:
    """A vector of channels (C,) for a run of k rows: (k C,)."""
    return np.tile(v, k) if k > 1 else v


def _folded(sums: Array, k: int, dtype: np.dtype | None = None) -> Array:
    """The sums (k C,) of runs, added up to those of channels (C,)."""
    folded = sums.reshape(k, -1).sum(0) if k > 1 else sums
    return folded if dtype is None else folded.astype(dtype)


def _sum(block: Array) -> Array:
    """The sum of a block's rows, as a product with ones."""
    return multiply(np.ones(len(block), block.dtype), block)


def _like(block: Array) -> Array:
    return scratch("channels", block.shape, block.dtype)
