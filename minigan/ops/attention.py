r"""Dot-product attention with its first and second derivatives.

For queries q (N, Q, A), keys k (N, K, A) and values v (N, K, C), products within each example,

    S = q k^T          B = softmax(S) over the keys          o = B v

The Jacobian of a softmax is symmetric; for an array w of S's shape write it as

    J(w) = B (w - sum_K B w)

so that, with do upstream and dB = do v^T, dS = J(dB),

    dv = B^T do        dq = dS k        dk = dS^T q

Second order: L = <uq, dq> + <uk, dk> + <uv, dv>. What multiplies dS is a = uq k^T + q uk^T, and
b = J(a) multiplies dB. So

    do is owed b v + B uv          v is owed b^T do

and q is owed dS uk, k is owed dS^T uq, through dS alone. Besides, L depends on B itself, by
c = a (dB - sum_K B dB) - dB sum_K(B a) + do uv^T, and so on S by s = J(c):

    q is owed s k besides          k is owed s^T q besides
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, on_cuda
from minigan.ops.blas import multiply
from minigan.ops.dispatch import op

Three = tuple[Array, Array, Array]


@op(plain=True)
def each_matmul(a: Array, b: Array) -> Array:
    """a (N, I, J) times b (N, J, K), a product for each example.

    On a card this is plain CuPy, a product and a sum with N I J K numbers between them; CuPy's own
    goes through cuBLAS, which cannot be captured.
    """
    return (a[..., None] * b[:, None]).sum(2) if on_cuda(a) else multiply(a, b)


@op(plain=True)
def attend(q: Array, k: Array, v: Array) -> tuple[Array, Array]:
    """o (N, Q, C) and the weights B (N, Q, K), whose rows sum to 1; plain CuPy on a card."""
    S = each_matmul(q, _turned(k))
    B = np.exp(S - S.max(-1, keepdims=True))
    B /= B.sum(-1, keepdims=True)
    return each_matmul(B, v), B


@op(plain=True)
def attend_dx(do: Array, q: Array, k: Array, v: Array, B: Array) -> Three:
    """dq, dk and dv; plain CuPy on a card."""
    dS = _softmax_dx(each_matmul(do, _turned(v)), B)
    return each_matmul(dS, k), each_matmul(_turned(dS), q), each_matmul(_turned(B), do)


@op(plain=True)
def attend_ddx(us: Three, do: Array, q: Array, k: Array, v: Array, B: Array) -> tuple[Array, Three]:
    """What <us, (dq, dk, dv)> owes to do, and to q, k and v; plain CuPy on a card."""
    uq, uk, uv = us
    dB = each_matmul(do, _turned(v))
    dS = _softmax_dx(dB, B)
    a = each_matmul(uq, _turned(k)) + each_matmul(q, _turned(uk))
    b = _softmax_dx(a, B)
    c = a * (dB - (B * dB).sum(-1, keepdims=True)) - dB * (B * a).sum(-1, keepdims=True)
    s = _softmax_dx(c + each_matmul(do, _turned(uv)), B)
    owed_q = each_matmul(dS, uk) + each_matmul(s, k)
    owed_k = each_matmul(_turned(dS), uq) + each_matmul(_turned(s), q)
    return each_matmul(b, v) + each_matmul(B, uv), (owed_q, owed_k, each_matmul(_turned(b), do))


def _softmax_dx(w: Array, B: Array) -> Array:
    """J(w)."""
    return B * (w - (B * w).sum(-1, keepdims=True))


def _turned(a: Array) -> Array:
    """Each example's matrix transposed."""
    return a.swapaxes(1, 2)
