"""A small convolutional classifier, to say what a generated picture shows."""

from __future__ import annotations

import numpy as np

from minigan.layers import BatchNorm, Conv2d, Dense, Dropout, Flatten, Layer, ReLU, Sequential
from minigan.ops.patches import conv_output_size


def cnn_classifier(
    shape: tuple[int, ...], classes: int, *, width: int = 32, rng: np.random.Generator
) -> Sequential:
    """Pictures (N, H, W, C) -> logits (N, classes): three strided convolutions, a dense layer."""
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
    return Sequential(
        *layers,
        Flatten(),
        Dropout(0.5, rng=rng),
        Dense(h * w * channels, classes, init="glorot_uniform", rng=rng),
    )
