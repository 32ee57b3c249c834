"""Words: captions, their grammar, and the numbers that stand for them."""

from minigan.text.grammar import KITTENS, Grammar
from minigan.text.vocabulary import PADDING, CaptionError, Vocabulary, words

__all__ = [
    "KITTENS",
    "PADDING",
    "CaptionError",
    "Grammar",
    "Vocabulary",
    "words",
]
