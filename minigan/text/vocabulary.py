"""Captions as numbers: words in lower case, each with its place in a vocabulary.

A caption is a row of `length` numbers, its words' places from 1 and then zeros. Words are runs of
letters and digits, with apostrophes and hyphens inside them; everything else parts them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

import numpy as np

from minigan.errors import MiniganError

PADDING = 0  # the number that stands behind a caption's last word
SHOWN = 40  # as many words at most does an error list
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class CaptionError(MiniganError, ValueError):
    """A caption that a vocabulary cannot turn into numbers."""


def words(caption: str) -> list[str]:
    """The words of a caption, in lower case."""
    return _WORD.findall(caption.lower())


class Vocabulary:
    """The words that a model knows, and how many of them a caption may have.

    words   each once, as `words` finds them, at least one
    length  of a caption, 1 or more

    Raises CaptionError for words that no caption could hold.
    """

    def __init__(self, words: Iterable[str], length: int) -> None:
        self.words, self.length = tuple(words), length
        odd = [word for word in self.words if _WORD.fullmatch(word) is None or word.lower() != word]
        if odd or not self.words or len(set(self.words)) < len(self.words):
            told = f"{odd[0]!r} is none" if odd else "there are none" if not self.words else "twice"
            raise CaptionError(f"a vocabulary wanted single words in lower case, each once: {told}")
        if length < 1:
            raise CaptionError(f"captions of {length} words: give a length of at least 1")
        self._places = {word: i for i, word in enumerate(self.words, 1)}

    @classmethod
    def of(cls, captions: Iterable[str]) -> Vocabulary:
        """The words of these captions in alphabetical order, and the length of the longest."""
        split = [words(caption) for caption in captions]
        longest = max(map(len, split), default=0)
        return cls(sorted({word for caption in split for word in caption}), max(1, longest))

    @property
    def size(self) -> int:
        """How many numbers there are: one for each word, and the padding's."""
        return len(self.words) + 1

    @property
    def names(self) -> tuple[str, ...]:
        """What each number stands for; the padding for nothing."""
        return ("", *self.words)

    def encode(self, captions: str | Sequence[str]) -> np.ndarray:
        """Numbers, int64 (N, length), of N captions, or of one as (1, length).

        Raises CaptionError for a caption without words, one that is too long, and for words that
        are not known, naming the nearest ones that are.
        """
        several = [captions] if isinstance(captions, str) else captions
        numbers = np.full((len(several), self.length), PADDING, np.int64)
        for row, caption in zip(numbers, several, strict=True):
            found = words(caption)
            self._check(caption, found)
            row[: len(found)] = [self._places[word] for word in found]
        return numbers

    def decode(self, numbers: np.ndarray) -> list[str]:
        """The captions of numbers (N, length), words with a space between."""
        return [" ".join(self.words[i - 1] for i in row if i != PADDING) for row in numbers]

    def _check(self, caption: str, found: list[str]) -> None:
        if not found:
            raise CaptionError(
                f"the caption {caption!r} has no words; give some, e.g. {self._some}"
            )
        unknown = [word for word in dict.fromkeys(found) if word not in self._places]
        if unknown:
            raise CaptionError(f"{'; '.join(map(self._advice, unknown))}; known: {self._some}")
        if len(found) > self.length:
            raise CaptionError(
                f"the caption {caption!r} has {len(found)} words, the model takes {self.length} at "
                "most; shorten it"
            )

    def _advice(self, word: str) -> str:
        near = difflib.get_close_matches(word, self.words, n=3, cutoff=0.5)
        hint = f", did you mean {' or '.join(map(repr, near))}?" if near else ""
        return f"unknown word {word!r}{hint}"

    @property
    def _some(self) -> str:
        rest = len(self.words) - SHOWN
        return ", ".join(self.words[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
