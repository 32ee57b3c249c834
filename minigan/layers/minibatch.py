r"""Layers that let a discriminator see how much the examples of a minibatch differ.

D judges each example alone, so a generator that makes one good example over and over fools it.
Both layers join to each example numbers that depend on the others of its batch.

Minibatch discrimination (Salimans et al. 2016, section 3.2), for features x (N, A) and a trained T
(A, B, C), with M = x T (N, B, C):

    e_ijb = exp(-sum_c |M_ibc - M_jbc|)        o_ib = sum_j e_ijb        y_i = (x_i, o_i)

Write S_ijbc = sign(M_ibc - M_jbc) and, for an upstream d of o, w_ijb = e_ijb (d_ib + d_jb). Then

    dM_ibc = -sum_j w_ijb S_ijbc               dx = d(x part) + dM T^T          dT = x^T dM

Second order: whatever multiplies dM in the end, <v, dM T^T> = <v T, dM> or <V, x^T dM> =
<x V, dM>, is an array q of M's shape, and with r_ijb = sum_c (q_ibc - q_jbc) S_ijbc

    <q, dM> = -sum_ijb r_ijb e_ijb d_ib

so that d is owed -sum_j r_ijb e_ijb, and M, through e, sum_j r_ijb w_ijb S_ijbc.

Minibatch standard deviation (Karras et al. 2018, section 3): s, the deviation of each number over
the G examples of a group, and o = mean s over the numbers, one more channel with the same value
everywhere. With F numbers in an example and t the upstream of o,

    s = sqrt(mean_g (x_g - mean x)^2 + eps)    dx_g = d(x part) + t (x_g - mean x) / (F G s)

    <v, dx>:  t is owed sum v (x - mean x) / (F G s), and x_g
              t / (F G) ((v_g - mean v) / s - (x_g - mean x) sum_g v (x - mean x) / (G s^3))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, is_array
from minigan.errors import OptionError, ShapeError
from minigan.layers.base import GradContext, Layer
from minigan.layers.params import Directions
from minigan.ops.linear import matmul

PAPER = "Salimans et al. 2016, arXiv:1606.03498; Karras et al. 2018, arXiv:1710.10196"

EQUATIONS = {
    "minibatch.discrimination": r"o(x_i)_b = \sum_{j=1}^n \exp(-\|M_{i,b} - M_{j,b}\|_{L_1})",
    "minibatch.stddev": r"o = \frac{1}{F} \sum_f \sqrt{\frac{1}{G} \sum_g"
    r" (x_{gf} - \bar{x}_f)^2 + \epsilon}",
}


class _Pairs(NamedTuple):
    """For each pair of examples and each kernel: e (N, N, B), and the signs S (N, N, B, C)."""

    e: Array
    signs: Array

    def dM(self, d: Array) -> Array:
        """The gradient of M from that of o."""
        return -(self._w(d)[..., None] * self.signs).sum(1)

    def second(self, q: Array, d: Array) -> tuple[Array, Array]:
        """What <q, dM> owes to d and to M."""
        r = ((q[:, None] - q) * self.signs).sum(3)
        owed = ((r * self._w(d))[..., None] * self.signs).sum(1)
        return -(r * self.e).sum(1), owed

    def _w(self, d: Array) -> Array:
        return self.e * (d[:, None] + d)


@dataclass(slots=True)
class DiscriminationContext:
    """The input, how alike its examples are, and the parameter's version."""

    x: Array
    pairs: _Pairs
    version: int


class MinibatchDiscrimination(Layer):
    """(N, in_features) -> (N, in_features + num_kernels): closeness to the rest of the batch.

    num_kernels is the B and kernel_dim the C above; the paper's code uses 100 and 5. Memory grows
    with N^2 B C. As in the paper, an example counts itself: each o is at least 1.
    """

    def __init__(
        self,
        in_features: int,
        num_kernels: int,
        *,
        kernel_dim: int = 5,
        init: str | initializers.Initializer | None = None,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        if num_kernels < 1 or kernel_dim < 1:
            raise OptionError(
                f"num_kernels={num_kernels!r} and kernel_dim={kernel_dim!r} must be at least 1"
            )
        self.in_features, self.num_kernels, self.kernel_dim = in_features, num_kernels, kernel_dim
        draw = initializers.get(init or initializers.normal(0.05))
        shape = (in_features, num_kernels, kernel_dim)
        self.T = self.add_param("weight", draw(shape, in_features, num_kernels * kernel_dim, rng))

    def describe(self) -> str:
        return f"{self.in_features}, {self.num_kernels}, kernel_dim={self.kernel_dim}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, DiscriminationContext]:
        (x,) = xs
        ok = is_array(x) and x.ndim == 2 and x.shape[-1] == self.in_features
        self.check_array(x, f"(N, {self.in_features})", ok, self.T.data.dtype)
        M = self._project(x, self.T.data)
        difference = M[:, None] - M
        e = np.exp(-np.abs(difference).sum(-1))
        o = e.sum(1)  # eq: minibatch.discrimination
        pairs = _Pairs(e, np.sign(difference))
        return np.concatenate([x, o], 1), DiscriminationContext(x, pairs, self.T.version)

    def backward(
        self, dy: Array, ctx: DiscriminationContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        self.check_fresh(ctx.version, self.T)
        dx, d = self._split(dy)
        dM = ctx.pairs.dM(d)
        if need_dw:
            self._add_grad(ctx.x, dM)
        return dx + self._project_back(dM, self.T.data) if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, Array]:
        ctx: DiscriminationContext = gctx.ctx
        self.check_fresh(ctx.version, self.T)
        _, d = self._split(gctx.dy)
        dd, dM_extra = ctx.pairs.second(self._project(ddx, self.T.data), d)
        self._add_grad(ddx, ctx.pairs.dM(d))
        self._add_grad(ctx.x, dM_extra)
        return np.concatenate([ddx, dd], 1), self._project_back(dM_extra, self.T.data)

    def weight_double_backward(self, ddw: Directions, gctx: GradContext) -> tuple[Array, Array]:
        ctx: DiscriminationContext = gctx.ctx
        self.check_fresh(ctx.version, self.T)
        _, d = self._split(gctx.dy)
        V = ddw[self.T]
        dd, dM_extra = ctx.pairs.second(self._project(ctx.x, V), d)
        self._add_grad(ctx.x, dM_extra)
        x_extra = self._project_back(ctx.pairs.dM(d), V)
        x_extra += self._project_back(dM_extra, self.T.data)
        return np.concatenate([np.zeros_like(ctx.x), dd], 1), x_extra

    def _split(self, dy: Array) -> tuple[Array, Array]:
        """The parts of an upstream gradient that belong to x and to o."""
        return dy[:, : self.in_features], dy[:, self.in_features :]

    def _project(self, x: Array, T: Array) -> Array:
        flat = matmul(x, T.reshape(self.in_features, -1))
        return flat.reshape(len(x), self.num_kernels, self.kernel_dim)

    def _project_back(self, dM: Array, T: Array) -> Array:
        return matmul(dM.reshape(len(dM), -1), T.reshape(self.in_features, -1).T)

    def _add_grad(self, x: Array, dM: Array) -> None:
        self.T.grad += matmul(x.T, dM.reshape(len(dM), -1)).reshape(self.T.shape)


@dataclass(slots=True)
class DeviationContext:
    """Centred inputs (G, groups, F) and their deviations (groups, F)."""

    centred: Array
    s: Array
    x_shape: tuple[int, ...]


class MinibatchStdDev(Layer):
    """(N, ..., C) -> (N, ..., C + 1): how much the examples of a group differ on average.

    group_size: examples that are compared, N if the batch is smaller; the whole batch if None, as
    the paper describes it; 4 in its code, where example n belongs to group n mod (N / group_size).
    Raises ShapeError where it does not divide the batch.
    """

    def __init__(self, *, group_size: int | None = None, eps: float = 1e-8) -> None:
        super().__init__()
        if group_size is not None and group_size < 2:
            raise OptionError(f"group_size={group_size!r}: fewer than 2 examples do not differ")
        if not eps > 0:
            raise OptionError(f"eps={eps!r} must be above 0")
        self.group_size, self.eps = group_size, eps

    def describe(self) -> str:
        return f"group_size={self.group_size}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, DeviationContext]:
        (x,) = xs
        self.check_array(x, "(N, ..., C)", is_array(x) and x.ndim >= 2)
        n = len(x)
        size = min(self.group_size or n, n)
        if n % size:
            raise ShapeError(
                f"{self!r} wanted a batch that can be split into groups of {size}, got shape "
                f"{x.shape}; use a --batch that {size} divides"
            )
        groups = x.reshape(size, n // size, -1)
        centred = groups - groups.mean(0)
        s = np.sqrt(np.square(centred).mean(0) + x.dtype.type(self.eps))
        o = s.mean(1)  # eq: minibatch.stddev
        ctx = DeviationContext(centred, s, x.shape)
        return np.concatenate([x, self._spread(o, ctx)], -1), ctx

    def backward(
        self, dy: Array, ctx: DeviationContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        if not need_dx:
            return None
        slope = ctx.centred * (self._gathered(dy, ctx) / ctx.s)
        return dy[..., :-1] + slope.reshape(ctx.x_shape)

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, Array]:
        ctx: DeviationContext = gctx.ctx
        v = ddx.reshape(ctx.centred.shape)
        size, _, count = ctx.centred.shape
        along = (v * ctx.centred).sum(0) / ctx.s
        dt = along.sum(1) / v.dtype.type(count * size)
        bend = (v - v.mean(0)) / ctx.s - ctx.centred * (along / (size * np.square(ctx.s)))
        x_extra = self._gathered(gctx.dy, ctx) * bend
        return np.concatenate([ddx, self._spread(dt, ctx)], -1), x_extra.reshape(ctx.x_shape)

    def _spread(self, per_group: Array, ctx: DeviationContext) -> Array:
        """A number of each group (groups,) at every place of its examples: (N, ..., 1)."""
        size = ctx.centred.shape[0]
        column = np.tile(per_group, size).reshape(-1, *(1,) * (len(ctx.x_shape) - 1))
        return np.broadcast_to(column, (*ctx.x_shape[:-1], 1))

    def _gathered(self, dy: Array, ctx: DeviationContext) -> Array:
        """t / (F G): the upstream of each group's number, (groups, 1), per number averaged."""
        size, groups, count = ctx.centred.shape
        t = dy[..., -1].reshape(size, groups, -1).sum((0, 2))
        return t[:, None] / dy.dtype.type(count * size)
