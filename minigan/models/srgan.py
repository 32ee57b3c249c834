"""SRGAN's networks: a generator that enlarges pictures, and the discriminator of what it makes.

With k9n64s1 a 9x9 convolution of 64 filters with stride 1 (Ledig et al. 2017, figure 4):

    G   k9n64s1, PReLU
        16 residual blocks of k3n64s1, norm, PReLU, k3n64s1, norm    with k3n64s1 and norm behind
                                                                     them, a skip over all of it
        k3n256s1, pixel shuffle by 2, PReLU                          for each doubling
        k9n3s1
    D   k3n64s1, then with norm k3n64s2, k3n128s1, k3n128s2, ..., k3n512s2, each with LeakyReLU 0.2;
        1,024 dense units with LeakyReLU, and the logit

Norms are batch norm; G has no function at its end, as in the figure. A PReLU has a slope for each
channel. Weights are drawn as He et al. 2015 do for rectifiers; the paper does not say.
"""

from __future__ import annotations

import numpy as np

from minigan.errors import OptionError
from minigan.layers import (
    BatchNorm,
    Conv2d,
    Dense,
    Flatten,
    Layer,
    LeakyReLU,
    PixelShuffle,
    PReLU,
    Residual,
    Sequential,
)
from minigan.ops.patches import conv_output_size

SCALES = (2, 4)
DEPTHS = (1, 2, 4, 8)  # of D's pairs of convolutions, times `width`
HIDDEN = 16  # dense units of D, times `width`

Rng = np.random.Generator


def check_scale(scale: int) -> int:
    """The scale itself. Raises OptionError for one that is not 2 or 4."""
    if scale not in SCALES:
        raise OptionError(f"--scale {scale}: pictures are doubled once or twice, give 2 or 4")
    return scale


def srresnet(
    channels: int,
    *,
    scale: int = 4,
    width: int = 64,
    blocks: int = 16,
    rng: Rng,
) -> Sequential:
    """G: pictures (N, H, W, channels) of any size -> (N, scale H, scale W, channels).

    Raises OptionError for a scale that is not 2 or 4, and for less than one block or filter.
    """
    check_scale(scale)
    if min(blocks, width) < 1:
        raise OptionError(f"--blocks {blocks} and --width {width} must be at least 1")
    body = [_block(width, rng) for _ in range(blocks)]
    doublings = scale.bit_length() - 1
    return Sequential(
        _conv(channels, width, rng, kernel_size=9),
        PReLU(width),
        Residual(Sequential(*body, _conv(width, width, rng, bias=False), BatchNorm(width))),
        *(layer for _ in range(doublings) for layer in _doubled(width, rng)),
        _conv(width, channels, rng, kernel_size=9),
    )


def srgan_discriminator(shape: tuple[int, ...], *, width: int = 64, rng: Rng) -> Sequential:
    """D: pictures (N, H, W, C) -> logits (N, 1).

    Raises OptionError for pictures of a single pixel, which batch norm cannot take.
    """
    h, w, channels = shape
    if max(h, w) < 2:
        raise OptionError(f"pictures of {h}x{w} hold nothing to judge; give larger ones (--size)")
    layers: list[Layer] = [_conv(channels, width, rng), LeakyReLU(negative_slope=0.2)]
    cin = width
    for i, times in enumerate(DEPTHS):
        for stride in (1, 2)[i == 0 :]:
            cout = times * width
            layers += [
                _conv(cin, cout, rng, stride=stride, bias=False),
                BatchNorm(cout),
                LeakyReLU(negative_slope=0.2),
            ]
            h, w = (conv_output_size(side, 3, stride, 1, 1) for side in (h, w))
            cin = cout
    hidden = HIDDEN * width
    return Sequential(
        *layers,
        Flatten(),
        Dense(h * w * cin, hidden, rng=rng),
        LeakyReLU(negative_slope=0.2),
        Dense(hidden, 1, init="glorot_uniform", rng=rng),
    )


def _block(width: int, rng: Rng) -> Residual:
    def half() -> list[Layer]:
        return [_conv(width, width, rng, bias=False), BatchNorm(width)]

    return Residual(Sequential(*half(), PReLU(width), *half()))


def _doubled(width: int, rng: Rng) -> list[Layer]:
    return [_conv(width, 4 * width, rng), PixelShuffle(2), PReLU(width)]


def _conv(
    cin: int, cout: int, rng: Rng, *, kernel_size: int = 3, stride: int = 1, bias: bool = True
) -> Conv2d:
    return Conv2d(
        cin, cout, kernel_size, stride=stride, padding=kernel_size // 2, bias=bias, rng=rng
    )
