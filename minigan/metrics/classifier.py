"""A classifier trained here on labelled data, and what it finds among generated samples."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data import Dataset, Loader
from minigan.errors import DataError
from minigan.layers import Layer
from minigan.losses import cross_entropy
from minigan.models.classifier import cnn_classifier
from minigan.optim import Adam
from minigan.schedule import cosine

SHIFT = 2
CHUNK = 500  # pictures classified at a time


class Classifier:
    """A network that gives logits for the classes named `classes`."""

    def __init__(self, net: Layer, classes: tuple[str, ...]) -> None:
        self.net, self.classes = net, classes

    def predict(self, x: Array) -> Array:
        """The likeliest class number of each picture (N, H, W, C): (N,)."""
        chunks = [x[i : i + CHUNK] for i in range(0, len(x), CHUNK)]
        return np.concatenate([self.net.forward(c, train=False)[0].argmax(1) for c in chunks])

    def accuracy(self, x: Array, labels: Array) -> float:
        """The share of pictures whose class it names, from 0 to 1."""
        return float(np.mean(self.predict(x) == labels))

    def counts(self, x: Array) -> dict[str, int]:
        """How many of the pictures it puts into each class."""
        found = np.bincount(self.predict(x), minlength=len(self.classes))
        return dict(zip(self.classes, found.tolist(), strict=True))


def train_classifier(
    dataset: Dataset, label: str, *, steps: int = 1200, batch: int = 64, seed: int = 0
) -> Classifier:
    """A small CNN for one label of a data set of pictures: Adam, its rate falling on a cosine.

    Each batch is shifted by up to SHIFT pixels, the border repeated. Raises DataError if the data
    set has no such label.
    """
    if label not in dataset.label_names:
        raise DataError(
            f"{dataset.name} has no label {label!r}; it has: "
            f"{', '.join(dataset.label_names) or 'none'}"
        )
    column = list(dataset.label_names).index(label)
    classes = dataset.label_names[label]
    net = cnn_classifier(dataset.shape, len(classes), rng=make_rng(seed, 6))
    optimizer = Adam(net.flat, cosine(2e-3, end=steps))
    shifts = make_rng(seed, 7)
    with Loader(dataset, batch, seed=seed) as loader:
        for _ in range(steps):
            x, labels = next(loader)
            assert labels is not None  # label_names is not empty
            net.flat.zero_grad()
            logits, ctx = net.forward(_shifted(x, *shifts.integers(0, 2 * SHIFT + 1, 2)))
            _, dlogits = cross_entropy(logits, labels[:, column])
            net.backward(dlogits, ctx, need_dx=False)
            optimizer.step()
    return Classifier(net, classes)


def _shifted(x: Array, down: int, right: int) -> Array:
    """Pictures cropped at (down, right) out of themselves with a border of SHIFT pixels."""
    _, h, w, _ = x.shape
    padded = np.pad(x, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
    return padded[:, down : down + h, right : right + w]
