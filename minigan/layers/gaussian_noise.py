"""Normal noise on everything that passes, while training.

    y = x + std n,  n ~ N(0, I)        dx = dy

A discriminator with noise in each layer cannot tell two distributions by what is finer than the
noise, as with noise on its input (Arjovsky and Bottou 2017, arXiv:1701.04862, section 3).
"""

from __future__ import annotations

import math

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers.base import GradContext, Layer
from minigan.noise import advance
from minigan.ops import random


class GaussianNoise(Layer):
    """x + std n in training, n standard normal, fresh for every number; otherwise y = x.

    The noise is a function of the layer's state "noise", as the mask of Dropout is (dropout.py).
    Raises OptionError for a std below 0.
    """

    def __init__(self, std: float = 0.1, *, rng: np.random.Generator) -> None:
        super().__init__()
        if not 0 <= std < math.inf:
            raise OptionError(f"noise of std={std!r}: wanted at least 0 and finite")
        self.std = std
        noise = np.zeros(random.WORDS, np.uint64)
        noise[:2] = rng.integers(0, 2**63, 2, np.uint64)
        self.own_buffers["noise"] = noise

    def describe(self) -> str:
        return f"std={self.std}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, None]:
        (x,) = xs
        self.check_array(x, "an array")
        if not train or self.std == 0:
            return x, None
        noise = self.own_buffers["noise"]
        n = random.normal(noise, x.shape, x.dtype)
        if update_stats:
            advance(noise)
        return x + self.std * n, None

    def backward(
        self, dy: Array, ctx: None, need_dx: bool = True, need_dw: bool = True
    ) -> Array | None:
        return dy.copy() if need_dx else None

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, None]:
        return ddx, None
