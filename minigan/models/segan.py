"""SEGAN's networks, of sounds (N, T, C) (Pascual et al. 2017, arXiv:1703.09452, section 3 and 4.2).

With Ck a convolution of width 31 and stride 2 that makes k channels:

    encoder  C16-C32-C32-C64-C64-C128-C128-C256-C256-C512-C1024     PReLU behind each
    decoder  the same backwards, transposed, from the code and the noise beside it; PReLU, tanh last
    D        the encoder's convolutions on two sounds, virtual batch norm and LeakyReLU 0.3 behind
             each; a convolution of width 1 to one channel; a dense unit

for windows of 16384 samples; shorter ones are halved less often, and `width` is the 16. What each
layer of the encoder makes, before its PReLU, goes to the decoder's layer of the same size too. The
noise z has the shape of the code, in one row (N, T' C'): JoinCondition gives it places. First
weights are N(0, 0.02^2), of which the authors' code has the part within two deviations: what G
says first is near silence.
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import (
    ConditionalConcat,
    ConditionalSequential,
    Conv1d,
    ConvTranspose1d,
    Dense,
    Flatten,
    Identity,
    JoinCondition,
    Layer,
    LeakyReLU,
    Parallel,
    PReLU,
    Reshape,
    Sequential,
    Tanh,
)
from minigan.models.norms import Norms

KERNEL = 31
PADDING = 15  # of zeros, to both sides: T samples become T / 2
CHANNELS = (1, 2, 2, 4, 4, 8, 8, 16, 16, 32, 64)  # times `width`, of the encoder's layers
SHORTEST = 8  # samples of the paper's code


def segan_halvings(window: int, halvings: int | None = None) -> int:
    """How often windows are halved: `halvings`, or while even and 8 or more samples are left.

    11 times at most. Raises OptionError for a window that cannot be halved so often, naming the
    nearest that can.
    """
    most = len(CHANNELS)
    if halvings is not None and not 1 <= halvings <= most:
        raise OptionError(f"--halvings {halvings}: SEGAN's encoder has 1 to {most} layers")
    n = halvings
    if n is None:
        fits = (n for n in range(most, 0, -1) if not window % (1 << n) and window >> n >= SHORTEST)
        n = next(fits, 1)
    step = 1 << n
    if window % step or window < 2 * step:
        near = sorted({max(2, window // step + more) * step for more in (0, 1)})
        raise OptionError(
            f"--window {window} cannot be halved {n} times: give {' or '.join(map(str, near))}, or "
            "another --halvings"
        )
    return n


def code_shape(window: int, width: int, halvings: int) -> tuple[int, int]:
    """Samples and channels of the code, and so of the noise."""
    return window >> halvings, CHANNELS[halvings - 1] * width


def segan_generator(
    window: int, *, width: int = 16, halvings: int, rng: np.random.Generator
) -> ConditionalSequential:
    """G: noisy sounds (N, window, 1) and noise (N, T' C') -> sounds (N, window, 1) in (-1, 1)."""
    c = [width * k for k in CHANNELS[:halvings]]
    places, features = code_shape(window, width, halvings)

    def level(i: int) -> list[Layer]:
        """From what encoder layer i made to what decoder layer i takes; noise in the middle."""
        if i + 1 == halvings:
            noise = JoinCondition(places * features, Reshape(places, features))
            return [PReLU(c[i]), noise]
        inner = ConditionalSequential(
            PReLU(c[i]),
            _down(c[i], c[i + 1], rng=rng),
            *level(i + 1),
            _up(2 * c[i + 1], c[i], rng=rng),
            PReLU(c[i]),
        )
        return [ConditionalConcat(inner, Identity())]

    return ConditionalSequential(
        _down(1, c[0], rng=rng), *level(0), _up(2 * c[0], 1, rng=rng), Tanh()
    )


def segan_discriminator(
    window: int,
    *,
    width: int = 16,
    halvings: int,
    norm: str = "virtual",
    reference: Array | None = None,
    rng: np.random.Generator,
) -> Sequential:
    """D: a noisy sound and a clean or enhanced one, (N, window, 1) each -> a number (N, 1).

    Norms "virtual" and "reference" need a `reference` of pairs (R, window, 2). Raises as `Norms`.
    """
    norms = Norms(norm, reference=reference, rng=rng)
    layers: list[Layer] = []
    channels = 2
    for k in CHANNELS[:halvings]:
        layers += [
            _down(channels, k * width, bias=norms.bias, rng=rng),
            norms.after(window >> (len(layers) // 3 + 1), k * width),
            LeakyReLU(negative_slope=0.3),
        ]
        channels = k * width
    places, _ = code_shape(window, width, halvings)
    net = norms.network(
        *layers,
        Conv1d(channels, 1, 1, init=init.dcgan, rng=rng),
        Flatten(),
        Dense(places, 1, init=init.dcgan, rng=rng),
    )
    return Sequential(Parallel(Identity(), Identity()), *net.layers)


def _down(cin: int, cout: int, *, bias: bool = True, rng: np.random.Generator) -> Conv1d:
    return Conv1d(cin, cout, KERNEL, stride=2, padding=PADDING, bias=bias, init=init.dcgan, rng=rng)


def _up(cin: int, cout: int, *, rng: np.random.Generator) -> ConvTranspose1d:
    return ConvTranspose1d(
        cin,
        cout,
        KERNEL,
        stride=2,
        padding=PADDING,
        output_padding=1,
        init=init.dcgan,
        rng=rng,
    )
