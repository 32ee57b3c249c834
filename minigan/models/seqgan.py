"""SeqGAN's networks: an LSTM that says sentences, a CNN that judges them (Yu et al. 2017).

A sentence is a row of T tokens, integers from 0 to V - 1. G reads the tokens before each place and
gives the logits of the token there; D gives a sentence's logit of being real:

    G    tokens (N, T) -> embedding -> LSTM -> dense: logits (N, T, V)
    D    tokens (N, T) -> embedding -> convolutions of several widths, ReLU, the maximum over time
         -> highway -> dropout -> dense: (N, 1)

D is Kim's (2014) classifier of texts with the highway layer of Srivastava et al. (2015). Widths,
sizes and first weights are those of the authors' code (github.com/LantaoYu/SeqGAN); only D's biases
begin at 0, there at 0.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import (
    LSTM,
    Concat,
    Conv1d,
    Dense,
    Dropout,
    Embedding,
    GlobalMaxPool,
    Highway,
    ReLU,
    Sequential,
)

WINDOWS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20)
FILTERS = (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160)
DEVIATION = 0.1  # of first weights


def sentence_generator(
    words: int,
    *,
    embedding: int = 32,
    hidden: int = 32,
    deviation: float = DEVIATION,
    rng: np.random.Generator,
) -> Sequential:
    """G: the tokens before each place, integers (N, T) below `words`, -> logits (N, T, words).

    All parameters are drawn from N(0, deviation^2). Raises OptionError for fewer than one.
    """
    _check(words=words, embedding=embedding, hidden=hidden)
    G = Sequential(
        Embedding(words, embedding, rng=rng),
        LSTM(embedding, hidden, rng=rng),
        Dense(hidden, words, rng=rng),
    )
    for parameter in G.params.values():
        parameter.data[...] = deviation * rng.standard_normal(parameter.shape)
    return G


def sentence_discriminator(
    words: int,
    length: int,
    *,
    embedding: int = 64,
    windows: Sequence[int] = WINDOWS,
    filters: Sequence[int] = FILTERS,
    dropout: float = 0.25,
    rng: np.random.Generator,
) -> Sequential:
    """D: sentences, integers (N, length) below `words`, -> logits (N, 1).

    filters: how many of each width; windows wider than a sentence are left out. Raises OptionError
    for numbers below one, windows without their filters, and where no window fits.
    """
    _check(words=words, length=length, embedding=embedding, windows=min(windows, default=0))
    _check(filters=min(filters, default=0))
    if len(windows) != len(filters):
        raise OptionError(
            f"{len(windows)} windows and {len(filters)} numbers of filters: give one for each"
        )
    fitting = [(k, n) for k, n in zip(windows, filters, strict=True) if k <= length]
    if not fitting:
        raise OptionError(f"no window of {windows} fits into sentences of {length} tokens")
    draw = init.normal(DEVIATION)
    features = sum(n for _, n in fitting)
    return Sequential(
        Embedding(words, embedding, init=init.uniform(1.0), rng=rng),
        Concat(
            *(
                Sequential(Conv1d(embedding, n, k, init=draw, rng=rng), ReLU(), GlobalMaxPool())
                for k, n in fitting
            )
        ),
        Highway(features, rng=rng),
        Dropout(dropout, rng=rng),
        Dense(features, 1, init=draw, rng=rng),
    )


def _check(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise OptionError(f"{name}={value!r} must be at least 1")
