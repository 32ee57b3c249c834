r"""Gradient penalties: terms of D's loss that look at D's own gradient.

At points xhat, one for each example, with g = grad D(xhat) and norms over all axes of an example,

    P = weight (1/m) sum_i phi(||g_i||^2)

    dP/dg_i = weight (2/m) phi'(||g_i||^2) g_i

The gradient of P in D's weights needs D's second derivatives: g comes from `input_gradient`, and
`double_backward` takes dP/dg to the weights. Written with the square s = ||g||^2, phi is

    WGAN-GP, DRAGAN   (sqrt(s) - target)^2      phi' = 1 - target / sqrt(s)
    R1, R2            s / 2                     phi' = 1/2
    WGAN-div          s^(p/2)                   phi' = (p/2) s^(p/2 - 1)

A penalty looks at each example for itself. Batch norm and minibatch discrimination mix the examples
of a batch, so that the gradient at one of them is not that of D at it: a D that holds one of these
is refused. Minibatch standard deviation, which adds one number of the whole group, is not: WGAN-GP
on it is the published recipe of progressive growing (Karras et al. 2018), R1 that of StyleGAN.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from minigan.backend import Array, array_module, scalar
from minigan.errors import OptionError, UnknownNameError
from minigan.layers import BatchNorm, Layer, MinibatchDiscrimination, Pack
from minigan.losses.objective import Value
from minigan.noise import Rng

PAPER = {
    "penalty.gp": "Gulrajani et al. 2017, WGAN-GP, arXiv:1704.00028, eq. 3",
    "penalty.dragan": "Kodali et al. 2017, DRAGAN, arXiv:1705.07215",
    "penalty": "Mescheder et al. 2018, arXiv:1801.04406, eq. 9 and 10",
    "penalty.div": "Wu et al. 2018, WGAN-div, arXiv:1712.01026",
}

EQUATIONS = {
    "penalty.gp": r"\lambda \, \mathbb{E}_{\hat x}[(\|\nabla_{\hat x} D(\hat x)\|_2 - 1)^2],"
    r" \quad \hat x = \epsilon x + (1 - \epsilon) \tilde x, \quad \epsilon \sim U[0, 1]",
    "penalty.dragan": r"\lambda \, \mathbb{E}_{x, \delta}[(\|\nabla D(x + \delta)\|_2 - k)^2]",
    "penalty.r1": r"\frac{\gamma}{2} \mathbb{E}_{p_{data}}[\|\nabla D(x)\|^2]",
    "penalty.r2": r"\frac{\gamma}{2} \mathbb{E}_{p_\theta}[\|\nabla D(x)\|^2]",
    "penalty.div": r"k \, \mathbb{E}_{\hat x}[\|\nabla_{\hat x} D(\hat x)\|^p]",
}


# Layers that mix the examples of a batch, and what to do instead.
MIXING: dict[type[Layer], str] = {
    BatchNorm: "use LayerNorm or InstanceNorm there, or no norm (--norm-D)",
    MinibatchDiscrimination: "leave it out (--minibatch-discrimination 0)",
}


class Penalty(ABC):
    """Base: a subclass says where the gradient is taken, and gives phi and its slope.

    `weight` is the paper's factor (lambda, gamma or k); unless given, the paper's value of it.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    explains: ClassVar[str]  # the id of its equation
    paper_weight: ClassVar[float]

    def __init__(self, *, weight: float | None = None) -> None:
        self.weight = self.paper_weight if weight is None else weight
        if not 0 < self.weight < np.inf:
            raise OptionError(f"penalty weight={weight!r} must be above 0 and finite")

    @abstractmethod
    def points(self, real: Array, fake: Array, rng: Rng, pack: int = 1) -> Array:
        """Where D's gradient is taken: a point for each example; D judges `pack` as one."""

    @abstractmethod
    def phi(self, square: Array) -> tuple[Array, Array]:
        """phi(s) and phi'(s) of squared norms (m,)."""

    def __call__(self, D: Layer, real: Array, fake: Array, rng: Rng) -> Value:
        """The penalty's value; adds its gradient into D's parameter gradients.

        D's running state does not move.
        """
        pack = math.prod(layer.m for _, layer in D.walk() if isinstance(layer, Pack))
        x = self.points(real, fake, rng, pack)
        scores, ctx = D.forward(x, update_stats=False)
        g, gctx = D.input_gradient(np.ones_like(scores), ctx)
        rows = g.reshape(len(scores), -1)  # one norm for each number that D gives
        phi, slope = self.phi((rows * rows).sum(1))
        factor = 2 * self.weight / len(rows)
        D.double_backward((factor * slope[:, None] * rows).reshape(g.shape), gctx)
        return scalar(self.weight * phi.mean())

    def check(self, D: Layer) -> None:
        """Raise OptionError for a D that holds one of MIXING."""
        for path, layer in D.walk():
            for kind, remedy in MIXING.items():
                if isinstance(layer, kind):
                    raise OptionError(
                        f"penalty {self.name!r} looks at the gradient at each example for itself, "
                        f"and D's layer {path.rstrip('.')}, {layer!r}, mixes the examples of a "
                        f"batch; {remedy}"
                    )


class _ToTarget(Penalty):
    """(||g|| - target)^2. At g = 0, where the norm has no derivative, nothing is pulled."""

    def __init__(self, *, weight: float | None = None, target: float = 1.0) -> None:
        super().__init__(weight=weight)
        if not 0 <= target < np.inf:
            raise OptionError(f"target={target!r} must be at least 0 and finite")
        self.target = target

    def phi(self, square: Array) -> tuple[Array, Array]:
        norm = np.sqrt(np.maximum(square, np.finfo(square.dtype).tiny))
        return (norm - self.target) ** 2, 1 - self.target / norm  # eq: penalty.gp, penalty.dragan


class Interpolated(_ToTarget):
    """WGAN-GP: norm 1 on straight lines between real and generated examples.

    One epsilon for each example, or for each pack that D judges as one (as Xu et al. 2019 do,
    CTGAN, arXiv:1907.00503), drawn anew each time.
    """

    name = "wgan-gp"
    explains = "penalty.gp"
    summary = "gradient norm 1 between real and generated examples"
    paper_weight = 10.0

    def points(self, real: Array, fake: Array, rng: Rng, pack: int = 1) -> Array:
        return interpolated(real, fake, rng, pack)


class Perturbed(_ToTarget):
    """DRAGAN: norm k (`target`) around the data, at x + delta.

    delta is noise of the paper's published code: uniform on [0, `spread` times the batch's standard
    deviation], each number for itself. (The paper's text has N(0, c I) instead.) That code, the
    notebook of kodalinaveen3/DRAGAN, besides takes the gradient at x + alpha delta, with one alpha
    ~ U(0, 1) for each example, which is left out here.
    """

    name = "dragan"
    explains = "penalty.dragan"
    summary = "gradient norm 1 around real examples"
    paper_weight = 10.0

    def __init__(
        self, *, weight: float | None = None, target: float = 1.0, spread: float = 0.5
    ) -> None:
        super().__init__(weight=weight, target=target)
        if not 0 <= spread < np.inf:
            raise OptionError(f"spread={spread!r} must be at least 0 and finite")
        self.spread = spread

    def points(self, real: Array, fake: Array, rng: Rng, pack: int = 1) -> Array:
        delta = self.spread * real.std() * _uniform(rng, real.shape, real)
        return real + delta  # eq: penalty.dragan


class Div(Penalty):
    """WGAN-div: the p-th power of the norm between real and generated examples, k = 2, p = 6.

    No bound of 1 is asked for: this penalty makes the loss a divergence of its own.
    """

    name = "wgan-div"
    explains = "penalty.div"
    summary = "a high power of the gradient norm between real and generated examples"
    paper_weight = 2.0

    def __init__(self, *, weight: float | None = None, power: float = 6.0) -> None:
        super().__init__(weight=weight)
        if not 2 <= power < np.inf:
            raise OptionError(f"power={power!r} must be at least 2 and finite")
        self.power = power

    def points(self, real: Array, fake: Array, rng: Rng, pack: int = 1) -> Array:
        return interpolated(real, fake, rng, pack)

    def phi(self, square: Array) -> tuple[Array, Array]:
        half = self.power / 2
        return square**half, half * square ** (half - 1)  # eq: penalty.div


class R1(Penalty):
    """R1: half the squared norm at real examples."""

    name = "r1"
    explains = "penalty.r1"
    summary = "half the squared gradient norm at real examples"
    paper_weight = 10.0

    def points(self, real: Array, fake: Array, rng: Rng, pack: int = 1) -> Array:
        return real

    def phi(self, square: Array) -> tuple[Array, Array]:
        return square / 2, np.full_like(square, 0.5)  # eq: penalty.r1, penalty.r2


class R2(R1):
    """R2: half the squared norm at generated examples."""

    name = "r2"
    explains = "penalty.r2"
    summary = "half the squared gradient norm at generated examples"

    def points(self, real: Array, fake: Array, rng: Rng, pack: int = 1) -> Array:
        return fake


PENALTIES: dict[str, type[Penalty]] = {p.name: p for p in (Interpolated, Div, Perturbed, R1, R2)}


def get(name: str, **settings: Any) -> Penalty:
    """A new penalty of that name. Raises UnknownNameError, and OptionError for bad settings."""
    if name not in PENALTIES:
        raise UnknownNameError("penalty", name, PENALTIES)
    return PENALTIES[name](**settings)


def interpolated(real: Array, fake: Array, rng: Rng, pack: int = 1) -> Array:
    """epsilon x + (1 - epsilon) x~ with one epsilon of U(0, 1) for `pack` neighbouring pairs.

    Raises OptionError unless there are as many real as generated examples.
    """
    if real.shape != fake.shape:
        raise OptionError(
            f"points between real and generated examples need as many of either, got {real.shape} "
            f"and {fake.shape}"
        )
    epsilon = _uniform(rng, (len(real), *[1] * (real.ndim - 1)), real)
    if pack > 1:
        epsilon = epsilon[::pack].repeat(pack, 0)[: len(real)]
    return epsilon * real + (1 - epsilon) * fake  # eq: penalty.gp


def _uniform(rng: Rng, shape: tuple[int, ...], like: Array) -> Array:
    return array_module(like).asarray(rng.uniform(0, 1, shape), like.dtype)
