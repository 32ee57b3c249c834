"""Captions from labels by a small grammar, and the labels that a caption names.

    caption    head part*
    head       [the | a | an] [body] noun,   or   [the | a] noun that is body
    noun       kitten | cat | kitty
    part       with phrase | and phrase | wearing phrase

A caption names one label at least and all of them at most; those that it names, the order of its
parts and the phrase of each are drawn. No phrase stands for two classes, and none can be read as
another one's end, so that `Grammar.parse` finds what was named.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np

from minigan.text.vocabulary import CaptionError, Vocabulary, words

NOUNS = ("kitten", "cat", "kitty")
ARTICLES = ("a", "the")
PARTS = ("with", "and")
WORN = ("wearing", "with", "and")
BODY = "body"

Phrases = Mapping[str, Mapping[str, tuple[str, ...]]]


class Grammar:
    """Captions of what has a body and parts.

    phrases  label -> class -> what it is called; the label "body" gives adjectives
    worn     phrases that may stand behind "wearing"

    Classes are numbered in their order, as in a data set's `label_names`.
    """

    def __init__(self, phrases: Phrases, worn: frozenset[tuple[str, str]]) -> None:
        self.phrases, self.worn = phrases, worn
        self.labels = tuple(phrases)
        self._classes = [tuple(classes.items()) for classes in phrases.values()]
        self._meanings = dict(self._readings())
        self._longest = max(map(len, self._meanings))
        self.vocabulary = Vocabulary(sorted(self._words()), self._length())

    def caption(self, labels: np.ndarray, rng: np.random.Generator) -> str:
        """One caption of `labels`, int (L,): a function of them and of rng alone."""
        named = rng.permutation(len(self.labels))[: rng.integers(1, len(self.labels) + 1)]
        body = self.labels.index(BODY)
        parts = [self._head(labels[body] if body in named else None, rng)]
        for i in named[named != body]:
            name, phrases = self._classes[i][labels[i]]
            connectors = self._connectors(self.labels[i], name)
            # "and" joins a part to one before it.
            connector = _one(connectors[: -1 if len(parts) == 1 else None], rng)
            parts.append(f"{connector} {_one(phrases, rng)}")
        return " ".join(parts)

    def parse(self, caption: str) -> dict[str, int]:
        """The classes that a caption names: label -> number, of each label the first.

        It need not be one of the grammar's: whatever phrases stand in it are found, the longest
        first. Raises CaptionError where one label is given two classes.
        """
        found: dict[str, int] = {}
        text = words(caption)
        i = 0
        while i < len(text):
            for n in range(self._longest, 0, -1):
                meaning = self._meanings.get(tuple(text[i : i + n]))
                if meaning is not None:
                    label, number = meaning
                    if found.setdefault(label, number) != number:
                        raise CaptionError(f"the caption {caption!r} names two classes of {label}")
                    i += n - 1
                    break
            i += 1
        return found

    def allows(self, caption: str) -> bool:
        """Whether `caption` could have made it, of some labels."""
        text = tuple(words(caption))
        return any(
            self._goes_on(text[len(head) :], frozenset({BODY} if named else ()), first=True)
            for head, named in self._heads.items()
            if text[: len(head)] == head
        )

    def _goes_on(self, text: tuple[str, ...], named: frozenset[str], *, first: bool) -> bool:
        """Whether the text behind a head, in which some labels are named, is parts."""
        if not text:
            return bool(named)
        return any(
            self._goes_on(text[len(part) :], named | {label}, first=False)
            for part, label in self._parts.items()
            if text[: len(part)] == part
            and label not in named
            and not (first and part[0] == PARTS[-1])
        )

    @cached_property
    def _heads(self) -> dict[tuple[str, ...], bool]:
        """Every head, and whether it names a body."""
        plain = {(article, noun): False for article in ARTICLES for noun in NOUNS}
        bodies = [a for _, phrases in self._classes[self.labels.index(BODY)] for a in phrases]
        shapes = (shape for noun in NOUNS for a in bodies for shape in _shapes(a, noun))
        return plain | {tuple(words(shape)): True for shape in shapes}

    @cached_property
    def _parts(self) -> dict[tuple[str, ...], str]:
        """Every part with its connector, and the label that it names."""
        return {
            (connector, *words(phrase)): label
            for label, classes in zip(self.labels, self._classes, strict=True)
            for name, phrases in classes
            for phrase in phrases
            for connector in self._connectors(label, name)
            if label != BODY
        }

    def _connectors(self, label: str, name: str) -> tuple[str, ...]:
        return WORN if (label, name) in self.worn else PARTS

    def _head(self, body: int | None, rng: np.random.Generator) -> str:
        noun = _one(NOUNS, rng)
        if body is None:
            return f"{_one(ARTICLES, rng)} {noun}"
        adjective = _one(self._classes[self.labels.index(BODY)][body][1], rng)
        return _one(_shapes(adjective, noun), rng)

    def _readings(self) -> list[tuple[tuple[str, ...], tuple[str, int]]]:
        """Every run of words that names a class, articles apart; adjectives do at their nouns."""
        found = []
        for label, classes in zip(self.labels, self._classes, strict=True):
            for number, (_, phrases) in enumerate(classes):
                for phrase in phrases:
                    shapes = [f"{phrase} {noun}" for noun in NOUNS] + [f"is {phrase}"]
                    shapes = (
                        shapes if label == BODY else [phrase.removeprefix("a ").removeprefix("an ")]
                    )
                    found += [(tuple(shape.split()), (label, number)) for shape in shapes]
        return found

    def _words(self) -> set[str]:
        grammatical = {"a", "an", "the", "that", "is", *NOUNS, *PARTS, *WORN}
        return grammatical | {word for shape in self._meanings for word in shape}

    def _length(self) -> int:
        """Words of the longest caption."""
        longest = {
            label: max(len(phrase.split()) for _, phrases in classes for phrase in phrases)
            for label, classes in zip(self.labels, self._classes, strict=True)
        }
        head = len(("a", "kitten", "that", "is")) + longest.pop(BODY)
        return head + sum(1 + words for words in longest.values())


class _Named(NamedTuple):
    """Class -> phrases, and those of the classes that are worn."""

    phrases: dict[str, tuple[str, ...]]
    worn: frozenset[str] = frozenset()


def _shapes(adjective: str, noun: str) -> tuple[str, ...]:
    """Heads that name a body."""
    article = "an" if adjective[0] in "aeiou" else "a"
    return (
        f"{article} {adjective} {noun}",
        f"the {adjective} {noun}",
        f"{adjective} {noun}",
        f"a {noun} that is {adjective}",
        f"the {noun} that is {adjective}",
    )


def _one(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[rng.integers(len(choices))]


_KITTENS = {
    "body": _Named(
        {
            "maroon": ("maroon", "wine red"),
            "lime": ("lime", "lime green"),
            "black": ("black",),
            "lilac": ("lilac", "pale purple"),
            "red": ("red",),
            "sand": ("sand coloured", "sandy"),
            "pink": ("pink",),
            "brown": ("brown",),
            "blue": ("blue",),
            "yellow": ("yellow",),
            "mustard": ("mustard", "dark yellow"),
            "grey": ("grey", "gray"),
            "caramel": ("caramel", "light brown"),
            "cream": ("cream", "cream coloured"),
            "orange": ("orange", "ginger"),
        }
    ),
    "fur": _Named(
        {
            "faint stripes": ("faint stripes", "pale stripes"),
            "tiger stripes": ("tiger stripes", "bold stripes"),
            "plain": ("plain fur", "no pattern"),
            "swirls": ("swirls", "swirled fur"),
            "dark patch": ("a dark patch",),
            "white patch": ("a white patch",),
            "white muzzle": ("a white muzzle",),
            "squares": ("squares", "checked fur"),
            "white spots": ("white spots", "spots"),
        }
    ),
    "eyes": _Named(
        {
            "round": ("round eyes",),
            "almond": ("almond eyes", "almond shaped eyes"),
            "dots": ("dots for eyes", "tiny eyes"),
            "pointed": ("pointed eyes",),
            "monocle": ("a monocle",),
            "square": ("square eyes",),
            "closed": ("closed eyes", "shut eyes"),
            "grey": ("grey eyes", "gray eyes"),
            "soft square": ("soft square eyes",),
            "green": ("green eyes",),
            "winged": ("winged eyes",),
            "oval": ("oval eyes",),
            "glasses": ("glasses", "spectacles"),
            "tall": ("tall eyes",),
            "lashes": ("lashes", "long lashes"),
        },
        frozenset({"glasses", "monocle"}),
    ),
    "mouth": _Named(
        {
            "open red": ("an open red mouth",),
            "wide smile": ("a wide smile", "a broad smile"),
            "small o": ("a small o", "a small round mouth"),
            "shout": ("a shout", "a shouting mouth"),
            "open dark": ("an open dark mouth",),
            "lopsided": ("a lopsided mouth", "a crooked mouth"),
            "smile": ("a smile", "a smiling mouth"),
            "open narrow": ("an open narrow mouth",),
            "grin": ("a grin", "a grinning mouth"),
            "open wide": ("an open wide mouth", "a wide open mouth"),
        }
    ),
    "accessory": _Named(
        {
            "red scarf": ("a red scarf",),
            "bell": ("a bell",),
            "red collar": ("a red collar",),
            "headband": ("a headband",),
            "pink bow": ("a pink bow",),
            "black hat": ("a black hat",),
            "red headphones": ("red headphones",),
            "blue scarf": ("a blue scarf",),
            "barrel": ("a barrel",),
            "typewriter": ("a typewriter",),
            "diamond": ("a diamond",),
            "bandana": ("a bandana",),
            "blue bow": ("a blue bow",),
            "red hat": ("a red hat",),
            "silver headphones": ("silver headphones",),
            "none": ("no accessory", "nothing on"),
        },
        frozenset(
            {
                *("red scarf", "bell", "red collar", "headband", "pink bow", "black hat"),
                *("red headphones", "blue scarf", "bandana", "blue bow", "red hat"),
                "silver headphones",
            }
        ),
    ),
}

KITTENS = Grammar(
    {label: named.phrases for label, named in _KITTENS.items()},
    frozenset((label, name) for label, named in _KITTENS.items() for name in named.worn),
)
