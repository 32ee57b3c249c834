"""A classifier trained here on labelled data: what generated samples show, and features of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data import Dataset, Loader
from minigan.data.base import LabelNames
from minigan.errors import DataError
from minigan.layers import Dropout, Sequential
from minigan.losses import cross_entropy
from minigan.models.classifier import cnn_classifier
from minigan.optim import Adam
from minigan.schedule import cosine
from minigan.streams import Purpose

SHIFT = 2
CHUNK = 500  # pictures classified at a time


class Classifier:
    """A network that gives logits for every class of every label, one label after another."""

    def __init__(self, net: Sequential, label_names: LabelNames) -> None:
        self.net, self.label_names = net, label_names

    def probabilities(self, x: Array) -> dict[str, Array]:
        """For each label the probabilities of its classes, (N, K), of pictures (N, H, W, C)."""
        logits = in_chunks(lambda part: self.net.forward(part, train=False)[0], x)
        return {
            label: _softmax(logits[:, part].astype(np.float64))
            for label, part in columns(self.label_names).items()
        }

    def features(self, x: Array) -> Array:
        """What enters the last dense layer: (N, F)."""
        return in_chunks(self._features, x)

    def _features(self, x: Array) -> Array:
        for layer in self.net.layers[:-1]:
            if not isinstance(layer, Dropout):
                x, _ = layer.forward(x, train=False)
        return x

    def predict(self, x: Array) -> Array:
        """The likeliest class number of each picture for each label: int (N, L)."""
        return np.stack([p.argmax(1) for p in self.probabilities(x).values()], axis=1)

    def accuracy(self, x: Array, labels: Array) -> dict[str, float]:
        """For each label the share of pictures whose class, labels (N, L), it names: 0 to 1."""
        shares = (self.predict(x) == labels).mean(0)
        return dict(zip(self.label_names, shares.tolist(), strict=True))

    def counts(self, x: Array, label: str) -> dict[str, int]:
        """How many of the pictures it puts into each class of a label."""
        names = self.label_names[label]
        found = np.bincount(self.probabilities(x)[label].argmax(1), minlength=len(names))
        return dict(zip(names, found.tolist(), strict=True))


def in_chunks(f: Callable[[Array], Array], x: Array) -> Array:
    """f of CHUNK rows at a time, put together."""
    return np.concatenate([f(x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)])


def columns(label_names: LabelNames) -> dict[str, slice]:
    """Where the logits of each label stand."""
    ends = np.cumsum([len(classes) for classes in label_names.values()])
    return {
        label: slice(int(end) - len(classes), int(end))
        for (label, classes), end in zip(label_names.items(), ends, strict=True)
    }


def train_classifier(
    dataset: Dataset,
    *labels: str,
    steps: int = 1200,
    batch: int = 64,
    width: int = 32,
    hidden: int | None = None,
    dropout: float = 0.5,
    seed: int = 0,
) -> Classifier:
    """A small CNN for one or more labels of pictures: Adam, its rate falling on a cosine.

    The loss is the sum of the labels' cross-entropies. Each batch is shifted by up to SHIFT pixels,
    the border repeated. Raises DataError if the data set lacks such a label.
    """
    wanted = _label_names(dataset, labels)
    places = [list(dataset.label_names).index(label) for label in wanted]
    outputs = columns(wanted)
    total = sum(map(len, wanted.values()))
    net = cnn_classifier(
        dataset.shape,
        total,
        width=width,
        hidden=hidden,
        dropout=dropout,
        rng=make_rng(seed, Purpose.CLASSIFIER_WEIGHTS),
    )
    optimizer = Adam(net.flat, cosine(2e-3, end=steps))
    shifts = make_rng(seed, Purpose.CLASSIFIER_SHIFTS)
    with Loader(dataset, batch, seed=seed) as loader:
        for _ in range(steps):
            x, found = next(loader)
            assert found is not None  # label_names is not empty
            net.flat.zero_grad()
            logits, ctx = net.forward(_shifted(x, *shifts.integers(0, 2 * SHIFT + 1, 2)))
            dlogits = np.zeros_like(logits)
            for part, place in zip(outputs.values(), places, strict=True):
                _, dlogits[:, part] = cross_entropy(logits[:, part], found[:, place])
            net.backward(dlogits, ctx, need_dx=False)
            optimizer.step()
    return Classifier(net, wanted)


def _softmax(logits: Array) -> Array:
    p = np.exp(logits - logits.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def _label_names(dataset: Dataset, labels: Sequence[str]) -> LabelNames:
    for label in labels:
        if label not in dataset.label_names:
            raise DataError(
                f"{dataset.name} has no label {label!r}; it has: "
                f"{', '.join(dataset.label_names) or 'none'}"
            )
    return {label: dataset.label_names[label] for label in labels}


def _shifted(x: Array, down: int, right: int) -> Array:
    """Pictures cropped at (down, right) out of themselves with a border of SHIFT pixels."""
    _, h, w, _ = x.shape
    padded = np.pad(x, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
    return padded[:, down : down + h, right : right + w]
