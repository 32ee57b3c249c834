r"""Modes captured, where the data's modes are known.

On a mixture of K round Gaussians a sample is of high quality within 3 sigma of the nearest centre,
and a mode counts when a high-quality sample falls to it. For balance, q are the modes' shares of
the high-quality samples, as in the authors' published code, and

    KL(q || u) = sum_k q_k log(K q_k),    u_k = 1/K

is the reverse divergence (from the generator to the data): 0 when balanced, log K for one mode, and
log K by convention where no sample is of high quality. (With every sample counted to its nearest
centre it would be smaller: those between the modes fall to the ones that are missing.) Where the
modes are classes, a classifier says which one a sample shows; K classes of uniform samples give
K/(2 N) or so from sampling alone.

Protocol of the mixtures and of stacked digits: Lin et al. (2018), tables 1 and 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.metrics.distances import check_sets, squared_distances

PAPER = "Lin et al. 2018, PacGAN: The power of two samples, arXiv:1712.04086, section 4.1"

EQUATIONS = {
    "modes.kl": r"\mathrm{KL}(q \| u) = \sum_{k=1}^K q_k \log(K q_k)",
}

WITHIN = 3.0  # standard deviations


class MixtureModes(NamedTuple):
    """Modes with a high-quality sample, the share of those samples, KL(q || u) in nats."""

    modes: int
    high_quality: float
    reverse_kl: float


class ClassModes(NamedTuple):
    """Classes with a sample, and KL(q || u) in nats."""

    modes: int
    reverse_kl: float


def mixture_modes(x: Array, centres: Array, sigma: float) -> MixtureModes:
    """The three numbers for samples x (N, D) of a mixture with centres (K, D)."""
    check_sets(x, centres, least=1)
    nearest, distance = np.empty(len(x), np.int64), np.empty(len(x))
    for part, distances in squared_distances(x, centres):
        nearest[part], distance[part] = distances.argmin(1), distances.min(1)
    good = distance <= (WITHIN * sigma) ** 2
    counts = np.bincount(nearest[good], minlength=len(centres))
    return MixtureModes(int((counts > 0).sum()), float(good.mean()), reverse_kl(counts))


def class_modes(classes: Array, total: int) -> ClassModes:
    """Both numbers for class numbers (N,) from 0 to total - 1."""
    counts = np.bincount(classes, minlength=total)
    return ClassModes(int((counts > 0).sum()), reverse_kl(counts))


def reverse_kl(counts: Array) -> float:
    """KL(q || u) of shares q = counts / sum(counts), (K,); log K where all counts are 0."""
    if not counts.any():
        return float(np.log(len(counts)))
    q = counts / counts.sum()
    q = q[q > 0]  # 0 log 0 = 0
    return float((q * np.log(len(counts) * q)).sum())  # eq: modes.kl
