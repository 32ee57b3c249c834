r"""Optimisers: one update of a network's whole flat buffer at a time.

With parameters theta, gradient g and rate eta, each class states its rule. The state is in named
arrays of theta's size and the step count t, so that a resumed run goes on to the bit. The rules
are element by element: they run on blocks that stay in the cache, on every core.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from minigan.backend import Array, array_module, is_array, on_cuda, overwrite, to_device
from minigan.cuda.graph import before_each_step
from minigan.errors import CheckpointError, OptionError
from minigan.layers.params import FlatParams
from minigan.ops.dispatch import cuda_version
from minigan.parallel import over_blocks
from minigan.schedule import Schedule, constant


class Optimizer:
    """Base: a subclass names its state and writes `update`, with eta the rate `lr`.

    params: a network's buffer, `network.flat`; lr: a number at least 0, or a schedule of the steps
    taken. Raises OptionError for other values of these and of a subclass's own numbers.
    """

    state_names: tuple[str, ...] = ()
    card_rule: ClassVar[str]  # the kernel of `update`, in minigan/ops/cuda/optim.py
    rate_count: ClassVar[int] = 1

    def __init__(self, params: FlatParams, lr: float | Schedule) -> None:
        if not is_array(getattr(params, "data", None)):
            raise OptionError(
                f"an optimiser moves a network's buffer, got {type(params).__name__}; give "
                "network.flat"
            )
        self.params = params
        self.schedule = lr if callable(lr) else constant(lr)
        if not 0 <= self.schedule(0) < math.inf:
            raise OptionError(f"learning rate {self.schedule(0)!r} must be at least 0 and finite")
        self.t = 0
        self.state = {name: np.zeros_like(params.data) for name in self.state_names}

    def step(self) -> None:
        """Move the parameters once along the gradient that is in the buffer."""
        theta, g = self.params.data, self.params.grad
        if on_cuda(theta):
            self._step_on_card()
            return
        lr = self.schedule(self.t)
        self.t += 1

        def block(a: int, b: int) -> None:
            self.update(theta[a:b], g[a:b], {k: s[a:b] for k, s in self.state.items()}, lr)

        over_blocks(block, theta.size)
        self.params.touch()

    def update(self, theta: Array, g: Array, state: dict[str, Array], lr: float) -> None:
        """Change a block of theta and its state in place; self.t is 1 at the first step."""
        raise NotImplementedError

    def rates(self, lr: float) -> list[float]:
        """The numbers of the rule that change from step to step, as `card_rule` takes them."""
        return [lr]

    def settings(self) -> dict[str, float]:
        """The numbers of the rule that do not change, as `card_rule` takes them."""
        return {}

    def to(self, device: str) -> None:
        """Follow the network to `device`."""
        self.state = {name: to_device(array, device) for name, array in self.state.items()}

    def _step_on_card(self) -> None:
        """`step` as one kernel. What changes from step to step lies in the card's memory, so that a
        captured step can be replayed."""
        theta, g = self.params.data, self.params.grad
        rates = array_module(theta).empty(self.rate_count, np.float64)

        def advance() -> None:
            lr = self.schedule(self.t)
            self.t += 1
            overwrite(rates, np.array(self.rates(lr)))
            self.params.touch()

        before_each_step(advance)
        cuda_version(self.card_rule)(theta, g, *self.state.values(), rates, **self.settings())

    def state_dict(self) -> dict[str, Array]:
        """The arrays of the state, and t as an array of one number."""
        return {**self.state, "t": np.array([self.t], np.int64)}

    def load_state_dict(self, state: dict[str, Array]) -> None:
        """Go on from a stored state. Raises CheckpointError if it is of another optimiser."""
        wanted = {*self.state, "t"}
        if set(state) != wanted:
            raise CheckpointError(
                f"stored state {sorted(state)} is not that of {type(self).__name__}, "
                f"which keeps {sorted(wanted)}"
            )
        for name, mine in self.state.items():
            if state[name].shape != mine.shape:
                raise CheckpointError(
                    f"stored {name} has {state[name].size} numbers, the network {mine.size}"
                )
            overwrite(mine, state[name])
        self.t = int(state["t"][0])


class SGD(Optimizer):
    """theta -= eta g: gradient descent."""

    card_rule = "optim.sgd"

    def update(self, theta: Array, g: Array, state: dict[str, Array], lr: float) -> None:
        theta -= lr * g


class Momentum(Optimizer):
    """v = mu v + g;  theta -= eta v (Polyak 1964, in PyTorch's scaling)."""

    state_names = ("v",)
    card_rule = "optim.momentum"
    nesterov: ClassVar[bool] = False

    def __init__(self, params: FlatParams, lr: float | Schedule, *, momentum: float = 0.9) -> None:
        super().__init__(params, lr)
        self.momentum = _unit("momentum", momentum)

    def settings(self) -> dict[str, float]:
        return {"momentum": self.momentum, "nesterov": self.nesterov}

    def update(self, theta: Array, g: Array, state: dict[str, Array], lr: float) -> None:
        v = state["v"]
        v *= self.momentum
        v += g
        theta -= lr * v


class Nesterov(Momentum):
    """v = mu v + g;  theta -= eta (g + mu v) (Sutskever et al. 2013, in PyTorch's form)."""

    nesterov = True

    def update(self, theta: Array, g: Array, state: dict[str, Array], lr: float) -> None:
        v = state["v"]
        v *= self.momentum
        v += g
        theta -= lr * (g + self.momentum * v)


class RMSProp(Optimizer):
    """v = alpha v + (1 - alpha) g^2;  theta -= eta g / (sqrt(v) + eps) (Tieleman, Hinton 2012)."""

    state_names = ("v",)
    card_rule = "optim.rmsprop"

    def __init__(
        self,
        params: FlatParams,
        lr: float | Schedule,
        *,
        alpha: float = 0.99,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(params, lr)
        self.alpha, self.eps = _unit("alpha", alpha), _above_0("eps", eps)

    def settings(self) -> dict[str, float]:
        return {"alpha": self.alpha, "eps": self.eps}

    def update(self, theta: Array, g: Array, state: dict[str, Array], lr: float) -> None:
        v = state["v"]
        v *= self.alpha
        v += (1 - self.alpha) * g * g
        theta -= lr * g / (np.sqrt(v) + self.eps)


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
    theta -= eta mhat / (sqrt(vhat) + eps), mhat = m / (1 - b1^t), vhat = v / (1 - b2^t).

    Kingma and Ba 2015, Algorithm 1. `weight_decay` is decoupled from the gradient as in AdamW
    (Loshchilov and Hutter 2019, Algorithm 2): theta -= eta weight_decay theta.
    """

    state_names = ("m", "v")
    card_rule = "optim.adam"
    rate_count = 3

    def __init__(
        self,
        params: FlatParams,
        lr: float | Schedule,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        self.beta1, self.beta2 = _unit("beta1", beta1), _unit("beta2", beta2)
        if not 0 <= weight_decay < math.inf:
            raise OptionError(f"weight_decay={weight_decay!r} must be at least 0 and finite")
        self.eps, self.weight_decay = _above_0("eps", eps), weight_decay

    def rates(self, lr: float) -> list[float]:
        """eta / (1 - b1^t), 1 / sqrt(1 - b2^t) and what weight decay leaves of theta."""
        first, second = 1 - self.beta1**self.t, 1 - self.beta2**self.t
        return [lr / first, 1 / math.sqrt(second), 1 - lr * self.weight_decay]

    def settings(self) -> dict[str, float]:
        return {"beta1": self.beta1, "beta2": self.beta2, "eps": self.eps}

    def update(self, theta: Array, g: Array, state: dict[str, Array], lr: float) -> None:
        m, v = state["m"], state["v"]
        if self.weight_decay:
            theta *= 1 - lr * self.weight_decay
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        # sqrt(vhat) = sqrt(v) / sqrt(1 - b2^t), so both corrections are scalars.
        denominator = np.sqrt(v)
        denominator *= 1 / math.sqrt(1 - self.beta2**self.t)
        denominator += self.eps
        np.divide(m, denominator, out=denominator)
        denominator *= lr / (1 - self.beta1**self.t)
        theta -= denominator


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), 0.01 unless given."""

    def __init__(
        self,
        params: FlatParams,
        lr: float | Schedule,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay)


def clip_grad_norm(params: FlatParams, max_norm: float) -> Any:
    """Scale the gradient down to norm max_norm if it is longer; returns its norm before.

    A gradient that is not finite stays as it is. On a card, which is not waited for, it is scaled
    all the same: what was not finite becomes NaN, and the rest 0 or NaN.
    """
    norm = params.grad_norm()
    if on_cuda(norm):
        if max_norm < math.inf:
            shorter = max_norm / np.maximum(norm, max_norm)
            params.grad *= shorter.astype(params.grad.dtype)
        return norm
    if max_norm < norm < math.inf:
        params.grad *= max_norm / norm
    return norm


def _above_0(name: str, value: float) -> float:
    if not 0 < value < math.inf:
        raise OptionError(f"{name}={value!r} must be above 0 and finite")
    return value


def _unit(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise OptionError(f"{name}={value!r} must lie in [0, 1)")
    return value
