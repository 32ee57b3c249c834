"""A few labelled examples, as many of each class."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import open_data
from minigan.data.balanced import balanced
from minigan.data.memory import InMemory
from minigan.errors import DataError


def few(counts):
    """Points whose number says which they are, `counts` of each class."""
    labels = np.repeat(np.arange(len(counts)), counts)
    data = np.arange(len(labels), dtype=np.float32)[:, None]
    names = {"other": ("x",), "kind": tuple("abcdef"[: len(counts)])}
    return InMemory("few", data, np.stack([0 * labels, labels], 1), names)


def test_as_many_of_each_class_with_their_labels():
    data = few([30, 20, 900])
    x, labels = balanced(data, "kind", 12, make_rng(0))
    np.testing.assert_array_equal(labels, np.repeat([0, 1, 2], 4)[:, None])
    assert len(np.unique(x)) == 12
    np.testing.assert_array_equal(data.take(x[:, 0].astype(int)).labels[:, 1:], labels)


def test_the_seed_chooses_and_nothing_else():
    data = few([30, 20, 900])
    first, again, other = (balanced(data, "kind", 12, make_rng(s)).x for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_endless_data_is_drawn_until_there_are_enough():
    data = open_data("kittens")
    x, labels = balanced(data, "accessory", 32, make_rng(0))
    assert x.shape == (32, 32, 32, 3)
    np.testing.assert_array_equal(np.bincount(labels[:, 0]), 2)


def test_too_few_of_a_class():
    with pytest.raises(DataError, match=r"take 4 of each class, and there are 3 of kind 'b'"):
        balanced(few([30, 3]), "kind", 8, make_rng(0))
