r"""Batch, instance and layer normalisation: one formula over different axes.

    y = gamma xhat + beta,    xhat = (x - mean) / sqrt(var + eps)

with mean and biased variance over

    BatchNorm      every axis but the channels           (Ioffe and Szegedy 2015)
    InstanceNorm   the places of one example's channel   (Ulyanov et al. 2016)
    LayerNorm      the last axes of one example          (Ba et al. 2016)

The derivatives of x -> xhat are derived in ops/norm.py; batch norm's first-order passes are those
of ops/affine.py, which read memory less often, and once for the activation behind it too
(layers/fused.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, is_array
from minigan.errors import OptionError, ShapeError
from minigan.layers.base import GradContext, Layer
from minigan.layers.params import Directions
from minigan.ops.affine import activated, activated_dx, activated_sums
from minigan.ops.channels import add_affine_grads, batch_statistics, channel_sum
from minigan.ops.norm import Axes, normalize, normalize_ddx, normalize_dx


@dataclass(slots=True)
class NormContext:
    """The input and its statistics; xhat is made from them again, for that is cheaper than a copy
    of it in memory."""

    x: Array
    mean: Array
    s: Array  # 1 / sqrt(var + eps)
    axes: Axes  # () where s and the mean were constants (running statistics)
    version: int

    @property
    def xhat(self) -> Array:
        """(x - mean) s, in x's shape."""
        return (self.x - self.mean) * self.s

    def dx(self, g: Array) -> Array:
        """The gradient of x from g, that of xhat."""
        return normalize_dx(g, self.xhat, self.s, self.axes) if self.axes else g * self.s

    def ddx(self, u: Array, g: Array) -> tuple[Array, Array | None]:
        """What <u, dx(g)> owes to g and to x."""
        if not self.axes:
            return u * self.s, None
        return normalize_ddx(u, g, self.xhat, self.s, self.axes)


@dataclass(slots=True)
class BatchNormContext(NormContext):
    """Batch norm's: with gamma s, as it was in the forward pass."""

    scale: Array


class Norm(Layer):
    """The affine part and its derivatives; a subclass says what is normalised over what.

    Its context has a `version`, `xhat`, and the derivatives `dx` and `ddx` of NormContext.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        eps: float,
        affine: bool,
        init: str | initializers.Initializer,
        rng: np.random.Generator | None,
    ) -> None:
        super().__init__()
        if not eps > 0:
            raise OptionError(f"eps={eps!r} must be above 0")
        self.shape, self.eps, self.affine = shape, eps, affine
        if affine:
            size = math.prod(shape)
            draw = initializers.get(init)
            if rng is None:
                rng = np.random.default_rng(0)  # constant initialisers draw nothing
            self.gamma = self.add_param("weight", draw(shape, size, size, rng))
            self.beta = self.add_param("bias", np.zeros(shape, np.float32))

    def describe(self) -> str:
        return ", ".join(map(str, self.shape))

    def normalized(self, x: Array, axes: Axes) -> tuple[Array, NormContext]:
        """gamma xhat + beta over these axes, and the context."""
        y, s, mean, _ = normalize(x, axes, self.eps)
        return self.affine_map(y), NormContext(x, mean, s, axes, self.version)

    def affine_map(self, xhat: Array) -> Array:
        """gamma xhat + beta, in place."""
        if self.affine:
            xhat *= self.gamma.data
            xhat += self.beta.data
        return xhat

    @property
    def version(self) -> int:
        """That of the parameters, for a context."""
        return self.gamma.version if self.affine else 0

    def backward(self, dy: Array, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> Any:
        if self.affine:
            self.check_fresh(ctx.version, self.gamma)
            if need_dw:
                self.gamma.grad += self._per_parameter(dy * ctx.xhat)
                self.beta.grad += self._per_parameter(dy)
        return ctx.dx(self._scaled(dy)) if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, Array | None]:
        dg, x_extra = gctx.ctx.ddx(ddx, self._scaled(gctx.dy))
        if self.affine:
            self.check_fresh(gctx.ctx.version, self.gamma)
            self.gamma.grad += self._per_parameter(gctx.dy * dg)
        return self._scaled(dg), x_extra

    def weight_double_backward(
        self, ddw: Directions, gctx: GradContext
    ) -> tuple[Array | None, Array | None]:
        """<c, dgamma> + <d, dbeta> = sum dy (c xhat + d)."""
        if not self.affine:
            return None, None
        self.check_fresh(gctx.ctx.version, self.gamma)
        c = ddw[self.gamma]
        return c * gctx.ctx.xhat + ddw[self.beta], gctx.ctx.dx(gctx.dy * c)

    def _scaled(self, a: Array) -> Array:
        return a * self.gamma.data if self.affine else a

    def _per_parameter(self, a: Array) -> Array:
        """Summed over every axis that the parameters do not have."""
        if len(self.shape) == 1:
            return channel_sum(a)
        return a.sum(tuple(range(a.ndim - len(self.shape))))


class BatchNorm(Norm):
    """Normalises each channel over the batch and all places: (N, ..., C) -> (N, ..., C).

    In training, mean and variance are the batch's, and the running ones move by `momentum`
    towards them (PyTorch's meaning; the running variance is the unbiased one). Out of training
    the running statistics are used, as constants. `init` draws gamma: DCGAN's N(1, 0.02^2), or 1.

    Raises OptionError for eps not above 0 and momentum outside [0, 1], ShapeError for a training
    batch with one value per channel: its variance is 0.
    """

    def __init__(
        self,
        num_features: int,
        *,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        init: str | initializers.Initializer = "ones",
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__((num_features,), eps=eps, affine=affine, init=init, rng=rng)
        if not 0 <= momentum <= 1:
            raise OptionError(f"momentum={momentum!r} must lie in [0, 1]")
        self.momentum = momentum
        self.own_buffers["running_mean"] = np.zeros(num_features, np.float32)
        self.own_buffers["running_var"] = np.ones(num_features, np.float32)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, BatchNormContext]:
        (x,) = xs
        ctx = self.statistics(x, train, update_stats)
        return self.activated(ctx), ctx

    def backward(
        self, dy: Array, ctx: BatchNormContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        return self.activated_backward(dy, ctx, need_dx=need_dx, need_dw=need_dw)

    def statistics(self, x: Array, train: bool, update_stats: bool) -> BatchNormContext:
        """The context of a forward pass: what x is normalised by. Moves the running ones if asked.

        Raises ShapeError for an array that the layer cannot take.
        """
        self.check_array(
            x,
            f"(N, ..., {self.shape[0]})",
            is_array(x) and x.ndim >= 2 and x.shape[-1] == self.shape[0],
            self.own_buffers["running_mean"].dtype,
        )
        running = (self.own_buffers["running_mean"], self.own_buffers["running_var"])
        if not train:
            mean, var = (average.copy() for average in running)
            s = 1 / np.sqrt(var + x.dtype.type(self.eps))
            return BatchNormContext(x, mean, s, (), self.version, self._scaled(s))
        if x.size // x.shape[-1] < 2:
            raise ShapeError(
                f"{self!r} in training needs more than one value per channel, got shape {x.shape}; "
                "use a larger batch, or train=False"
            )
        gamma, moved = self.gamma.data if self.affine else None, running if update_stats else None
        mean, s, scale = batch_statistics(x, gamma, self.eps, moved, self.momentum)
        return BatchNormContext(x, mean, s, tuple(range(x.ndim - 1)), self.version, scale)

    def activated(self, ctx: BatchNormContext, function: str = "none", slope: float = 0.0) -> Array:
        """f(gamma xhat + beta), f one of ops/affine.py."""
        return activated(ctx.x, *self._map(ctx), function, slope)

    def activated_backward(
        self,
        dy: Array,
        ctx: BatchNormContext,
        function: str = "none",
        slope: float = 0.0,
        need_dx: bool = True,
        need_dw: bool = True,
    ) -> Array | None:
        """`backward` of `activated`, from the sums of g = dy f'(y) and of g (x - mean)."""
        if self.affine:
            self.check_fresh(ctx.version, self.gamma)
        trains, of_batch = need_dw and self.affine, ctx.axes != ()
        mean, scale, shift = self._map(ctx)
        if trains or (need_dx and of_batch):
            sums = activated_sums(dy, ctx.x, mean, scale, shift, function, slope)
        if trains:
            add_affine_grads(self.gamma.grad, self.beta.grad, ctx.s, *sums)
        if not need_dx:
            return None
        if not of_batch:  # running statistics are constants: dx = scale g, without the sums' part
            sums = np.zeros_like(mean), np.zeros_like(mean)
        return activated_dx(dy, ctx.x, mean, ctx.s, scale, shift, *sums, function, slope)

    def _map(self, ctx: BatchNormContext) -> tuple[Array, Array, Array | None]:
        """mean, scale and shift of (x - mean) scale + shift."""
        return ctx.mean, ctx.scale, self.beta.data if self.affine else None


class InstanceNorm(Norm):
    """Normalises each channel of each example over its places: (N, ..., C) -> (N, ..., C).

    As PyTorch's, without affine parameters unless asked; no running statistics. Raises ShapeError
    where there is one place only.
    """

    def __init__(
        self,
        num_features: int,
        *,
        eps: float = 1e-5,
        affine: bool = False,
        init: str | initializers.Initializer = "ones",
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__((num_features,), eps=eps, affine=affine, init=init, rng=rng)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, NormContext]:
        (x,) = xs
        self.check_array(
            x,
            f"(N, ..., {self.shape[0]}) with more than one place",
            is_array(x)
            and x.ndim >= 3
            and x.shape[-1] == self.shape[0]
            and math.prod(x.shape[1:-1]) > 1,
            self.gamma.data.dtype if self.affine else None,
        )
        axes = tuple(range(1, x.ndim - 1))
        return self.normalized(x, axes)


class LayerNorm(Norm):
    """Normalises each example over its last axes, whose sizes are `normalized_shape`.

    (N, ..., *normalized_shape) -> the same; gamma and beta have normalized_shape. Raises ShapeError
    for other last axes.
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        *,
        eps: float = 1e-5,
        affine: bool = True,
        init: str | initializers.Initializer = "ones",
        rng: np.random.Generator | None = None,
    ) -> None:
        if isinstance(normalized_shape, int):
            normalized_shape = (normalized_shape,)
        shape = tuple(normalized_shape)
        super().__init__(shape, eps=eps, affine=affine, init=init, rng=rng)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, NormContext]:
        (x,) = xs
        inner = len(self.shape)
        self.check_array(
            x,
            f"(N, ..., {self.describe()})",
            is_array(x) and x.ndim > inner and x.shape[-inner:] == self.shape,
            self.gamma.data.dtype if self.affine else None,
        )
        axes = tuple(range(x.ndim - inner, x.ndim))
        return self.normalized(x, axes)
