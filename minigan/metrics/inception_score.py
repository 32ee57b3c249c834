r"""Inception score, with whatever classifier gives the probabilities.

    exp( E_x KL( p(y|x) || p(y) ) ),    p(y) = E_x p(y|x)

from 1 (every sample is classified alike, or none with any confidence) to the number of classes. It
never sees the data: a generator that shows one perfect picture of each class has the best score.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import ShapeError

PAPER = "Salimans et al. 2016, Improved techniques for training GANs, arXiv:1606.03498, section 4"

EQUATIONS = {
    "is.score": r"\exp(\mathbb{E}_x \mathrm{KL}(p(y|x) \,\|\, p(y)))",
}


class InceptionScore(NamedTuple):
    """Mean over the splits, and their standard deviation, as the paper's code reports them."""

    value: float
    deviation: float


def inception_score(p: Array, *, splits: int = 10) -> InceptionScore:
    """The score of class probabilities p (N, K), each row summing to 1.

    The N rows are cut into `splits` equal parts, in their order; a remainder is left out. Raises
    ShapeError for other arrays, and where a part would be empty.
    """
    if p.ndim != 2 or not 1 <= splits <= len(p):
        raise ShapeError(f"wanted probabilities (N, K) with N >= splits={splits}, got {p.shape}")
    if not (p >= 0).all() or not np.allclose(p.sum(1), 1, atol=1e-3):
        raise ShapeError("wanted class probabilities: rows of numbers >= 0 that sum to 1")
    size = len(p) // splits
    scores = [_score(p[i * size : (i + 1) * size].astype(np.float64)) for i in range(splits)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def _score(p: Array) -> float:
    marginal = np.broadcast_to(p.mean(0), p.shape)
    seen = p > 0  # 0 log 0 = 0
    divergence = (p[seen] * np.log(p[seen] / marginal[seen])).sum() / len(p)
    return float(np.exp(divergence))  # eq: is.score
