r"""MUNIT's networks of two domains: content and style apart (Huang et al. 2018, appendix B).

    E^c   c7s1-64, d128, d256, R256 (4 times), with instance norm that has no gains of its own
    E^s   c7s1-64, d128, d256, d256, d256, the mean over places, a dense layer to 8; no norm
    G     R256 (4 times), u128, u64, c7s1-3; the blocks' norms take gains and shifts from the style

in the notation of resnet.py, of whose parts they are, but that dk is a 4x4 convolution and uk
doubles by nearest neighbours and a 5x5 convolution, with layer norm and ReLU behind. A content code
is a feature map (N, H/4, W/4, 256), a style code a row (N, 8).

Each part has the norm that its code needs. Instance norm takes away the mean and the spread of
every channel, which is where style lies: good in E^c, fatal in E^s (section 5.1). In G they come
back: a perceptron of two hidden layers reads the style, and its last, linear layer is one of each
block's adaptive instance norm (layers/conditional.py). Layer norm behind it is over channels too,
so that it leaves them as unlike as the style made them; its gains are the channels' alone
(GroupNorm of one group), so that pictures of other sizes go through. Gains start near 1 here, near
0 in the authors' code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import (
    AdaIN,
    ConditionalSequential,
    Dense,
    Embedded,
    GlobalAvgPool,
    GroupNorm,
    Identity,
    InstanceNorm,
    Layer,
    ReLU,
    Sequential,
)
from minigan.models.biggan import ConditionalResidual
from minigan.models.resnet import HALVINGS, Parts, resnet_size

PAPER = "Huang et al. 2018, arXiv:1804.04732, section 5.1 and appendix B"

Rng = np.random.Generator
Size = tuple[int, int]
KERNEL, ENLARGING = 4, 5  # of dk, and of the convolution in uk
STYLE_HALVINGS, WIDENED = 4, 2  # of E^s, and how many of them double the width
SEEN = 2  # places on a side that E^s leaves, at least


class ContentParts(Parts):
    """Parts whose norms have no gains: what a code is large in, its pictures are large in too."""

    def norm(self, halvings: int, filters: int) -> Layer:
        return InstanceNorm(filters)


class StyledParts(Parts):
    """Parts of G: blocks that an embedded style of `style_features` numbers is put into."""

    def __init__(self, size: Size, style_features: int, **options: Any) -> None:
        super().__init__(size, kernel_size=KERNEL, enlarging=ENLARGING, **options)
        self.style_features = style_features

    def norm(self, halvings: int, filters: int) -> Layer:
        return GroupNorm(1, filters)

    def _block(self, filters: int, halvings: int) -> Layer:
        def half() -> list[Layer]:
            border, padding = self._border(1)
            conv = self._conv(filters, filters, padding=padding)
            style = AdaIN(filters, self.style_features, init=self.weights, rng=self.rng)
            return [*border, conv, style]

        return ConditionalResidual(ConditionalSequential(*half(), ReLU(), *half()), Identity())


def munit_content_encoder(
    shape: tuple[int, ...],
    *,
    width: int = 64,
    halvings: int = HALVINGS,
    blocks: int = 4,
    rng: Rng,
) -> Sequential:
    """E^c: pictures (N, H, W, C) -> content codes (N, H/2^n, W/2^n, 2^n width), n halvings.

    Raises OptionError for a size that cannot be halved so often, naming the nearest ones.
    """
    h, w, channels = shape
    resnet_size(h, w, halvings)
    parts = ContentParts((h, w), kernel_size=KERNEL, weights=init.he_normal, rng=rng)
    return Sequential(
        *parts.first(channels, width),
        *parts.halved(width, halvings),
        *parts.blocks(blocks, width << halvings, halvings),
    )


def style_halvings(h: int, w: int) -> int:
    """How often E^s halves pictures: 4 times, or less to leave two places on a side; once at least.

    Raises OptionError for pictures that have not so many.
    """
    if min(h, w) < 2 * SEEN:
        raise OptionError(
            f"pictures of {h}x{w} are too small for a style encoder: both sides must be "
            f"{2 * SEEN} or more (--size)"
        )
    return min(STYLE_HALVINGS, (min(h, w) // SEEN).bit_length() - 1)


def munit_style_encoder(
    shape: tuple[int, ...], style_dim: int, *, width: int = 64, rng: Rng
) -> Sequential:
    """E^s: pictures (N, H, W, C) -> style codes (N, style_dim). Raises as `style_halvings`."""
    h, w, channels = shape
    n = style_halvings(h, w)
    parts = Parts((h, w), norm="none", kernel_size=KERNEL, weights=init.he_normal, rng=rng)
    features = width << min(n, WIDENED)
    return Sequential(
        *parts.first(channels, width),
        *parts.halved(width, n, widened=WIDENED),
        GlobalAvgPool(),
        Dense(features, style_dim, init=init.he_normal, rng=rng),
    )


def munit_decoder(
    shape: tuple[int, ...],
    style_dim: int,
    *,
    width: int = 64,
    halvings: int = HALVINGS,
    blocks: int = 4,
    mlp_width: int = 256,
    up: str = "resize",
    rng: Rng,
) -> Embedded:
    """G: content (N, H/2^n, W/2^n, 2^n width), style (N, style_dim) -> pictures (N, H, W, C).

    mlp_width: units of the perceptron's two hidden layers. Pictures lie in (-1, 1). Raises
    OptionError for a size, and for no block or no unit: the style would not get in.
    """
    h, w, channels = shape
    resnet_size(h, w, halvings)
    for name, number in (("blocks", blocks), ("mlp-width", mlp_width)):
        if number < 1:
            raise OptionError(f"--{name} {number} must be at least 1: a style enters G through it")
    parts = StyledParts((h, w), mlp_width, up=up, weights=init.he_normal, rng=rng)

    def dense(features: int) -> Dense:
        return Dense(features, mlp_width, init=init.he_normal, rng=rng)

    rest = [*parts.doubled(width, halvings), *parts.last(width, channels)]
    return Embedded(
        Sequential(dense(style_dim), ReLU(), dense(mlp_width), ReLU()),
        ConditionalSequential(
            *parts.blocks(blocks, width << halvings, halvings), Sequential(*rest)
        ),
    )


class ContentAndStyle(Layer):
    """The auto-encoders of both domains, with one buffer of parameters.

    It has no forward pass of its own: `content`, `style` and `G` are the encoders and decoders by
    their domain, "X" or "Y".
    """

    def __init__(
        self, content: dict[str, Layer], style: dict[str, Layer], G: dict[str, Embedded]
    ) -> None:
        super().__init__()
        self.content, self.style, self.G = content, style, G
        for name, nets in (("Ec", content), ("Es", style), ("G", G)):
            for domain, net in nets.items():
                self.add_child(f"{name}_{domain}", net)

    def way(self, source: str, target: str) -> ConditionalSequential:
        """From pictures of one domain and styles of another to pictures of that other."""
        return ConditionalSequential(self.content[source], self.G[target])


def content_and_style(
    size: Size,
    channels: tuple[int, int],
    *,
    style_dim: int = 8,
    width: int = 64,
    halvings: int = HALVINGS,
    blocks: int = 4,
    mlp_width: int = 256,
    up: str = "resize",
    rng: Rng,
) -> ContentAndStyle:
    """The six networks for pictures of `size` with so many channels of x and of y.

    Raises OptionError for what cannot be.
    """
    shapes = {domain: (*size, c) for domain, c in zip("XY", channels, strict=True)}
    how: dict[str, Any] = {"width": width, "halvings": halvings, "blocks": blocks, "rng": rng}
    more: dict[str, Any] = {"mlp_width": mlp_width, "up": up}
    return ContentAndStyle(
        {d: munit_content_encoder(s, **how) for d, s in shapes.items()},
        {d: munit_style_encoder(s, style_dim, width=width, rng=rng) for d, s in shapes.items()},
        {d: munit_decoder(s, style_dim, **how, **more) for d, s in shapes.items()},
    )
