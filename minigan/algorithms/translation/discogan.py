r"""DiscoGAN: relations between two domains, learned without pairs (Kim et al. 2017).

CycleGAN's loop with the original adversarial loss, squared distances for what comes back, and no
pool: G is the paper's G_AB, F its G_BA. Generators are encoder-decoders without skips, so that a
shape may change too; discriminators look at whole pictures, which are 64x64 in the paper. Its
weight decay of 1e-4, added to Adam's gradient, is left out. D's losses are halved, as in CycleGAN.
"""

from __future__ import annotations

from dataclasses import dataclass

from minigan.algorithms.settings import option
from minigan.algorithms.translation.cyclegan import CycleOptions
from minigan.algorithms.translation.options import JUDGES, KINDS
from minigan.losses.distance import DISTANCES

PAPER = (
    "Kim et al. 2017, Learning to discover cross-domain relations with generative adversarial"
    " networks, arXiv:1703.05192, section 2"
)

EQUATIONS = {
    "discogan.2": r"x_{ABA} = G_{BA}(x_{AB}) = G_{BA} \circ G_{AB}(x_A)",
    "discogan.3": r"L_{CONST_A} = d(G_{BA} \circ G_{AB}(x_A), x_A)",
    "discogan.4": r"L_{GAN_B} = -\mathbb{E}_{x_A \sim P_A}[\log D_B(G_{AB}(x_A))]",
    "discogan.5": r"L_{G_{AB}} = L_{GAN_B} + L_{CONST_A}",
    "discogan.6": r"L_{D_B} = -\mathbb{E}_{x_B \sim P_B}[\log D_B(x_B)]"
    r" - \mathbb{E}_{x_A \sim P_A}[\log(1 - D_B(G_{AB}(x_A)))]",
    "discogan.7": r"L_G = L_{G_{AB}} + L_{G_{BA}}"
    r" = L_{GAN_B} + L_{CONST_A} + L_{GAN_A} + L_{CONST_B}",
}


@dataclass(frozen=True, kw_only=True)
class Options(CycleOptions):
    """The paper's: squared distances of weight 1, no pool, pictures halved four times,
    Adam(2e-4, 0.5, 0.999), batches of 200."""

    weight_cycle: float = option(1.0, "factor of what must come back")
    distance: str = option("l2", "of a picture and what comes back", DISTANCES)
    pool: int = option(0, "generated pictures that discriminators look back on; 0: none")
    generator: str = option("encoder-decoder", "network from pictures to pictures", KINDS)
    halvings: int | None = option(4, "unet, encoder-decoder: how often pictures are halved")
    dropout: float = option(0.0, "of the generators")
    discriminator: str = option("image", "of patches, or of whole pictures", JUDGES)
