"""The context encoder: a picture with a hole through a bottleneck to what the hole held.

    encoder    DCGAN's discriminator's convolutions, down to maps of 4 to 7 pixels
    between    a dense layer within each channel, which carries what is known across the maps, then
               a 1x1 convolution, which mixes the channels, norm and ReLU (Pathak et al. 2016,
               section 3.1)
    decoder    DCGAN's generator's transposed convolutions, tanh at the end

For a hole in the centre the decoder makes the central half of the picture, and so doubles once less
than the encoder halves; else the whole picture (the paper's figure 9). The paper's first encoder is
AlexNet's; its figure's has at most 512 channels, DCGAN's twice as many.
"""

from __future__ import annotations

import math

import numpy as np

from minigan import init
from minigan.layers import ChannelwiseDense, Conv2d, ReLU, Sequential
from minigan.models.dcgan import GAMMA, base_of, doubling, halvings, shrinking
from minigan.models.norms import Norms
from minigan.models.remedies import Remedies


def context_encoder(
    shape: tuple[int, ...],
    made: tuple[int, ...],
    *,
    width: int = 64,
    norm: str = "batch",
    rng: np.random.Generator,
) -> Sequential:
    """G: pictures (N, H, W, C), `shape`, -> pictures (N, *made) in (-1, 1).

    made: `shape`, or (H / 2, W / 2, C). Raises OptionError for sizes that DCGAN cannot halve.
    """
    halvings(shape, network="a context encoder")
    norms = Norms(norm, init=GAMMA, rng=rng)
    h, w, features = base_of(shape, width)
    _, _, narrower = base_of(made, width)
    return Sequential(
        *shrinking(shape, width=width, norms=norms, parts=Remedies(), rng=rng),
        ChannelwiseDense(features, math.prod((h, w)), rng=rng),
        Conv2d(features, narrower, 1, bias=norms.bias, init=init.dcgan, rng=rng),
        norms.after(h, w, narrower),
        ReLU(),
        *doubling(made, width=width, bias=norms.bias, norm=norms.after, rng=rng),
    )
