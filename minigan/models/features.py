r"""What a discriminator has learned, as features for a linear classifier.

The outputs of all its convolution blocks, each max-pooled to a grid of 4x4, flattened and
concatenated, under a regularised linear L2-SVM (Radford et al. 2016, section 5.1).

The L2-SVM (Tang 2013, eq. 5) of one class against the rest, with targets t_n = +1 or -1, is

    min_{w, b}  J = 1/2 |w|^2 + C sum_n max(0, 1 - t_n (w x_n + b))^2

with    dJ/dw = w - 2 C sum_n t_n h_n x_n,    dJ/db = -2 C sum_n t_n h_n,    h_n the hinge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.layers import Conv2d, Layer, LeakyReLU, Pack, Parallel, Sequential
from minigan.ops import pool

BATCH = 64  # pictures whose activations are in memory at the same time


def discriminator_features(D: Layer, x: Array, *, grid: int = 4) -> Array:
    """D's activations after every convolution block, max-pooled: (N, H, W, C) -> (N, F).

    A block ends in a LeakyReLU on pictures; F = grid * grid * (channels of all blocks). Running
    statistics are used, and nothing of D moves. Raises OptionError for a D without such a block,
    for one that judges packs and for a grid below 1, ShapeError for pictures that D cannot take.
    """
    if grid < 1:
        raise OptionError(f"grid={grid} must be at least 1")
    blocks = trunk(D)
    if any(isinstance(layer, Pack) for layer in blocks):
        raise OptionError(f"{D!r} judges packs of examples: it has no features of one alone")
    if not blocks:
        raise OptionError(
            f"{D!r} has no convolution block that ends in LeakyReLU; give a DCGAN's discriminator"
        )
    return np.concatenate(
        [_features(blocks, x[i : i + BATCH], grid) for i in range(0, max(len(x), 1), BATCH)]
    )


def trunk(D: Layer) -> list[Layer]:
    """The layers that pictures go through first, up to the last convolution block's LeakyReLU.

    Heads that follow, such as of labels, are left aside. Empty where no LeakyReLU follows a
    convolution, and where pictures go in beside something else.
    """
    layers = list(getattr(D, "layers", []))
    while layers and isinstance(layers[0], Sequential):
        layers = list(layers[0].layers)
    if layers and isinstance(layers[0], Parallel):
        return []
    ends, convolved = 0, False
    for i, layer in enumerate(layers):
        convolved |= any(isinstance(inner, Conv2d) for _, inner in layer.walk())
        if convolved and isinstance(layer, LeakyReLU):
            ends = i + 1
    return layers[:ends]


def _features(blocks: Sequence[Layer], x: Array, grid: int) -> Array:
    found = []
    for layer in blocks:
        x, _ = layer.forward(x, train=False)
        if isinstance(layer, LeakyReLU) and x.ndim == 4:
            found.append(max_pool_to_grid(x, grid).reshape(len(x), -1))
    return np.concatenate(found, axis=1)


def max_pool_to_grid(x: Array, grid: int) -> Array:
    """The maximum over each cell of a grid: (N, H, W, C) -> (N, grid, grid, C).

    Cell i spans rows floor(i H / grid) to ceil((i + 1) H / grid), as in PyTorch's
    adaptive_max_pool2d: neighbours share a row where grid does not divide H.
    """
    h, w = x.shape[1:3]
    if h % grid == w % grid == 0:
        cell = (h // grid, w // grid)
        return pool.max_pool(x, cell, cell, (0, 0))[0]
    rows = [x[:, a:b].max(1) for a, b in _cells(h, grid)]
    return np.stack(
        [np.stack([row[:, a:b].max(1) for a, b in _cells(w, grid)], axis=1) for row in rows], axis=1
    )


def _cells(size: int, grid: int) -> list[tuple[int, int]]:
    return [(i * size // grid, -(-(i + 1) * size // grid)) for i in range(grid)]


@dataclass(frozen=True, slots=True)
class LinearSVM:
    """A linear classifier of features (N, F): the class of the largest features @ weight + bias."""

    classes: Array  # (K,) labels
    weight: Array  # (F, K), for features as they came
    bias: Array  # (K,)
    converged: bool

    def predict(self, features: Array) -> Array:
        """The labels (N,) of features (N, F)."""
        return self.classes[(features @ self.weight + self.bias).argmax(1)]

    def accuracy(self, features: Array, labels: Array) -> float:
        """The fraction of features (N, F) that get their labels (N,)."""
        return float((self.predict(features) == labels).mean())


def linear_svm(
    features: Array, labels: Array, *, C: float, max_iterations: int = 1000
) -> LinearSVM:
    """One L2-SVM per class against the rest, on standardised features, by L-BFGS in float64.

    With more features than examples the search is for w = Q u, Q an orthonormal basis of the
    examples: the part of w across them only adds to |w|^2.

    features (N, F), labels (N,) integers; a large C fits the examples, a small one regularises.
    Raises OptionError unless C > 0, ShapeError for other shapes or fewer than two classes.
    """
    if not C > 0:
        raise OptionError(f"C={C!r} must be above 0")
    classes = np.unique(labels)
    if features.ndim != 2 or labels.shape != features.shape[:1] or len(classes) < 2:
        raise ShapeError(
            f"linear_svm wanted features (N, F) and labels (N,) of at least two classes, "
            f"got {features.shape} and {labels.shape} of {len(classes)}"
        )
    from scipy.optimize import minimize  # slow to import, and seldom used

    mean, std = features.mean(0, np.float64), features.std(0, np.float64)
    std[std == 0] = 1  # a constant feature says nothing, and gets weight 0
    x, basis = (features - mean) / std, None
    if x.shape[1] > x.shape[0]:
        basis, upper = np.linalg.qr(x.T)  # x = (Q R)^T, so that x w = R^T u
        x = upper.T
    solutions, converged = [], True
    for label in classes:
        target = np.where(labels == label, 1.0, -1.0)
        found = minimize(
            squared_hinge,
            np.zeros(x.shape[1] + 1),
            args=(x, target, C),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": max_iterations, "maxfun": 2 * max_iterations},
        )
        solutions.append(found.x)
        converged &= bool(found.success)
    wb = np.stack(solutions, axis=1)
    weight = (wb[:-1] if basis is None else basis @ wb[:-1]) / std[:, None]
    return LinearSVM(classes, weight, wb[-1] - mean @ weight, converged)


def squared_hinge(wb: Array, x: Array, target: Array, C: float) -> tuple[float, Array]:
    """J and its gradient at wb = (w, b), (F + 1,), for x (N, F) and targets +1 or -1 (N,)."""
    w, b = wb[:-1], wb[-1]
    hinge = np.maximum(0, 1 - target * (x @ w + b))
    slope = -2 * C * target * hinge
    return float(w @ w / 2 + C * hinge @ hinge), np.append(w + x.T @ slope, slope.sum())
