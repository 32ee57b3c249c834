"""Captions of kittens as sentences: "captions".

10,000 captions by the grammar of text/grammar.py, always the same, of kittens of the training
split; as many others, of kittens of the test split, are for testing. With a length L they are such
as have L words at most. What the grammar allows is known, so that a metric can tell which generated
sentences are captions.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import make_rng
from minigan.data.kittens import COMBINATIONS, Kittens, held_out
from minigan.data.sentences import SentenceOptions, WordSentences
from minigan.errors import OptionError
from minigan.streams import Purpose
from minigan.text import KITTENS, Vocabulary, words

CAPTIONS = 10_000  # of each split
SHORTEST = 6  # words that --length may ask for: there are some 5,000 captions as short


def open_captions_alone(name: str, options: SentenceOptions) -> WordSentences:
    """The captions of a split. Raises OptionError for a length that too few have."""
    options.refuse_words(name)
    length = options.length or KITTENS.vocabulary.length
    if length < SHORTEST:
        raise OptionError(
            f"--length {length}: captions have too few words; give {SHORTEST} or more"
        )
    test = options.split == "test"
    everything = np.arange(COMBINATIONS)
    combinations = everything[held_out(everything) == test]
    rng = make_rng(0, Purpose.SENTENCES, int(test))
    made: list[str] = []
    while len(made) < CAPTIONS:
        labels = Kittens.labels(combinations[rng.integers(len(combinations), size=CAPTIONS)])
        captions = (KITTENS.caption(row, rng) for row in labels)
        made += [caption for caption in captions if len(words(caption)) <= length]
    vocabulary = Vocabulary(KITTENS.vocabulary.words, length)
    return WordSentences(name, made[:CAPTIONS], vocabulary)
