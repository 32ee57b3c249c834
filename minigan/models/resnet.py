"""The residual generator of CycleGAN (Zhu et al. 2017, section 7.2; Johnson et al. 2016).

With c7s1-k a 7x7 convolution of k filters, dk a 3x3 one with stride 2, Rk a residual block of two
3x3 convolutions, uk a 3x3 one with stride 1/2, each with instance norm and ReLU:

    c7s1-64, d128, d256, R256 (6 times), u128, u64, c7s1-3

for pictures below 256x256, with 9 residual blocks from there on; tanh at the end. Borders are
mirrored but in dk and uk, to leave fewer artefacts.

Of the same parts are pix2pixHD's generators (pix2pixhd.py), which halve more often, UNIT's encoders
and decoders (unit.py), MUNIT's (munit.py), and StarGAN's generator (stargan.py), whose borders are
zeros.
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import (
    Conv2d,
    Dropout,
    Layer,
    ReflectionPad2d,
    ReLU,
    Residual,
    Sequential,
    Tanh,
)
from minigan.models.dcgan import GAMMA
from minigan.models.enlarging import doubled, halvable
from minigan.models.norms import Norms

HALVINGS = 2
LEAST = 2  # pixels of a side within the residual blocks, whose borders are mirrored


def resnet_size(h: int, w: int, halvings: int = HALVINGS) -> None:
    """Raise OptionError unless a generator of so many halvings takes pictures of h x w."""
    halvable(h, w, halvings, network="the residual generator", least=LEAST)


def resnet_blocks(shape: tuple[int, ...]) -> int:
    """The paper's number of residual blocks: 6, or 9 for pictures of 256x256 and more."""
    return 9 if min(shape[:2]) >= 256 else 6


def resnet_generator(
    shape: tuple[int, ...],
    out_channels: int,
    *,
    width: int = 64,
    halvings: int = HALVINGS,
    blocks: int | None = None,
    norm: str = "instance",
    dropout: float = 0.0,
    up: str = "transposed",
    rng: np.random.Generator,
) -> Sequential:
    """G: pictures (N, H, W, C) -> (N, H, W, out_channels) in (-1, 1).

    `width` is the paper's 64; `blocks` its 6 or 9 unless given; `dropout` stands between the two
    convolutions of a block; `up` is how sizes are doubled (enlarging.py). Any picture whose sides
    halve as often goes through. Raises OptionError for others, naming the nearest sizes.
    """
    h, w, channels = shape
    resnet_size(h, w, halvings)
    blocks = resnet_blocks(shape) if blocks is None else blocks
    parts = Parts((h, w), norm=norm, dropout=dropout, up=up, rng=rng)
    return Sequential(
        *parts.first(channels, width),
        *parts.halved(width, halvings),
        *parts.blocks(blocks, width << halvings, halvings),
        *parts.doubled(width, halvings),
        *parts.last(width, out_channels),
    )


class Parts:
    """Makes the layers of residual generators for pictures of h x w, all with norm `norm`.

    `width` is always that of the layers at the pictures' own size; at each halving it doubles.
    kernel_size: of dk, and of uk where it is a transposed convolution. mirrored: whether borders of
    the other convolutions are; zeros are there if not. enlarging: the kernel in uk that follows
    nearest neighbours. weights: what draws those of convolutions.
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        norm: str = "instance",
        dropout: float = 0.0,
        up: str = "transposed",
        kernel_size: int = 3,
        mirrored: bool = True,
        enlarging: int = 3,
        weights: init.Initializer = init.dcgan,
        rng: np.random.Generator,
    ) -> None:
        self.size, self.dropout, self.up, self.rng = size, dropout, up, rng
        self.kernel_size, self.mirrored = kernel_size, mirrored
        self.enlarging, self.weights = enlarging, weights
        self.norms = Norms(norm, init=GAMMA, rng=rng)

    def first(self, channels: int, width: int) -> list[Layer]:
        """c7s1-width."""
        border, padding = self._border(3)
        bias = self.norms.bias
        conv = Conv2d(
            channels, width, 7, padding=padding, bias=bias, init=self.weights, rng=self.rng
        )
        return [*border, *self.normed(conv, 0, width)]

    def halved(self, width: int, halvings: int, *, widened: int | None = None) -> list[Layer]:
        """d(2 width), d(4 width), ...; the first `widened` double the width, or all."""
        layers: list[Layer] = []
        most = halvings if widened is None else widened
        for i in range(halvings):
            cin, cout = (width << min(j, most) for j in (i, i + 1))
            conv = self._conv(cin, cout, kernel_size=self.kernel_size, stride=2, padding=1)
            layers += self.normed(conv, i + 1, cout)
        return layers

    def blocks(self, n: int, filters: int, halvings: int) -> list[Layer]:
        """n residual blocks, of pictures halved so often. Raises OptionError for less than none."""
        if n < 0:
            raise OptionError(f"blocks={n}: wanted at least 0 residual blocks")
        return [self._block(filters, halvings) for _ in range(n)]

    def doubled(self, width: int, halvings: int) -> list[Layer]:
        """..., u(2 width), u(width)."""
        layers: list[Layer] = []
        for i in reversed(range(halvings)):
            cin, cout, bias = width << (i + 1), width << i, self.norms.bias
            enlarging = doubled(
                self.up,
                cin,
                cout,
                kernel_size=self.kernel_size,
                resized=self.enlarging,
                bias=bias,
                weights=self.weights,
                rng=self.rng,
            )
            layers += self.normed(enlarging, i, cout)
        return layers

    def last(self, width: int, out_channels: int) -> list[Layer]:
        """c7s1-out_channels with tanh."""
        border, padding = self._border(3)
        conv = Conv2d(width, out_channels, 7, padding=padding, init=self.weights, rng=self.rng)
        return [*border, conv, Tanh()]

    def normed(self, layer: Layer, halvings: int, filters: int) -> list[Layer]:
        """A layer with its norm and ReLU."""
        return [layer, self.norm(halvings, filters), ReLU()]

    def norm(self, halvings: int, filters: int) -> Layer:
        """The norm of pictures halved so often."""
        h, w = self.size
        return self.norms.after(h >> halvings, w >> halvings, filters)

    def _block(self, filters: int, halvings: int) -> Layer:
        border, padding = self._border(1)
        first, second = (self._conv(filters, filters, padding=padding) for _ in range(2))
        between = [Dropout(self.dropout, rng=self.rng)] if self.dropout else []
        body = [*border, *self.normed(first, halvings, filters), *between]
        border, _ = self._border(1)
        return Residual(Sequential(*body, *border, second, self.norm(halvings, filters)))

    def _border(self, width: int) -> tuple[list[Layer], int]:
        """What mirrors a border, and the padding with zeros that the convolution behind it has."""
        return ([ReflectionPad2d(width)], 0) if self.mirrored else ([], width)

    def _conv(
        self, cin: int, cout: int, *, kernel_size: int = 3, stride: int = 1, padding: int = 0
    ) -> Conv2d:
        return Conv2d(
            cin,
            cout,
            kernel_size,
            stride=stride,
            padding=padding,
            bias=self.norms.bias,
            init=self.weights,
            rng=self.rng,
        )
