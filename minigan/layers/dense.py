r"""Fully connected layers and table look-up.

Dense:  y = x W + b            W (in, out)
        dx = dy W^T            dW = x^T dy          db = sum dy
second: <v, dx> = <v W, dy>    so ddy = v W, and dW gains v^T dy
        <V, dW> = <x V, dy>    so ddy = x V, and x_extra = dy V^T; <c, db> adds c to ddy
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, is_array, on_cuda
from minigan.errors import OptionError, ShapeError
from minigan.layers.base import GradContext, Layer
from minigan.layers.params import Directions
from minigan.ops.channels import add_channel_sum
from minigan.ops.embedding import add_rows, take_rows
from minigan.ops.linear import add_matmul, matmul, matmul_bias_act


@dataclass(slots=True)
class DenseContext:
    """The input, and the parameters' version when it came."""

    x: Array
    version: int


class Dense(Layer):
    """Affine map of the last axis: (..., in_features) -> (..., out_features).

    Parameters "weight" (in_features, out_features), which `init` draws, and "bias" (out_features,),
    0 at first. Raises OptionError for less than 1 feature, ShapeError for another last axis.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        init: str | initializers.Initializer = "he_normal",
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        if min(in_features, out_features) < 1:
            raise OptionError(f"Dense({in_features}, {out_features}): give 1 or more features each")
        self.in_features, self.out_features = in_features, out_features
        draw = initializers.get(init)
        shape = (in_features, out_features)
        self.weight = self.add_param("weight", draw(shape, in_features, out_features, rng))
        self.bias = self.add_param("bias", np.zeros(out_features, np.float32)) if bias else None

    def describe(self) -> str:
        return f"{self.in_features}, {self.out_features}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, DenseContext]:
        (x,) = xs
        return self.activated(x)

    def activated(
        self, x: Array, function: str = "none", slope: float = 0.0
    ) -> tuple[Array, DenseContext]:
        """f(x W + b), f one of ops/affine.py, and the context; on a card in one pass."""
        self.check_array(
            x,
            f"(..., {self.in_features})",
            is_array(x) and x.ndim >= 2 and x.shape[-1] == self.in_features,
            self.weight.data.dtype,
        )
        bias = None if self.bias is None else self.bias.data
        rows = x.reshape(-1, self.in_features)
        y = matmul_bias_act(rows, self.weight.data, bias, function, slope=slope)
        y = y.reshape(*x.shape[:-1], self.out_features)
        return y, DenseContext(x, self.weight.version)

    def backward(
        self, dy: Array, ctx: DenseContext, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        self.check_fresh(ctx.version, self.weight)
        self.check_upstream(dy, (*ctx.x.shape[:-1], self.out_features))
        rows = dy.reshape(-1, self.out_features)
        if need_dw:
            add_matmul(self.weight.grad, ctx.x.reshape(-1, self.in_features).T, rows)
            if self.bias is not None:
                add_channel_sum(self.bias.grad, rows)
        return matmul(rows, self.weight.data.T).reshape(ctx.x.shape) if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        self.check_fresh(gctx.ctx.version, self.weight)
        rows = gctx.dy.reshape(-1, self.out_features)
        flat = ddx.reshape(-1, self.in_features)
        add_matmul(self.weight.grad, flat.T, rows)
        return matmul(flat, self.weight.data).reshape(gctx.dy.shape), None

    def weight_double_backward(self, ddw: Directions, gctx: GradContext) -> tuple[Array, Array]:
        self.check_fresh(gctx.ctx.version, self.weight)
        V, x = ddw[self.weight], gctx.ctx.x
        ddy = matmul(x.reshape(-1, self.in_features), V)
        if self.bias is not None:
            ddy += ddw[self.bias]
        x_extra = matmul(gctx.dy.reshape(-1, self.out_features), V.T)
        return ddy.reshape(gctx.dy.shape), x_extra.reshape(x.shape)


@dataclass(slots=True)
class EmbeddingContext:
    """The rows that were looked up, and the parameters' version then."""

    index: Array
    version: int


class Embedding(Layer):
    """A trainable row for each of num_embeddings integers: (...) -> (..., embedding_dim).

    The parameter "weight" (num_embeddings, embedding_dim) is drawn from N(0, 1) unless `init` says.
    Raises ShapeError for what are no integers and, on the CPU, for those outside the table.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        init: str | initializers.Initializer | None = None,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        draw = initializers.get(init or initializers.normal(1.0))
        shape = (num_embeddings, embedding_dim)
        self.weight = self.add_param("weight", draw(shape, num_embeddings, embedding_dim, rng))

    def describe(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, EmbeddingContext]:
        (index,) = xs
        if not is_array(index) or not np.issubdtype(index.dtype, np.integer):
            kind = index.dtype if is_array(index) else type(index).__name__
            raise ShapeError(f"{self!r} wanted an array of integers, got {kind}")
        known = index.size and not on_cuda(index)  # a card is not waited for
        if known and (index.min() < 0 or index.max() >= self.num_embeddings):
            raise ShapeError(
                f"{self!r} wanted integers from 0 to {self.num_embeddings - 1}, "
                f"got {index.min()} to {index.max()}"
            )
        return take_rows(self.weight.data, index), EmbeddingContext(index, self.weight.version)

    def backward(
        self, dy: Array, ctx: EmbeddingContext, need_dx: bool = True, need_dw: bool = True
    ) -> None:
        """Adds each row's gradient; integers have none, so None is returned."""
        self.check_fresh(ctx.version, self.weight)
        if need_dw:
            rows = dy.reshape(-1, self.embedding_dim)
            add_rows(self.weight.grad, ctx.index.reshape(-1), rows)

    def input_gradient(self, dy: Array, ctx: EmbeddingContext) -> Any:
        raise ShapeError(f"{self!r} takes integers: there is no gradient of its input to penalise")
