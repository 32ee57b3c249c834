r"""How far a decoder's output y is from an example x, and how likely it makes it.

Every term sums over the numbers of an example and is the mean over the N examples of a batch; each
function returns it with its gradient with respect to y. The negative log-likelihoods keep their
constants, so that a bound made of them is a bound in nats.

Kingma and Welling 2014 (appendix C.1: Bernoulli, C.2: Gaussian); a Laplace likelihood of scale b is
the absolute error over b.
"""

from __future__ import annotations

import math

import numpy as np

from minigan.backend import Array, scalar
from minigan.errors import OptionError, ShapeError
from minigan.ops.activation import sigmoid, softplus

PAPER = "Kingma and Welling 2014, Auto-encoding variational Bayes, arXiv:1312.6114, appendix C"

EQUATIONS = {
    "reconstruction.squared": r"\frac{1}{N} \sum_{n,k} (x_{nk} - x'_{nk})^2",
    "reconstruction.absolute": r"\frac{1}{N} \sum_{n,k} |x_{nk} - x'_{nk}|",
    "likelihood.gaussian": r"-\log \mathcal{N}(x; y, \sigma^2 I) ="
    r" \sum_k \frac{(x_k - y_k)^2}{2 \sigma^2} + \frac{1}{2} \log(2 \pi \sigma^2)",
    "likelihood.laplace": r"-\log p(x | y) = \sum_k \frac{|x_k - y_k|}{b} + \log(2 b)",
    "likelihood.bernoulli": r"-\log p(t | y) = -\sum_k [t_k \log \mathrm{sigmoid}(y_k)"
    r" + (1 - t_k) \log(1 - \mathrm{sigmoid}(y_k))], \quad t = \frac{x + 1}{2}",
}


def squared_error(y: Array, x: Array) -> tuple[float, Array]:
    """sum_k (x_k - y_k)^2, the mean over the batch, and its gradient; y and x (N, ...).

    Raises ShapeError unless the shapes agree.
    """
    difference = _difference(y, x)
    loss = (difference * difference).sum() / len(x)  # eq: reconstruction.squared
    return scalar(loss), difference * (2 / len(x))


def absolute_error(y: Array, x: Array) -> tuple[float, Array]:
    """sum_k |x_k - y_k|, the mean over the batch, and its gradient; y and x (N, ...).

    Where both agree the gradient is 0. Raises ShapeError unless the shapes agree.
    """
    difference = _difference(y, x)
    loss = np.abs(difference).sum() / len(x)  # eq: reconstruction.absolute
    return scalar(loss), np.sign(difference) / len(x)


def gaussian_nll(y: Array, x: Array, *, scale: float = 1.0) -> tuple[float, Array]:
    """-log N(x; y, scale^2 I), the mean over the batch, and its gradient; y and x (N, ...).

    Raises ShapeError unless the shapes agree, OptionError unless scale > 0.
    """
    precision = 1 / _positive(scale) ** 2
    error, dy = squared_error(y, x)
    constant = x[0].size * math.log(2 * math.pi * scale**2) / 2
    return error * (precision / 2) + constant, dy * (precision / 2)  # eq: likelihood.gaussian


def laplace_nll(y: Array, x: Array, *, scale: float = 1.0) -> tuple[float, Array]:
    """-log p(x) of independent Laplace numbers around y; y and x (N, ...). Raises as gaussian_nll.

    Its mean is over the batch; the gradient follows.
    """
    rate = 1 / _positive(scale)
    error, dy = absolute_error(y, x)
    return error * rate + x[0].size * math.log(2 * scale), dy * rate  # eq: likelihood.laplace


def bernoulli_nll(y: Array, x: Array) -> tuple[float, Array]:
    """The cross-entropy of pixels x in [-1, 1], read as t = (x + 1) / 2, under logits y.

    Of black and white pixels it is the negative log-likelihood; grey ones are probabilities, for
    which it is still least at sigmoid(y) = t but counts nats of no distribution over grey levels.
    Raises ShapeError unless the shapes agree.
    """
    _same_shape(y, x)
    t = (x + 1) / 2
    loss = (softplus(y) - t * y).sum() / len(x)  # eq: likelihood.bernoulli
    return scalar(loss), (sigmoid(y) - t) / len(x)


def _difference(y: Array, x: Array) -> Array:
    _same_shape(y, x)
    return y - x


def _same_shape(y: Array, x: Array) -> None:
    if y.shape != x.shape or len(x) == 0:
        raise ShapeError(
            f"a reconstruction {y.shape} cannot be compared with examples {x.shape}: wanted the "
            "same shape, of at least one example"
        )


def _positive(scale: float) -> float:
    if not 0 < scale < math.inf:
        raise OptionError(f"scale={scale!r} must be above 0 and finite")
    return scale
