r"""The objectives of the original paper, on logits l with D(x) = sigmoid(l).

    -log D(x) = softplus(-l)          -log(1 - D(x)) = softplus(l)

so nothing under- or overflows, and the gradients are sigmoids. Losses are descended: what the
paper ascends stands with its sign turned, G's mean of log D(G(z)) too, which lecture notes like to
print with a step of the wrong sign. Each function returns the loss and its gradient with respect to
every logit it was given.

Goodfellow et al. 2014, "Generative adversarial nets"; Goodfellow 2016, "NIPS 2016 tutorial".
"""

from __future__ import annotations

from typing import ClassVar

from minigan.backend import Array, scalar
from minigan.errors import OptionError
from minigan.losses.objective import Objective, Value, mean
from minigan.ops.activation import sigmoid
from minigan.ops.loss import Term, mean_loss, mean_losses

PAPER = "Goodfellow et al. 2014, arXiv:1406.2661, sections 3 and 4; tutorial: arXiv:1701.00160"

EQUATIONS = {
    "loss.d": r"J^{(D)} = -\frac{1}{m} \sum_{i=1}^m [\log D(x^{(i)})"
    r" + \log(1 - D(G(z^{(i)})))]",
    "loss.minimax": r"J^{(G)} = \frac{1}{m} \sum_{i=1}^m \log(1 - D(G(z^{(i)})))",
    "loss.nonsaturating": r"J^{(G)} = -\frac{c}{m} \sum_{i=1}^m \log D(G(z^{(i)})), \quad c = 1"
    r" \text{ or the tutorial's } \frac{1}{2}",
    "loss.smoothing": r"\log D(x^{(i)}) \to (1 - \alpha) \log D(x^{(i)}) + \alpha \log(1 -"
    r" D(x^{(i)}))",
}


class Minimax(Objective):
    """The zero-sum game: G descends log(1 - D(G(z))) (paper, eq. 1 and Algorithm 1).

    label_smoothing alpha in [0, 1): D's target on real examples is 1 - alpha instead of 1, that on
    generated ones stays 0 (Salimans et al. 2016, arXiv:1606.03498, section 3.4). Raises OptionError
    for another alpha.
    """

    name: ClassVar[str] = "minimax"
    summary: ClassVar[str] = "the paper's game: G descends log(1 - D(G(z)))"
    explains: ClassVar[tuple[str, ...]] = ("loss",)

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        if not 0 <= label_smoothing < 1:
            raise OptionError(f"label_smoothing={label_smoothing!r} must lie in [0, 1)")
        self.label_smoothing = label_smoothing

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        """J(D) of logits (N, 1) on real and generated examples, and both gradients."""
        # softplus(l) - softplus(-l) = l
        smoothed = Term("negative", linear=self.label_smoothing)  # eq: loss.smoothing
        loss, d_real, d_fake = mean_losses(real, fake, smoothed, Term("softplus"))  # eq: loss.d
        return scalar(loss), d_real, d_fake

    def negative(self, fake: Array) -> tuple[Value, Array]:
        loss, d_fake = mean_loss(fake, Term("softplus"))
        return scalar(loss), d_fake

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        """J(G) of the logits of generated examples, and its gradient.

        The gradient vanishes where D is sure that they are generated: G learns nothing there.
        """
        loss, d_fake = mean_loss(fake, Term("softplus", weight=-1.0))  # eq: loss.minimax
        return scalar(loss), d_fake

    def report(self, real: Array, fake: Array) -> dict[str, Value]:
        """The mean probabilities D(x) and D(G(z))."""
        return {"D(x)": mean_probability(real), "D(G(z))": mean_probability(fake)}


class NonSaturating(Minimax):
    """The same D; G descends -scale log D(G(z)), whose gradient is strong where D is sure.

    `scale` is 1, as the paper's section 3 and common code have it; the tutorial's eq. 13 halves
    the losses of both players, so 1/2 there. Raises OptionError unless it is above 0.
    """

    name = "non-saturating"
    summary = "the same fixed point, stronger early gradients: G descends -log D(G(z))"

    def __init__(self, *, scale: float = 1.0, label_smoothing: float = 0.0) -> None:
        super().__init__(label_smoothing=label_smoothing)
        if not scale > 0:
            raise OptionError(f"scale={scale!r} must be above 0")
        self.scale = scale

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        """J(G) of the logits of generated examples, and its gradient."""
        term = Term("negative", weight=self.scale)
        loss, d_fake = mean_loss(fake, term)  # eq: loss.nonsaturating
        return scalar(loss), d_fake


def mean_probability(logits: Array) -> Value:
    """The mean of D = sigmoid(logits), the D(x) and D(G(z)) of a log."""
    return mean(sigmoid(logits))
