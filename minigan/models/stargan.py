r"""StarGAN's networks: one generator for all domains, one discriminator that names them.

Choi et al. 2018, section 4 and appendix 7.2 (tables 4 and 5).

    G   the residual generator of CycleGAN (resnet.py) of a picture beside the target label, each
        number of which fills a channel; 4x4 convolutions in dk and uk, and zeros at the borders
    D   C64, C128, ..., of 4x4 convolutions with stride 2, LeakyReLU 0.01 and no norm; on top of
        them D_src, a 3x3 convolution to one number for each patch, and D_cls, a convolution over
        all places that are left to a number for each class. Neither has a bias

The zeros matter. A channel that is the same everywhere stays so in a convolution over mirrored
borders, and the instance norm behind it takes its mean away: the label would never arrive. Over
zeros it makes a frame at the border, and what follows carries it inwards.

The paper halves pictures of 128x128 six times, to 2x2 patches; unless told, D here halves others to
so many. D's first weights keep the size of numbers from layer to layer (He et al. 2015), for there
is no norm that would.
"""

from __future__ import annotations

import math

import numpy as np

from minigan.errors import OptionError
from minigan.layers import (
    Concat,
    ConditionalSequential,
    Conv2d,
    Flatten,
    JoinCondition,
    Layer,
    LeakyReLU,
    Sequential,
)
from minigan.models.resnet import HALVINGS, Parts, resnet_blocks, resnet_size

SLOPE = 0.01
WIDEST = 32  # times `width`: what six halvings come to
DEEPEST = 6


def stargan_generator(
    shape: tuple[int, ...],
    cond_dim: int,
    *,
    width: int = 64,
    blocks: int | None = None,
    up: str = "transposed",
    rng: np.random.Generator,
) -> ConditionalSequential:
    """G: pictures (N, H, W, C), labels (N, cond_dim) -> pictures (N, H, W, C) in (-1, 1).

    `width`, `blocks` and `up` are those of `resnet_generator`, and so is what is raised.
    """
    h, w, channels = shape
    resnet_size(h, w)
    blocks = resnet_blocks(shape) if blocks is None else blocks
    parts = Parts((h, w), up=up, kernel_size=4, mirrored=False, rng=rng)
    net = Sequential(
        *parts.first(channels + cond_dim, width),
        *parts.halved(width, HALVINGS),
        *parts.blocks(blocks, width << HALVINGS, HALVINGS),
        *parts.doubled(width, HALVINGS),
        *parts.last(width, channels),
    )
    return ConditionalSequential(JoinCondition(cond_dim), net)


def default_halvings(h: int, w: int) -> int:
    """How often pictures of h x w are halved until their shorter side has 2 or 3 patches.

    6 times at most, once at least.
    """
    return min(DEEPEST, max(1, int(math.log2(max(min(h, w), 1))) - 1))


def patches(h: int, w: int, halvings: int) -> tuple[int, int]:
    """Rows and columns of the patches that D judges. Raises OptionError where none is left."""
    if halvings < 1:
        raise OptionError(f"--halvings {halvings} must be at least 1")
    rows, columns = h >> halvings, w >> halvings
    if min(rows, columns) < 1:
        most = int(math.log2(max(min(h, w), 1)))
        raise OptionError(
            f"pictures of {h}x{w} cannot be halved {halvings} times: use --halvings {most} or less,"
            " or larger pictures (--size)"
        )
    return rows, columns


def stargan_discriminator(
    shape: tuple[int, ...],
    classes: int,
    *,
    width: int = 64,
    halvings: int | None = None,
    rng: np.random.Generator,
) -> Sequential:
    """D: pictures (N, H, W, C) -> (N, P + classes): a score of each patch, then D_cls's logits.

    P is rows times columns of `patches`. Raises OptionError for pictures that cannot be halved so
    often.
    """
    h, w, cin = shape
    n = default_halvings(h, w) if halvings is None else halvings
    left = patches(h, w, n)
    layers: list[Layer] = []
    for i in range(n):
        cout = width * min(1 << i, WIDEST)
        conv = Conv2d(cin, cout, 4, stride=2, padding=1, init="he_normal", rng=rng)
        layers += [conv, LeakyReLU(negative_slope=SLOPE)]
        cin = cout
    src = Conv2d(cin, 1, 3, padding=1, bias=False, init="he_normal", rng=rng)
    cls = Conv2d(cin, classes, left, bias=False, init="glorot_uniform", rng=rng)
    heads = Concat(Sequential(src, Flatten()), Sequential(cls, Flatten()))
    return Sequential(*layers, heads)
