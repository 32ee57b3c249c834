r"""Batch statistics with a reference batch: a fixed set of examples that every pass sees again.

Batch norm makes an example depend on the others of its minibatch. Two remedies normalise with
examples that are chosen once and never replaced:

    reference batch norm   the reference and the minibatch together are the batch
    virtual batch norm     each example over the reference and itself; the reference over itself

In Goodfellow's tutorial (2016, section 4.3) reference batch norm takes the statistics of the
reference alone, and so G may fit it too closely; here the minibatch counts as well. Virtual batch
norm is Salimans et al. 2016, section 3.5.

Nothing hides between passes. `ReferenceBatch` wraps a network and runs the reference through it
in front of each minibatch, as rows of the same arrays. The outputs of these rows are dropped, so
their gradient is 0 at the top; below, it flows through both. `BatchNorm` within is reference batch
norm as it is; `VirtualBatchNorm` takes its first reference_size rows for the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, is_array
from minigan.errors import OptionError, ShapeError
from minigan.layers.base import Layer
from minigan.layers.norm import Norm
from minigan.layers.params import Directions
from minigan.ops.norm import normalize, normalize_ddx, normalize_dx
from minigan.ops.virtual_norm import UnionMoments, union_ddx, union_dx, union_moments

PAPER = "Salimans et al. 2016, arXiv:1606.03498, section 3.5"

EQUATIONS = {
    "reference.virtual": r"\hat{x}_i = \frac{x_i - \mu(R \cup \{x_i\})}"
    r"{\sqrt{\sigma^2(R \cup \{x_i\}) + \epsilon}}, \quad R \text{ the reference batch}",
    "reference.batch": r"\hat{x}_i = \frac{x_i - \mu(R \cup B)}"
    r"{\sqrt{\sigma^2(R \cup B) + \epsilon}}, \quad B \text{ the minibatch}",
}


@dataclass(slots=True)
class VirtualNormContext:
    """Reference and examples as (R, P, C) and (N, P, C), and what each was normalised with."""

    reference: Array
    x: Array
    reference_xhat: Array
    reference_s: Array
    moments: UnionMoments  # of every example
    shape: tuple[int, ...]  # (R + N, ..., C)
    version: int

    @property
    def xhat(self) -> Array:
        """Reference and examples normalised, (R + N, ..., C)."""
        own = (self.x - self.moments.mean) * self.moments.s  # eq: reference.virtual
        return self.joined(self.reference_xhat, own)

    def dx(self, g: Array) -> Array:
        """The gradient of all rows from g, that of xhat."""
        g_reference, g = self.parted(g)
        own_part = normalize_dx(g_reference, self.reference_xhat, self.reference_s, (0, 1))
        dx, shared = union_dx(g, self.x, self.reference, self.moments)
        return self.joined(own_part + shared, dx)

    def ddx(self, u: Array, g: Array) -> tuple[Array, Array]:
        """What <u, dx(g)> owes to g and to all rows."""
        (u_reference, u), (g_reference, g) = self.parted(u), self.parted(g)
        dg_reference, own_part = normalize_ddx(
            u_reference, g_reference, self.reference_xhat, self.reference_s, (0, 1)
        )
        dg, dx, shared = union_ddx(u, u_reference, g, self.x, self.reference, self.moments)
        return self.joined(dg_reference, dg), self.joined(own_part + shared, dx)

    def parted(self, a: Array) -> tuple[Array, Array]:
        """The rows of the reference and those of the examples, (R, P, C) and (N, P, C)."""
        rows = a.reshape(len(a), -1, a.shape[-1])
        return rows[: len(self.reference)], rows[len(self.reference) :]

    def joined(self, reference: Array, examples: Array) -> Array:
        """All rows in the input's shape."""
        return np.concatenate([reference, examples]).reshape(self.shape)


class VirtualBatchNorm(Norm):
    """(R + N, ..., C) -> the same: rows after the first R are normalised over these and themselves.

    R is reference_size; the first R rows, the reference, are normalised over themselves. Nothing
    depends on `train`: there are no running statistics. Raises ShapeError unless an example follows
    the reference.
    """

    def __init__(
        self,
        num_features: int,
        reference_size: int,
        *,
        eps: float = 1e-5,
        affine: bool = True,
        init: str | initializers.Initializer = "ones",
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__((num_features,), eps=eps, affine=affine, init=init, rng=rng)
        if reference_size < 2:
            raise OptionError(f"reference_size={reference_size!r}: one example has no deviation")
        self.reference_size = reference_size

    def describe(self) -> str:
        return f"{super().describe()}, {self.reference_size}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, VirtualNormContext]:
        (x,) = xs
        size, channels = self.reference_size, self.shape[0]
        self.check_array(
            x,
            f"({size} + N, ..., {channels})",
            is_array(x) and x.ndim >= 2 and x.shape[-1] == channels and len(x) > size,
            self.gamma.data.dtype if self.affine else None,
        )
        rows = x.reshape(len(x), -1, channels)
        reference, examples = rows[:size], rows[size:]
        xhat, s, _, _ = normalize(reference, (0, 1), self.eps)
        moments = union_moments(examples, reference, self.eps)
        ctx = VirtualNormContext(reference, examples, xhat, s, moments, x.shape, self.version)
        return self.affine_map(ctx.xhat), ctx


class ReferenceBatch(Layer):
    """A network that runs a fixed reference batch in front of every minibatch, and drops it after.

    `reference` (R, ...) is state of the network, kept as the buffer "reference" and stored with it;
    the network is named "net". Out of training the reference runs too: VirtualBatchNorm needs it,
    BatchNorm uses running statistics. Raises ShapeError for examples of another shape.
    """

    def __init__(self, net: Layer, reference: Array) -> None:
        super().__init__()
        self.net = self.add_child("net", net)
        if reference.ndim < 2 or len(reference) < 2:
            raise OptionError(
                f"a reference batch of shape {reference.shape}: wanted at least 2 examples"
            )
        self.own_buffers["reference"] = reference.copy()

    @property
    def size(self) -> int:
        """R, the number of reference examples."""
        return len(self.own_buffers["reference"])

    def describe(self) -> str:
        return f"{self.net!r}, {self.size} examples"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Any]:
        (x,) = xs
        reference = self.own_buffers["reference"]
        wanted = ", ".join(map(str, reference.shape[1:]))
        self.check_array(
            x, f"(N, {wanted})", is_array(x) and x.shape[1:] == reference.shape[1:], reference.dtype
        )
        both = np.concatenate([reference, x])  # eq: reference.batch
        try:
            y, ctx = self.net.forward(both, train=train, update_stats=update_stats)
        except ShapeError as error:
            raise error.within("net") from error
        return y[self.size :], ctx

    def backward(self, dy: Array, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> Any:
        dx = self.net.backward(self._padded(dy), ctx, need_dx, need_dw)
        return dx[self.size :] if need_dx else None

    def input_gradient(self, dy: Array, ctx: Any) -> tuple[Any, Any]:
        dx, gctx = self.net.input_gradient(self._padded(dy), ctx)
        return dx[self.size :], gctx

    def double_backward(self, ddx: Any, gctx: Any) -> tuple[Any, Any]:
        return self._without(self.net.double_backward(self._padded(ddx), gctx))

    def weight_double_backward(self, ddw: Directions, gctx: Any) -> tuple[Any, Any]:
        return self._without(self.net.weight_double_backward(ddw, gctx))

    def _padded(self, dy: Array) -> Array:
        """dy below zeros: nobody reads what the reference became."""
        return np.concatenate([np.zeros_like(dy, shape=(self.size, *dy.shape[1:])), dy])

    def _without(self, owed: tuple[Any, Any]) -> tuple[Any, Any]:
        """What the examples are owed; the reference is a constant."""
        ddy, extra = (None if a is None else a[self.size :] for a in owed)
        return ddy, extra
