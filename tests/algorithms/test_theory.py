"""The paper's section 4: what D learns for a fixed G, and what the game is worth at its optimum.

p_data = N(0, 1) on the line. G is an affine map of z ~ N(0, 1) that is not trained, so p_g is a
normal distribution that is known. D is a smooth perceptron, trained by `update_discriminator`.
"""

import math

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import norm

from minigan import layers as L
from minigan.algorithms.gan import EQUILIBRIUM_VALUE, GAN, optimal_discriminator
from minigan.backend import make_rng
from minigan.losses import Minimax
from minigan.ops.activation import sigmoid
from minigan.optim import SGD, Adam
from minigan.prior import Prior
from minigan.schedule import cosine

STEPS, BATCH = 1500, 512


def trained_game(mean, deviation, seed):
    """A game whose G gives N(mean, deviation^2), and whose D had STEPS updates."""
    rng = make_rng(seed)
    G = L.Sequential(L.Dense(1, 1, rng=rng)).astype(np.float64)
    G.flat.load(np.array([deviation, mean]))
    D = L.Sequential(
        L.Dense(1, 16, init="glorot_normal", rng=rng),
        L.Tanh(),
        L.Dense(16, 16, init="glorot_normal", rng=rng),
        L.Tanh(),
        L.Dense(16, 1, init="glorot_normal", rng=rng),
    ).astype(np.float64)
    game = GAN(
        G,
        D,
        optimizer_G=SGD(G.flat, 0.0),
        optimizer_D=Adam(D.flat, cosine(0.01, end=STEPS)),
        prior=Prior("normal", 1, np.float64),
        objective=Minimax(),
        rng=rng,
    )
    for _ in range(STEPS):
        game.update_discriminator(rng.standard_normal((BATCH, 1)), game.prior.draw(BATCH, rng))
    return game


def probability(game, x):
    return sigmoid(game.D.forward(x[:, None], train=False)[0][:, 0])


def value(game, n, seed):
    """V(D, G) of eq. 1 on n fresh examples of each kind."""
    rng = make_rng(seed)
    real, _ = game.D.forward(rng.standard_normal((n, 1)), train=False)
    fake, _ = game.D.forward(game.sample(n, rng), train=False)
    return -game.objective.discriminator(real, fake)[0]


@pytest.mark.parametrize(("mean", "deviation"), [(1.0, 0.7), (-0.5, 1.5)])
def test_d_approaches_the_optimal_discriminator(mean, deviation):
    """Proposition 1: D* = p_data / (p_data + p_g), over the middle 99.8 percent of both.

    D has about 300 weights and saw 2 * 1500 * 512 examples, so sampling alone leaves an error of
    its logit of the order of sqrt(300 / 1.5e6) = 0.014, and of D at most a quarter of that. The
    tails, which few examples visit and which the mean over x weighs like the rest, get what is
    left of 0.02: four seeds gave 0.008 to 0.013.
    The closed form is told from its neighbours by far more: 1/2 is off by a quarter, p_data
    exchanged with p_g by a half.
    """
    game = trained_game(mean, deviation, seed=0)
    data, generated = norm(0, 1), norm(mean, deviation)
    low = min(data.ppf(0.001), generated.ppf(0.001))
    high = max(data.ppf(0.999), generated.ppf(0.999))
    x = np.linspace(low, high, 400)
    best = optimal_discriminator(data.pdf(x), generated.pdf(x))
    found = probability(game, x)
    assert np.abs(found - best).mean() < 0.02
    assert np.abs(0.5 - best).mean() > 0.25
    assert np.abs(found - (1 - best)).mean() > 0.4

    # V(D*, G) = -log 4 + 2 JSD (proof of Theorem 1). V is a mean over 2 * 200,000 examples of
    # standard deviation below 1: its standard error is below 0.003.
    divergence = jensen_shannon(data, generated)
    assert divergence > 0.05
    assert value(game, 200_000, seed=1) == pytest.approx(-math.log(4) + 2 * divergence, abs=0.01)


def jensen_shannon(a, b):
    """1/2 KL(a, m) + 1/2 KL(b, m) with m = (a + b) / 2, by the trapezoidal rule."""
    x = np.linspace(-12, 12, 20_001)
    log_m = np.logaddexp(a.logpdf(x), b.logpdf(x)) - math.log(2)
    return sum(trapezoid(p.pdf(x) * (p.logpdf(x) - log_m), x) for p in (a, b)) / 2


def test_the_value_is_minus_log_4_where_p_g_is_p_data():
    """Theorem 1. There the best that D can do is 1/2, so no D has V above -log 4 but by chance.

    With a logit of size d, D is d / 4 away from 1/2; chance moves V by d / sqrt(2 n), and what D
    pays for not being 1/2 is d^2 / 4. For d = 0.02, what the test above calls the sampling error,
    and n = 200,000 that is 0.005, 3e-5 and 1e-4.
    """
    game = trained_game(0.0, 1.0, seed=0)
    x = make_rng(3).standard_normal(10_000)
    d = probability(game, x)
    assert np.abs(d - 0.5).mean() < 0.005
    assert value(game, 200_000, seed=1) == pytest.approx(EQUILIBRIUM_VALUE, abs=2e-4)
    assert pytest.approx(-math.log(4), rel=1e-15) == EQUILIBRIUM_VALUE


def test_the_optimal_discriminator_in_numbers():
    p, q = np.array([1.0, 3.0, 0.0]), np.array([1.0, 1.0, 2.0])
    np.testing.assert_array_equal(optimal_discriminator(p, q), [0.5, 0.75, 0.0])
