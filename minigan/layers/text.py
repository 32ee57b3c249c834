"""Encoders of text: rows of word numbers -> one vector each, whatever stands behind their end.

Words are looked up in a table that is learned; 0 is the padding behind a caption's last word. Two
encoders, of one signature:

    RecurrentEncoder      a GRU reads the words in their order; the state at the last one
    ConvolutionalEncoder  convolutions over neighbouring words; the largest of each feature

Integers have no gradient, so backward returns None, and there is no second derivative: where a
critic under a gradient penalty sees a text, it is given the text's vector as a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, array_module, is_array
from minigan.errors import ShapeError
from minigan.layers.activation import ReLU
from minigan.layers.base import Layer
from minigan.layers.conv import Conv1d
from minigan.layers.dense import Embedding
from minigan.layers.pool import GlobalMaxPool
from minigan.layers.recurrent import GRU


class _TextEncoder(Layer):
    """What both encoders share: the table of words, and what they take."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, out_features: int, rng: np.random.Generator
    ) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.out_features = out_features
        self.embedding = Embedding(num_embeddings, embedding_dim, rng=rng)
        self.add_child("embedding", self.embedding)

    def describe(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}, {self.out_features}"

    def check_text(self, text: Any) -> None:
        """Raise ShapeError unless text is integers (N, T) with a place at least."""
        wanted = f"{self!r} wanted word numbers, integers (N, T)"
        if not is_array(text):
            raise ShapeError(f"{wanted}, got {type(text).__name__}")
        if text.ndim != 2 or text.shape[1] < 1:
            raise ShapeError(f"{wanted}, got shape {text.shape}")
        if not np.issubdtype(text.dtype, np.integer):
            raise ShapeError(f"{wanted}, got {text.dtype}")


class RecurrentEncoder(_TextEncoder):
    """The last state of a GRU: integers (N, T) below num_embeddings -> (N, out_features)."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        out_features: int,
        *,
        rng: np.random.Generator,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, out_features, rng)
        self.gru = GRU(embedding_dim, out_features, rng=rng)
        self.add_child("gru", self.gru)

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Any]:
        (text,) = xs
        self.check_text(text)
        rows, embedding_ctx = self.embedding.forward(text)
        states, gru_ctx = self.gru.forward(rows, (text > 0).sum(1))
        last = array_module(states).ascontiguousarray(states[:, -1])
        return last, (embedding_ctx, gru_ctx, text.shape[1])

    def backward(self, dy: Array, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> None:
        embedding_ctx, gru_ctx, length = ctx
        self.check_fresh(embedding_ctx.version, self.embedding.weight)
        if need_dw:
            dstates = np.zeros_like(dy, shape=(len(dy), length, self.out_features))
            dstates[:, -1] = dy
            drows, _ = self.gru.backward(dstates, gru_ctx)
            self.embedding.backward(drows, embedding_ctx)


@dataclass(slots=True)
class ConvolutionalContext:
    """The contexts of the parts, and which places hold a word, (N, T, 1)."""

    embedding: Any
    convolutions: list[tuple[Any, Any]]
    pool: Any
    words: Array


class ConvolutionalEncoder(_TextEncoder):
    """Two convolutions over three words each, with ReLU, and the maximum over places:
    integers (N, T) below num_embeddings -> (N, out_features).

    Places without a word are zero before each convolution, and at the maximum, where no word has
    less: the length of the padding does not matter.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        out_features: int,
        *,
        rng: np.random.Generator,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, out_features, rng)
        self.convolutions: list[Layer] = []
        for i, width in enumerate((embedding_dim, out_features)):
            self.convolutions.append(Conv1d(width, out_features, 3, padding=1, rng=rng))
            self.add_child(f"conv{i + 1}", self.convolutions[i])
        self.relu, self.pool = ReLU(), GlobalMaxPool()

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, ConvolutionalContext]:
        (text,) = xs
        self.check_text(text)
        x, embedding_ctx = self.embedding.forward(text)
        words = (text > 0).astype(x.dtype)[..., None]
        ctxs = []
        for convolution in self.convolutions:
            x, ctx = convolution.forward(x * words)
            x, relu_ctx = self.relu.forward(x)
            ctxs.append((ctx, relu_ctx))
        y, pool_ctx = self.pool.forward(x * words)
        return y, ConvolutionalContext(embedding_ctx, ctxs, pool_ctx, words)

    def backward(
        self, dy: Array, ctx: ConvolutionalContext, need_dx: bool = True, need_dw: bool = True
    ) -> None:
        self.check_fresh(ctx.embedding.version, self.embedding.weight)
        if not need_dw:
            return
        dx: Any = self.pool.backward(dy, ctx.pool) * ctx.words
        for convolution, (inner, relu_ctx) in zip(
            reversed(self.convolutions), reversed(ctx.convolutions), strict=True
        ):
            da: Any = self.relu.backward(dx, relu_ctx)
            dx = convolution.backward(da, inner) * ctx.words
        self.embedding.backward(dx, ctx.embedding)


ENCODERS = {"gru": RecurrentEncoder, "conv": ConvolutionalEncoder}
