r"""DualGAN: translation between two domains, learned without pairs (Yi et al. 2017).

CycleGAN's loop as a Wasserstein GAN, Algorithm 1 of the paper: critics whose weights are clipped
take n_critic steps for each step of the generators, all by RMSProp. G is the paper's G_A from U to
V, F its G_B; D_Y its D_A, which judges pictures of V, D_X its D_B. The noise z is dropout.

The order is another than in Algorithm 1: n_critic - 1 steps of the critics, then the generators'
step, then the critics' last one, on pictures made before the generators moved. The critics' losses
are halved, as in CycleGAN.
"""

from __future__ import annotations

from dataclasses import dataclass

from minigan.algorithms.options import OPTIMIZERS
from minigan.algorithms.settings import option
from minigan.algorithms.translation.cyclegan import CycleOptions
from minigan.algorithms.translation.shared_options import SCORED

PAPER = (
    "Yi et al. 2017, DualGAN: Unsupervised dual learning for image-to-image translation,"
    " arXiv:1704.02510, section 3"
)

EQUATIONS = {
    "dualgan.1": r"l^d_A(u, v) = D_A(G_A(u, z)) - D_A(v)",
    "dualgan.2": r"l^d_B(u, v) = D_B(G_B(v, z')) - D_B(u)",
    "dualgan.3": r"l^g(u, v) = \lambda_U \|u - G_B(G_A(u, z), z')\|"
    r" + \lambda_V \|v - G_A(G_B(v, z'), z)\| - D_B(G_B(v, z')) - D_A(G_A(u, z))",
}


@dataclass(frozen=True, kw_only=True)
class Options(CycleOptions):
    """The paper's: lambda 100 of 100 to 1,000, n_critic 2 of 2 to 4, weights clipped to 0.01 of
    0.01 to 0.1, RMSProp(5e-5), U-Nets, patches of 70x70, batches of 1 of 1 to 4."""

    objective: str = option("wasserstein", "what the players descend", SCORED)
    optimizer: str = option("rmsprop", "rule that moves the weights", OPTIMIZERS)
    beta1: float | None = option(None, "averaging factor of adam's first moment")
    lr: float = option(5e-5, "learning rate")
    weight_cycle: float = option(100.0, "lambda_U and lambda_V")
    pool: int = option(0, "generated pictures that discriminators look back on; 0: none")
    k: int = option(2, "critic steps per generator step (n_critic)")
    clip_weights: float | None = option(0.01, "largest weight of a critic; 0: any")
