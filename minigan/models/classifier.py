"""A small convolutional classifier, to say what a generated picture shows."""

from __future__ import annotations

import numpy as np

from minigan.layers import BatchNorm, Conv2d, Dense, Dropout, Flatten, Layer, ReLU, Sequential
from minigan.ops.patches import conv_output_size


def cnn_classifier(
    shape: tuple[int, ...],
    classes: int,
    *,
    width: int = 32,
    hidden: int | None = None,
    dropout: float = 0.5,
    rng: np.random.Generator,
) -> Sequential:
    """Pictures (N, H, W, C) -> logits (N, classes): three strided convolutions, a dense layer.

    `hidden` adds a dense layer of so many ReLU units before the last: few features, for metrics.
    """
    h, w, channels = shape
    layers: list[Layer] = []
    for features in (width, 2 * width, 2 * width):
        layers += [
            Conv2d(channels, features, 4, stride=2, padding=1, bias=False, rng=rng),
            BatchNorm(features),
            ReLU(),
        ]
        channels = features
        h, w = (conv_output_size(side, 4, 2, 1, 1) for side in (h, w))
    layers.append(Flatten())
    features = h * w * channels
    if hidden is not None:
        layers += [Dense(features, hidden, rng=rng), ReLU()]
        features = hidden
    if dropout:
        layers.append(Dropout(dropout, rng=rng))
    return Sequential(*layers, Dense(features, classes, init="glorot_uniform", rng=rng))
