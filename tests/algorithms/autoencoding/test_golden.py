"""Five steps of every autoencoder here and in PyTorch: the same losses, weights and statistics."""

import numpy as np
import pytest

from tests.algorithms.autoencoding.cases import Case
from tests.oracles import gan_twin

STEPS, BATCH = 5, 6
# Rounding, 1e-16 a step, grows with an algorithm's own sensitivity to 1e-13 at most.
TOLERANCE = 1e-10


def game(algorithm, family, **others):
    objective = others.pop("objective", "non-saturating")
    return Case(algorithm, family, settings={"objective": objective}, **others)


def vae(family, likelihood, beta=1.0, optimizer="momentum", **settings):
    return Case(
        "vae",
        family,
        optimizer,
        "gaussian",
        settings={"likelihood": likelihood, "beta": beta, **settings},
    )


def alpha(family, objective="density-ratio", lambda_=10.0, **others):
    return Case(
        "alpha-gan", family, settings={"objective": objective, "lambda_": lambda_}, **others
    )


CASES = [
    Case("autoencoder", "points"),
    Case("autoencoder", "pictures", "adam"),
    Case("autoencoder", "conv"),
    vae("points", "gaussian", scale=0.5),
    vae("points", "laplace", 4.0, scale=0.7),
    vae("pictures", "bernoulli", 0.5),
    vae("pictures", "gaussian", 0.0, "adam"),
    vae("conv", "bernoulli"),
    vae("conv", "laplace", optimizer="adam"),
    game("aae", "points", posterior="gaussian"),
    game("aae", "pictures", objective="minimax", prior="uniform"),
    game("aae", "conv", posterior="gaussian", objective="minimax"),
    game("aae", "conv", optimizer="adam"),
    alpha("points", posterior="gaussian", prior="uniform"),
    alpha("pictures", "minimax", 0.0),
    alpha("conv", lambda_=3.0),
    alpha("conv", "non-saturating", posterior="gaussian", optimizer="adam"),
    game("bigan", "points", posterior="gaussian", objective="minimax"),
    game("bigan", "pictures", prior="uniform"),
    game("bigan", "normed", posterior="gaussian", prior="uniform"),
    game("bigan", "conv", objective="minimax", optimizer="adam"),
    game("bigan", "conv", posterior="gaussian"),
]


def assert_close(ours, theirs, what):
    """Array by array: the largest difference against the largest number."""
    assert ours.keys() == theirs.keys()
    for name, a in ours.items():
        b = np.asarray(theirs[name])
        assert np.abs(a - b).max() <= TOLERANCE * np.abs(b).max(), f"{what} {name}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_five_steps_equal_pytorch(case):
    ours = case.ours()
    theirs = case.theirs(ours)
    start = {name: a.copy() for name, a in ours.state_dict().items()}
    for step in range(STEPS):
        x = case.examples(BATCH, seed=100 + step)
        kept = x.copy()
        scalars = ours.step(x)
        np.testing.assert_array_equal(x, kept)
        expected = theirs.step(x)
        assert_close({k: np.float64(v) for k, v in scalars.items()}, expected, f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
    # Something was learned: no array stands where it began.
    state = ours.state_dict()
    assert [name for name in start if (state[name] == start[name]).all()] == []
