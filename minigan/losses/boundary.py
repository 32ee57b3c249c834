r"""Boundary-seeking GAN for continuous examples: G aims at D's decision boundary.

D is that of the original game. On logits log D - log(1 - D) = l, so that G's loss is a square.
"""

from __future__ import annotations

from typing import ClassVar

from minigan.backend import Array, scalar
from minigan.losses.adversarial import Minimax
from minigan.losses.objective import Value

PAPER = "Hjelm et al. 2018, Boundary-seeking GANs, arXiv:1702.08431, the continuous case"

EQUATIONS = {
    "bgan.g": r"\min_G \frac{1}{2} \mathbb{E}_z[(\log D(G(z)) - \log(1 - D(G(z))))^2]",
}


class BoundarySeeking(Minimax):
    """D of the original game; G descends half the squared logit, 0 where D = 1/2."""

    name: ClassVar[str] = "bgan"
    summary: ClassVar[str] = "boundary-seeking: G aims at D = 1/2 instead of D = 1"
    explains = ("bgan", "loss")

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        loss = (fake * fake).mean() / 2  # eq: bgan.g
        return scalar(loss), fake / fake.size
