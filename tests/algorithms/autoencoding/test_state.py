"""A stored autoencoder goes on to the bit, and every piece of its state has a name."""

import numpy as np
import pytest

from minigan.backend import make_rng, rng_state
from tests.algorithms.autoencoding.cases import Z_DIM, Case
from tests.algorithms.autoencoding.test_golden import alpha, game, vae
from tests.algorithms.games import assert_resumes, changed

CASES = [
    Case("autoencoder", "pictures", "adam"),
    vae("conv", "bernoulli", optimizer="adam"),
    game("aae", "conv", posterior="gaussian", optimizer="adam"),
    alpha("conv", posterior="gaussian", optimizer="adam"),
    game("bigan", "conv", posterior="gaussian", optimizer="adam"),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_resumes_to_the_bit(case, dtype):
    batches = [case.examples(6, seed, dtype) for seed in range(6)]
    unbroken = case.ours(dtype=dtype)
    resumed = case.ours(seed=8, dtype=dtype)
    assert_resumes(unbroken, resumed, batches)
    x = batches[0]
    for do in (lambda a: a.sample(3, make_rng(1)), lambda a: a.reconstruct(x)):
        np.testing.assert_array_equal(do(unbroken), do(resumed))
        assert do(resumed).dtype == dtype


EXTRA = {
    "autoencoder": {"codes.first", "codes.second"},
    "aae": {f"optimizer.E_game.{name}" for name in ("m", "v", "t")},
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_piece_of_state_has_a_name(case):
    algorithm = case.ours()
    expected = set(EXTRA.get(case.algorithm, ()))
    for name, net in algorithm.networks.items():
        expected |= {f"{name}.{k}" for k in (*net.params, *net.buffers)}
        expected |= {f"optimizer.{name}.{k}" for k in ("m", "v", "t")}
    assert set(algorithm.state_dict()) == expected


@pytest.mark.parametrize("case", CASES, ids=str)
def test_samples_and_reconstructions_change_nothing(case):
    algorithm = case.ours()
    algorithm.step(case.examples(4, 0))
    before = {name: a.copy() for name, a in algorithm.state_dict().items()}
    random = rng_state(algorithm.rng)
    x = case.examples(5, 1)
    assert algorithm.sample(7, make_rng(0)).shape == (7, *case.shape)
    assert algorithm.reconstruct(x).shape == x.shape
    assert algorithm.encode(x).shape == (5, Z_DIM)
    assert algorithm.generate(algorithm.prior.draw(2, make_rng(0))).shape == (2, *case.shape)
    assert changed(before, algorithm.state_dict()) == set()
    assert rng_state(algorithm.rng) == random
