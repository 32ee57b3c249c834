r"""Steps of an optimiser that can be differentiated through.

A surrogate takes the steps that an optimiser would take, from the state it is in, on arrays of its
own, and carries derivatives back through them. With J(theta) the loss, g = dJ/dtheta and a bar for
the derivative of what comes later,

    gradient descent   theta' = theta - eta g
                       g_bar = -eta theta_bar'
    momentum           v' = mu v + g;  theta' = theta - eta v'
                       v_bar' -= eta theta_bar';  g_bar = v_bar';  v_bar = mu v_bar'
    Adam               m' = b1 m + (1 - b1) g;  v' = b2 v + (1 - b2) g^2
                       theta' = theta - eta mhat / r,  r = sqrt(vhat) + eps
                       m_bar' -= eta theta_bar' / (r (1 - b1^t))
                       v_bar' += eta theta_bar' mhat / (2 r^2 sqrt(vhat) (1 - b2^t))
                       g_bar = (1 - b1) m_bar' + 2 (1 - b2) g v_bar'
                       m_bar = b1 m_bar';  v_bar = b2 v_bar'

and theta_bar = theta_bar' (less what decoupled weight decay takes), to which the caller adds what
g_bar owes to theta through g. Where vhat is 0 its root has no derivative; g and mhat are 0 there,
and so is the product, which is what it tends to.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.cuda.graph import step_value
from minigan.errors import OptionError
from minigan.optim import SGD, Adam, AdamW, Momentum, Optimizer


class Point(NamedTuple):
    """Parameters and an optimiser's state; or the derivatives with respect to each of these."""

    theta: Array
    state: dict[str, Array]


class Descent:
    """Gradient descent, and the base of the other rules: numbers come from the optimiser."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer

    def start(self) -> Point:
        """Copies of what the optimiser's network and the optimiser hold now."""
        state = {name: array.copy() for name, array in self.optimizer.state.items()}
        return Point(self.optimizer.params.data.copy(), state)

    def rate(self, k: int, like: Array) -> Any:
        """The learning rate of the k-th step from now, k = 0 for the next, in like's dtype."""
        return step_value(lambda: self.optimizer.schedule(self.optimizer.t + k), like)

    def advance(self, at: Point, g: Array, k: int) -> Point:
        """The point after the k-th step."""
        return Point(at.theta - self.rate(k, g) * g, {})

    def retreat(self, bar: Point, after: Point, g: Array, k: int) -> tuple[Point, Array]:
        """The derivatives before the k-th step, theta's without its share through g; and g's."""
        return bar, -self.rate(k, g) * bar.theta


class MomentumDescent(Descent):
    """Momentum."""

    optimizer: Momentum

    def advance(self, at: Point, g: Array, k: int) -> Point:
        v = self.optimizer.momentum * at.state["v"] + g
        return Point(at.theta - self.rate(k, g) * v, {"v": v})

    def retreat(self, bar: Point, after: Point, g: Array, k: int) -> tuple[Point, Array]:
        v_bar = bar.state["v"] - self.rate(k, g) * bar.theta
        return Point(bar.theta, {"v": self.optimizer.momentum * v_bar}), v_bar


class AdamDescent(Descent):
    """Adam and AdamW."""

    optimizer: Adam

    def advance(self, at: Point, g: Array, k: int) -> Point:
        b1, b2 = self.optimizer.beta1, self.optimizer.beta2
        m = b1 * at.state["m"] + (1 - b1) * g
        v = b2 * at.state["v"] + (1 - b2) * np.square(g)
        root = np.sqrt(v / self._correction(b2, k, g))
        mhat = m / self._correction(b1, k, g)
        step = self.rate(k, g) * mhat / (root + self.optimizer.eps)
        return Point(self._kept(k, g) * at.theta - step, {"m": m, "v": v})

    def retreat(self, bar: Point, after: Point, g: Array, k: int) -> tuple[Point, Array]:
        b1, b2 = self.optimizer.beta1, self.optimizer.beta2
        of_m, of_v = self._correction(b1, k, g), self._correction(b2, k, g)
        root, mhat = np.sqrt(after.state["v"] / of_v), after.state["m"] / of_m
        r = root + self.optimizer.eps
        moved = self.rate(k, g) * bar.theta / r
        m_bar = bar.state["m"] - moved / of_m
        slope = np.where(root > 0, moved * mhat / (2 * r * np.where(root > 0, root, 1) * of_v), 0)
        v_bar = bar.state["v"] + slope
        g_bar = (1 - b1) * m_bar + 2 * (1 - b2) * g * v_bar
        return Point(self._kept(k, g) * bar.theta, {"m": b1 * m_bar, "v": b2 * v_bar}), g_bar

    def _correction(self, beta: float, k: int, like: Array) -> Any:
        """1 - beta^t at the k-th step from now."""
        return step_value(lambda: 1 - beta ** (self.optimizer.t + k + 1), like)

    def _kept(self, k: int, like: Array) -> Any:
        """What decoupled weight decay leaves of theta."""
        return 1 - self.rate(k, like) * self.optimizer.weight_decay


RULES: dict[type[Optimizer], type[Descent]] = {
    SGD: Descent,
    Momentum: MomentumDescent,
    Adam: AdamDescent,
    AdamW: AdamDescent,
}


def surrogate(optimizer: Optimizer) -> Descent:
    """The steps of that optimiser. Raises OptionError for a rule that has none here."""
    kind = type(optimizer)
    if kind not in RULES:
        raise OptionError(
            f"steps of {kind.__name__} cannot be differentiated through here; use "
            f"{', '.join(rule.__name__.lower() for rule in RULES)} for D"
        )
    return RULES[kind](optimizer)
