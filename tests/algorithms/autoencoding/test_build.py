"""Autoencoders by name and options: what they are made of, and what is refused."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.algorithms import Streams, Task, recipe
from minigan.algorithms.autoencoding.bigan import OBJECTIVES as SYMMETRIC
from minigan.algorithms.autoencoding.posterior import Deterministic, Gaussian
from minigan.algorithms.latent import Latent, Reconstructing
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.losses import OBJECTIVES

NAMES = ["autoencoder", "vae", "aae", "alpha-gan", "bigan"]
PICTURES, POINTS = Task((16, 16, 1), "image", 10), Task((2,), "points", 10)
SMALL = {"hidden_E": (7,), "hidden_G": (6,), "z_dim": 3, "width": 2}
JUDGED = {"hidden_D": (5,)}


def build(name, task, **given):
    sizes = SMALL | (JUDGED if name in ("aae", "alpha-gan", "bigan") else {})
    options = recipe(name).options(**sizes | given)
    return recipe(name).build(options, task, Streams(0))


@pytest.mark.parametrize("network", ["mlp", "conv"])
@pytest.mark.parametrize("name", NAMES)
def test_pictures(name, network):
    model = build(name, PICTURES, network=network)
    x = np.tanh(make_rng(0).standard_normal((4, 16, 16, 1))).astype(np.float32)
    scalars = model.step(x)
    assert all(np.isfinite(v) for v in scalars.values())
    samples = model.sample(5, make_rng(1))
    assert samples.shape == (5, 16, 16, 1)
    assert samples.dtype == np.float32
    assert np.abs(samples).max() <= 1
    convolutional = any(isinstance(layer, L.Conv2d) for _, layer in model.E.walk())
    assert convolutional == (network == "conv")


@pytest.mark.parametrize("name", NAMES)
def test_points(name):
    model = build(name, POINTS, network="mlp")
    x = 3 * make_rng(0).standard_normal((4, 2)).astype(np.float32)
    model.step(x)
    assert model.reconstruct(x).shape == (4, 2)
    far = model.decode(1e6 * model.prior.draw(5, make_rng(1)))
    assert np.abs(far).max() > 1  # the end is linear


@pytest.mark.parametrize("name", NAMES)
def test_commands_may_draw_walk_and_reconstruct(name):
    model = build(name, PICTURES)
    assert isinstance(model, Latent)
    assert isinstance(model, Reconstructing)
    gan = recipe("gan").build(recipe("gan").options(), PICTURES, Streams(0))
    assert isinstance(gan, Latent)
    assert not isinstance(gan, Reconstructing)


def test_the_autoencoder_has_three_dense_layers():
    """One code layer between a hidden one and the output."""
    options = recipe("autoencoder").options()
    model = recipe("autoencoder").build(options, Task((28, 28, 1), "image", 1), Streams(0))
    sizes = [
        (layer.in_features, layer.out_features)
        for net in (model.E, model.G)
        for _, layer in net.walk()
        if isinstance(layer, L.Dense)
    ]
    assert sizes == [(784, 512), (512, 32), (32, 784)]


def test_sizes_are_the_papers():
    """VAE: appendix C and section 5; AAE: appendix A; BiGAN: section 4.1."""

    def hidden(name):
        task = Task((28, 28, 1), "image", 1)
        model = recipe(name).build(recipe(name).options(), task, Streams(0))
        return {
            k: [x.out_features for _, x in net.walk() if isinstance(x, L.Dense)]
            for k, net in model.networks.items()
        }

    assert hidden("vae") == {"E": [500, 40], "G": [500, 784]}
    two = [1000, 1000]
    assert hidden("aae") == {"E": [*two, 8], "G": [*two, 784], "D": [*two, 1]}
    two = [1024, 1024]
    assert hidden("bigan") == {"E": [*two, 50], "G": [*two, 784], "D": [*two, 1]}


@pytest.mark.parametrize("name", ["aae", "alpha-gan", "bigan"])
@pytest.mark.parametrize("encoder", [Deterministic, Gaussian])
def test_encoders(name, encoder):
    model = build(name, PICTURES, encoder=encoder.name)
    assert type(model.posterior) is encoder
    h, _ = model.E.forward(np.zeros((2, 16, 16, 1), np.float32))
    assert h.shape == (2, 3 * encoder.numbers)


@pytest.mark.parametrize("likelihood", ["gaussian", "laplace", "bernoulli"])
def test_likelihoods_of_pictures(likelihood):
    model = build("vae", PICTURES, likelihood=likelihood)
    assert isinstance(model.G.layers[-2], L.Tanh) == (likelihood != "bernoulli")
    bright, _ = model.G.forward(model.prior.draw(3, make_rng(0)), train=False)
    mean = bright if likelihood != "bernoulli" else 2 / (1 + np.exp(-bright)) - 1
    np.testing.assert_allclose(model.examples(bright), mean, atol=1e-6)


def test_the_scale_of_a_likelihood_reaches_it():
    """-log N = |x - y|^2 / (2 s^2) + log(2 pi s^2) of the same draws, for two numbers."""
    x = np.zeros((4, 2), np.float32)
    nll = {s: build("vae", POINTS, scale=s).step(x)["reconstruction"] for s in (0.5, 5.0)}
    squares = {s: 2 * s**2 * (v - np.log(2 * np.pi * s**2)) for s, v in nll.items()}
    assert squares[0.5] == pytest.approx(squares[5.0], rel=1e-4)
    assert nll[0.5] > nll[5.0]


def test_weights_of_losses_reach_them():
    """alpha-GAN's lambda is over the numbers of an example, 256 here; the rest is as given."""
    assert build("alpha-gan", PICTURES, lambda_rec=3.0).weight == 3 / 256
    assert build("vae", POINTS, beta=0.25).beta == 0.25
    models = [build(name, POINTS, network="mlp", clip_norm=2.5) for name in NAMES]
    assert {model.max_grad_norm for model in models} == {2.5}
    assert {build(name, PICTURES).max_grad_norm for name in NAMES} == {np.inf}


def test_two_rates_of_the_adversarial_autoencoder():
    model = build("aae", POINTS, lr=0.3, lr_game=0.07)
    rates = {name: optimizer.schedule(0) for name, optimizer in model.optimizers.items()}
    assert rates == {"E": 0.3, "G": 0.3, "D": 0.07, "E_game": 0.07}


TAKES_ANY_D = [n for n in OBJECTIVES if n not in ("ebgan", "began", "wasserstein")]


@pytest.mark.parametrize("objective", TAKES_ANY_D)
def test_the_adversarial_autoencoder_plays_any_game(objective):
    """Every objective moves D and E, and the log names what D was shown."""
    model = build("aae", POINTS, objective=objective)
    scalars = model.step(make_rng(0).standard_normal((4, 2)).astype(np.float32))
    assert scalars["grad_norm_D"] > 0
    assert scalars["grad_norm_E_game"] > 0
    assert not any("G(z)" in name or name.endswith("(x)") for name in scalars)
    assert any(name.endswith("(E(x))") for name in scalars)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_bigans_objectives_are_symmetric(name):
    """Exchanging the kinds of pairs is a change of the logits' sign; E's loss relies on it."""
    objective = SYMMETRIC[name]()
    real, fake = make_rng(0).standard_normal((2, 5, 1))
    loss, d_real, d_fake = objective.discriminator(real, fake)
    exchanged, e_real, e_fake = objective.discriminator(-fake, -real)
    assert loss == pytest.approx(exchanged, rel=1e-14)
    np.testing.assert_allclose(d_real, -e_fake, rtol=1e-14)
    np.testing.assert_allclose(d_fake, -e_real, rtol=1e-14)


REFUSED = {
    "points in convolutions": (NAMES, POINTS, {"network": "conv"}, "--network conv takes pictures"),
    "an odd size": (NAMES, Task((15, 15, 1), "image", 1), {"network": "conv"}, "15x15"),
    "no code": (NAMES, PICTURES, {"z_dim": 0}, "--z-dim 0 must be at least 1"),
    "no width": (NAMES, PICTURES, {"width": 0}, "--width 0 must be at least 1"),
    "no unit": (NAMES, PICTURES, {"hidden_E": (4, 0)}, "--hidden-E 4,0: a layer has at least 1"),
    "no unit in D": (["aae", "bigan"], PICTURES, {"hidden_D": (-1,)}, "--hidden-D -1: a layer"),
    "no unit in C": (["alpha-gan"], PICTURES, {"hidden_C": (0,)}, "--hidden-C 0: a layer"),
    "a negative bound": (NAMES, PICTURES, {"clip_norm": -1.0}, "--clip-norm -1.0 must be above 0"),
    "a negative beta": (["vae"], PICTURES, {"beta": -0.5}, "--beta -0.5 must be at least 0"),
    "an endless beta": (["vae"], PICTURES, {"beta": float("inf")}, "--beta inf must be at least 0"),
    "beta that is none": (["vae"], PICTURES, {"beta": float("nan")}, "--beta nan must be at"),
    "a negative lambda": (["alpha-gan"], PICTURES, {"lambda_rec": -1.0}, "--lambda-rec -1.0 must"),
    "no scale": (["vae"], POINTS, {"scale": 0.0}, "--scale 0.0 must be above 0"),
    "a scale of pixels": (["vae"], PICTURES, {"scale": 0.2}, "--scale is no option of --likeliho"),
    "pixels of points": (["vae"], POINTS, {"likelihood": "bernoulli"}, "takes pictures"),
    "an energy": (["aae"], PICTURES, {"objective": "ebgan"}, "ebgan"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_refused(fault):
    names, task, given, words = REFUSED[fault]
    for name in names:
        with pytest.raises(OptionError, match=words):
            build(name, task, **given)


UNKNOWN = {
    "network": NAMES,
    "likelihood": ["vae"],
    "encoder": ["aae", "alpha-gan", "bigan"],
    "objective": ["aae", "alpha-gan", "bigan"],
    "prior": ["aae", "alpha-gan", "bigan"],
    "optimizer": NAMES,
}


@pytest.mark.parametrize("option", UNKNOWN)
def test_unknown_words(option):
    for name in UNKNOWN[option]:
        with pytest.raises(UnknownNameError, match=r"unknown .* 'mpl'"):
            build(name, PICTURES, **{option: "mpl"})


@pytest.mark.parametrize("name", ["alpha-gan", "bigan"])
def test_games_that_do_not_fit_are_refused(name):
    with pytest.raises(UnknownNameError, match="unknown objective 'wgan'"):
        build(name, PICTURES, objective="wgan")
