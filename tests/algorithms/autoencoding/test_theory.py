"""What the papers prove, reached by training or by a closed form."""

import math

import numpy as np
import pytest

from minigan.algorithms.autoencoding.autoencoder import FORGET, Autoencoder, CodeMoments
from minigan.algorithms.autoencoding.bigan import optimal_discriminator
from minigan.algorithms.autoencoding.posterior import Deterministic, Gaussian
from minigan.algorithms.autoencoding.vae import VAE, Options
from minigan.algorithms.options import Task
from minigan.backend import make_rng
from minigan.layers import Dense
from minigan.losses import kl_to_standard_normal
from minigan.optim import Adam
from minigan.prior import Prior
from minigan.schedule import cosine

D, J, N = 5, 2, 400  # numbers in an example and in a code, examples


def gaussian_data(seed=0):
    """Examples whose covariance has two directions that stand out."""
    rng = make_rng(seed)
    x = rng.standard_normal((N, J)) * (1.5, 0.9) @ np.linalg.qr(rng.standard_normal((D, J)))[0].T
    return x + 0.3 * rng.standard_normal((N, D)) + rng.standard_normal(D)


def best_likelihood(x, variance):
    """The highest mean log-likelihood of probabilistic PCA with noise of a known variance.

    Tipping and Bishop 1999: the model's covariance W W^T + variance I has the sample's axes; along
    the J largest the sample's variances, where they exceed the noise, and elsewhere the noise's.
    """
    sample = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    model = np.full(D, variance)
    model[:J] = np.maximum(sample[:J], variance)
    return -0.5 * (D * math.log(2 * math.pi) + np.log(model).sum() + (sample / model).sum())


def linear_vae(sigma, steps):
    """Linear E and G, which is all that Gaussian data need."""
    rng = make_rng(1)
    E = Dense(D, 2 * J, rng=rng).astype(np.float64)
    G = Dense(J, D, rng=rng).astype(np.float64)
    options = Options(likelihood="gaussian", scale=sigma)
    return VAE(
        E,
        G,
        optimizers={k: Adam(n.flat, cosine(0.05, end=steps)) for k, n in (("E", E), ("G", G))},
        likelihood=options.build_likelihood(Task((D,), "points", steps)),
        prior=Prior("normal", J, np.float64),
        rng=make_rng(2),
    )


def exact_elbo(vae, x, sigma):
    """The bound without sampling: E |x - W z - b|^2 has a closed form for linear G."""
    mu, log_var = Gaussian().split(vae.E.forward(x)[0])
    W, b = vae.G.params["weight"].data, vae.G.params["bias"].data
    error = np.square(x - mu @ W - b).sum(1) + np.exp(log_var) @ np.square(W).sum(1)
    log_p = -error / (2 * sigma**2) - D / 2 * math.log(2 * math.pi * sigma**2)
    return log_p.mean() - kl_to_standard_normal(mu, log_var)[0]


@pytest.mark.parametrize("sigma", [0.7, 1.2])
def test_a_linear_vae_reaches_probabilistic_pca(sigma):
    """Its best bound is the likelihood itself (Lucas et al. 2019), with the larger sigma also where
    one direction drowns in noise. Never above it; 0.02 nats below after so many steps."""
    steps = 1500
    x, vae = gaussian_data(), linear_vae(sigma, steps)
    for _ in range(steps):
        scalars = vae.step(x)
    best, reached = best_likelihood(x, sigma**2), exact_elbo(vae, x, sigma)
    assert best - 0.02 < reached < best + 1e-9
    assert abs(scalars["ELBO"] - reached) < 0.3  # the sampled bound scatters around the exact one


def test_a_linear_autoencoder_reaches_pca():
    """The error left is that of the directions which PCA leaves out (Baldi and Hornik 1989)."""
    steps, rng = 1500, make_rng(1)
    E, G = Dense(D, J, rng=rng).astype(np.float64), Dense(J, D, rng=rng).astype(np.float64)
    model = Autoencoder(
        E,
        G,
        optimizers={k: Adam(n.flat, cosine(0.02, end=steps)) for k, n in (("E", E), ("G", G))},
        prior=Prior("normal", J, np.float64),
        rng=rng,
    )
    x = gaussian_data()
    for _ in range(steps):
        error = model.step(x)["reconstruction"]
    best = np.linalg.eigvalsh(np.cov(x.T, bias=True))[: D - J].sum()
    assert best * (1 - 1e-12) < error < best * 1.001
    # Codes of a linear E are Gaussian here, so that samples have the reconstructions' moments.
    samples, back = model.sample(20_000, make_rng(3)), model.reconstruct(x)
    np.testing.assert_allclose(samples.mean(0), back.mean(0), atol=0.05)
    np.testing.assert_allclose(np.cov(samples.T), np.cov(back.T), atol=0.1)


def test_moments_of_codes():
    """Against the same averages written out; N(0, I) before any code was seen."""
    moments = CodeMoments(3)
    noise = make_rng(0).standard_normal((6, 3)).astype(np.float32)
    np.testing.assert_allclose(np.abs(moments.transform(noise)), np.abs(noise), rtol=1e-6)
    first, second = np.zeros(3), np.eye(3)
    rng = make_rng(1)
    for _ in range(400):
        z = (rng.standard_normal((8, 3)) * (2, 0.5, 0) + (100, -1, 3)).astype(np.float32)
        moments.update(z)
        first = (1 - FORGET) * first + FORGET * z.mean(0, np.float64)
        outer = np.mean([np.outer(a, a) for a in z.astype(np.float64)], 0)
        second = (1 - FORGET) * second + FORGET * outer
    np.testing.assert_allclose(moments.first, first, rtol=1e-12)
    draws = moments.transform(rng.standard_normal((200_000, 3)))
    np.testing.assert_allclose(draws.mean(0), first, atol=0.3)
    covariance = second - np.outer(first, first)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.02 * np.abs(covariance).max())


def test_the_reparameterised_draw_has_the_posteriors_moments():
    """Five standard errors of 50,000 draws."""
    n = 50_000
    h = np.tile([[0.5, -1.0, -0.7, 0.4]], (n, 1))
    z, _ = Gaussian().draw(h, make_rng(0))
    std = np.exp(np.array([-0.7, 0.4]) / 2)
    assert (np.abs(z.mean(0) - [0.5, -1.0]) < 5 * std / math.sqrt(n)).all()
    assert (np.abs(z.std(0) / std - 1) < 5 / math.sqrt(2 * n)).all()
    np.testing.assert_array_equal(Gaussian().mean(h), h[:, :2])
    np.testing.assert_array_equal(Deterministic().draw(h, make_rng(0))[0], h)


def test_bigans_value_at_the_best_discriminator():
    """V = 2 JS - log 4 between the joint distributions; -log 4 where they agree (Theorem 2)."""
    rng = make_rng(3)
    p, q = (a / a.sum() for a in rng.uniform(0.1, 1, (2, 4, 3)))

    def value(p, q):
        best = optimal_discriminator(p, q)
        return (p * np.log(best) + q * np.log(1 - best)).sum()

    mixture = (p + q) / 2
    divergence = (p * np.log(p / mixture) + q * np.log(q / mixture)).sum() / 2
    assert value(p, q) == pytest.approx(2 * divergence - math.log(4), rel=1e-12)
    assert value(p, p) == pytest.approx(-math.log(4), rel=1e-12)
    other = optimal_discriminator(p, q) * 0.9  # another D does worse
    assert (p * np.log(other) + q * np.log(1 - other)).sum() < value(p, q)
