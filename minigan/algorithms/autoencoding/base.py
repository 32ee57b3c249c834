"""What the autoencoders share: samples from codes, codes of examples, reconstructions.

E is the encoder q(z | x), G the decoder p(x | z), in the GANs among them also called generator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from minigan.algorithms.autoencoding.posterior import Posterior
from minigan.algorithms.base import Algorithm
from minigan.backend import Array, to_device, to_host
from minigan.layers import Layer
from minigan.noise import Rng
from minigan.optim import Optimizer
from minigan.prior import Prior


class Autoencoding(Algorithm):
    """An encoder, a decoder and a prior of codes; `step` is the subclass's.

    Samples, codes and reconstructions are arrays of the host, wherever the networks are.

    networks: E maps examples (N, ...) to what `posterior` draws codes (N, z_dim) from, G maps codes
    to examples; others are the subclass's. optimizers: by the networks' names.
    """

    def __init__(
        self,
        networks: Mapping[str, Layer],
        *,
        optimizers: Mapping[str, Optimizer],
        prior: Prior,
        posterior: Posterior,
        max_grad_norm: float = math.inf,
        rng: Rng,
    ) -> None:
        self.networks, self.optimizers, self.averages = networks, optimizers, {}
        self.E, self.G = networks["E"], networks["G"]
        self.prior = prior
        self.posterior = posterior
        self.max_grad_norm = max_grad_norm
        self.rng = rng

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """G(z) for n draws of the prior."""
        return self.generate(self.prior.draw(n, rng))

    def generate(self, z: Array) -> Array:
        """G(z) for draws z of the prior, with running statistics. Raises as `decode`."""
        return self.decode(z)

    def encode(self, x: Array) -> Array:
        """The mean code of each example, with running statistics: (N, z_dim)."""
        h, _ = self.E.forward(to_device(x, self.device), train=False)
        return to_host(self.posterior.mean(h))

    def decode(self, z: Array) -> Array:
        """G(z) with running statistics. Raises NonFiniteError where the weights have run away."""
        with self.sampling():
            y, _ = self.G.forward(to_device(z, self.device), train=False)
            x = self.examples(y)
        return self.finite(x, "a sample G(z)")

    def examples(self, y: Array) -> Array:
        """The examples that an output of G stands for: themselves."""
        return y

    def reconstruct(self, x: Array) -> Array:
        """x as it comes back from its mean code."""
        return self.decode(self.encode(x))
