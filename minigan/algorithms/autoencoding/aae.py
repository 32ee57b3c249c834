r"""Adversarial autoencoders (Makhzani, Shlens, Jaitly, Goodfellow, Frey 2016).

An autoencoder whose codes, over all examples, are distributed as a prior p(z): an adversary tells
codes of examples from draws of the prior, and the encoder learns to fool it. The encoder is then
the generator of that game, and every draw of the prior decodes to an example. Each iteration has
the paper's two phases:

    reconstruction   update E and G by descending the reconstruction error      aae.reconstruction
    regularisation   update D to tell z ~ p(z) from z ~ q(z | x)                aae.d
                     update E to confuse D                                      aae.e

As in the paper, E has an optimiser for each phase; "gaussian" codes take the reparameterisation of
the VAE, "deterministic" ones are E's output (section 2). Networks of two hidden layers of 1000
units in E, G and D are the paper's (appendix A); it trains with momentum, the default here is Adam.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from minigan.algorithms.autoencoding.base import Autoencoding
from minigan.algorithms.autoencoding.options import JudgedOptions
from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_bounded
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.parts import Fooling
from minigan.algorithms.settings import option
from minigan.backend import Array
from minigan.layers import Layer
from minigan.losses import Objective, objectives, squared_error
from minigan.models import dense_discriminator

PAPER = "Makhzani et al. 2016, Adversarial autoencoders, arXiv:1511.05644, section 2"

EQUATIONS = {
    "aae.1": r"q(z) = \int_x q(z|x) p_d(x) dx",
    "aae.reconstruction": r"\min_{E, G} \frac{1}{m} \sum_{i=1}^m \|x^{(i)} - G(z)\|^2,"
    r" \quad z \sim q(z|x^{(i)})",
    "aae.d": r"\max_D \mathbb{E}_{z \sim p(z)}[\log D(z)]"
    r" + \mathbb{E}_{z \sim q(z)}[\log(1 - D(z))]",
    "aae.e": r"\min_E \mathbb{E}_{z \sim q(z)}[\log(1 - D(z))]"
    r" \text{ or } \max_E \mathbb{E}_{z \sim q(z)}[\log D(z)]",
}


class AAE(Autoencoding):
    """Both phases on each minibatch. D maps codes (m, z_dim) to logits (m, 1)."""

    def __init__(
        self,
        E: Layer,
        G: Layer,
        D: Layer,
        *,
        objective: Objective,
        **shared: Any,
    ) -> None:
        super().__init__({"E": E, "G": G, "D": D}, **shared)
        self.D = D
        self.objective = objective
        objective.check(D)

    def step(self, x: Array) -> Scalars:
        """The two phases on the examples x."""
        scalars = self.update_reconstruction(x) | self.update_regularisation(x)
        return scalars | self.objective.settle(scalars)

    def update_reconstruction(self, x: Array) -> Scalars:
        """Descend aae.reconstruction in E and G."""
        E, G, q = self.E, self.G, self.posterior
        E.flat.zero_grad()
        G.flat.zero_grad()
        h, E_ctx = E.forward(x)
        z, z_ctx = q.draw(h, self.rng)
        y, G_ctx = G.forward(z)
        loss, dy = squared_error(y, x)  # eq: aae.reconstruction
        dz = G.backward(dy, G_ctx)
        E.backward(q.backward(dz, z_ctx), E_ctx, need_dx=False)
        norms = self.descend_together({"E": loss, "G": loss})
        return {"reconstruction": loss, **norms}

    def update_regularisation(self, x: Array) -> Scalars:
        """Ascend aae.d in D, then move E along aae.e, on the same codes of x."""
        E, D, q = self.E, self.D, self.posterior
        h, E_ctx = E.forward(x, update_stats=False)
        z, z_ctx = q.draw(h, self.rng)  # eq: aae.1
        prior = self.prior.draw(len(x), self.rng)
        scalars = self.update_discriminator(prior, z)

        E.flat.zero_grad()
        loss, dz = Fooling(self.objective)(D, z, prior)
        E.backward(q.backward(dz, z_ctx), E_ctx, need_dx=False)  # eq: aae.e
        norm = self.descend("E", loss, optimizer="E_game")
        return scalars | {"loss_E": loss, "grad_norm_E_game": norm}

    def update_discriminator(self, prior: Array, codes: Array) -> Scalars:
        """Ascend aae.d in D: draws of the prior are real, codes of examples are not."""
        D = self.D
        D.flat.zero_grad()
        real, real_ctx = D.forward(prior)
        fake, fake_ctx = D.forward(codes)
        loss, d_real, d_fake = self.objective.discriminator(real, fake)
        D.backward(d_real, real_ctx, need_dx=False)  # eq: aae.d
        D.backward(d_fake, fake_ctx, need_dx=False)  # eq: aae.d
        norm = self.descend("D", loss)
        shown = self.objective.report(real, fake).items()
        report = {_of_codes(name): value for name, value in shown}
        return {"loss_D": loss, **report, "grad_norm_D": norm}

    def state_dict(self) -> dict[str, Array]:
        """The algorithm's arrays, and what the objective itself has learned."""
        learned = {f"objective.{k}": a for k, a in self.objective.state_dict().items()}
        return super().state_dict() | learned


def _of_codes(name: str) -> str:
    """A game's D(x) and D(G(z)) by the names of what D sees here."""
    return name.replace("(x)", "(z)").replace("(G(z))", "(E(x))")


@dataclass(frozen=True, kw_only=True)
class Options(JudgedOptions):
    """Two hidden layers of 1000 units in every network, codes of 8 normal numbers."""

    lr: float = option(2e-4, "learning rate of E and G in the phase of reconstruction")
    z_dim: int = option(8, "numbers in a code z")
    lr_game: float = option(1e-4, "learning rate of D, and of E in the regularisation phase")
    hidden_E: tuple[int, ...] = option((1000, 1000), "units of E's hidden layers (mlp)")
    hidden_G: tuple[int, ...] = option((1000, 1000), "units of G's hidden layers (mlp)")
    hidden_D: tuple[int, ...] = option((1000, 1000), "units of D's hidden layers")


def build(options: Options, task: Task, streams: Streams) -> AAE:
    """E and G of the chosen family, D a perceptron on codes. Raises OptionError."""
    family, posterior = options.family(task), options.posterior()
    rng = streams.weights
    E = family.encoder(options, task, posterior.numbers * options.z_dim, rng)
    G = family.decoder(options, task, task.kind == "image", rng)
    D = dense_discriminator((options.z_dim,), hidden=options.hidden_D, rng=rng)
    objective = objectives.get(options.objective)
    check_bounded(options, objective)
    game = replace(options, lr=options.lr_game)
    return AAE(
        E,
        G,
        D,
        optimizers=options.build_optimizers(task, E=E, G=G)
        | game.build_optimizers(task, D=D, E_game=E),
        objective=objective,
        **options.shared(streams),
    )
