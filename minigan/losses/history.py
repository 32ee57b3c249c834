r"""Historical averaging: a player pays for leaving the mean of where it has been.

    |theta - 1/t sum_{i=1}^t theta[i]|^2

Gradient play that circles around an equilibrium is pulled to the middle of its circles. The mean is
a constant in the derivative, which is 2 (theta - mean); it moves to (mean t + theta) / (t + 1).
"""

from __future__ import annotations

import math

import numpy as np

from minigan.backend import Array, scalar, to_device
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses.objective import Value

PAPER = "Salimans et al. 2016, Improved techniques for training GANs, arXiv:1606.03498, section 3.3"

EQUATIONS = {
    "history.average": r"\left\| \theta - \frac{1}{t} \sum_{i=1}^t \theta[i] \right\|^2",
}


class HistoricalAveraging:
    """A regularizer of one network: `weight` times the squared distance to its past mean.

    The first call costs nothing, for there is no past. The mean and t are in `state`.
    """

    name = "history"

    def __init__(self, net: Layer, weight: float) -> None:
        if not 0 < weight < math.inf:
            raise OptionError(f"historical averaging of weight={weight!r}: wanted above 0, finite")
        self.weight = weight
        self.state = {"mean": np.zeros_like(net.flat.data), "t": np.zeros(1, net.flat.data.dtype)}

    def __call__(self, net: Layer) -> Value:
        """The term's value; adds its gradient, then counts theta among the past."""
        theta, mean, t = net.flat.data, self.state["mean"], self.state["t"]
        started = np.minimum(t, 1)  # 0 at first, without asking the device
        away = theta - mean
        factor = started * theta.dtype.type(self.weight)
        value = (factor * np.square(away).sum()).sum()  # eq: history.average
        net.flat.grad += 2 * factor * away
        t += 1
        mean += away / t
        return scalar(value)

    def state_dict(self) -> dict[str, Array]:
        """What a resumed run needs."""
        return self.state

    def to(self, device: str) -> None:
        """Follow the network to `device`."""
        self.state = {name: to_device(array, device) for name, array in self.state.items()}
