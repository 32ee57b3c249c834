r"""f-GAN: D estimates an f-divergence between data P and generated examples Q, and G lowers it.

    D_f(P||Q) = integral q f(p / q),   f convex, f(1) = 0 (but for "gan")
    D_f(P||Q) >= sup_T  E_P[T(x)] - E_Q[f*(T(x))],   f*(t) = sup_u (u t - f(u))

tight at T(x) = f'(p(x) / q(x)). T must stay in the domain of f*, so the network gives a number v
without bounds and T = g_f(v), g_f the output activation; T > f'(1) says "more likely real".

Every divergence of the paper's tables 5 and 6 is a row of `DIVERGENCES`. f*(g_f(v)) stands in each
row as a function of v of its own: in it exponentials cancel that overflow one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from minigan.backend import Array, scalar
from minigan.errors import OptionError, UnknownNameError
from minigan.losses.objective import Objective, Value, mean
from minigan.ops.activation import sigmoid, softplus
from minigan.ops.special import lambertw_exp

PAPER = "Nowozin et al. 2016, f-GAN, arXiv:1606.00709, eq. 4, 6 and 7, section 3.2, and its tables"

EQUATIONS = {
    "fgan.bound": r"D_f(P \| Q) \ge \sup_T \mathbb{E}_P[T(x)] - \mathbb{E}_Q[f^*(T(x))]",
    "fgan.saddle": r"\min_\theta \max_\omega F = \mathbb{E}_P[g_f(V_\omega(x))]"
    r" + \mathbb{E}_{Q_\theta}[-f^*(g_f(V_\omega(x)))]",
    "fgan.trick": r"\max_\theta \mathbb{E}_{Q_\theta}[g_f(V_\omega(x))]",
    "fgan.threshold": r"T(x) > f'(1) \text{: real}",
}

Function = Callable[[Array], Array]
INF = math.inf


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """A row of the tables. u = p / q > 0, t in `domain` (open but for total variation), v real."""

    name: str
    formula: str
    f: Function  # the generator
    slope: Function  # f'(u), the optimal T
    conjugate_in_domain: Function  # f*(t)
    domain: tuple[float, float]
    activation: Function  # g_f(v)
    activation_slope: Function  # g_f'(v)
    pulled: Function  # f*(g_f(v))
    pulled_slope: Function  # its derivative

    @property
    def threshold(self) -> float:
        """f'(1): the T of an example that is as likely real as generated."""
        return float(self.slope(np.ones(1))[0])  # eq: fgan.threshold

    def conjugate(self, t: Array) -> Array:
        """f*(t). Raises OptionError for a t outside its domain."""
        low, high = self.domain
        inside = np.abs(t) <= high if low == -high else (t > low) & (t < high)
        if not inside.all():
            raise OptionError(
                f"the conjugate of {self.name} takes {low:g} < t < {high:g}, got numbers from "
                f"{t.min():g} to {t.max():g}; put T through the output activation of {self.name}"
            )
        return self.conjugate_in_domain(t)


def _weighted_jensen_shannon(pi: float) -> Divergence:
    """The row with a weight pi in (0, 1) on P; half of "jensen-shannon" at 1/2."""
    top = -pi * math.log(pi)
    rest = 1 - pi

    def depth(v: Array) -> Array:
        """-log(pi e^(t / pi)) at t = g_f(v), where e^(t / pi) = e^(-softplus(-v) / pi) / pi."""
        return softplus(-v) / pi

    def near(v: Array) -> Array:
        """v, or where softplus(-v) is e^(-v) to the last bit the end of that range: from there on
        the conjugate is a line of slope 1 - pi."""
        return np.minimum(v, v.dtype.type(-math.log(np.finfo(v.dtype).eps)))

    return Divergence(
        name="weighted-jensen-shannon",
        formula="pi u log u - (1 - pi + pi u) log(1 - pi + pi u)",
        f=lambda u: pi * u * np.log(u) - (rest + pi * u) * np.log(rest + pi * u),
        slope=lambda u: pi * (np.log(u) - np.log(rest + pi * u)),
        conjugate_in_domain=lambda t: rest * np.log(rest / (1 - pi * np.exp(t / pi))),
        domain=(-INF, top),
        activation=lambda v: top - softplus(-v),
        activation_slope=lambda v: sigmoid(-v),
        pulled=lambda v: (
            rest * (math.log(rest) - np.log(-np.expm1(-depth(near(v)))) + (v - near(v)))
        ),
        pulled_slope=lambda v: rest / pi * sigmoid(-near(v)) * _one_in(depth(near(v))),
    )


def _one_in(s: Array) -> Array:
    """1 / (e^s - 1) for s > 0, without overflow."""
    return np.exp(-s) / -np.expm1(-s)


_ROWS = (
    Divergence(
        name="total-variation",
        formula="|u - 1| / 2",
        f=lambda u: np.abs(u - 1) / 2,
        slope=lambda u: np.sign(u - 1) / 2,
        conjugate_in_domain=lambda t: t + 0,
        domain=(-0.5, 0.5),
        activation=lambda v: np.tanh(v) / 2,
        activation_slope=lambda v: (1 - np.tanh(v) ** 2) / 2,
        pulled=lambda v: np.tanh(v) / 2,
        pulled_slope=lambda v: (1 - np.tanh(v) ** 2) / 2,
    ),
    Divergence(
        name="kl",
        formula="u log u",
        f=lambda u: u * np.log(u),
        slope=lambda u: np.log(u) + 1,
        conjugate_in_domain=lambda t: np.exp(t - 1),
        domain=(-INF, INF),
        activation=lambda v: v + 0,
        activation_slope=np.ones_like,
        pulled=lambda v: np.exp(v - 1),
        pulled_slope=lambda v: np.exp(v - 1),
    ),
    Divergence(
        name="reverse-kl",
        formula="-log u",
        f=lambda u: -np.log(u),
        slope=lambda u: -1 / u,
        conjugate_in_domain=lambda t: -1 - np.log(-t),
        domain=(-INF, 0),
        activation=lambda v: -np.exp(-v),
        activation_slope=lambda v: np.exp(-v),
        pulled=lambda v: v - 1,
        pulled_slope=np.ones_like,
    ),
    Divergence(
        name="pearson",
        formula="(u - 1)^2",
        f=lambda u: (u - 1) ** 2,
        slope=lambda u: 2 * (u - 1),
        conjugate_in_domain=lambda t: t * t / 4 + t,
        domain=(-INF, INF),
        activation=lambda v: v + 0,
        activation_slope=np.ones_like,
        pulled=lambda v: v * v / 4 + v,
        pulled_slope=lambda v: v / 2 + 1,
    ),
    Divergence(
        name="neyman",
        formula="(1 - u)^2 / u",
        f=lambda u: (1 - u) ** 2 / u,
        slope=lambda u: 1 - 1 / (u * u),
        conjugate_in_domain=lambda t: 2 - 2 * np.sqrt(1 - t),
        domain=(-INF, 1),
        activation=lambda v: -np.expm1(-v),
        activation_slope=lambda v: np.exp(-v),
        pulled=lambda v: -2 * np.expm1(-v / 2),
        pulled_slope=lambda v: np.exp(-v / 2),
    ),
    Divergence(
        name="squared-hellinger",
        formula="(sqrt(u) - 1)^2",
        f=lambda u: (np.sqrt(u) - 1) ** 2,
        slope=lambda u: 1 - 1 / np.sqrt(u),
        conjugate_in_domain=lambda t: t / (1 - t),
        domain=(-INF, 1),
        activation=lambda v: -np.expm1(-v),
        activation_slope=lambda v: np.exp(-v),
        pulled=np.expm1,
        pulled_slope=lambda v: np.exp(v),
    ),
    Divergence(
        name="jeffrey",
        formula="(u - 1) log u",
        f=lambda u: (u - 1) * np.log(u),
        slope=lambda u: np.log(u) + 1 - 1 / u,
        conjugate_in_domain=lambda t: _jeffrey(t),
        domain=(-INF, INF),
        activation=lambda v: v + 0,
        activation_slope=np.ones_like,
        pulled=lambda v: _jeffrey(v),
        pulled_slope=lambda v: 1 / lambertw_exp(1 - v),
    ),
    Divergence(
        name="jensen-shannon",
        formula="-(u + 1) log((1 + u) / 2) + u log u",
        f=lambda u: -(u + 1) * np.log((1 + u) / 2) + u * np.log(u),
        slope=lambda u: np.log(u) - np.log((1 + u) / 2),
        conjugate_in_domain=lambda t: -np.log(2 - np.exp(t)),
        domain=(-INF, math.log(2)),
        activation=lambda v: math.log(2) - softplus(-v),
        activation_slope=lambda v: sigmoid(-v),
        pulled=lambda v: softplus(v) - math.log(2),
        pulled_slope=lambda v: sigmoid(v),
    ),
    _weighted_jensen_shannon(0.5),
    Divergence(
        name="gan",
        formula="u log u - (u + 1) log(u + 1)",
        f=lambda u: u * np.log(u) - (u + 1) * np.log(u + 1),
        slope=lambda u: np.log(u) - np.log(u + 1),
        conjugate_in_domain=lambda t: -np.log(1 - np.exp(t)),
        domain=(-INF, 0),
        activation=lambda v: -softplus(-v),
        activation_slope=lambda v: sigmoid(-v),
        pulled=lambda v: softplus(v),
        pulled_slope=lambda v: sigmoid(v),
    ),
)
DIVERGENCES: dict[str, Divergence] = {row.name: row for row in _ROWS}
WEIGHTED = "weighted-jensen-shannon"


def _jeffrey(t: Array) -> Array:
    """W(e^(1-t)) + 1 / W(e^(1-t)) + t - 2."""
    w = lambertw_exp(1 - t)
    return w + 1 / w + t - 2


def get(name: str, *, pi: float = 0.5) -> Divergence:
    """The divergence of that name; pi in (0, 1) is the weight that "weighted-jensen-shannon" has.

    Raises UnknownNameError, and OptionError for a pi that cannot be or that another was given.
    """
    if name not in DIVERGENCES:
        raise UnknownNameError("divergence", name, DIVERGENCES)
    if not 0 < pi < 1:
        raise OptionError(f"pi={pi!r} must lie in (0, 1)")
    if name != WEIGHTED and pi != 0.5:
        raise OptionError(f"pi={pi!r} belongs to divergence {WEIGHTED!r}; {name!r} has none")
    return _weighted_jensen_shannon(pi) if name == WEIGHTED else DIVERGENCES[name]


class FGAN(Objective):
    """D ascends the bound of a divergence; G descends it, or by the paper's trick ascends E_Q[T].

    trick: G's loss is -E_Q[g_f(V(x))] instead of -E_Q[f*(g_f(V(x)))] (section 3.2), whose gradient
    does not vanish where D is sure; for "gan" that is the original paper's non-saturating loss.
    """

    name: ClassVar[str] = "f-gan"
    summary: ClassVar[str] = "the variational bound of one of ten f-divergences"
    explains = ("fgan",)

    def __init__(self, *, divergence: str = "kl", pi: float = 0.5, trick: bool = False) -> None:
        self.divergence = get(divergence, pi=pi)
        self.pi, self.trick = pi, trick

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        row = self.divergence
        loss = row.pulled(fake).mean() - row.activation(real).mean()  # eq: fgan.bound, fgan.saddle
        return (
            scalar(loss),
            -row.activation_slope(real) / real.size,
            row.pulled_slope(fake) / fake.size,
        )

    def negative(self, fake: Array) -> tuple[Value, Array]:
        row = self.divergence
        return scalar(row.pulled(fake).mean()), row.pulled_slope(fake) / fake.size

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        row = self.divergence
        if self.trick:
            loss = -row.activation(fake).mean()  # eq: fgan.trick
            return scalar(loss), -row.activation_slope(fake) / fake.size
        loss = -row.pulled(fake).mean()  # eq: fgan.saddle
        return scalar(loss), -row.pulled_slope(fake) / fake.size

    def report(self, real: Array, fake: Array) -> dict[str, Value]:
        """Mean T on both, and the bound, D's estimate of the divergence."""
        row = self.divergence
        bound = row.activation(real).mean() - row.pulled(fake).mean()
        return {
            "T(x)": mean(row.activation(real)),
            "T(G(z))": mean(row.activation(fake)),
            "bound": scalar(bound),
        }
