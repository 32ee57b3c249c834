"""Who moves in which update: the networks named, with nobody else's weights or statistics."""

import numpy as np
import pytest

from minigan.backend import make_rng, rng_state
from minigan.errors import NonFiniteError
from tests.algorithms.autoencoding.cases import Case
from tests.algorithms.autoencoding.test_golden import alpha, game, vae
from tests.algorithms.games import changed, held_back

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


@pytest.mark.parametrize("case", [case for case in EVERY if case is not ALPHA], ids=str)
def test_E_does_not_move_where_G_cannot(case):
    held_back(case.ours(), "E", "G", case.examples(4, 0))


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
def test_the_encoders_statistics_move_once_a_step(case):
    """However often E is applied. From 0, one update by 0.1 leads to 0.1 m, a second to 0.19 m.

    Learning rates of 0 keep the batch's mean m.
    """
    algorithm = case.ours()
    for optimizer in algorithm.optimizers.values():
        optimizer.schedule = lambda t: 0.0
    x = case.examples(5, 0)
    mean = next(b for k, b in algorithm.E.buffers.items() if k.endswith("running_mean"))
    assert not mean.any()
    algorithm.step(x)
    once = mean.copy()
    assert once.any()
    algorithm.step(x)
    np.testing.assert_allclose(mean, 1.9 * once, rtol=1e-9)


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


def test_the_bound_of_examples_is_that_of_a_step():
    """With the same noise, from networks without batch norm; and it leaves everything as it was."""
    case = vae("pictures", "laplace", beta=0.3)
    model, x = case.ours(), case.examples(5, 0)
    before = {k: a.copy() for k, a in model.state_dict().items()}
    bound = model.bound(x, make_rng(0, 1))
    assert changed(before, model.state_dict()) == set()
    scalars = model.step(x)
    expected = [scalars[name] for name in ("ELBO", "reconstruction", "KL")]
    np.testing.assert_allclose(bound, expected, rtol=1e-13)


def test_the_bound_takes_running_statistics():
    """Under batch norm an example's part does not depend on its batch, and nothing moves."""
    case = vae("conv", "bernoulli")
    model, x = case.ours(), case.examples(5, 0)
    before = {k: a.copy() for k, a in model.state_dict().items()}
    apart = [model.bound(part, make_rng(1)).kl for part in (x, 3 * x)]
    together = model.bound(np.concatenate([x, 3 * x]), make_rng(1)).kl
    assert together == pytest.approx(sum(apart) / 2, rel=1e-12)
    assert changed(before, model.state_dict()) == set()


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
