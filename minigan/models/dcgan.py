"""DCGAN to the guidelines of its paper, for any legal size (Radford et al. 2016, section 3).

Strided convolutions do what pooling does; batch norm stands in both networks, but not at G's
output nor D's input; ReLU in G with tanh at its end, LeakyReLU 0.2 in D; no hidden dense layers.
Every weight is drawn from N(0, 0.02^2), every gamma from N(1, 0.02^2). Kernels are 4x4, where the
paper's figure 1 has 5x5; gamma's draw is from published code, not from the paper.

A picture of (H, W) is halved n times down to a base whose shorter side is 4 to 7: n = 3 and 4x4
for 32x32, n = 4 and 4x4 for 64x64, n = 2 and 7x7 for 28x28.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minigan import init
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import (
    Conv2d,
    ConvTranspose2d,
    Dense,
    Flatten,
    Identity,
    Layer,
    LeakyReLU,
    Parallel,
    ReLU,
    Reshape,
    Sequential,
    Tanh,
)
from minigan.models.norms import Norms
from minigan.models.remedies import Remedies

BASE = range(4, 8)  # sides that the shorter edge of the base may have
GAMMA = init.normal(0.02, mean=1.0)


def halvings(shape: tuple[int, ...], *, network: str = "DCGAN") -> int:
    """How often a picture (H, W, C) is halved. Raises OptionError for a size that cannot be."""
    h, w = shape[:2]
    n = _halvings(h, w)
    if n is None:
        raise OptionError(
            f"{network} cannot make pictures of {h}x{w}: halving must lead to a shorter side of "
            f"{BASE[0]} to {BASE[-1]} pixels; nearest legal sizes: {' and '.join(_nearest(h, w))} "
            "(--size)"
        )
    return n


def dcgan_generator(
    z_dim: int,
    shape: tuple[int, ...],
    *,
    width: int = 64,
    norm: str = "batch",
    reference: Array | None = None,
    rng: np.random.Generator,
) -> Sequential:
    """G: z (N, z_dim) -> pictures (N, H, W, C) in (-1, 1); `width` channels before the last layer.

    z is projected and reshaped to the base, then each transposed convolution doubles the size and
    halves the channels. `norm` is the paper's batch norm unless given; "reference" and "virtual"
    need a `reference` of z. Raises OptionError for z_dim below 1 and a size that cannot be, naming
    the nearest, UnknownNameError for a norm.
    """
    if z_dim < 1:
        raise OptionError(f"z_dim={z_dim} must be at least 1")
    norms = Norms(norm, reference=reference, init=GAMMA, rng=rng)
    layers = growing(z_dim, shape, width=width, bias=norms.bias, norm=norms.after, rng=rng)
    return norms.network(*layers)


def dcgan_discriminator(
    shape: tuple[int, ...],
    *,
    width: int = 64,
    norm: str = "batch",
    reference: Array | None = None,
    remedies: Remedies | None = None,
    rng: np.random.Generator,
) -> Sequential:
    """D: pictures (N, H, W, C) -> logits (N, 1), fewer if packed; each convolution halves the size.

    `width` channels after the first layer, doubled by each further one; `norm` is the paper's batch
    norm unless given, "reference" and "virtual" need a `reference` of pictures. Raises as
    `dcgan_generator`.
    """
    parts = remedies or Remedies()
    norms = Norms(norm, reference=reference, pac=parts.pac, init=GAMMA, rng=rng)
    layers = shrinking(shape, width=width, norms=norms, parts=parts, rng=rng)
    h, w, features = base_of(shape, width)
    base = h * w * (features + parts.minibatch_stddev)  # one channel more
    last = Dense(base + parts.minibatch_discrimination, 1, init=init.dcgan, rng=rng)
    layers += [
        *parts.deviation(),
        Flatten(),
        *parts.comparison(base, rng),
        parts.weighted(last, rng),
    ]
    return norms.network(*layers)


def of_pairs(D: Sequential) -> Sequential:
    """D of pictures whose channels are those of two, as one of both pictures."""
    return Sequential(Parallel(Identity(), Identity()), *D.layers)


def base_of(shape: tuple[int, ...], width: int) -> tuple[int, int, int]:
    """The smallest picture within either network: its height, its width and its channels."""
    n = halvings(shape)
    return shape[0] >> n, shape[1] >> n, width << (n - 1)


def growing(
    inputs: int,
    shape: tuple[int, ...],
    *,
    width: int,
    bias: bool,
    norm: Callable[[int, int, int], Layer],
    rng: np.random.Generator,
) -> list[Layer]:
    """G's layers from (N, inputs) to pictures; `norm` makes the norm of a picture (h, w, c)."""
    base = base_of(shape, width)
    layers: list[Layer] = [
        Dense(inputs, math.prod(base), bias=bias, init=init.dcgan, rng=rng),
        Reshape(*base),
        norm(*base),
        ReLU(),
    ]
    return [*layers, *doubling(shape, width=width, bias=bias, norm=norm, rng=rng)]


def doubling(
    shape: tuple[int, ...],
    *,
    width: int,
    bias: bool,
    norm: Callable[[int, int, int], Layer],
    rng: np.random.Generator,
) -> list[Layer]:
    """G's layers from the base (N, *base_of(shape, width)) to pictures."""
    n = halvings(shape)
    h, w, channels = shape
    _, _, features = base_of(shape, width)
    layers: list[Layer] = []
    for i in range(n - 1, 0, -1):
        layers += [
            _up(features, features // 2, bias=bias, rng=rng),
            norm(h >> i, w >> i, features // 2),
            ReLU(),
        ]
        features //= 2
    layers += [_up(features, channels, bias=True, rng=rng), Tanh()]
    return layers


def shrinking(
    shape: tuple[int, ...],
    *,
    width: int,
    norms: Norms,
    parts: Remedies,
    beside: int = 0,
    rng: np.random.Generator,
) -> list[Layer]:
    """D's layers from pictures, with `beside` more channels, to those of `base_of`."""
    n = halvings(shape)
    h, w, channels = shape
    layers: list[Layer] = [
        parts.weighted(_down(channels * parts.pac + beside, width, bias=True, rng=rng), rng),
        LeakyReLU(negative_slope=0.2),
    ]
    features = width
    for i in range(2, n + 1):
        layers += [
            parts.weighted(_down(features, features * 2, bias=norms.bias, rng=rng), rng),
            norms.after(h >> i, w >> i, features * 2),
            LeakyReLU(negative_slope=0.2),
        ]
        features *= 2
    return layers


def _up(cin: int, cout: int, *, bias: bool, rng: np.random.Generator) -> ConvTranspose2d:
    return ConvTranspose2d(cin, cout, 4, stride=2, padding=1, bias=bias, init=init.dcgan, rng=rng)


def _down(cin: int, cout: int, *, bias: bool, rng: np.random.Generator) -> Conv2d:
    return Conv2d(cin, cout, 4, stride=2, padding=1, bias=bias, init=init.dcgan, rng=rng)


def _halvings(h: int, w: int) -> int | None:
    n = 0
    while min(h, w) > BASE[-1] and h % 2 == w % 2 == 0:
        h, w, n = h // 2, w // 2, n + 1
    return n if n and min(h, w) in BASE else None


def _nearest(h: int, w: int) -> list[str]:
    """The two legal sizes with the fewest rows and columns changed; squares for a square."""

    def sides(side: int) -> range:
        return range(side // 4 * 2, max(2 * side, 4 * BASE[0]) + 1, 2)

    legal = [
        (abs(a - h) + abs(b - w), f"{a}x{b}")
        for a in sides(h)
        for b in ([a] if h == w else sides(w))
        if _halvings(a, b) is not None
    ]
    return [size for _, size in sorted(legal)[:2]]
