"""Sentences as rows of tokens: of a user's text, of captions, or of an oracle (oracle.py).

An example is int64 (T,): of words their places in a vocabulary from 1 on, and 0 behind the last
(text/vocabulary.py), so that 0 ends a sentence.

A text is a .txt file in UTF-8, a sentence a line; empty lines are passed over. Words are what
text/vocabulary.py takes for words, in lower case. Every tenth sentence, from the first on, is for
testing; the vocabulary is that of all of them.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from minigan.data.base import Batch, Finite
from minigan.data.options import Split
from minigan.errors import DataError, OptionError
from minigan.text import Vocabulary, words

HELD_OUT = 10  # every so many sentences of a text
LONGEST = 100  # words of a text's sentence, unless --length says


class SentenceOptions(NamedTuple):
    """What may be asked of sentences: words of the oracle, of a sentence; the split."""

    words: int | None = None
    length: int | None = None
    split: Split = "train"

    def checked(self) -> SentenceOptions:
        """Raises OptionError for numbers that cannot be."""
        for name, value, least in (("--words", self.words, 2), ("--length", self.length, 1)):
            if value is not None and value < least:
                raise OptionError(f"{name} {value} must be at least {least}")
        return self

    def refuse_words(self, name: str) -> None:
        """Raise OptionError where a number of words is asked of data that has its own."""
        if self.words is not None:
            raise OptionError(
                f"--words {self.words} is of --data oracle; {name} has words of its own, leave "
                "--words out"
            )


class Sentences(Finite):
    """Sentences of `length` tokens, of which there are `words`.

    ends: whether 0 ends a sentence, and is no token like the others.
    """

    def __init__(self, name: str, length: int, words: int, *, ends: bool) -> None:
        super().__init__(name, (length,))
        self.words, self.ends = words, ends

    @property
    @abstractmethod
    def tokens(self) -> np.ndarray:
        """All of them, int64 (N, T)."""

    @property
    def kind(self) -> Literal["sentences"]:
        return "sentences"

    def __len__(self) -> int:
        return len(self.tokens)

    def take(self, indices: np.ndarray) -> Batch:
        return Batch(self.tokens[indices], None)

    def written(self, tokens: np.ndarray) -> list[str]:
        """Sentences (N, T) as text: here their numbers."""
        return [" ".join(map(str, row)) for row in tokens]


class WordSentences(Sentences):
    """Sentences of the words of a vocabulary."""

    def __init__(self, name: str, sentences: list[str], vocabulary: Vocabulary) -> None:
        super().__init__(name, vocabulary.length, vocabulary.size, ends=True)
        self.vocabulary = vocabulary
        self._tokens = vocabulary.encode(sentences)

    @property
    def tokens(self) -> np.ndarray:
        return self._tokens

    def written(self, tokens: np.ndarray) -> list[str]:
        """Sentences (N, T) as their words."""
        return self.vocabulary.decode(tokens)


def open_text(path: Path, options: SentenceOptions) -> WordSentences:
    """The sentences of a text file.

    Raises DataError for a file that cannot be read, without sentences or with one that is too
    long, OptionError for what cannot be asked.
    """
    options.refuse_words(path.name)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text in UTF-8: {error}") from error
    kept = [(number, line) for number, line in enumerate(lines, 1) if words(line)]
    if len(kept) < 2:
        found = "none" if not kept else "one, which is for testing"
        raise DataError(f"{path}: wanted sentences, one a line; it has {found}; give two or more")
    most = options.length or LONGEST
    number, longest = max(kept, key=lambda pair: len(words(pair[1])))
    if (count := len(words(longest))) > most:
        raise DataError(
            f"{path}, line {number}: a sentence of {count} words, and --length is {most}; break it "
            f"up, or give --length {count}"
        )
    sentences = [line for _, line in kept]
    vocabulary = Vocabulary.of(sentences)
    vocabulary = Vocabulary(vocabulary.words, options.length or vocabulary.length)
    test = options.split == "test"
    chosen = [s for i, s in enumerate(sentences) if (i % HELD_OUT == 0) == test]
    return WordSentences(str(path), chosen, vocabulary)
