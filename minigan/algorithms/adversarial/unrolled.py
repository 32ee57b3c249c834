r"""Unrolled GAN (Metz et al. 2017): G looks ahead at what D would do.

A generator that sits on one mode wins until D has answered. Here G is judged by the discriminator
that D would become in K steps, and its gradient runs through these steps:

    theta_D^0 = theta_D
    for k = 0, ..., K-1:
        theta_D^{k+1} = theta_D^k - eta dJ_D(theta_G, theta_D^k)/dtheta_D       unrolled.step
    f_K(theta_G, theta_D) = J_G(theta_G, theta_D^K)                             unrolled.surrogate
    G descends df_K/dtheta_G, through theta_D^K as well                         unrolled.gradient
    D descends dJ_D/dtheta_D at theta_D: the K steps are forgotten

How G's gradient is computed without autograd. Everything that G does reaches D as x~ = G(z), so
df_K/dx~ is wanted. Reverse through the steps, with a = df_K/dtheta_D^k and b = df_K/dx~ so far:

    at K:      a = dJ_G/dtheta_D, b = dJ_G/dx~: one backward pass of D with weight gradients
    step k:    the optimiser turns a into g_bar, what J_D's gradient g is owed (surrogate.py), and
               a += d<g_bar, g>/dtheta_D,   b += d<g_bar, g>/dx~ :

a product of J_D's Hessian with g_bar. It takes the reverse of the reverse pass, for which layers
have `weight_double_backward`, and between up and down the loss's own second derivative
(losses/curvature.py). A pass of tangents through every layer (Pearlmutter 1994) gives the same
product, but needs two new passes for each layer; this one shares all of a layer's second derivative
with gradient penalties. Both are exact. The contexts of step k belong to theta_D^k, so the forward
passes are run again on the way back, and what is kept of a step is its point and its gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigan.algorithms.adversarial.surrogate import Point, surrogate
from minigan.algorithms.gan import GAN
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import Objective
from minigan.losses.curvature import check_curvature, curvature
from minigan.losses.objective import Value
from minigan.optim import Optimizer

PAPER = "Metz et al. 2017, Unrolled generative adversarial networks, arXiv:1611.02163, section 2"

EQUATIONS = {
    "unrolled.step": r"\theta_D^{k+1} = \theta_D^k + \eta^k"
    r" \frac{d f(\theta_G, \theta_D^k)}{d \theta_D^k}, \quad \theta_D^0 = \theta_D",
    "unrolled.surrogate": r"f_K(\theta_G, \theta_D) = f(\theta_G, \theta_D^K(\theta_G, \theta_D))",
    "unrolled.gradient": r"\frac{d f_K}{d \theta_G} = \frac{\partial f(\theta_G, \theta_D^K)}"
    r"{\partial \theta_G} + \frac{\partial f(\theta_G, \theta_D^K)}{\partial \theta_D^K}"
    r" \frac{d \theta_D^K}{d \theta_G}",
}


class UnrolledGAN(GAN):
    """Algorithm 1 with G's loss unrolled over `unroll` steps of D's own optimiser.

    D's update is the ordinary one. The steps that G foresees use G's own minibatch and the examples
    that D saw last; they start from the optimiser's state as it is. Raises OptionError for parts
    that are in D's update and not in these steps, and for an objective, an optimiser or a D whose
    steps cannot be differentiated through.
    """

    def __init__(self, G: Layer, D: Layer, *, unroll: int, **parts: Any) -> None:
        super().__init__(G, D, **parts)
        if parts.get("generator_loss"):
            raise OptionError("an unrolled G has a loss of its own; give no other generator loss")
        if self.terms or self.weight_clipping or self.regularizers.get("D"):
            raise OptionError(
                "unrolled steps are those of the objective alone: a penalty, clipped weights or a "
                "regularizer of D would not be in what G foresees; leave out one or the other"
            )
        self.generator_loss = Unrolled(self.objective, self.optimizers["D"], unroll)


class Unrolled:
    """G's loss f_K: the objective's, at the D of `steps` steps from now.

    D's running state stands still in all of it, so dropout's mask is the same in every step. Steps
    are not clipped.
    """

    def __init__(self, objective: Objective, optimizer: Optimizer, steps: int) -> None:
        if steps < 1:
            raise OptionError(f"unroll={steps!r}: wanted at least 1 step of D")
        check_curvature(objective)
        if objective.needs_real:
            raise OptionError(f"G's loss of objective {objective.name!r} cannot be unrolled")
        self.objective, self.rule, self.steps = objective, surrogate(optimizer), steps

    def __call__(self, D: Layer, fake: Array, real: Array) -> tuple[Value, Array]:
        """f_K and its gradient with respect to the generated examples; D is put back as it was."""
        with _put_back(D):
            points, gradients = [self.rule.start()], []
            for k in range(self.steps):
                gradients.append(self._gradient(D, points[k], real, fake))
                points.append(self.rule.advance(points[k], gradients[k], k))  # eq: unrolled.step
            loss, a, b = self._generator(D, points[-1], fake)  # eq: unrolled.surrogate
            bar = Point(a, {name: np.zeros_like(s) for name, s in points[-1].state.items()})
            for k in reversed(range(self.steps)):
                bar, g_bar = self.rule.retreat(bar, points[k + 1], gradients[k], k)
                da, db = self._hessian_product(D, points[k], real, fake, g_bar)
                bar = Point(bar.theta + da, bar.state)
                b = b + db  # eq: unrolled.gradient
        return loss, b

    def _gradient(self, D: Layer, at: Point, real: Array, fake: Array) -> Array:
        """dJ_D/dtheta_D at a point."""
        D.flat.load(at.theta)
        D.flat.zero_grad()
        real_scores, real_ctx = D.forward(real, update_stats=False)
        fake_scores, fake_ctx = D.forward(fake, update_stats=False)
        _, d_real, d_fake = self.objective.discriminator(real_scores, fake_scores)
        D.backward(d_real, real_ctx, need_dx=False)
        D.backward(d_fake, fake_ctx, need_dx=False)
        return D.flat.grad.copy()

    def _generator(self, D: Layer, at: Point, fake: Array) -> tuple[Value, Array, Array]:
        """J_G at a point, and its derivatives with respect to theta_D and the examples."""
        D.flat.load(at.theta)
        D.flat.zero_grad()
        scores, ctx = D.forward(fake, update_stats=False)
        loss, d_scores = self.objective.generator(scores)
        dfake = D.backward(d_scores, ctx)
        return loss, D.flat.grad.copy(), dfake

    def _hessian_product(
        self, D: Layer, at: Point, real: Array, fake: Array, direction: Array
    ) -> tuple[Array, Array]:
        """The derivatives of <direction, dJ_D/dtheta_D> with respect to theta_D and `fake`."""
        D.flat.load(at.theta)
        D.flat.zero_grad()
        ddw = D.flat.direction(direction)
        real_scores, real_ctx = D.forward(real, update_stats=False)
        fake_scores, fake_ctx = D.forward(fake, update_stats=False)
        _, d_real, d_fake = self.objective.discriminator(real_scores, fake_scores)
        real_bend, fake_bend = curvature(self.objective, real_scores, fake_scores)

        _, gctx = D.input_gradient(d_real, real_ctx)
        dd, _ = D.weight_double_backward(ddw, gctx)
        D.backward(real_bend * dd, real_ctx, need_dx=False)
        _, gctx = D.input_gradient(d_fake, fake_ctx)
        dd, x_extra = D.weight_double_backward(ddw, gctx)
        dfake = D.backward(fake_bend * dd, fake_ctx)
        return D.flat.grad.copy(), dfake + x_extra


@contextmanager
def _put_back(D: Layer) -> Iterator[None]:
    """D's parameters and gradients are afterwards as they were."""
    theta, grad = D.flat.data.copy(), D.flat.grad.copy()
    try:
        yield
    finally:
        D.flat.load(theta)
        D.flat.grad[...] = grad
