r"""Bidirectional GANs (Donahue, Krahenbuhl, Darrell 2017), also adversarially learned inference
(Dumoulin et al. 2017).

D looks at pairs: an example with its code (x, E(x)), or a draw of the prior with what G makes of it
(G(z), z). E and G together learn to make the two alike; at the optimum of the game they invert one
another, although nothing compares x with G(E(x)). Each iteration:

    sample m examples x, m codes z ~ p(z)
    update D by ascending   log D(x, E(x)) + log(1 - D(G(z), z))             bigan.v
    update E and G          with the roles of the pairs exchanged            bigan.eg

Both papers update all networks at once, from the same forward passes: the gradients of E and G come
from D as it was. "minimax" is the game itself, "non-saturating" its inverse with stronger gradients
(BiGAN, section 3.4; ALI, Algorithm 1). A "deterministic" encoder is BiGAN's, a "gaussian" one
ALI's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from minigan.algorithms.autoencoding.base import Autoencoding
from minigan.algorithms.autoencoding.options import JudgedOptions
from minigan.algorithms.base import Scalars
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.backend import Array
from minigan.layers import Layer
from minigan.losses.adversarial import Minimax, NonSaturating, mean_probability
from minigan.prior import PRIORS

PAPER = (
    "Donahue et al. 2017, Adversarial feature learning, arXiv:1605.09782;"
    " Dumoulin et al. 2017, Adversarially learned inference, arXiv:1606.00704, Algorithm 1"
)

EQUATIONS = {
    "bigan.v": r"\min_{G, E} \max_D V(D, E, G) = \mathbb{E}_{x \sim p_X}"
    r"[\mathbb{E}_{z \sim p_E(\cdot|x)}[\log D(x, z)]]"
    r" + \mathbb{E}_{z \sim p_Z}[\mathbb{E}_{x \sim p_G(\cdot|z)}[\log(1 - D(x, z))]]",
    "bigan.eg": r"\min_{G, E} -\mathbb{E}_{x \sim p_X}[\log(1 - D(x, E(x)))]"
    r" - \mathbb{E}_{z \sim p_Z}[\log D(G(z), z)]",
    "bigan.optimum": r"D^*(x, z) = \frac{p_{EX}(x, z)}{p_{EX}(x, z) + p_{GZ}(x, z)}",
}

# Games in which the two kinds of pairs change roles when the logits change sign: E's loss is then
# G's, of the negative logits.
OBJECTIVES: dict[str, type[Minimax]] = {o.name: o for o in (NonSaturating, Minimax)}


class BiGAN(Autoencoding):
    """All networks at once. D maps examples (m, ...) and codes (m, z_dim) to logits (m, 1)."""

    def __init__(
        self,
        E: Layer,
        G: Layer,
        D: Layer,
        *,
        objective: Minimax,
        **shared: Any,
    ) -> None:
        super().__init__({"E": E, "G": G, "D": D}, **shared)
        self.D = D
        self.objective = objective

    def step(self, x: Array) -> Scalars:
        """One iteration on the examples x."""
        E, G, D, q = self.E, self.G, self.D, self.posterior
        for net in self.networks.values():
            net.flat.zero_grad()
        z = self.prior.draw(len(x), self.rng)
        h, E_ctx = E.forward(x)
        code, code_ctx = q.draw(h, self.rng)
        fake, G_ctx = G.forward(z)
        real_logits, real_ctx = D.forward(x, code)
        fake_logits, fake_ctx = D.forward(fake, z)

        loss_D, d_real, d_fake = self.objective.discriminator(real_logits, fake_logits)
        D.backward(d_real, real_ctx, need_dx=False)  # eq: bigan.v
        D.backward(d_fake, fake_ctx, need_dx=False)  # eq: bigan.v

        loss_E, d_real = self.objective.generator(-real_logits)
        loss_G, d_fake = self.objective.generator(fake_logits)
        _, dcode = D.backward(-d_real, real_ctx, need_dw=False)
        dfake, _ = D.backward(d_fake, fake_ctx, need_dw=False)
        E.backward(q.backward(dcode, code_ctx), E_ctx, need_dx=False)  # eq: bigan.eg
        G.backward(dfake, G_ctx, need_dx=False)  # eq: bigan.eg

        losses = {"D": loss_D, "E": loss_E, "G": loss_G}
        norms = self.descend_together(losses)
        return {
            **{f"loss_{k}": loss for k, loss in losses.items()},
            "D(x, E(x))": mean_probability(real_logits),
            "D(G(z), z)": mean_probability(fake_logits),
            **norms,
        }


def optimal_discriminator(p_encoder: Array, p_generator: Array) -> Array:
    """D*(x, z) from both joint densities at the same places (BiGAN, Proposition 1)."""
    return p_encoder / (p_encoder + p_generator)  # eq: bigan.optimum


@dataclass(frozen=True, kw_only=True)
class Options(JudgedOptions):
    """Adam as in DCGAN, 50 uniform numbers, two hidden layers of 1024 units with batch norm.

    These are BiGAN's own settings for digits (section 4), without its weight decay of 2.5e-5 and
    the exponential fall of the rate in the second half of training.
    """

    batch_norm: ClassVar[bool] = True
    only_with: ClassVar[Company] = {
        **JudgedOptions.only_with,
        "hidden_D": Needs(("network",), ("mlp",)),
    }
    lr: float = option(2e-4, "learning rate")
    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    objective: str = option("non-saturating", "what E and G descend", OBJECTIVES)
    prior: str = option("uniform", "distribution of the codes", PRIORS)
    z_dim: int = option(50, "numbers in a code z")
    hidden_E: tuple[int, ...] = option((1024, 1024), "units of E's hidden layers (mlp)")
    hidden_G: tuple[int, ...] = option((1024, 1024), "units of G's hidden layers (mlp)")
    hidden_D: tuple[int, ...] = option((1024, 1024), "units of D's hidden layers (mlp)")


def build(options: Options, task: Task, streams: Streams) -> BiGAN:
    """Raises OptionError for options that cannot be."""
    known("objective", options.objective, OBJECTIVES)
    family, posterior = options.family(task), options.posterior()
    rng = streams.weights
    E = family.encoder(options, task, posterior.numbers * options.z_dim, rng)
    G = family.decoder(options, task, task.kind == "image", rng)
    D = family.joint_discriminator(options, task, rng)
    return BiGAN(
        E,
        G,
        D,
        optimizers=options.build_optimizers(task, E=E, G=G, D=D),
        objective=OBJECTIVES[options.objective](),
        **options.shared(streams),
    )
