r"""Losses that are means of a function of each logit, with their gradients.

    term(l) = weight f(l) + linear l            value = mean term(real) + mean term(fake)

f is a row of FUNCTIONS. On a card the value and all gradients are one pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minigan.backend import Array
from minigan.errors import UnknownNameError
from minigan.ops.activation import sigmoid, softplus
from minigan.ops.dispatch import op

Function = Callable[[Array, float], Array]

# name: f(l, p), f'(l, p), with the parameter p. In the order of the table in kernels/loss.cu.
FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "zero": (lambda l, p: np.zeros_like(l), lambda l, p: np.zeros_like(l)),
    "softplus": (lambda l, p: softplus(l), lambda l, p: sigmoid(l)),
    "negative": (lambda l, p: softplus(-l), lambda l, p: -sigmoid(-l)),
    "above": (lambda l, p: np.maximum(l - p, 0), lambda l, p: (l > p).astype(l.dtype)),
    "below": (lambda l, p: np.maximum(p - l, 0), lambda l, p: -(l < p).astype(l.dtype)),
    "square": (lambda l, p: (l - p) ** 2 / 2, lambda l, p: l - p),
}


@dataclass(frozen=True)
class Term:
    """weight f(l) + linear l.

    f: "softplus" log(1 + e^l), which is -log(1 - D) of a logit; "negative" log(1 + e^-l), which is
    -log D; "above" max(0, l - p) and "below" max(0, p - l), hinges; "square" (l - p)^2 / 2; "zero".
    Raises UnknownNameError for another.
    """

    f: str
    weight: float = 1.0
    parameter: float = 0.0
    linear: float = 0.0

    def __post_init__(self) -> None:
        if self.f not in FUNCTIONS:
            raise UnknownNameError("function of a logit", self.f, FUNCTIONS)


@op
def mean_loss(logits: Array, term: Term) -> tuple[Array, Array]:
    """The mean of the term, an array without axes, and its gradient."""
    value, slope = FUNCTIONS[term.f]
    p, of = term.parameter, logits.dtype.type
    total = of(term.weight) * value(logits, p) + of(term.linear) * logits
    gradient = of(term.weight) * slope(logits, p) / logits.size
    gradient += of(term.linear / logits.size)
    return np.asarray(total.mean()), gradient


@op
def mean_losses(
    real: Array, fake: Array, term_real: Term, term_fake: Term
) -> tuple[Array, Array, Array]:
    """The sum of both means, an array without axes, and the gradients of real and fake."""
    value, d_real = mean_loss(real, term_real)
    other, d_fake = mean_loss(fake, term_fake)
    return np.asarray(value + other), d_real, d_fake
