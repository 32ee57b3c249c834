r"""Generative adversarial nets: Algorithm 1 (Goodfellow et al. 2014).

Two players: the generator G turns noise z ~ p_z(z) into examples, the discriminator D(x) is the
probability that x came from the data rather than from G. Both are trained in turn:

    for number of training iterations do
        for k steps do
            sample m noise samples z from p_z(z), m examples x from p_data(x)
            update D by ascending its stochastic gradient            gan.alg1.d
        end for
        sample m noise samples z from p_z(z)
        update G by descending its stochastic gradient               gan.alg1.g
    end for

The paper's box calls p_z p_g, which is the distribution of G(z) everywhere else. `GAN.step` is the
box, `update_discriminator` and `update_generator` are its two updates.

While one player is updated the other is frozen: its weights get no gradient and its running
statistics do not move. What a later paper adds to the box is a part (parts.py): a term of D's loss,
a regularizer of either player, another loss of G, noise on what D is shown, bounds on D's weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from minigan.algorithms.base import Algorithm, Scalars
from minigan.algorithms.parts import (
    CriticTerm,
    Fooling,
    GeneratorLoss,
    InstanceNoise,
    Regularizers,
    WeightClipping,
    added,
)
from minigan.backend import Array, check_rng, is_array, to_device
from minigan.ema import EMA
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import NonSaturating, Objective
from minigan.losses.objective import Value
from minigan.noise import Rng
from minigan.optim import Optimizer
from minigan.prior import Prior

PAPER = "Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661, Algorithm 1"

EQUATIONS = {
    "gan.1": r"\min_G \max_D V(D, G) = \mathbb{E}_{x \sim p_{data}}[\log D(x)]"
    r" + \mathbb{E}_{z \sim p_z(z)}[\log(1 - D(G(z)))]",
    "gan.2": r"D^*_G(x) = \frac{p_{data}(x)}{p_{data}(x) + p_g(x)}",
    "gan.thm1": r"C(G) = \max_D V(G, D) \ge -\log 4,"
    r" \text{ reached if and only if } p_g = p_{data}",
    "gan.alg1.d": r"\nabla_{\theta_d} \frac{1}{m} \sum_{i=1}^m [\log D(x^{(i)})"
    r" + \log(1 - D(G(z^{(i)})))]",
    "gan.alg1.g": r"\nabla_{\theta_g} \frac{1}{m} \sum_{i=1}^m \log(1 - D(G(z^{(i)})))",
}


class GAN(Algorithm):
    """Algorithm 1 for any pair of networks, objective, prior and optimisers.

    G maps (m, z_dim) to examples, D maps examples to logits (m, 1). `objective` is non-saturating
    unless given: the same equilibrium as gan.alg1.g, with gradients that do not vanish early. `ema`
    averages G's weights; samples are then drawn from the average.

    Parts: `terms` are added to D's loss (gradient penalties), `regularizers` to that of the player
    they are given for, `generator_loss` takes the place of the objective's loss of G,
    `instance_noise` lies on all that D is shown, `weight_clipping` follows each step of D.

    Raises OptionError for a D that the objective or a term cannot work with, and for a
    `generator_loss` where a subclass has its own or the objective, as BEGAN's, needs its own.
    """

    has_own_generator_loss: ClassVar[bool] = False

    def __init__(
        self,
        G: Layer,
        D: Layer,
        *,
        optimizer_G: Optimizer,
        optimizer_D: Optimizer,
        prior: Prior,
        objective: Objective | None = None,
        terms: Sequence[CriticTerm] = (),
        regularizers: Regularizers | None = None,
        generator_loss: GeneratorLoss | None = None,
        instance_noise: InstanceNoise | None = None,
        weight_clipping: WeightClipping | None = None,
        k: int = 1,
        ema: float = 0.0,
        max_grad_norm: float = math.inf,
        rng: Rng,
    ) -> None:
        if k < 1:
            raise OptionError(f"k={k}: the discriminator takes at least 1 step per iteration")
        if generator_loss is not None and self.has_own_generator_loss:
            raise OptionError(
                f"{type(self).__name__} has its own loss of G: leave out generator_loss"
            )
        if objective is not None and not isinstance(objective, Objective):
            raise OptionError(
                f"objective={objective!r}: wanted an object such as losses.OBJECTIVES['hinge']()"
            )
        self.G, self.D = G, D
        self.networks = {"G": G, "D": D}
        self.optimizers = {"G": optimizer_G, "D": optimizer_D}
        for name, net in self.networks.items():
            if self.optimizers[name].params is not net.flat:
                raise OptionError(f"optimizer_{name} moves another network: give it {name}.flat")
        self.averages = {"G": EMA(G, ema)} if ema else {}
        self.prior = prior
        self.objective = objective or NonSaturating()
        if generator_loss is not None and type(self.objective).settle is not Objective.settle:
            raise OptionError(
                f"objective {self.objective.name!r} follows its own loss of G: leave out "
                "generator_loss"
            )
        self.terms = terms
        self.regularizers = regularizers or {}
        self.generator_loss = generator_loss or Fooling(self.objective)
        self.instance_noise = instance_noise
        self.weight_clipping = weight_clipping
        self.objective.check(D)
        for term in terms:
            term.check(D)
        self.k = self.minibatches = k
        self.max_grad_norm = max_grad_norm
        self.rng = check_rng(rng)

    def step(self, x: Array) -> Scalars:
        """One training iteration on k m examples, m for each step of D.

        Raises OptionError for no array, and unless k divides the number of examples.
        """
        if not is_array(x):
            raise OptionError(
                f"a step takes an array of examples, got {type(x).__name__}; a Batch has one in .x"
            )
        if len(x) % self.k:
            raise OptionError(f"{len(x)} examples cannot be split into k={self.k} minibatches")
        m = len(x) // self.k
        for minibatch in np.split(x, self.k):
            z = self.prior.draw(m, self.rng)
            scalars = self.update_discriminator(minibatch, z)
        z = self.prior.draw(m, self.rng)
        scalars |= self.update_generator(z, minibatch)
        return scalars | self.objective.settle(scalars)

    def update_discriminator(self, x: Array, z: Array) -> Scalars:
        """Ascend gan.alg1.d in D's parameters: max over D of gan.1, with G frozen."""
        D = self.D
        D.flat.zero_grad()
        fake = self.generated(z, update_stats=False)[0]  # what G would learn from is let go
        x, fake = self.shown(x), self.shown(fake)
        real_scores, real_ctx = D.forward(x)
        fake_scores, fake_ctx = D.forward(fake)
        loss, d_real, d_fake = self.objective.discriminator(real_scores, fake_scores)  # eq: gan.1
        D.backward(d_real, real_ctx, need_dx=False)  # eq: gan.alg1.d
        D.backward(d_fake, fake_ctx, need_dx=False)  # eq: gan.alg1.d
        report = self.objective.report(real_scores, fake_scores)
        return {"loss_D": loss, **report, **self.move_discriminator(loss, x, fake)}

    def move_discriminator(
        self, loss: Value, x: Array, fake: Array, D: Layer | None = None
    ) -> Scalars:
        """Add the gradients of D's terms to that of its loss, descend, and clip the weights.

        x, fake: what D was shown; D: the network as the terms see it, if that is another. Returns
        the terms' values and the norm of the whole gradient.
        """
        terms = {t.name: t(D or self.D, x, fake, self.rng) for t in self.terms_due()}
        terms |= self.regularize("D")
        norm = self.descend("D", loss + added(terms))
        if self.weight_clipping:
            self.weight_clipping(self.D)
        return {**terms, "grad_norm_D": norm}

    def terms_due(self) -> Sequence[CriticTerm]:
        """Those of `terms` that count in this iteration: all."""
        return self.terms

    def update_generator(self, z: Array, x: Array) -> Scalars:
        """Descend gan.alg1.g (or what G descends instead) in G's parameters, with D frozen.

        x: the examples that D saw last, for losses of G that look at some.
        """
        G, D = self.G, self.D
        G.flat.zero_grad()
        fake, G_ctx = self.generated(z)
        x, judged = self.shown(x), self.shown(fake)
        loss, dfake = self.generator_loss(D, judged, x)
        terms = self.generated_backward(dfake, G_ctx) | self.regularize("G")
        norm = self.descend("G", loss + added(terms))
        return {"loss_G": loss, **terms, "grad_norm_G": norm}

    def generated(self, z: Array, update_stats: bool = True) -> tuple[Array, Any]:
        """G(z) in training, and the context of `generated_backward`."""
        return self.G.forward(z, update_stats=update_stats)

    def generated_backward(self, dfake: Array, ctx: Any) -> Scalars:
        """Send the gradient of G(z) through G; returns terms of G's loss met on the way."""
        self.G.backward(dfake, ctx, need_dx=False)  # eq: gan.alg1.g
        return {}

    def shown(self, x: Array) -> Array:
        """What D is shown of x: x itself, or x under the noise of this iteration."""
        if self.instance_noise is None:
            return x
        return self.instance_noise(x, lambda: self.iteration, self.rng)

    @property
    def iteration(self) -> int:
        """How many iterations have been trained: the steps of G."""
        return self.optimizers["G"].t

    def regularize(self, player: str) -> Scalars:
        """Add the gradients of a player's regularizers to it; their values for the log."""
        net = self.networks[player]
        return {f"{r.name}_{player}": r(net) for r in self.regularizers.get(player, ())}

    def state_dict(self) -> dict[str, Array]:
        """The algorithm's arrays, and what the objective and the regularizers have learned."""
        learned = {f"objective.{k}": a for k, a in self.objective.state_dict().items()}
        for player, terms in self.regularizers.items():
            for r in terms:
                learned |= {f"{r.name}.{player}.{k}": a for k, a in r.state_dict().items()}
        return super().state_dict() | learned

    def to(self, device: str) -> Self:
        """As its base's; what the regularizers keep moves too."""
        for terms in self.regularizers.values():
            for r in terms:
                r.to(device)
        return super().to(device)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """G(z) for n draws of the prior."""
        return self.generate(self.prior.draw(n, rng))

    def generate(self, z: Array) -> Array:
        """G(z) with running statistics, from the averaged weights if they are kept.

        z and the result are arrays of the host, wherever the networks are. Raises NonFiniteError
        where the weights have run away.
        """
        with self.sampling():
            x, _ = self.G.forward(to_device(z, self.device), train=False)
        return self.finite(x, "a sample G(z)")


EQUILIBRIUM_VALUE = -math.log(4)  # eq: gan.thm1


def optimal_discriminator(p_data: Array, p_g: Array) -> Array:
    """D*(x) of Proposition 1, from both densities at the same places."""
    return p_data / (p_data + p_g)  # eq: gan.2
