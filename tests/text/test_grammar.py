"""Captions name what they are made of, all of the grammar can be read back, and nothing twice."""

from collections import Counter

import numpy as np
import pytest

from minigan.data.kittens import COMBINATIONS, NAMES, Kittens
from minigan.text import KITTENS, CaptionError, Grammar, words

LABELS = list(NAMES)
CAPTIONS = 4000


@pytest.fixture(scope="module")
def drawn():
    """Labels and a caption of each."""
    rng = np.random.default_rng(0)
    labels = Kittens.labels(rng.integers(COMBINATIONS, size=CAPTIONS))
    return labels, [KITTENS.caption(row, rng) for row in labels]


def test_the_grammar_has_the_classes_of_the_data():
    assert {label: tuple(classes) for label, classes in KITTENS.phrases.items()} == NAMES
    for label, name in KITTENS.worn:
        assert name in KITTENS.phrases[label]


def test_a_caption_names_some_labels_and_none_wrongly(drawn):
    labels, captions = drawn
    how_many = Counter()
    for row, caption in zip(labels, captions, strict=True):
        named = KITTENS.parse(caption)
        assert named.items() <= dict(zip(LABELS, row.tolist(), strict=True)).items(), caption
        how_many[len(named)] += 1
    # Uniform over 1 to 5: 800 each, deviation 25.
    assert set(how_many) == {1, 2, 3, 4, 5}
    assert all(650 < n < 950 for n in how_many.values())


def test_every_label_is_named_as_often(drawn):
    named = Counter(label for caption in drawn[1] for label in KITTENS.parse(caption))
    assert set(named) == set(LABELS)
    assert all(0.55 < n / CAPTIONS < 0.65 for n in named.values())  # 3 of 5


def test_every_phrase_of_every_class_is_said_and_understood(drawn):
    said = Counter()
    text = " | ".join(drawn[1])
    for label, classes in KITTENS.phrases.items():
        for number, (name, phrases) in enumerate(classes.items()):
            for phrase in phrases:
                assert f"{phrase} " in text, phrase
                said[phrase] += 1
                about = f"a {phrase} cat" if label == "body" else f"a cat with {phrase}"
                assert KITTENS.parse(about) == {label: number}, name
    assert set(said.values()) == {1}  # no phrase stands for two classes


def test_captions_are_words_of_the_vocabulary_and_fit(drawn):
    numbers = KITTENS.vocabulary.encode(drawn[1])
    assert KITTENS.vocabulary.decode(numbers) == drawn[1]
    assert {word for caption in drawn[1] for word in words(caption)} == set(
        KITTENS.vocabulary.words
    )


def test_the_longest_caption_has_the_stated_length():
    longest = "a kitten that is cream coloured with a white muzzle with soft square eyes"
    longest += " with an open red mouth with red headphones"
    assert len(KITTENS.parse(longest)) == 5
    assert KITTENS.vocabulary.length - 3 <= len(words(longest)) <= KITTENS.vocabulary.length


def test_the_same_rng_gives_the_same_captions_and_another_gives_others():
    row = Kittens.labels(np.array([1234]))[0]
    made = [
        [KITTENS.caption(row, rng) for _ in range(20)]
        for rng in (np.random.default_rng(seed) for seed in (1, 1, 2))
    ]
    assert made[0] == made[1] != made[2]
    assert len(set(made[0])) > 15


def test_articles_agree(drawn):
    text = f" {' | '.join(drawn[1])} "
    assert " a orange " not in text
    assert " an blue " not in text
    assert " an orange " in text


def test_the_caption_of_the_issue_is_understood():
    found = KITTENS.parse("A blue kitten, with glasses.")
    assert {label: NAMES[label][number] for label, number in found.items()} == {
        "body": "blue",
        "eyes": "glasses",
    }


def test_a_colour_belongs_to_what_it_stands_before():
    found = KITTENS.parse("a red kitten with grey eyes wearing the black hat and a smile")
    assert {label: NAMES[label][number] for label, number in found.items()} == {
        "body": "red",
        "eyes": "grey",
        "accessory": "black hat",
        "mouth": "smile",
    }
    assert KITTENS.parse("a wine red cat")["body"] == NAMES["body"].index("maroon")
    assert KITTENS.parse("purple clouds") == {}


def test_two_classes_of_one_label_are_refused():
    with pytest.raises(CaptionError, match="names two classes of body"):
        KITTENS.parse("a red kitten and a blue cat")


def test_a_grammar_of_other_things():
    grammar = Grammar(
        {"body": {"green": ("green",)}, "sign": {"dot": ("a dot",), "bar": ("a bar", "a line")}},
        frozenset({("sign", "dot")}),
    )
    rng = np.random.default_rng(0)
    captions = {grammar.caption(np.array([0, 1]), rng) for _ in range(300)}
    assert "the green kitten with a line" in captions
    assert "a cat with a bar" in captions
    assert not any("wearing" in caption for caption in captions)
    assert grammar.vocabulary.length == 4 + 1 + 3


def test_of_two_phrases_the_longer_one_is_meant():
    phrases = {"body": {"green": ("green",)}, "sign": {"dot": ("a dot",), "row": ("a dot row",)}}
    grammar = Grammar(phrases, frozenset())
    assert grammar.parse("a green cat with a dot row") == {"body": 0, "sign": 1}
    assert grammar.parse("a green cat with a dot") == {"body": 0, "sign": 0}


def test_the_grammar_allows_its_captions_and_no_others(drawn):
    _, captions = drawn
    assert all(map(KITTENS.allows, captions))
    for caption in (
        "",
        "a kitten",  # names nothing
        "kitten with a bell",
        "the blue kitten with a bell with a monocle with a red hat",  # two accessories
        "a kitten and a bell",  # "and" joins to a part
        "a kitten with a bell a monocle",
        "a kitten wearing round eyes",
        "a orange kitten",
        "the blue kitten that is blue",
        "a kitten with a",
    ):
        assert not KITTENS.allows(caption), caption
    assert KITTENS.allows("A kitten, with a bell and round eyes.")
