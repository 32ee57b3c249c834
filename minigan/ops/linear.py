"""Matrix products, cut among the threads."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, on_cuda
from minigan.ops.affine import activate
from minigan.ops.blas import multiply
from minigan.ops.dispatch import op
from minigan.parallel import MACS, add_into, over_parts


@op
def matmul(a: Array, b: Array) -> Array:
    """a (M, K) @ b (K, N), each thread computing a part of the longer side of the result.

    Where that is N, each thread reads its part of b alone: for a dense layer, its part of the
    weights.
    """
    return _product(a, b, None)


@op
def matmul_bias_act(
    a: Array, b: Array, bias: Array | None, activation: str = "none", *, slope: float = 0.0
) -> Array:
    """f(a (M, K) @ b (K, N) + bias (N,)), f one of ops/affine.py; on a card in one pass."""
    return activate(_product(a, b, bias), activation, slope)


@op
def add_matmul(out: Array, a: Array, b: Array, *, alpha: float = 1.0) -> Array:
    """out (M, N) += alpha a (M, K) @ b (K, N), and out itself: a gradient that is added up."""
    product = matmul(a, b)
    if alpha != 1:
        product *= out.dtype.type(alpha)
    add_into(out, product)
    return out


@op(plain=True)
def matvec(a: Array, x: Array) -> Array:
    """a (M, K) times x (K,), in the arrays' own dtype whatever the precision of products.

    On a card this is plain CuPy, a product and a sum; CuPy's own goes through cuBLAS, which cannot
    be captured.
    """
    return (a * x).sum(1) if on_cuda(a) else multiply(a, x)


def _product(a: Array, b: Array, bias: Array | None) -> Array:
    """a @ b + bias, each thread adding the bias to its own part of the product."""
    (m, k), n = a.shape, b.shape[1]
    out = np.empty((m, n), a.dtype)

    def rows(start: int, stop: int) -> None:
        multiply(a[start:stop], b, out=out[start:stop])
        if bias is not None:
            out[start:stop] += bias

    def columns(start: int, stop: int) -> None:
        multiply(a, b[:, start:stop], out=out[:, start:stop])
        if bias is not None:
            out[:, start:stop] += bias[start:stop]

    over_parts(rows if m >= n else columns, max(m, n), m * k * n // MACS)
    return out
