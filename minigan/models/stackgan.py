"""The generators of a StackGAN beyond its first stage (Zhang et al. 2017, arXiv:1612.03242).

Stage II looks at the picture of the stage before, halves it, joins the text's code to every place,
corrects what it sees in residual blocks, and doubles the size twice, so that its picture has twice
the height and width (section 3.4; there from 64 to 256 by two more halvings and doublings).
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import (
    Conv2d,
    Dense,
    Layer,
    Parallel,
    ReLU,
    Residual,
    Sequential,
    Tanh,
)
from minigan.models.dcgan import GAMMA
from minigan.models.enlarging import doubled, halvable
from minigan.models.norms import Norms
from minigan.models.text_to_image import everywhere

Rng = np.random.Generator


def conditioning_augmentation(text_dim: int, code_dim: int, *, rng: Rng) -> Dense:
    """Text vectors (N, text_dim) -> mu and log sigma^2 of their codes c, (N, 2 code_dim)."""
    return Dense(text_dim, 2 * code_dim, init="glorot_uniform", rng=rng)


def refining_generator(
    code_dim: int,
    shape: tuple[int, ...],
    *,
    width: int = 32,
    blocks: int = 2,
    norm: str = "batch",
    up: str = "resize",
    rng: Rng,
) -> Sequential:
    """G: codes (N, code_dim) and pictures (N, H, W, C) -> pictures (N, 2 H, 2 W, C) in (-1, 1).

    shape: (H, W, C) of what comes in; `width` channels next to the result, four times as many in
    the `blocks` residual blocks. Raises OptionError for odd sizes.
    """
    h, w, channels = shape
    halvable(h, w, 1, network="the refining generator")
    if blocks < 0:
        raise OptionError(f"blocks={blocks}: wanted at least 0 residual blocks")
    norms = Norms(norm, init=GAMMA, rng=rng)

    def conv(cin: int, cout: int, kernel_size: int = 3, stride: int = 1) -> Conv2d:
        return Conv2d(
            cin,
            cout,
            kernel_size,
            stride=stride,
            padding=1,
            bias=norms.bias,
            init=init.dcgan,
            rng=rng,
        )

    def normed(layer: Layer, h: int, w: int, filters: int) -> list[Layer]:
        return [layer, norms.after(h, w, filters), ReLU()]

    inner, features = (h // 2, w // 2), 4 * width
    first = Conv2d(channels, width, 3, padding=1, init=init.dcgan, rng=rng)
    seen = [first, ReLU(), *normed(conv(width, 2 * width, 4, 2), *inner, 2 * width)]
    layers: list[Layer] = [
        Parallel(everywhere(code_dim, inner), Sequential(*seen)),
        *normed(conv(code_dim + 2 * width, features), *inner, features),
    ]
    for _ in range(blocks):
        body = normed(conv(features, features), *inner, features)
        body += [conv(features, features), norms.after(*inner, features)]
        layers += [Residual(Sequential(*body)), ReLU()]
    for i in (1, 2):
        half = features // 2
        up_layer = doubled(up, features, half, kernel_size=4, bias=norms.bias, rng=rng)
        layers += normed(up_layer, inner[0] << i, inner[1] << i, half)
        features = half
    last = Conv2d(features, channels, 3, padding=1, init=init.dcgan, rng=rng)
    return Sequential(*layers, last, Tanh())
