"""Text to image: DCGAN's networks with the vector of a text (Reed et al. 2016, section 4.1).

G takes a code of the text beside its noise. D reads the picture down to its base of 4 to 7 pixels,
lays a code of the text over every place of it, compares them in a 1x1 convolution and gives one
score of both: the text is joined late. Or it judges by a projection (Miyato and Koyama 2018, eq.
3): the inner product of the picture's features with a vector of as many numbers, made of the text.
Both read the text by its vector h, which an encoder makes (layers/text.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import init
from minigan.backend import Array
from minigan.errors import UnknownNameError
from minigan.layers import (
    Conv2d,
    Dense,
    Flatten,
    Identity,
    InnerProduct,
    Layer,
    LeakyReLU,
    Parallel,
    Reshape,
    Sequential,
    Upsample,
)
from minigan.models.dcgan import GAMMA, base_of, dcgan_generator, shrinking
from minigan.models.norms import Norms
from minigan.models.remedies import Remedies

Rng = np.random.Generator


class TextDiscriminator(Sequential):
    """D(h, x): text vectors (N, J) and pictures (N, H, W, C) -> logits (N, 1).

    head of what `text` makes of h and `picture` of x, joined along the last axis.
    """

    def __init__(self, text: Layer, picture: Layer, head: Layer) -> None:
        super().__init__(Parallel(text, picture), head)
        self.text, self.picture, self.head = text, picture, head

    def describe(self) -> str:
        return f"{self.text!r}, {self.picture!r}, {self.head!r}"

    def text_gradient(self, dy: Array, ctx: Any) -> Array:
        """The gradient of the text vectors alone: nobody reads the pictures', which costs most.

        Parameters get theirs, as in `backward`.
        """
        join_ctx, head_ctx = ctx
        joined = self.head.backward(dy, head_ctx)
        edge = join_ctx.edges[1]
        self.picture.backward(joined[..., edge:], join_ctx.ctxs[1], need_dx=False)
        dh: Array = self.text.backward(joined[..., :edge], join_ctx.ctxs[0])
        return dh


def text_code(text_dim: int, code_dim: int, *, rng: Rng) -> Sequential:
    """Text vectors (N, text_dim) -> codes (N, code_dim): dense, then LeakyReLU 0.2."""
    return Sequential(
        Dense(text_dim, code_dim, init="he_normal", rng=rng), LeakyReLU(negative_slope=0.2)
    )


def text_generator(
    text_dim: int,
    z_dim: int,
    shape: tuple[int, ...],
    *,
    code_dim: int | None = None,
    width: int = 64,
    norm: str = "batch",
    rng: Rng,
) -> Sequential:
    """G: text vectors (N, text_dim) and z (N, z_dim) -> pictures (N, H, W, C) in (-1, 1).

    With `code_dim` a dense code of the text is joined to z, without it the vector itself. `width`
    channels before the last layer; sizes as `dcgan_generator` takes them.
    """
    text = Identity() if code_dim is None else text_code(text_dim, code_dim, rng=rng)
    numbers = z_dim + (code_dim or text_dim)
    body = dcgan_generator(numbers, shape, width=width, norm=norm, rng=rng)
    return Sequential(Parallel(text, Identity()), body)


def text_discriminator(
    text_dim: int,
    shape: tuple[int, ...],
    *,
    width: int = 64,
    code_dim: int = 128,
    sees: str = "late",
    norm: str = "batch",
    rng: Rng,
) -> TextDiscriminator:
    """D: text vectors (N, text_dim) and pictures (N, H, W, C) -> logits (N, 1).

    `width` channels after the first layer, `code_dim` (the paper's 128) numbers of the text at
    every place; sees: how D sees the text, of TEXT_DISCRIMINATORS. Raises UnknownNameError.
    """
    if sees not in TEXT_DISCRIMINATORS:
        raise UnknownNameError("way for D to see the text:", sees, TEXT_DISCRIMINATORS)
    norms = Norms(norm, init=GAMMA, rng=rng)
    tower = shrinking(shape, width=width, norms=norms, parts=Remedies(), rng=rng)
    code = text_code(text_dim, code_dim, rng=rng)
    return TEXT_DISCRIMINATORS[sees](code, code_dim, tower, base_of(shape, width), rng)


def _late(
    code: Layer, code_dim: int, tower: list[Layer], base: tuple[int, int, int], rng: Rng
) -> TextDiscriminator:
    h, w, features = base
    # No norm over the batch stands here: of the pairs of a minibatch all match, or none does, and
    # its statistics would tell which.
    head = Sequential(
        Conv2d(code_dim + features, features, 1, init="he_normal", rng=rng),
        LeakyReLU(negative_slope=0.2),
        Flatten(),
        Dense(h * w * features, 1, init=init.dcgan, rng=rng),
    )
    text = Sequential(code, everywhere(code_dim, (h, w)))
    return TextDiscriminator(text, Sequential(*tower), head)


def _projection(
    code: Layer, code_dim: int, tower: list[Layer], base: tuple[int, int, int], rng: Rng
) -> TextDiscriminator:
    # The bias of `embed` is the weight of how real the features are, whatever the text.
    embed = Dense(code_dim, math.prod(base), init=init.dcgan, rng=rng)
    return TextDiscriminator(Sequential(code, embed), Sequential(*tower, Flatten()), InnerProduct())


TEXT_DISCRIMINATORS: dict[str, Callable[..., TextDiscriminator]] = {
    "late": _late,
    "projection": _projection,
}


def everywhere(code_dim: int, size: tuple[int, int]) -> Sequential:
    """(N, code_dim) -> (N, H, W, code_dim): the same code at every place."""
    return Sequential(Reshape(1, 1, code_dim), Upsample(scale_factor=size))
