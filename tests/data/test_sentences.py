"""Sentences: of a text file, of kittens' captions and of an oracle."""

from pathlib import Path

import numpy as np
import pytest

from minigan.data import SENTENCES, Loader, Sentences, open_data, open_sentences
from minigan.data.kittens import Kittens, held_out
from minigan.data.oracle import Oracle
from minigan.data.sentences import LONGEST
from minigan.errors import DataError, OptionError
from minigan.losses.tokens import token_log_likelihood
from minigan.models import policy
from minigan.text import KITTENS

SMALL = {"words": 9, "length": 4}


def write(path: Path, *lines: str) -> str:
    """A text file of these lines."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


@pytest.fixture
def text(tmp_path: Path) -> str:
    """21 sentences of one to three words and a number of their own, and an empty line."""
    lines = [f"{'Word two, three.'[: (4, 9, 16)[i % 3]]} w{i}" for i in range(21)]
    return write(tmp_path / "a.txt", *lines[:5], "  ", *lines[5:])


# --- any sentences --------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("name", SENTENCES)
def test_named_sentences_keep_the_contract(name: str, split: str) -> None:
    asked = SMALL if name == "oracle" else {}
    data = open_sentences(name, **asked, split=split)
    assert (data.name, data.kind, data.label_names) == (name, "sentences", {})
    assert data.size == len(data) == 10_000
    first, again, other = (data.draw(9, np.random.default_rng(s)).x for s in (5, 5, 6))
    assert first.shape == (9, *data.shape)
    assert first.dtype == np.int64
    assert data.tokens.min() >= 0
    assert data.tokens.max() == data.words - 1
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    with Loader(data, 100, seed=0) as loader:
        assert loader.batch(0).x.shape == (100, *data.shape)
    assert 10 < len(SENTENCES[name].description) < 90


@pytest.mark.parametrize("name", SENTENCES)
def test_sentences_are_no_pictures(name: str) -> None:
    with pytest.raises(DataError, match=f"{name} holds sentences, which seqgan learns from"):
        open_data(name)


@pytest.mark.parametrize("name", ["kittens", "kittens-edges", "voices", "moving-digits"])
def test_pictures_are_no_sentences(name: str) -> None:
    with pytest.raises(DataError, match=f"{name} holds no sentences; oracle, captions do"):
        open_sentences(name)


# --- a text ---------------------------------------------------------------------------------------


def test_a_text_has_a_sentence_a_line(text: str) -> None:
    data, test = (open_sentences(text, split=split) for split in ("train", "test"))
    assert (len(data), len(test), data.shape, data.ends) == (18, 3, (4,), True)
    assert data.words == 1 + 3 + 21  # 0, the shared words, a word of each line
    assert data.written(data.tokens[:2]) == ["word two w1", "word two three w2"]
    assert test.written(test.tokens) == ["word w0", "word two w10", "word two three w20"]
    assert data.tokens[0, 3] == 0
    assert isinstance(data, Sentences)


def test_a_length_may_be_longer_than_every_sentence(text: str) -> None:
    assert open_sentences(text, length=7).shape == (7,)


def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        DataError, match=r"a\.txt, line 3: a sentence of 4 words, and --length is 2"
    ):
        open_sentences(text, length=2)
    long = write(tmp_path / "long.txt", "a", "b " * (LONGEST + 1))
    with pytest.raises(
        DataError, match=r"line 2: a sentence of 101 words, and --length is 100; br"
    ):
        open_sentences(long)
    for lines, found in ((), "none"), (("", " ,"), "none"), (("one",), "one, which is for testing"):
        empty = write(tmp_path / "few.txt", *lines)
        with pytest.raises(DataError, match=f"wanted sentences, one a line; it has {found}; give"):
            open_sentences(empty)
    (tmp_path / "latin.txt").write_bytes("a\nkätzchen\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.txt cannot be read as text in UTF-8: 'utf-8'"):
        open_sentences(str(tmp_path / "latin.txt"))
    (tmp_path / "a.csv").write_text("a\n")
    for path in (tmp_path, tmp_path / "a.csv"):
        with pytest.raises(
            DataError, match=r"is no text: give a \.txt file with a sentence a line"
        ):
            open_sentences(str(path))
    with pytest.raises(
        OptionError, match=r"--words 5 is of --data oracle; a\.txt has words of its"
    ):
        open_sentences(text, words=5)


# --- captions -------------------------------------------------------------------------------------


def test_captions_are_of_kittens_of_their_split() -> None:
    for split in ("train", "test"):
        data = open_sentences("captions", length=14, split=split)
        captions = data.written(data.tokens)
        assert max(len(caption.split()) for caption in captions) == 14
        assert all(map(KITTENS.allows, captions))
        named = [KITTENS.parse(caption) for caption in captions]
        whole = np.array([[*_ordered(one).values()] for one in named if len(one) == 5])
        assert len(whole) > 10
        assert (held_out(Kittens.combination(whole)) == (split == "test")).all()


def _ordered(named: dict[str, int]) -> dict[str, int]:
    return {label: named[label] for label in KITTENS.labels if label in named}


def test_captions_are_always_the_same() -> None:
    first, again = (open_sentences("captions", length=9).tokens for _ in range(2))
    np.testing.assert_array_equal(first, again)
    with pytest.raises(OptionError, match="--length 5: captions have too few words; give 6"):
        open_sentences("captions", length=5)


# --- the oracle -----------------------------------------------------------------------------------


def test_an_oracle_is_always_the_same_and_says_what_is_likely_to_it() -> None:
    train, again = open_sentences("oracle", **SMALL), open_sentences("oracle", **SMALL)
    test = open_sentences("oracle", **SMALL, split="test")
    assert isinstance(train, Oracle)
    np.testing.assert_array_equal(train.tokens, again.tokens)
    np.testing.assert_array_equal(train.G.flat.data, test.G.flat.data)
    assert (train.tokens != test.tokens).any()
    assert 0.9 < train.G.flat.data.std() < 1.1
    assert not train.ends
    own = _nll(train, test.tokens)
    other = np.random.default_rng(0).integers(9, size=test.tokens.shape)
    assert own < 0.8 * _nll(train, other)
    # How often the first token comes is how likely it is.
    logits, _ = policy.logits_of(train.G, test.tokens[:1])
    p = np.exp(logits[0, 0]) / np.exp(logits[0, 0]).sum()
    shares = np.bincount(test.tokens[:, 0], minlength=9) / 10_000
    assert (np.abs(shares - p) <= 5 * np.sqrt(p * (1 - p) / 10_000)).all()


def _nll(oracle: Oracle, y: np.ndarray) -> float:
    logits, _ = policy.logits_of(oracle.G, y)
    return -float(token_log_likelihood(logits, y).mean())


def test_an_oracle_has_the_paper_s_size_unless_told() -> None:
    data = open_sentences("oracle")
    assert (data.words, data.shape, len(data)) == (5000, (20,), 10_000)
    assert {p.shape for p in data.G.params.values()} >= {(5000, 32), (32, 128), (32, 5000)}
