"""The classifiers that ship with minigan: of digits, of the five parts of kittens, of drawn faces.

Trained by tools/make_classifiers.py on the training splits; stored in half precision. Their
features are the numbers before the last layer, 64, 128 and 128. That of faces learned to tell
PEOPLE persons at all ages on any photograph (data/ages.py): what it makes of a face says who it is,
of persons that it has not seen too. Values of metrics made with them compare
runs of minigan with one another, and with nothing that used another extractor.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load as load_tensors

from minigan.backend import make_rng
from minigan.data import ages, digits, kittens, resources
from minigan.data.base import LabelNames
from minigan.errors import UnknownNameError
from minigan.layers import Sequential
from minigan.metrics.classifier import Classifier
from minigan.models.classifier import cnn_classifier

PEOPLE = 500


class Shipped(NamedTuple):
    """A shipped classifier: of which labels, for pictures of which shape, and how it is built.

    Sixty-five classes do not pass through features of which dropout takes half, ten do.
    """

    label_names: LabelNames
    shape: tuple[int, int, int]
    width: int
    hidden: int
    dropout: float

    def network(self) -> Sequential:
        """Its network with weights to be replaced."""
        return cnn_classifier(
            self.shape,
            sum(map(len, self.label_names.values())),
            width=self.width,
            hidden=self.hidden,
            dropout=self.dropout,
            rng=make_rng(0),
        )


SHIPPED: dict[str, Shipped] = {
    "digits": Shipped({"digit": digits.CLASSES}, (28, 28, 1), width=32, hidden=64, dropout=0.5),
    "kittens": Shipped(kittens.NAMES, (32, 32, 3), width=24, hidden=128, dropout=0.0),
    ages.NAME: Shipped(
        ages.Portraits(PEOPLE).label_names, (32, 32, 3), width=24, hidden=128, dropout=0.0
    ),
}


@cache
def shipped_classifier(name: str) -> Classifier:
    """The shipped classifier of that name, in float32. Raises UnknownNameError."""
    return fresh_classifier(name)


def fresh_classifier(name: str) -> Classifier:
    """Another copy of it, whose network may be moved or cast. Raises UnknownNameError."""
    if name not in SHIPPED:
        raise UnknownNameError("shipped classifier", name, SHIPPED)
    return restored(name, resources.read(f"classifier_{name}.safetensors"))


def restored(name: str, data: bytes) -> Classifier:
    """The classifier of that name with the arrays of a safetensors file."""
    net = SHIPPED[name].network()
    stored = load_tensors(data)
    for key, array in arrays(net).items():
        array[...] = stored[key]
    net.flat.touch()
    return Classifier(net, SHIPPED[name].label_names)


def arrays(net: Sequential) -> dict[str, np.ndarray]:
    """Every array of a classifier that its answers depend on, by name; not copies."""
    return {
        **{name: parameter.data for name, parameter in net.flat.params.items()},
        **{name: b for name, b in net.buffers.items() if np.issubdtype(b.dtype, np.floating)},
    }
