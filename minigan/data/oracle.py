"""Sentences of an oracle: an LSTM with random weights, whose every probability is known.

Yu et al. (2017, section 4): all parameters of an LSTM are drawn from N(0, 1), and 10,000 sentences
of 20 tokens, of 5,000, are drawn from it to learn from. How likely it is to say what a generator
says, NLL_oracle (metrics/sentences.py), tells how good the generator is, by the truth itself.

The weights are those of seed 0 for each number of words; training meets 10,000 sentences, 10,000
others are for testing.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from minigan.backend import make_rng
from minigan.data.sentences import SentenceOptions, Sentences
from minigan.models import policy, sentence_generator
from minigan.streams import Purpose

WORDS, LENGTH = 5000, 20
UNITS = 32  # of the LSTM, and numbers that it knows a word by
SENTENCES = 10_000  # of each split
CHUNK = 500  # sentences drawn at a time


class Oracle(Sentences):
    """Sentences (N, T) of `G`, a generator of logits as in models/seqgan.py."""

    def __init__(self, name: str, options: SentenceOptions) -> None:
        words, length = options.words or WORDS, options.length or LENGTH
        super().__init__(name, length, words, ends=False)
        self._test = options.split == "test"
        self.G = sentence_generator(
            words,
            embedding=UNITS,
            hidden=UNITS,
            deviation=1.0,
            rng=make_rng(0, Purpose.ORACLE),
        )

    def __len__(self) -> int:
        return SENTENCES

    @cached_property
    def tokens(self) -> np.ndarray:
        """All sentences of the split, int64 (10000, T)."""
        rng, (length,) = make_rng(0, Purpose.SENTENCES, int(self._test)), self.shape
        parts = (
            policy.draw_sentences(self.G, CHUNK, length, rng, ends=False)
            for _ in range(SENTENCES // CHUNK)
        )
        return np.concatenate(list(parts))
