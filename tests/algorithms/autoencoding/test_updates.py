"""Who moves in which update: the networks named, with nobody else's weights or statistics."""

import numpy as np
import pytest

from minigan.backend import make_rng, rng_state
from minigan.errors import NonFiniteError
from tests.algorithms.autoencoding.cases import Case
from tests.algorithms.autoencoding.test_golden import alpha, game, vae
from tests.algorithms.games import changed

AAE = game("aae", "conv", posterior="gaussian")
ALPHA = alpha("conv", posterior="gaussian")
EVERY = [
    Case("autoencoder", "conv"),
    vae("conv", "bernoulli"),
    AAE,
    ALPHA,
    game("bigan", "conv", posterior="gaussian"),
]


def code_and_noise(algorithm, case):
    return algorithm.prior.draw(5, make_rng(1)), algorithm.prior.draw(5, make_rng(2))


# what is called, on examples x, codes and noise; the networks that move, with their optimisers
UPDATES = {
    "aae reconstruction": (AAE, lambda a, x, c, z: a.update_reconstruction(x), {"E", "G"}),
    "aae discriminator": (AAE, lambda a, x, c, z: a.update_discriminator(z, c), {"D"}),
    "aae regularisation": (AAE, lambda a, x, c, z: a.update_regularisation(x), {"D", "E_game"}),
    "alpha encoder": (ALPHA, lambda a, x, c, z: a.update_encoder(x), {"E"}),
    "alpha generator": (ALPHA, lambda a, x, c, z: a.update_generator(x, c, z), {"G"}),
    "alpha discriminator": (ALPHA, lambda a, x, c, z: a.update_discriminator(x, c, z), {"D"}),
    "alpha codes": (ALPHA, lambda a, x, c, z: a.update_code_discriminator(c, z), {"C"}),
}


@pytest.mark.parametrize("name", UPDATES)
def test_an_update_moves_its_networks_alone(name):
    case, update, movers = UPDATES[name]
    algorithm = case.ours()
    before = {k: a.copy() for k, a in algorithm.state_dict().items()}
    update(algorithm, case.examples(5, 0), *code_and_noise(algorithm, case))
    moved = changed(before, algorithm.state_dict())
    expected = {f"optimizer.{m}.{k}" for m in movers for k in algorithm.optimizers[m].state_dict()}
    for m in movers:
        net = algorithm.networks[m.removesuffix("_game")]
        expected |= {f"{m.removesuffix('_game')}.{k}" for k in net.params}
        if m != "E_game":  # E's statistics move in the phase of reconstruction
            expected |= {f"{m}.{k}" for k in net.buffers}
    assert moved == expected


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_statistics_move_once_for_each_kind_of_batch(case):
    """The number of updates of a running mean shows in its distance from its start, 0.

    With m of the batch's mean, k updates from 0 lead to (1 - 0.9^k) m where every batch is the
    same. Zero learning rates keep them so; G sees codes and noise, so its batches differ.
    """
    algorithm = case.ours()
    for optimizer in algorithm.optimizers.values():
        optimizer.schedule = lambda t: 0.0
    x = case.examples(5, 0)
    means = {
        name: next(b for k, b in algorithm.networks[name].buffers.items() if "mean" in k)
        for name in algorithm.networks
        if algorithm.networks[name].buffers and name != "G"
    }
    algorithm.step(x)
    once = {name: mean.copy() for name, mean in means.items()}
    if "E" in once:
        algorithm.step(x)
        np.testing.assert_allclose(means["E"], 1.9 * once["E"], rtol=1e-9)


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_noise_comes_from_the_algorithms_stream(case):
    """The same stream gives the same step; plain autoencoders draw nothing."""
    x = case.examples(5, 0)
    same, other = case.ours(), case.ours()
    before = rng_state(same.rng)
    assert same.step(x) == other.step(x)
    assert (rng_state(same.rng) == before) == (case.algorithm == "autoencoder")
    third = case.ours()
    third.rng = make_rng(99)
    assert (third.step(x) == case.ours().step(x)) == (case.algorithm == "autoencoder")


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_numbers_that_run_away_are_named(case):
    algorithm = case.ours()
    algorithm.step(case.examples(4, 0))
    name = next(iter(algorithm.G.params))
    algorithm.G.params[name].data[...] = np.nan
    algorithm.G.flat.touch()
    with pytest.raises(NonFiniteError, match=r"sample G\(z\) is not finite"):
        algorithm.sample(2, make_rng(0))
    with np.errstate(invalid="ignore"), pytest.raises(NonFiniteError, match=r"is not finite|nan"):
        algorithm.step(case.examples(4, 1))
