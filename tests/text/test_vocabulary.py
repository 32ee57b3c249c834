"""Captions as numbers and back, and captions that cannot be."""

import numpy as np
import pytest

from minigan.text import PADDING, CaptionError, Vocabulary, words

KNOWN = Vocabulary(["a", "blue", "glasses", "grey-eyed", "kitten", "with"], 5)


def test_words_are_lower_case_without_what_stands_between():
    assert words("A BLUE kitten, with\tglasses!") == ["a", "blue", "kitten", "with", "glasses"]
    assert words("woman’s hat; cat's -  well-known_x 2") == [
        *("woman’s", "hat", "cat's", "well-known", "x", "2"),
    ]
    assert words("Übergroß — né") == ["übergroß", "né"]
    assert words("...") == []


def test_a_caption_is_its_words_places_and_zeros_behind():
    numbers = KNOWN.encode(["a blue kitten", "Glasses"])
    assert numbers.dtype == np.int64
    np.testing.assert_array_equal(numbers, [[1, 2, 5, 0, 0], [3, 0, 0, 0, 0]])
    np.testing.assert_array_equal(KNOWN.encode("with a"), [[6, 1, 0, 0, 0]])
    assert PADDING == 0
    assert KNOWN.size == 7
    assert [KNOWN.names[i] for i in numbers[0]] == ["a", "blue", "kitten", "", ""]


def test_numbers_are_captions_again():
    captions = ["a blue kitten with glasses", "grey-eyed"]
    assert KNOWN.decode(KNOWN.encode(captions)) == captions


def test_a_vocabulary_of_captions_has_their_words_once_and_the_longest_length():
    made = Vocabulary.of(["a kitten", "The kitten, blue", "A b a b"])
    assert made.words == ("a", "b", "blue", "kitten", "the")
    assert made.length == 4


def test_an_unknown_word_is_named_with_the_nearest_known_ones():
    with pytest.raises(CaptionError) as caught:
        KNOWN.encode("a blu kitten with zzz glases")
    told = str(caught.value)
    assert "unknown word 'blu', did you mean 'blue'?" in told
    assert "unknown word 'glases', did you mean 'glasses'?" in told
    assert "unknown word 'zzz';" in told
    assert told.endswith("known: a, blue, glasses, grey-eyed, kitten, with")


def test_of_many_known_words_a_few_are_named():
    many = Vocabulary([f"w{i}" for i in range(100)], 3)
    with pytest.raises(CaptionError, match=r"unknown word 'x'; known: w0, .*w39 and 60 more$"):
        many.encode("x")


def test_a_caption_that_is_too_long_is_refused():
    KNOWN.encode("a a a a a")
    with pytest.raises(CaptionError, match="has 6 words, the model takes 5 at most; shorten it"):
        KNOWN.encode("a a a a a a")


@pytest.mark.parametrize("caption", ["", "  ", "?!"])
def test_a_caption_without_words_is_refused(caption):
    with pytest.raises(CaptionError, match=r"has no words; give some, e\.g\. a, blue"):
        KNOWN.encode(caption)


@pytest.mark.parametrize(
    ("listed", "length"), [([], 3), (["a", "a"], 3), (["two words"], 3), (["Big"], 3), (["a"], 0)]
)
def test_a_vocabulary_that_no_caption_fits_is_refused(listed, length):
    with pytest.raises(CaptionError):
        Vocabulary(listed, length)
