r"""Softmax GAN: D ranks the whole batch, real and generated examples together.

With scores l (the paper's -mu) the examples x of a batch B = B_+ (real) and B_- (generated) have

    p(x) = exp(l(x)) / Z_B,   Z_B = sum over B of exp(l)

D's target is 1 / |B_+| on each real and 0 on each generated example; G's is 1 / |B| on all.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from minigan.backend import Array, scalar
from minigan.losses.objective import Objective, Value, real_scores

PAPER = "Lin 2017, Softmax GAN, arXiv:1704.06191"

EQUATIONS = {
    "softmax.z": r"Z_B = \sum_{x \in B} e^{l(x)}, \quad p(x) = e^{l(x)} / Z_B",
    "softmax.d": r"L_D = -\sum_{x \in B_+} \frac{1}{|B_+|} l(x) + \ln Z_B",
    "softmax.g": r"L_G = -\sum_{x \in B} \frac{1}{|B|} l(x) + \ln Z_B",
}


class Softmax(Objective):
    """Cross-entropy of a softmax over the batch against D's and G's targets."""

    name: ClassVar[str] = "softmax"
    summary: ClassVar[str] = "a softmax over the batch: D puts all weight on real, G on all alike"
    explains = ("softmax",)
    needs_real = True

    def discriminator(self, real: Array, fake: Array) -> tuple[Value, Array, Array]:
        log_z, p_real, p_fake = partition(real, fake)
        loss = log_z - real.mean()  # eq: softmax.d
        return scalar(loss), p_real - 1 / real.size, p_fake

    def generator(self, fake: Array, real: Array | None = None) -> tuple[Value, Array]:
        real = real_scores(self, real)
        count = real.size + fake.size
        log_z, _, p_fake = partition(real, fake)
        loss = log_z - (real.sum() + fake.sum()) / count  # eq: softmax.g
        return scalar(loss), p_fake - 1 / count


def partition(real: Array, fake: Array) -> tuple[Array, Array, Array]:
    """ln Z_B, and the p of real and of generated examples."""
    top = np.maximum(real.max(), fake.max())
    up, down = np.exp(real - top), np.exp(fake - top)
    z = up.sum() + down.sum()  # eq: softmax.z
    return top + np.log(z), up / z, down / z
