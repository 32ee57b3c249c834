r"""ClusterGAN: a z that is a cluster and a place in it (Mukherjee et al. 2019).

z = (z_n, z_c): z_c is one-hot, one of K clusters, and z_n ~ N(0, sigma^2 I) with a small sigma, so
that what is made of one z_c lies together. An encoder E finds z again, and examples are clustered
by the z_c that E gives of them:

    min_{G, E} max_D  E q(D(x)) + E q(1 - D(G(z)))                             clustergan.1
                      + beta_n E ||z_n - E(G(z))_n||^2 + beta_c E H(z_c, E(G(z))_c)

with H the cross-entropy of a softmax, and q the identity for a Wasserstein critic under a gradient
penalty (the paper's experiments) or the logarithm (--objective). Each iteration updates D k times,
then G and E together. The squares are means over the numbers of z_n, as in the published code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_weights
from minigan.algorithms.codes.options import PLAIN_NORMS, CodeOptions
from minigan.algorithms.codes.prior import CodePrior
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.parts import added
from minigan.algorithms.settings import option
from minigan.backend import Array, to_device, to_host
from minigan.layers import Layer
from minigan.losses import OBJECTIVES, PENALTIES, mean_squared_error
from minigan.losses.categorical import categorical_nll
from minigan.optim import Optimizer
from minigan.prior import Prior

PAPER = "Mukherjee et al. 2019, ClusterGAN, arXiv:1809.03627, section 3 and eq. 1"

EQUATIONS = {
    "clustergan.1": r"\min_{\Theta_G, \Theta_E} \max_{\Theta_D}"
    r" \mathbb{E}_{x \sim P_x^r} q(D(x)) + \mathbb{E}_{z \sim P_z} q(1 - D(G(z)))"
    r" + \beta_n \mathbb{E}_{z \sim P_z} \|z_n - E(G(z_n))\|_2^2"
    r" + \beta_c \mathbb{E}_{z \sim P_z} H(z_c, E(G(z_c)))",
    "clustergan.z": r"z = (z_n, z_c), \quad z_n \sim \mathcal{N}(0, \sigma^2 I_{d_n}),"
    r" \quad z_c = e_k, k \sim U\{1, ..., K\}",
}


class ClusterGAN(GAN):
    """The game above. E maps examples to (N, z_dim): z_n as it finds it, then logits of z_c."""

    prior: CodePrior

    def __init__(
        self,
        G: Layer,
        D: Layer,
        E: Layer,
        *,
        optimizer_E: Optimizer,
        beta_n: float,
        beta_c: float,
        **shared: Any,
    ) -> None:
        super().__init__(G, D, **shared)
        self.E = E
        self.networks = {**self.networks, "E": E}
        self.optimizers = {**self.optimizers, "E": optimizer_E}
        self.beta_n, self.beta_c = beta_n, beta_c
        (self.cluster_code,) = self.prior.codes
        self.clusters = self.cluster_code.size

    def update_generator(self, z: Array, x: Array) -> Scalars:
        """Descend clustergan.1 in G and E, with D frozen."""
        G, E = self.G, self.E
        G.flat.zero_grad()
        E.flat.zero_grad()
        fake, G_ctx = G.forward(z)
        x, judged = self.shown(x), self.shown(fake)
        loss, dfake = self.generator_loss(self.D, judged, x)
        h, E_ctx = E.forward(fake)
        noise_loss, class_loss, dh = self.recovery(h, z)
        dfake = dfake + E.backward(dh, E_ctx)
        G.backward(dfake, G_ctx, need_dx=False)  # eq: clustergan.1
        terms = self.regularize("G")
        total = loss + self.beta_n * noise_loss + self.beta_c * class_loss + added(terms)
        norms = self.descend_together({"G": total, "E": total})
        return {"loss_G": loss, "noise": noise_loss, "cluster": class_loss, **terms, **norms}

    def recovery(self, h: Array, z: Array) -> tuple[Any, Any, Array]:
        """How well E's h gives z again: both terms, and their weighted gradient for h."""
        where, noise = self.cluster_code.where, slice(0, self.cluster_code.start)
        noise_loss, d_noise = mean_squared_error(h[:, noise].copy(), z[:, noise].copy())
        class_loss, d_class = categorical_nll(h[:, where].copy(), z[:, where].copy())
        dh = np.concatenate([self.beta_n * d_noise, self.beta_c * d_class], 1)  # eq: clustergan.1
        return noise_loss, class_loss, dh

    def encode(self, x: Array) -> Array:
        """The code z of each example of the host, (N, z_dim), its z_c one-hot."""
        h, _ = self.E.forward(to_device(x, self.device), train=False)
        h = to_host(h)
        where = self.cluster_code.where
        found = np.eye(self.cluster_code.size, dtype=h.dtype)[h[:, where].argmax(1)]
        return np.concatenate([h[:, : where.start], found], 1)

    def cluster(self, x: Array) -> Array:
        """The cluster of each example of the host, int (N,)."""
        return self.encode(x)[:, self.cluster_code.where].argmax(1)

    def reconstruct(self, x: Array) -> Array:
        """x as it comes back from its code."""
        return self.generate(self.encode(x))


@dataclass(frozen=True, kw_only=True)
class Options(CodeOptions):
    """The paper's for digits: 30 numbers of noise with sigma 0.1, 10 clusters, both weights 10, a
    critic of five steps under a gradient penalty of 10, Adam(1e-4, 0.5, 0.9) (section 5)."""

    objective: str = option("wasserstein", "what G and D descend", OBJECTIVES)
    penalty: str = option("wgan-gp", "gradient penalty on D", ["none", *PENALTIES])
    k: int = option(5, "discriminator steps per generator step")
    lr: float = option(1e-4, "learning rate")
    beta2: float | None = option(0.9, "averaging factor of adam's second moment")
    z_dim: int = option(30, "numbers in z_n")
    norm_D: str = option("layer", "norm in D (conv); penalties refuse batch", PLAIN_NORMS)
    clusters: int = option(10, "K, the number of clusters")
    sigma: float = option(0.1, "spread of z_n")
    beta_n: float = option(10.0, "weight of finding z_n again")
    beta_c: float = option(10.0, "weight of finding the cluster again")

    def build_prior(self) -> CodePrior:
        """Raises OptionError."""
        noise = Prior(self.prior, self.z_dim)
        clusters, sigma = (self.clusters,), self.sigma
        return CodePrior(noise, categorical=clusters, scale=sigma)  # eq: clustergan.z


def build(options: Options, task: Task, streams: Streams) -> GAN:
    """Raises OptionError for values that cannot be."""
    options.check(task)
    check_weights(options, "beta_n", "beta_c")
    prior = options.build_prior()
    E = options.encoder(task.shape, prior.dim, streams)
    return options.build_game(
        options.generator(prior.dim, task.shape, streams),
        options.discriminator(task.shape, streams),
        task,
        streams,
        game=ClusterGAN,
        E=E,
        optimizer_E=options.build_optimizer(E.flat, task, lr=options.lr_G),
        beta_n=options.beta_n,
        beta_c=options.beta_c,
    )
