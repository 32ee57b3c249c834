r"""alpha-GAN (Rosca et al. 2017): a variational autoencoder whose two terms are judged.

The KL term of the variational bound is replaced by a discriminator C of codes, and the likelihood
by a discriminator D of examples beside a weighted absolute error. With z^ = E(x) a code of an
example, x^ = G(z^) its reconstruction and z ~ p(z), each iteration of Algorithm 1 is

    update E, descending  lambda |x - x^|_1 + R(C(z^))                          alphagan.e
    update G, descending  lambda |x - x^|_1 + R(D(x^)) + R(D(G(z)))             alphagan.g
    update D, descending  -2 log D(x) - log(1 - D(x^)) - log(1 - D(G(z)))       alphagan.d
    update C, descending  -log C(z) - log(1 - C(z^))                            alphagan.c

where R(D) = -log D + log(1 - D). Each update sees what the ones before it have made. The error is
divided by the numbers in an example, so that lambda means the same for every size of picture.

The first version of the paper prints prior and code the other way round in C's loss; this is the
way in which E's update makes sense.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from minigan.algorithms.autoencoding.base import Autoencoding
from minigan.algorithms.autoencoding.options import FAMILIES, JudgedOptions
from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_weights
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.parts import Fooling
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.backend import Array
from minigan.layers import Layer
from minigan.losses import absolute_error
from minigan.losses.adversarial import Minimax, NonSaturating, mean_probability
from minigan.losses.density_ratio import DensityRatio
from minigan.models import dense_discriminator

PAPER = (
    "Rosca et al. 2017, Variational approaches for auto-encoding generative adversarial networks,"
    " arXiv:1706.04987, Algorithm 1"
)

EQUATIONS = {
    "alphagan.e": r"\min_\eta \mathbb{E}_{p^*(x)} [\lambda \|x - G(\hat z)\|_1"
    r" - \log C(\hat z) + \log(1 - C(\hat z))], \quad \hat z \sim q_\eta(z|x)",
    "alphagan.g": r"\min_\theta \mathbb{E}_{p^*(x)} [\lambda \|x - G(\hat z)\|_1"
    r" - \log D(G(\hat z)) + \log(1 - D(G(\hat z)))]"
    r" + \mathbb{E}_{p(z)}[-\log D(G(z)) + \log(1 - D(G(z)))]",
    "alphagan.d": r"\min_\phi \mathbb{E}_{p^*(x)}[-2 \log D(x) - \log(1 - D(G(\hat z)))]"
    r" + \mathbb{E}_{p(z)}[-\log(1 - D(G(z)))]",
    "alphagan.c": r"\min_\omega \mathbb{E}_{p(z)}[-\log C(z)]"
    r" + \mathbb{E}_{p^*(x)}[-\log(1 - C(\hat z))]",
}

# What E and G descend; D and C are classifiers in each of them.
OBJECTIVES: dict[str, type[Minimax]] = {o.name: o for o in (DensityRatio, NonSaturating, Minimax)}


class AlphaGAN(Autoencoding):
    """Algorithm 1. D maps examples, C codes (m, z_dim), to logits (m, 1).

    `weight` is lambda over the numbers in an example.
    """

    def __init__(
        self,
        E: Layer,
        G: Layer,
        D: Layer,
        C: Layer,
        *,
        objective: Minimax,
        weight: float,
        **shared: Any,
    ) -> None:
        super().__init__({"E": E, "G": G, "D": D, "C": C}, **shared)
        self.D, self.C = D, C
        self.objective = objective
        self.fool = Fooling(objective)
        self.weight = weight

    def step(self, x: Array) -> Scalars:
        """One iteration of Algorithm 1 on the examples x."""
        m = len(x)
        scalars = self.update_encoder(x)
        h = self.E.forward(x, update_stats=False)[0]
        code, _ = self.posterior.draw(h, self.rng)
        scalars |= self.update_generator(x, code, self.prior.draw(m, self.rng))
        scalars |= self.update_discriminator(x, code, self.prior.draw(m, self.rng))
        return scalars | self.update_code_discriminator(code, self.prior.draw(m, self.rng))

    def update_encoder(self, x: Array) -> Scalars:
        """Descend alphagan.e in E's parameters."""
        E, G, C, q = self.E, self.G, self.C, self.posterior
        E.flat.zero_grad()
        h, E_ctx = E.forward(x)
        code, code_ctx = q.draw(h, self.rng)
        y, G_ctx = G.forward(code, update_stats=False)
        error, dy = absolute_error(y, x)
        fooling, dcode_fooling = self.fool(C, code, None)
        dcode = G.backward(self.weight * dy, G_ctx, need_dw=False)
        dh = q.backward(dcode + dcode_fooling, code_ctx)
        E.backward(dh, E_ctx, need_dx=False)  # eq: alphagan.e
        loss = self.weight * error + fooling
        norm = self.descend("E", loss)
        return {"reconstruction": error, "loss_E": loss, "grad_norm_E": norm}

    def update_generator(self, x: Array, code: Array, z: Array) -> Scalars:
        """Descend alphagan.g in G's parameters."""
        G = self.G
        G.flat.zero_grad()
        y, y_ctx = G.forward(code)
        error, dy = absolute_error(y, x)
        fooling_y, dy_fooling = self.fool(self.D, y, None)
        G.backward(self.weight * dy + dy_fooling, y_ctx, need_dx=False)  # eq: alphagan.g
        fake, fake_ctx = G.forward(z)
        fooling_fake, dfake = self.fool(self.D, fake, None)
        G.backward(dfake, fake_ctx, need_dx=False)  # eq: alphagan.g
        loss = self.weight * error + fooling_y + fooling_fake
        return {"loss_G": loss, "grad_norm_G": self.descend("G", loss)}

    def update_discriminator(self, x: Array, code: Array, z: Array) -> Scalars:
        """Descend alphagan.d in D's parameters."""
        G, D = self.G, self.D
        D.flat.zero_grad()
        y = G.forward(code, update_stats=False)[0]
        fake = G.forward(z, update_stats=False)[0]
        x_logits, x_ctx = D.forward(x)
        y_logits, y_ctx = D.forward(y)
        fake_logits, fake_ctx = D.forward(fake)
        loss_y, dx_y, dy = self.objective.discriminator(x_logits, y_logits)
        loss_fake, dx_fake, dfake = self.objective.discriminator(x_logits, fake_logits)
        D.backward(dx_y + dx_fake, x_ctx, need_dx=False)  # eq: alphagan.d
        D.backward(dy, y_ctx, need_dx=False)  # eq: alphagan.d
        D.backward(dfake, fake_ctx, need_dx=False)  # eq: alphagan.d
        loss = loss_y + loss_fake
        return {
            "loss_D": loss,
            "D(x)": mean_probability(x_logits),
            "D(G(E(x)))": mean_probability(y_logits),
            "D(G(z))": mean_probability(fake_logits),
            "grad_norm_D": self.descend("D", loss),
        }

    def update_code_discriminator(self, code: Array, z: Array) -> Scalars:
        """Descend alphagan.c in C's parameters."""
        C = self.C
        C.flat.zero_grad()
        z_logits, z_ctx = C.forward(z)
        code_logits, code_ctx = C.forward(code)
        loss, dz, dcode = self.objective.discriminator(z_logits, code_logits)
        C.backward(dz, z_ctx, need_dx=False)  # eq: alphagan.c
        C.backward(dcode, code_ctx, need_dx=False)  # eq: alphagan.c
        return {
            "loss_C": loss,
            "C(z)": mean_probability(z_logits),
            "C(E(x))": mean_probability(code_logits),
            "grad_norm_C": self.descend("C", loss),
        }


@dataclass(frozen=True, kw_only=True)
class Options(JudgedOptions):
    """DCGAN's networks for E, G and D with its beta1, a perceptron for C.

    The paper chooses learning rate and lambda for each data set; these made digits here.
    """

    only_with: ClassVar[Company] = {
        **JudgedOptions.only_with,
        "hidden_D": Needs(("network",), ("mlp",)),
    }
    lr: float = option(1e-3, "learning rate")
    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    network: str = option("conv", "networks: perceptrons, or DCGAN's for pictures", FAMILIES)
    objective: str = option(DensityRatio.name, "what E and G descend", OBJECTIVES)
    lambda_rec: float = option(10.0, "lambda, the weight of the mean absolute error")
    hidden_C: tuple[int, ...] = option((750, 750), "units of C's hidden layers")


def build(options: Options, task: Task, streams: Streams) -> AlphaGAN:
    """Raises OptionError for options that cannot be."""
    known("objective", options.objective, OBJECTIVES)
    check_weights(options, "lambda_rec")
    family, posterior = options.family(task), options.posterior()
    rng = streams.weights
    E = family.encoder(options, task, posterior.numbers * options.z_dim, rng)
    G = family.decoder(options, task, task.kind == "image", rng)
    D = family.discriminator(options, task, rng)
    C = dense_discriminator((options.z_dim,), hidden=options.hidden_C, rng=rng)
    return AlphaGAN(
        E,
        G,
        D,
        C,
        optimizers=options.build_optimizers(task, E=E, G=G, D=D, C=C),
        objective=OBJECTIVES[options.objective](),
        weight=options.lambda_rec / math.prod(task.shape),
        **options.shared(streams),
    )
