"""PixelDTGAN's converter: a picture through 64 numbers to a picture of another domain.

    encoder  DCGAN's discriminator's convolutions, down to maps of 4 to 7 pixels, then one whose
             kernel is as large as these maps, which is a dense layer, to `code_dim` numbers
    decoder  DCGAN's generator, with the vector in the place of z

(Yoo et al. 2016, section 4.1 and table 1: five layers each for pictures of 64x64, 128 to 1,024
filters and a code of 64 numbers.) Nothing goes around the code, so that what is kept of a picture
is what it shows, and not where. Kernels are 4x4, as in dcgan.py. The norm after the code is over
the minibatch alone.
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import Dense, Flatten, LeakyReLU, Sequential
from minigan.models.dcgan import GAMMA, base_of, growing, halvings, shrinking
from minigan.models.norms import Norms
from minigan.models.remedies import Remedies


def converter(
    shape: tuple[int, ...],
    out_channels: int,
    *,
    code_dim: int = 64,
    width: int = 128,
    rng: np.random.Generator,
) -> Sequential:
    """C: pictures (N, H, W, C), `shape`, -> pictures (N, H, W, out_channels) in (-1, 1).

    `width` channels after the first layer and before the last. Raises OptionError for sizes that
    DCGAN cannot halve, and for a code without numbers.
    """
    halvings(shape, network="a converter")
    if code_dim < 1:
        raise OptionError(f"code_dim={code_dim} must be at least 1")
    norms = Norms("batch", init=GAMMA, rng=rng)
    h, w, features = base_of(shape, width)
    made = (*shape[:2], out_channels)
    return Sequential(
        *shrinking(shape, width=width, norms=norms, parts=Remedies(), rng=rng),
        Flatten(),
        Dense(h * w * features, code_dim, bias=norms.bias, init=init.dcgan, rng=rng),
        norms.after(code_dim),
        LeakyReLU(negative_slope=0.2),
        *growing(code_dim, made, width=width, bias=norms.bias, norm=norms.after, rng=rng),
    )
