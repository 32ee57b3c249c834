"""Measures of sentences: the oracle's own entropy, a uniform generator, shares that are known."""

import numpy as np
import pytest

from minigan.data import open_sentences
from minigan.errors import DataError
from minigan.metrics import measure
from minigan.metrics.sentences import SentenceSubject, Speaker, distinct

WORDS, LENGTH = 8, 5


@pytest.fixture(scope="module")
def oracle():
    return open_sentences("oracle", words=WORDS, length=LENGTH, split="test")


def uniform(n, rng):
    return rng.integers(WORDS, size=(n, LENGTH))


def test_the_oracle_s_own_sentences_have_its_entropy(oracle):
    subject = SentenceSubject(lambda n, rng: oracle.draw(n, rng).x, oracle, split="test")
    values = measure("nll-oracle", subject, 4000).values
    assert values["nll"] == pytest.approx(values["of the oracle itself"], abs=0.05)
    other = SentenceSubject(uniform, oracle, split="test")
    assert measure("nll-oracle", other, 4000).values["nll"] > values["nll"] + 0.5


def test_nll_oracle_is_the_mean_over_tokens(oracle):
    y = uniform(10, np.random.default_rng(0))
    total = 0.0
    for row in y:
        for t in range(LENGTH):
            read = np.array([[0, *row[:t]]])
            logits, _ = oracle.G.forward(read)
            last = logits[0, -1].astype(np.float64)
            total -= last[row[t]] - np.log(np.exp(last).sum())
    subject = SentenceSubject(lambda n, rng: y, oracle, split="test")
    result = measure("nll-oracle", subject, 10)
    assert result.values["nll"] == pytest.approx(total / 50, rel=1e-5)
    assert (result.n_fake, result.n_real, result.extractor) == (10, 10, "none")


def test_a_uniform_generator_finds_all_sentences_alike(oracle):
    speaker = Speaker(uniform, lambda y: np.full(len(y), -np.log(WORDS)))
    result = measure("nll-test", SentenceSubject(speaker, oracle, split="test"), 1000)
    assert result.values == {"nll": pytest.approx(np.log(WORDS))}
    assert (result.n_fake, result.n_real, result.split) == (0, 1000, "test")
    with pytest.raises(DataError, match="nll-test needs a generator that says how likely"):
        measure("nll-test", SentenceSubject(uniform, oracle, split="test"), 1000)


def test_another_generator_before_the_same_data(oracle):
    zeros = Speaker(lambda n, rng: np.zeros((n, LENGTH), np.int64), lambda y: np.zeros(len(y)))
    subject = SentenceSubject(uniform, oracle, split="test").redrawn(zeros)
    assert measure("sentences", subject, 100).values["distinct"] == 0.01
    assert measure("nll-test", subject, 100).values["nll"] == 0


def test_different_words_and_pairs_are_counted():
    y = np.array([[1, 2, 1, 0], [1, 2, 0, 0], [3, 0, 0, 0]])
    # Words 1 2 1, 1 2, 3; pairs 12 21, 12.
    assert distinct(y, ends=True) == {"distinct-1": 3 / 6, "distinct-2": 2 / 3}
    assert distinct(y, ends=False) == {"distinct-1": 4 / 12, "distinct-2": 6 / 9}
    assert distinct(np.zeros((2, 3), int), ends=True) == {"distinct-1": 0, "distinct-2": 0}


def test_captions_that_are_new_and_allowed_are_counted():
    train, test = (open_sentences("captions", length=12, split=s) for s in ("train", "test"))
    wrong = test.vocabulary.encode(["the the kitten"])
    made = np.concatenate([train.tokens[:5], test.tokens[:4], wrong])
    subject = SentenceSubject(lambda n, rng: made, test, split="test", training=lambda: train)
    values = measure("sentences", subject, 10).values
    stored = {*train.written(train.tokens)}
    assert values["new"] == sum(s not in stored for s in test.written(made)) / 10
    assert values["new"] >= 0.1
    assert values["captions"] == 0.9
    assert values["words"] == np.mean([(row > 0).sum() for row in made])
    assert "new" not in measure("sentences", SentenceSubject(uniform, train, split="a"), 10).values
