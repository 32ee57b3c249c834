r"""InfoGAN: codes that say something of what G makes (Chen et al. 2016).

z is noise and codes c, a class and some numbers. What is made shall tell which code it was made of:
I(c; G(z, c)), the mutual information, is added to the game. It cannot be computed, but bounded
from below with a network Q that gives a distribution of the code,

    I(c; G(z, c)) >= L_I(G, Q) = E[log Q(c | G(z, c))] + H(c)                  infogan.5

and L_I is ascended in G and Q beside the game between G and D:                infogan.6

    for number of training iterations do
        sample z = (noise, c), examples x
        update D and Q by ascending   log D(x) + log(1 - D(G(z))) + lambda L_I
        sample z = (noise, c)
        update G by descending        log(1 - D(G(z))) - lambda L_I
    end for

Q shares all of D but its end, so one optimiser moves both, as in the published code. Q is a softmax
for a class, and for a number a normal distribution with sigma = 1 (the published code's), or
with a sigma of its own (the paper's, --learned-spread).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, ClassVar

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_weights
from minigan.algorithms.codes.options import CodeOptions
from minigan.algorithms.codes.prior import Code, CodePrior
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.parts import added
from minigan.algorithms.settings import option
from minigan.backend import Array, to_device, to_host
from minigan.errors import OptionError
from minigan.layers import Sequential
from minigan.losses import gaussian_nll
from minigan.losses.categorical import categorical_nll, spread_nll
from minigan.losses.objective import Value
from minigan.models import recognising_discriminator
from minigan.prior import PRIORS, Prior

PAPER = "Chen et al. 2016, InfoGAN, arXiv:1606.03657, sections 3 to 5"

EQUATIONS = {
    "infogan.5": r"L_I(G, Q) = \mathbb{E}_{c \sim P(c), x \sim G(z, c)}[\log Q(c|x)] + H(c)"
    r" \le I(c; G(z, c))",
    "infogan.6": r"\min_{G, Q} \max_D V_{InfoGAN}(D, G, Q) = V(D, G) - \lambda L_I(G, Q)",
}


class Bound:
    """L_I of what Q says of examples, code by code.

    Q gives K logits for a code of K classes, for a number its mean, and where `learned_spread` the
    logarithm of its variance too.
    """

    def __init__(self, codes: tuple[Code, ...], *, learned_spread: bool) -> None:
        self.codes, self.learned_spread = codes, learned_spread
        of_number = 2 if learned_spread else 1
        sizes = [code.size if code.categorical else of_number for code in codes]
        self.edges = [0, *accumulate(sizes)]  # where the numbers of each code begin and end

    @property
    def outputs(self) -> int:
        """How many numbers Q gives."""
        return self.edges[-1]

    def __call__(self, q: Array, z: Array) -> tuple[dict[str, Value], Array]:
        """L_I of each code by its name, and the gradient of their sum for q (N, outputs)."""
        values, gradients = {}, []
        for code, (start, stop) in zip(self.codes, pairwise(self.edges), strict=True):
            c, said = z[:, code.where].copy(), q[:, start:stop].copy()
            nll, gradient = self._nll(code, said, c)
            values[f"L_I({code.name})"] = code.entropy - nll  # eq: infogan.5
            gradients.append(-gradient)
        return values, np.concatenate(gradients, 1)

    def _nll(self, code: Code, said: Array, c: Array) -> tuple[Value, Array]:
        """-log Q(c | x), the mean over the examples, and its gradient for what Q says."""
        if code.categorical:
            return categorical_nll(said, c)
        if not self.learned_spread:
            return gaussian_nll(said, c)
        nll, dmu, dlog_var = spread_nll(said[:, :1], said[:, 1:], c)
        return nll, np.concatenate([dmu, dlog_var], 1)


class InfoGAN(GAN):
    """The loop above. D is a `recognising_discriminator`: its first layer gives D's logit and Q."""

    has_own_generator_loss = True
    prior: CodePrior
    D: Sequential

    def __init__(
        self, G: Sequential, D: Sequential, *, bound: Bound, info_weight: float, **shared: Any
    ) -> None:
        super().__init__(G, D, **shared)
        self.both = D.layers[0]
        self.bound = bound
        self.info_weight = info_weight
        self.clusters = next((code.size for code in bound.codes if code.categorical), 0)

    def update_discriminator(self, x: Array, z: Array) -> Scalars:
        """Ascend V + lambda L_I in D and Q, with G frozen."""
        G, D = self.G, self.D
        D.flat.zero_grad()
        fake = G.forward(z, update_stats=False)[0]
        x, fake = self.shown(x), self.shown(fake)
        real_said, real_ctx = self.both.forward(x)
        fake_said, fake_ctx = self.both.forward(fake)
        real_scores, real_q = _parted(real_said)
        fake_scores, fake_q = _parted(fake_said)
        loss, d_real, d_fake = self.objective.discriminator(real_scores, fake_scores)
        information, d_q = self.bound(fake_q, z)
        d_q *= -self.info_weight
        self.both.backward(_joined(d_real, np.zeros_like(real_q)), real_ctx, need_dx=False)
        self.both.backward(_joined(d_fake, d_q), fake_ctx, need_dx=False)  # eq: infogan.6
        loss = loss - self.info_weight * added(information)
        said = {**self.objective.report(real_scores, fake_scores), **information}
        return {"loss_D": loss, **said, **self.move_discriminator(loss, x, fake)}

    def update_generator(self, z: Array, x: Array) -> Scalars:
        """Descend J(G) - lambda L_I in G, with D and Q frozen."""
        G = self.G
        G.flat.zero_grad()
        fake, G_ctx = G.forward(z)
        said, ctx = self.both.forward(self.shown(fake), update_stats=False)
        scores, q = _parted(said)
        real_scores = None
        if self.objective.needs_real:
            real_scores = self.D.forward(self.shown(x), update_stats=False)[0]
        loss, d_scores = self.objective.generator(scores, real_scores)
        information, d_q = self.bound(q, z)
        d_q *= -self.info_weight
        dfake = self.both.backward(_joined(d_scores, d_q), ctx, need_dw=False)
        G.backward(dfake, G_ctx, need_dx=False)  # eq: infogan.6
        loss = loss - self.info_weight * added(information)
        terms = self.regularize("G")
        norm = self.descend("G", loss + added(terms))
        return {"loss_G": loss, **terms, "grad_norm_G": norm}

    def cluster(self, x: Array) -> Array:
        """The likeliest class of the first categorical code for each example, int (N,).

        Raises OptionError where there is no such code.
        """
        categorical = [i for i, code in enumerate(self.bound.codes) if code.categorical]
        if not categorical:
            raise OptionError("there is no categorical code to sort examples by (--categorical)")
        said, _ = self.both.forward(to_device(x, self.device), train=False)
        _, q = _parted(to_host(said))
        first, edges = categorical[0], self.bound.edges
        return q[:, edges[first] : edges[first + 1]].argmax(1)


def _parted(said: Array) -> tuple[Array, Array]:
    """D's logits and what Q says."""
    return said[:, :1].copy(), said[:, 1:].copy()


def _joined(d_scores: Array, d_q: Array) -> Array:
    """The gradient of both, as D and Q gave them."""
    return np.concatenate([d_scores, d_q], 1)


@dataclass(frozen=True, kw_only=True)
class Options(CodeOptions):
    """The paper's for digits: 62 uniform numbers, a code of 10 classes and two numbers, Adam at
    2e-4 for D and 1e-3 for G (appendix C.1)."""

    bounds: ClassVar[tuple[str, ...]] = ("clip_weights",)  # `build` refuses penalties

    lr_G: float | None = option(1e-3, "learning rate of G (default: 1e-3)")
    prior: str = option("uniform", "distribution of the noise in z", PRIORS)
    z_dim: int = option(62, "numbers of noise in z")
    categorical: tuple[int, ...] = option((10,), "classes of each categorical code")
    continuous: int = option(2, "codes that are a number of U(-1, 1)")
    info_weight: float = option(1.0, "lambda, the weight of the mutual information")
    learned_spread: bool = option(False, "Q also gives the spread of continuous codes")

    def build_prior(self) -> CodePrior:
        """Raises OptionError without any code."""
        if not self.categorical and not self.continuous:
            raise OptionError("InfoGAN without a code: give --categorical or --continuous")
        noise = Prior(self.prior, self.z_dim)
        return CodePrior(noise, categorical=self.categorical, continuous=self.continuous)


def build(options: Options, task: Task, streams: Streams) -> GAN:
    """G of noise and codes, D with Q beside it. Raises OptionError for values that cannot be."""
    options.check(task)
    if options.penalty != "none":
        raise OptionError(
            f"--penalty {options.penalty} looks at the gradient at each example for itself, and "
            "Q's batch norm, which is part of InfoGAN's D, mixes the examples of a batch; leave it "
            "out"
        )
    check_weights(options, "info_weight")
    prior = options.build_prior()
    bound = Bound(prior.codes, learned_spread=options.learned_spread)
    G = options.generator(prior.dim, task.shape, streams)
    D = recognising_discriminator(
        options.discriminator(task.shape, streams), bound.outputs, rng=streams.weights
    )
    return options.build_game(
        G, D, task, streams, game=InfoGAN, bound=bound, info_weight=options.info_weight
    )
