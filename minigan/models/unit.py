r"""UNIT's encoders and decoders of two domains around one latent space (Liu et al. 2017, table 5).

    E   c7s1-64, d128, d256, R256 (3 times), and one more R256 that both encoders share
    G   one R256 that both decoders share, R256 (3 times), u128, u64, c7s1-3

in the notation of resnet.py, of whose parts they are: the paper's layers with CycleGAN's widths,
norms and mirrored borders, so that both can be compared. A code is a feature map (N, H/4, W/4,
256).

What is shared is one layer at the end of both encoders, and one at the start of both decoders: its
parameters exist once, and get the gradients of all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minigan.errors import OptionError
from minigan.layers import Layer, Sequential
from minigan.models.resnet import HALVINGS, Parts, resnet_size

Rng = np.random.Generator
Size = tuple[int, int]


def unit_encoder(
    shape: tuple[int, ...],
    *,
    width: int = 64,
    halvings: int = HALVINGS,
    blocks: int = 3,
    norm: str = "instance",
    shared: Layer | None = None,
    rng: Rng,
) -> Sequential:
    """E: pictures (N, H, W, C) -> codes (N, H/2^n, W/2^n, 2^n width), n halvings.

    shared: what the encoder of the other domain ends in too. Raises OptionError for a size that
    cannot be halved so often, naming the nearest ones.
    """
    h, w, channels = shape
    resnet_size(h, w, halvings)
    parts = Parts((h, w), norm=norm, rng=rng)
    return Sequential(
        *parts.first(channels, width),
        *parts.halved(width, halvings),
        *parts.blocks(blocks, width << halvings, halvings),
        *([shared] if shared else []),
    )


def unit_decoder(
    shape: tuple[int, ...],
    *,
    width: int = 64,
    halvings: int = HALVINGS,
    blocks: int = 3,
    norm: str = "instance",
    up: str = "transposed",
    shared: Layer | None = None,
    rng: Rng,
) -> Sequential:
    """G: codes (N, H/2^n, W/2^n, 2^n width) -> pictures (N, H, W, C) in (-1, 1).

    shared: what the decoder of the other domain begins with too. Raises OptionError for a size.
    """
    h, w, channels = shape
    resnet_size(h, w, halvings)
    parts = Parts((h, w), norm=norm, up=up, rng=rng)
    return Sequential(
        *([shared] if shared else []),
        *parts.blocks(blocks, width << halvings, halvings),
        *parts.doubled(width, halvings),
        *parts.last(width, channels),
    )


class SharedLatent(Layer):
    """Both encoders and both decoders: E_X, E_Y, G_X, G_Y, with one buffer of parameters.

    It has no forward pass of its own: `E` and `G` are its parts by their domain, "X" or "Y".
    """

    def __init__(self, encoders: Mapping[str, Sequential], decoders: Mapping[str, Sequential]):
        super().__init__()
        self.E, self.G = dict(encoders), dict(decoders)
        for domain in encoders:
            self.add_child(f"E_{domain}", self.E[domain])
        for domain in decoders:
            self.add_child(f"G_{domain}", self.G[domain])

    def way(self, source: str, target: str) -> Sequential:
        """From pictures of one domain to pictures of another, through the codes' means."""
        return Sequential(self.E[source], self.G[target])


def shared_latent(
    size: Size,
    channels: tuple[int, int],
    *,
    width: int = 64,
    halvings: int = HALVINGS,
    blocks: int = 3,
    shared_blocks: int = 1,
    norm: str = "instance",
    up: str = "transposed",
    rng: Rng,
) -> SharedLatent:
    """The four networks for pictures of `size` with so many channels of x and of y.

    `shared_blocks` residual blocks are shared by the encoders, and as many by the decoders. Raises
    OptionError for what cannot be.
    """
    resnet_size(*size, halvings)
    if shared_blocks < 0:
        raise OptionError(f"--shared-blocks {shared_blocks} must be at least 0")
    parts = Parts(size, norm=norm, rng=rng)

    def shared() -> Layer | None:
        some = parts.blocks(shared_blocks, width << halvings, halvings)
        return Sequential(*some) if some else None

    code, start = shared(), shared()
    shapes = {domain: (*size, c) for domain, c in zip("XY", channels, strict=True)}
    kwargs = {"width": width, "halvings": halvings, "blocks": blocks}
    return SharedLatent(
        {d: unit_encoder(s, norm=norm, shared=code, rng=rng, **kwargs) for d, s in shapes.items()},
        {
            d: unit_decoder(s, norm=norm, up=up, shared=start, rng=rng, **kwargs)
            for d, s in shapes.items()
        },
    )
