r"""What a generator descends in alpha-GAN: the logarithm of the ratio that D estimates.

At its best D = p / (p + q) of the two densities that it tells apart, so that

    log D - log(1 - D) = log p - log q,

the logit itself. Its negative, averaged over q, estimates KL(q || p). (Rosca et al. 2017, section
2; the gradient neither vanishes where D is sure, as minimax's, nor where it is fooled.)
"""

from __future__ import annotations

from minigan.backend import Array, scalar
from minigan.losses.adversarial import Minimax
from minigan.losses.objective import Value, column

PAPER = "Rosca et al. 2017, Variational approaches for auto-encoding GANs, arXiv:1706.04987"

EQUATIONS = {
    "ratio.generator": r"J^{(G)} = \mathbb{E}_{q}[-\log D + \log(1 - D)] \simeq D_{KL}(q \| p)",
}


class DensityRatio(Minimax):
    """The classifier's D of `Minimax`; the generator descends log(1 - D) - log D."""

    name = "density-ratio"
    summary = "G descends log(1 - D(G(z))) - log D(G(z)), an estimate of KL(p_g || p_data)"

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        """J(G) of the logits of generated examples, and its gradient."""
        return scalar(-fake.mean()), column(fake, -1 / fake.size)  # eq: ratio.generator
