r"""Log-likelihood of held-out data under a Parzen window around the samples.

    log p(x) = log 1/M sum_j N(x; y_j, sigma² I)

sigma is the one of a list with the highest mean on a validation set; the value is the mean on a
test set, with its standard error, in nats.

Breuleux, Bengio and Vincent (2011) for the procedure; Goodfellow et al. 2014, section 5, for GANs.
Theis, van den Oord and Bethge (2016), "A note on the evaluation of generative models",
arXiv:1511.01844, section 3.5: in many dimensions the estimate is far from the likelihood for any
number of samples, so it compares models under one protocol and says nothing else.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError
from minigan.metrics.distances import check_sets, squared_distances
from minigan.metrics.result import MetricWarning

PAPER = "Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661, section 5"

EQUATIONS = {
    "parzen.density": r"\log p(x) = \log \frac{1}{M} \sum_{j=1}^M"
    r" \mathcal{N}(x; y_j, \sigma^2 I)",
}

SIGMAS = tuple(np.logspace(-1, 0, 10).tolist())


class Parzen(NamedTuple):
    """Mean log-likelihood of the test set in nats, its standard error, and the sigma chosen."""

    log_likelihood: float
    error: float
    sigma: float


def parzen_window(
    samples: Array, validation: Array, test: Array, *, sigmas: Sequence[float] = SIGMAS
) -> Parzen:
    """The estimate for samples (M, D), validation (V, D) and test (N, D), all in one unit.

    Warns where the best sigma is the first or the last of several. Raises OptionError unless every
    sigma is above 0, ShapeError for sets of other shapes.
    """
    check_sets(samples, validation, test)
    if not sigmas or not all(sigma > 0 for sigma in sigmas):
        raise OptionError(f"sigmas={tuple(sigmas)}: wanted one or more, each above 0")
    means = [lls.mean() for lls in log_densities(validation, samples, sigmas)]
    best = int(np.argmax(means))
    if len(sigmas) > 1 and best in (0, len(sigmas) - 1):
        warnings.warn(
            f"Parzen window: sigma {sigmas[best]:.3g} at the end of those tried, "
            f"{min(sigmas):.3g} to {max(sigmas):.3g}; a better one may lie beyond",
            MetricWarning,
            stacklevel=2,
        )
    (found,) = log_densities(test, samples, [sigmas[best]])
    error = found.std(ddof=1) / np.sqrt(len(found))
    return Parzen(float(found.mean()), float(error), float(sigmas[best]))


def log_densities(x: Array, samples: Array, sigmas: Sequence[float]) -> Array:
    """log p(x_i) for each sigma: (S, N), for x (N, D) and samples (M, D)."""
    m, dimensions = samples.shape
    found = np.empty((len(sigmas), len(x)))
    for part, distances in squared_distances(x, samples):
        nearest = distances.min(1)
        distances -= nearest[:, None]  # the largest exponent is 0: no sum underflows
        for s, sigma in enumerate(sigmas):
            scale = -0.5 / sigma**2
            sums = np.log(np.exp(scale * distances).sum(1)) + scale * nearest
            normaliser = np.log(m) + 0.5 * dimensions * np.log(2 * np.pi * sigma**2)
            found[s, part] = sums - normaliser  # eq: parzen.density
    return found
