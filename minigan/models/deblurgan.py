"""DeblurGAN's generator: the residual generator, which makes what a blurred picture lacks.

    G(x) = x + R(x), held in [-1, 1]

R is CycleGAN's generator with nine blocks (resnet.py): its tanh bounds the correction, and the skip
over all of it, the paper's ResOut, leaves to it what is to change alone (Kupyn et al. 2018, section
3.2). The authors' code cuts the sum off, and so does the last layer here.
"""

from __future__ import annotations

import numpy as np

from minigan.layers import Hardtanh, Residual, Sequential
from minigan.models.resnet import resnet_generator

BLOCKS = 9


def deblurring_generator(
    shape: tuple[int, ...],
    *,
    width: int = 64,
    blocks: int = BLOCKS,
    norm: str = "instance",
    dropout: float = 0.0,
    up: str = "transposed",
    rng: np.random.Generator,
) -> Sequential:
    """G: pictures (N, H, W, C) -> (N, H, W, C) in [-1, 1].

    The options are those of `resnet_generator`, and so is what is raised.
    """
    R = resnet_generator(
        shape, shape[2], width=width, blocks=blocks, norm=norm, dropout=dropout, up=up, rng=rng
    )
    return Sequential(Residual(R), Hardtanh())
