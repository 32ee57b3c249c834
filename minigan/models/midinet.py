"""MidiNet's networks: G with its conditioner CNN, and D (Yang et al. 2017, sections 3 and 4).

A bar is a matrix (T, P, 1) of T = 16 time steps and P = 128 pitches. The pitches lie in one
convolution, so that all others see time alone:

    conditioner  previous bar -> 1xP -> 2x1 -> 2x1 -> 2x1        16, 8, 4, 2 steps, LeakyReLU
    G            z -> dense -> dense -> 2x1 -> 2x1 -> 2x1 -> 1xP  2, 4, 8, 16 steps, ReLU; sigmoid
    D            bar -> 2xP -> 4x1 -> dense -> dense              LeakyReLU

The conditioner's filters have the shapes of G's transposed ones, so that its layers make as many
steps as G's, and each is joined to the layer of G of its own size: the two are the encoder and the
decoder of a U-Net, at whose innermost place z enters. That is how it is built here, and both are
trained as one network.

The chord c, 13 numbers (12 roots, and 1 for minor), enters G

    none   not at all: "melody generator, no chord condition"
    last   in the last layer: "stable mode"
    all    in all layers: "creative mode"

and with it every layer of D. Widths are those of the authors' code
(github.com/RichardYang40148/MidiNet, v1), as are batch norms and what D looks at: it sees the bar
and the chord, not the bar before.
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.errors import OptionError, UnknownNameError
from minigan.layers import (
    BatchNorm,
    Columns,
    Concat,
    ConditionalConcat,
    ConditionalSequential,
    Conv2d,
    ConvTranspose2d,
    Dense,
    Flatten,
    Identity,
    JoinCondition,
    Layer,
    LeakyReLU,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
)
from minigan.models.dcgan import GAMMA

SLOPE = 0.2
HALVINGS = 3  # from 16 steps to 2
CHORD = 13
CHORDS = {
    "none": "the bar before alone",
    "last": "the chord in G's last layer: stable mode",
    "all": "the chord in all layers of G: creative mode",
}


def midinet_generator(
    z_dim: int,
    shape: tuple[int, ...] = (16, 128, 1),
    *,
    chords: str = "all",
    width: int = 128,
    conditioner: int = 16,
    hidden: int = 1024,
    rng: np.random.Generator,
) -> ConditionalSequential:
    """G: previous bars (N, *shape), z and chord (N, z_dim + 13) -> bars (N, *shape) in (0, 1).

    chords: where the chord enters, of CHORDS. width: channels of G's layers, `conditioner` of those
    of its conditioner, `hidden` units of its first layer. Raises UnknownNameError for another way,
    OptionError for a number of steps that cannot be halved three times.
    """
    _check(chords, shape)
    steps, pitches, channels = shape
    size = z_dim + CHORD

    def seen(where: tuple[str, ...]) -> list[Layer]:
        """What joins the chord, in the modes where it is joined; and how many channels it adds."""
        return [JoinCondition(size, Columns(z_dim, size))] if chords in where else []

    more = CHORD if chords == "all" else 0

    def level(i: int) -> Layer:
        """The conditioner's layer i beside all that is made of the layers below it."""
        if i == HALVINGS:
            return JoinCondition(size, _innermost(z_dim, steps >> i, hidden, width, more, rng))
        inner = ConditionalSequential(
            _down(conditioner, conditioner, (2, 1), (2, 1), rng),
            level(i + 1),
            *seen(("all",)),
            _up(width + conditioner + more, width, rng),
        )
        return ConditionalConcat(Identity(), inner)

    last = CHORD if chords in ("last", "all") else 0
    end = _conv(ConvTranspose2d, width + conditioner + last, channels, (1, pitches), rng=rng)
    return ConditionalSequential(
        _down(channels, conditioner, (1, pitches), (1, 1), rng),
        level(0),
        *seen(("last", "all")),
        Sequential(end, Sigmoid()),
    )


def _innermost(
    z_dim: int, steps: int, hidden: int, width: int, more: int, rng: np.random.Generator
) -> Sequential:
    """The dense layers: z, with the chord where `more` is its size, -> (N, steps, 1, width)."""

    def dense(features: int, units: int) -> list[Layer]:
        made = Dense(features, units, bias=False, init=init.dcgan, rng=rng)
        return [made, BatchNorm(units, init=GAMMA, rng=rng), ReLU()]

    first: Layer = Sequential(*dense(z_dim + more, hidden))
    if more:
        first = Concat(first, Columns(z_dim, z_dim + more))
    return Sequential(
        Columns(0, z_dim + more),
        first,
        *dense(hidden + more, steps * width),
        Reshape(steps, 1, width),
    )


def midinet_discriminator(
    shape: tuple[int, ...] = (16, 128, 1),
    *,
    chords: str = "all",
    width: int = 64,
    hidden: int = 1024,
    rng: np.random.Generator,
) -> ConditionalSequential:
    """D: bars (N, *shape) and chords (N, 13) -> logits (N, 1), in two parts.

    The first gives the features that G matches, the other all that follows. Without chords it looks
    at none. Raises as `midinet_generator`.
    """
    _check(chords, shape)
    steps, pitches, channels = shape
    more = 0 if chords == "none" else CHORD

    def seen() -> list[Layer]:
        return [JoinCondition(CHORD)] if more else []

    features = channels + more  # 14 of a bar and a chord, as in the authors' code
    lower = _conv(Conv2d, channels + more, features, (2, pitches), (2, 1), rng=rng)
    middle = _conv(Conv2d, features + more, width + more, (4, 1), (2, 1), norm=True, rng=rng)
    flat = (steps // 4 - 1) * (width + more)
    dense = Dense(flat + more, hidden, bias=False, init=init.dcgan, rng=rng)
    return ConditionalSequential(
        ConditionalSequential(*seen(), Sequential(lower, LeakyReLU(negative_slope=SLOPE))),
        ConditionalSequential(
            *seen(),
            Sequential(middle, _norm(width + more, rng), LeakyReLU(negative_slope=SLOPE)),
            Flatten(),
            *seen(),
            Sequential(dense, _norm(hidden, rng), LeakyReLU(negative_slope=SLOPE)),
            *seen(),
            Dense(hidden + more, 1, init=init.dcgan, rng=rng),
        ),
    )


def _check(chords: str, shape: tuple[int, ...]) -> None:
    if chords not in CHORDS:
        raise UnknownNameError("way for the chord into G:", chords, CHORDS)
    if len(shape) != 3 or shape[0] % (1 << HALVINGS):
        raise OptionError(
            f"MidiNet makes bars (T, P, 1) whose T steps can be halved {HALVINGS} times, such as "
            f"(16, 128, 1); got {shape}"
        )


def _down(
    cin: int, cout: int, kernel: tuple[int, int], stride: tuple[int, int], rng: np.random.Generator
) -> Sequential:
    """A layer of the conditioner."""
    conv = _conv(Conv2d, cin, cout, kernel, stride, norm=True, rng=rng)
    return Sequential(conv, _norm(cout, rng), LeakyReLU(negative_slope=SLOPE))


def _up(cin: int, cout: int, rng: np.random.Generator) -> Sequential:
    """A layer of G that doubles the steps."""
    conv = _conv(ConvTranspose2d, cin, cout, (2, 1), (2, 1), norm=True, rng=rng)
    return Sequential(conv, _norm(cout, rng), ReLU())


def _norm(features: int, rng: np.random.Generator) -> BatchNorm:
    return BatchNorm(features, init=GAMMA, rng=rng)


def _conv(
    kind: type[Conv2d] | type[ConvTranspose2d],
    cin: int,
    cout: int,
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    *,
    norm: bool = False,
    rng: np.random.Generator,
) -> Layer:
    """A convolution; behind one comes a norm, which takes the place of its bias."""
    return kind(cin, cout, kernel, stride=stride, bias=not norm, init=init.dcgan, rng=rng)
