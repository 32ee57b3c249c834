"""A classifier trained on one or several labels, and what it says of pictures."""

import numpy as np
import pytest

from minigan.data import open_data
from minigan.data.kittens import NAMES
from minigan.errors import DataError
from minigan.layers import Dropout
from minigan.metrics import train_classifier
from minigan.metrics.classifier import columns


def test_several_labels_are_learned_at_once():
    """150 steps tell the body's colour of half the kittens; the hidden parts take longer."""
    kittens = open_data("kittens", size=16)
    found = train_classifier(
        kittens, "accessory", "body", steps=150, batch=32, dropout=0.0, width=8
    )
    assert [*found.label_names] == ["accessory", "body"]
    x, labels = kittens.draw(400, np.random.default_rng(0))
    accuracy = found.accuracy(x, labels[:, [4, 0]])
    assert accuracy["body"] > 0.5
    assert accuracy["accessory"] > 2 / 16
    assert found.predict(x).shape == (400, 2)
    counts = found.counts(x, "body")
    assert [*counts] == [*NAMES["body"]]
    assert sum(counts.values()) == 400
    assert counts["black"] == (found.predict(x)[:, 1] == 2).sum()


def test_hidden_units_are_the_features():
    found = train_classifier(open_data("digits"), "digit", steps=1, width=2, hidden=5)
    assert found.features(np.zeros((3, 28, 28, 1), np.float32)).shape == (3, 5)
    plain = train_classifier(open_data("digits"), "digit", steps=1, width=2, dropout=0.0)
    assert plain.features(np.zeros((3, 28, 28, 1), np.float32)).shape == (3, 3 * 3 * 4)
    assert not any(isinstance(layer, Dropout) for layer in plain.net.layers)


def test_columns_of_the_labels():
    assert columns({"a": ("x", "y"), "b": ("z",)}) == {"a": slice(0, 2), "b": slice(2, 3)}


def test_a_label_that_is_not_there():
    with pytest.raises(DataError, match="digits has no label 'body'; it has: digit"):
        train_classifier(open_data("digits"), "body")
