r"""Auto-encoding variational Bayes (Kingma and Welling 2014), the variational autoencoder.

A decoder p_theta(x | z) of codes z ~ N(0, I) is a model of the data. Its likelihood cannot be
computed, but bounded from below with an encoder q_phi(z | x) = N(mu, diag(sigma^2)):

    log p(x) >= ELBO = -KL(q(z | x) || p(z)) + E_q log p(x | z)

Algorithm 1 ascends a sampled ELBO in both networks, one code for each example (the paper's L = 1),
drawn as z = mu + sigma eps so that the gradient passes through the draw.

The likelihood p(x | z) is what the decoder's output means: Bernoulli pixels, its logits (the
paper's choice for digits), or Gaussian or Laplace numbers around it with a spread given beforehand.
With beta other than 1 the KL term is weighted (Higgins et al. 2017) and the loss is no bound of
log p(x) any more; the ELBO logged is always the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minigan.algorithms.autoencoding.base import Autoencoding
from minigan.algorithms.autoencoding.options import AutoencoderOptions
from minigan.algorithms.autoencoding.posterior import Gaussian
from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_weights
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import known, option
from minigan.backend import Array, to_device, to_host
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import bernoulli_nll, gaussian_nll, kl_to_standard_normal, laplace_nll
from minigan.prior import Prior

PAPER = "Kingma and Welling 2014, Auto-encoding variational Bayes, arXiv:1312.6114, Algorithm 1"

EQUATIONS = {
    "vae.3": r"\mathcal{L}(\theta, \phi; x^{(i)}) = -D_{KL}(q_\phi(z|x^{(i)}) \| p_\theta(z))"
    r" + \mathbb{E}_{q_\phi(z|x^{(i)})}[\log p_\theta(x^{(i)}|z)]",
    "vae.9": r"\log q_\phi(z|x^{(i)}) = \log \mathcal{N}(z; \mu^{(i)}, \sigma^{2(i)} I)",
    "vae.10": r"\mathcal{L}(\theta, \phi; x^{(i)}) \simeq \frac{1}{2} \sum_{j=1}^J"
    r" (1 + \log((\sigma_j^{(i)})^2) - (\mu_j^{(i)})^2 - (\sigma_j^{(i)})^2)"
    r" + \log p_\theta(x^{(i)}|z^{(i)}), \quad"
    r" z^{(i)} = \mu^{(i)} + \sigma^{(i)} \odot \epsilon",
}


@dataclass(frozen=True, slots=True)
class Likelihood:
    """p(x | z) of the decoder's output y.

    nll(y, x) is -log p(x | y), the mean over a batch, with its gradient; mean(y) the expected x.
    bounded: whether y of a picture ends in tanh, so as to be one.
    """

    nll: Callable[..., tuple[float, Array]]
    mean: Callable[[Array], Array]
    bounded: bool
    has_scale: bool


def _itself(y: Array) -> Array:
    return y


def _bernoulli_mean(y: Array) -> Array:
    return np.tanh(y / 2)  # 2 sigmoid(y) - 1: from [0, 1] to the pictures' [-1, 1]


LIKELIHOODS: dict[str, Likelihood] = {
    "bernoulli": Likelihood(bernoulli_nll, _bernoulli_mean, bounded=False, has_scale=False),
    "gaussian": Likelihood(gaussian_nll, _itself, bounded=True, has_scale=True),
    "laplace": Likelihood(laplace_nll, _itself, bounded=True, has_scale=True),
}
USUAL = {"image": "bernoulli", "points": "gaussian"}
SCALE = 0.1


class Bound(NamedTuple):
    """ELBO = -reconstruction - kl in nats, the mean over examples."""

    elbo: float
    reconstruction: float
    kl: float


class VAE(Autoencoding):
    """Algorithm 1 with the estimator of eq. 10. E gives mu and log sigma^2, (N, 2 z_dim)."""

    def __init__(
        self,
        E: Layer,
        G: Layer,
        *,
        likelihood: Likelihood,
        beta: float = 1.0,
        **shared: Any,
    ) -> None:
        super().__init__({"E": E, "G": G}, posterior=Gaussian(), **shared)
        self.likelihood = likelihood
        self.beta = beta

    posterior: Gaussian

    def step(self, x: Array) -> Scalars:
        """Ascend vae.10 in phi (E) and theta (G) on the minibatch x."""
        E, G, q = self.E, self.G, self.posterior
        E.flat.zero_grad()
        G.flat.zero_grad()
        h, E_ctx = E.forward(x)  # eq: vae.9
        z, z_ctx = q.draw(h, self.rng)  # eq: vae.10
        y, G_ctx = G.forward(z)
        nll, dy = self.likelihood.nll(y, x)  # eq: vae.10
        kl, dmu, dlog_var = kl_to_standard_normal(*q.split(h))  # eq: vae.10
        dz = G.backward(dy, G_ctx)
        dh = q.backward(dz, z_ctx) + self.beta * np.concatenate([dmu, dlog_var], -1)
        E.backward(dh, E_ctx, need_dx=False)
        loss = nll + self.beta * kl
        norms = self.descend_together({"E": loss, "G": loss})
        elbo = -kl - nll  # eq: vae.3
        return {"ELBO": elbo, "reconstruction": nll, "KL": kl, **norms}

    def bound(self, x: Array, rng: np.random.Generator) -> Bound:
        """The bound of examples on the host, with one draw for each and running statistics."""
        h, _ = self.E.forward(to_device(x, self.device), train=False)
        h = to_host(h)
        z, _ = self.posterior.draw(h, rng)
        y, _ = self.G.forward(to_device(z, self.device), train=False)
        nll, _ = self.likelihood.nll(to_host(y), x)
        kl, _, _ = kl_to_standard_normal(*self.posterior.split(h))
        return Bound(-kl - nll, nll, kl)  # eq: vae.3

    def examples(self, y: Array) -> Array:
        """The mean of p(x | z)."""
        return self.likelihood.mean(y)


@dataclass(frozen=True, kw_only=True)
class Options(AutoencoderOptions):
    """The bound's parts; one hidden layer of 500 units, as the paper has for digits.

    The paper's are tanh and move by Adagrad; these are ReLU and move by Adam.
    """

    z_dim: int = option(20, "numbers in a code z")
    hidden_E: tuple[int, ...] = option((500,), "units of E's hidden layers (mlp)")
    hidden_G: tuple[int, ...] = option((500,), "units of G's hidden layers (mlp)")
    beta: float = option(1.0, "weight of the KL term; 1 is the bound")
    likelihood: str | None = option(
        None, "p(x | z) (default: bernoulli for pictures, gaussian for points)", LIKELIHOODS
    )
    scale: float | None = option(
        None, f"sigma of gaussian, b of laplace, in the data's units (default: {SCALE})"
    )

    def build_likelihood(self, task: Task) -> Likelihood:
        """Raises OptionError for a likelihood that the data cannot have."""
        name = USUAL[task.kind] if self.likelihood is None else self.likelihood
        known("likelihood", name, LIKELIHOODS)
        chosen = LIKELIHOODS[name]
        if name == "bernoulli" and task.kind != "image":
            raise OptionError(
                "--likelihood bernoulli takes pictures, whose numbers lie in [-1, 1], and the data "
                f"has points of shape {task.shape}; use gaussian or laplace"
            )
        if not chosen.has_scale:
            if self.scale is not None:
                raise OptionError(f"--scale is no option of --likelihood {name}; leave it out")
            return chosen
        scale = SCALE if self.scale is None else self.scale
        if not scale > 0:
            raise OptionError(f"--scale {scale} must be above 0")
        return replace(chosen, nll=partial(chosen.nll, scale=scale), bounded=task.kind == "image")


def build(options: Options, task: Task, streams: Streams) -> VAE:
    """E with two outputs for each number of a code. Raises OptionError."""
    family = options.family(task)
    check_weights(options, "beta")
    likelihood = options.build_likelihood(task)
    rng = streams.weights
    E = family.encoder(options, task, 2 * options.z_dim, rng)
    G = family.decoder(options, task, likelihood.bounded, rng)
    return VAE(
        E,
        G,
        optimizers=options.build_optimizers(task, E=E, G=G),
        likelihood=likelihood,
        beta=options.beta,
        prior=Prior("normal", options.z_dim),
        max_grad_norm=options.max_grad_norm,
        rng=streams.noise,
    )
