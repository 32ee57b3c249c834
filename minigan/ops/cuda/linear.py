"""minigan/ops/linear.py on a card: kernels/gemm*.cu."""

from __future__ import annotations

from minigan.backend import Array, array_module
from minigan.errors import ShapeError
from minigan.ops.cuda import products
from minigan.ops.cuda.products import Finish

LETTER = {False: "n", True: "t"}


def matmul(a: Array, b: Array) -> Array:
    """a (M, K) @ b (K, N). Either may be the transpose of a contiguous array; it is not copied."""
    return matmul_bias_act(a, b, None)


def matmul_bias_act(
    a: Array, b: Array, bias: Array | None, activation: str = "none", *, slope: float = 0.0
) -> Array:
    """act(a (M, K) @ b (K, N) + bias (N,)) in one pass; `slope` is leaky_relu's."""
    xp = array_module(a)
    out = xp.empty((a.shape[0], b.shape[1]), a.dtype)
    return _multiply(a, b, out, Finish(bias=bias, activation=activation, slope=slope))


def add_matmul(out: Array, a: Array, b: Array, *, alpha: float = 1.0) -> Array:
    """out (M, N) += alpha a (M, K) @ b (K, N), and out itself: a gradient that is added up."""
    return _multiply(a, b, out, Finish(alpha=alpha, accumulate=True))


def _multiply(a: Array, b: Array, out: Array, finish: Finish) -> Array:
    (m, k), n = a.shape, b.shape[1]
    if b.shape[0] != k or out.shape != (m, n):
        raise ShapeError(f"({m}, {k}) @ {b.shape} into {out.shape}: sizes do not agree")
    products.check_sizes(a, b, out)
    (a, turn_a), (b, turn_b) = _contiguous(a), _contiguous(b)
    vectors = products.starts_on_vectors((a, a.shape[1]), (b, b.shape[1]))
    plan = products.plan(m, n, k, a.dtype, vectors=vectors and not (turn_a and turn_b))
    symbol = f"gemm_{LETTER[turn_a]}{LETTER[turn_b]}"
    return products.run("gemm", symbol, plan, (a, b), out, (m, n, k), finish)


def _contiguous(x: Array) -> tuple[Array, bool]:
    """x, or its transpose and True, whichever is contiguous; else a copy of x."""
    if not x.flags.c_contiguous and x.T.flags.c_contiguous:
        return x.T, True
    return array_module(x).ascontiguousarray(x), False
