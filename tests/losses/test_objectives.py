"""Every objective: against PyTorch and closed forms, and what it refuses."""

import math

import numpy as np
import pytest
import torch

from minigan import layers as L
from minigan.errors import OptionError, UnknownNameError
from minigan.losses import OBJECTIVES, Minimax, NonSaturating, objectives
from minigan.losses.boundary import BoundarySeeking
from minigan.losses.critic import Hinge, Margin, Wasserstein
from minigan.losses.energy import EnergyMargin, Equilibrium
from minigan.losses.fdivergence import DIVERGENCES, FGAN
from minigan.losses.least_squares import LeastSquares
from minigan.losses.relativistic import Relativistic, RelativisticAverage
from minigan.losses.softmax import Softmax
from tests.oracles import objective_twins as twins


def began(k):
    objective = Equilibrium(gamma=0.7)
    objective.k[...] = k
    return objective


CASES = {
    "minimax": Minimax(),
    "minimax, smoothed": Minimax(label_smoothing=0.25),
    "non-saturating": NonSaturating(),
    "non-saturating, of the tutorial, smoothed": NonSaturating(scale=0.5, label_smoothing=0.1),
    "lsgan 0, 1, 1": LeastSquares(),
    "lsgan -1, 1, 0": LeastSquares(a=-1, b=1, c=0),
    "hinge": Hinge(),
    "wasserstein": Wasserstein(),
    "margin": Margin(epsilon=0.6),
    "relativistic": Relativistic(),
    "relativistic-average": RelativisticAverage(),
    "softmax": Softmax(),
    "bgan": BoundarySeeking(),
    "ebgan": EnergyMargin(margin=0.8),
    "began": began(0.3),
    **{f"f-gan {name}": FGAN(divergence=name) for name in DIVERGENCES},
    **{f"f-gan {name}, trick": FGAN(divergence=name, trick=True) for name in DIVERGENCES},
    "f-gan pi = 0.2": FGAN(divergence="weighted-jensen-shannon", pi=0.2),
}
every_objective = pytest.mark.parametrize("objective", CASES.values(), ids=CASES)


def numbers(n, scale, seed):
    return scale * np.random.default_rng(seed).uniform(-1, 1, (n, 1))


def leaf(a):
    return torch.tensor(a, requires_grad=True)


def test_each_has_a_case():
    assert {o.name for o in CASES.values()} == set(OBJECTIVES)


@every_objective
@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_equals_pytorch(objective, scale):
    """Values and both gradients, by autograd on the papers' formulas.

    The formulas lose digits that ours keep, where 1 - e^t cancels: at |v| up to 3 no more than two.
    """
    close = {"rtol": 1e-12, "atol": 1e-14}
    for seed in range(3):
        real, fake = numbers(6, scale, seed), numbers(6, scale, seed + 100)
        r, f = leaf(real), leaf(fake)
        expected = twins.discriminator(objective, r, f)
        expected.backward()
        loss, d_real, d_fake = objective.discriminator(real, fake)
        assert loss == pytest.approx(expected.item(), rel=1e-12, abs=1e-14)
        np.testing.assert_allclose(d_real, r.grad, **close)
        np.testing.assert_allclose(d_fake, f.grad, **close)

        r, f = leaf(real), leaf(fake)
        expected = twins.generator(objective, f, r)
        expected.backward()
        loss, d_fake = objective.generator(fake, real)
        assert loss == pytest.approx(expected.item(), rel=1e-12, abs=1e-14)
        np.testing.assert_allclose(d_fake, f.grad, **close)


UNPAIRED = [name for name, o in CASES.items() if o.name not in ("margin", "relativistic")]


@pytest.mark.parametrize("name", UNPAIRED)
def test_batches_of_unlike_sizes_have_means_of_their_own(name):
    objective, real, fake = CASES[name], numbers(7, 1.0, 1), numbers(3, 1.0, 2)
    r, f = leaf(real), leaf(fake)
    expected = twins.discriminator(objective, r, f)
    expected.backward()
    loss, d_real, d_fake = objective.discriminator(real, fake)
    assert loss == pytest.approx(expected.item(), rel=1e-12, abs=1e-14)
    np.testing.assert_allclose(d_real, r.grad, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(d_fake, f.grad, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("objective", [Margin(), Relativistic()], ids=lambda o: o.name)
def test_a_comparison_of_pairs_wants_pairs(objective):
    with pytest.raises(OptionError, match=f"{objective.name}.*7 real and 3 generated"):
        objective.discriminator(numbers(7, 1.0, 1), numbers(3, 1.0, 2))


@every_objective
def test_float32_stays_and_arguments_are_left_alone(objective):
    real, fake = (numbers(5, 1.0, s).astype(np.float32) for s in (1, 2))
    kept = real.copy(), fake.copy()
    loss, d_real, d_fake = objective.discriminator(real, fake)
    loss_g, d_fake_g = objective.generator(fake, real)
    assert all(isinstance(value, float) for value in (loss, loss_g))
    assert {a.dtype for a in (d_real, d_fake, d_fake_g)} == {np.dtype(np.float32)}
    assert {a.shape for a in (d_real, d_fake, d_fake_g)} == {(5, 1)}
    np.testing.assert_array_equal((real, fake), kept)
    in_double = objective.discriminator(real.astype(np.float64), fake.astype(np.float64))
    assert loss == pytest.approx(in_double[0], rel=1e-5, abs=1e-6)  # a few units of float32
    report = objective.report(real, fake)
    assert report
    assert all(isinstance(value, float) for value in report.values())


# At p_g = p_data an optimal D is a constant v: J(D), J(G) in closed form.
LOG2 = math.log(2)
EQUILIBRIA = {
    "minimax": (0.0, 2 * LOG2, -LOG2),
    "non-saturating": (0.0, 2 * LOG2, LOG2),
    "lsgan 0, 1, 1": (0.5, 0.25, 0.125),
    "lsgan -1, 1, 0": (0.0, 1.0, 0.0),
    "hinge": (0.3, 2.0, -0.3),
    "wasserstein": (0.7, 0.0, -0.7),
    "margin": (0.7, 0.6, -0.7),
    "relativistic": (0.7, LOG2, LOG2),
    "relativistic-average": (0.7, 2 * LOG2, 2 * LOG2),
    "softmax": (0.7, math.log(12), math.log(12)),
    "bgan": (0.0, 2 * LOG2, 0.0),
    "ebgan": (0.5, 0.8, 0.5),  # any energy up to the margin; V = m (paper, theorem 1)
}


@pytest.mark.parametrize("name", EQUILIBRIA)
def test_the_value_where_p_g_is_p_data(name):
    v, loss_d, loss_g = EQUILIBRIA[name]
    objective, at = CASES[name], np.full((6, 1), v)
    loss, d_real, d_fake = objective.discriminator(at, at)
    assert loss == pytest.approx(loss_d, rel=1e-14, abs=1e-15)
    assert objective.generator(at, at)[0] == pytest.approx(loss_g, rel=1e-14, abs=1e-15)
    # What real and what generated examples ask of D cancels, for they are the same examples.
    np.testing.assert_allclose(d_real + d_fake, 0, atol=1e-16)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_bound_is_tight_where_p_g_is_p_data(name):
    """There T = f'(1) and the divergence is f(1): 0, but for "gan", which is -2 log 2."""
    row = DIVERGENCES[name]
    v = np.full((4, 1), V_AT_THRESHOLD[name])
    np.testing.assert_allclose(row.activation(v), row.threshold, rtol=1e-14, atol=1e-15)
    loss, d_real, d_fake = FGAN(divergence=name).discriminator(v, v)
    f_of_1 = -2 * LOG2 if name == "gan" else 0.0
    assert -loss == pytest.approx(f_of_1, abs=1e-15)
    np.testing.assert_allclose(d_real + d_fake, 0, atol=1e-15)
    assert FGAN(divergence=name).generator(v)[0] == pytest.approx(f_of_1 - row.threshold, abs=1e-14)


V_AT_THRESHOLD = {
    **dict.fromkeys(DIVERGENCES, 0.0),
    "kl": 1.0,
    # -log(1 + e^-v) = pi log pi at pi = 1/2
    "weighted-jensen-shannon": -math.log(math.sqrt(2) - 1),
}


def test_one_sided_smoothing_moves_the_best_d_on_real_examples():
    """-(1 - alpha) log D - alpha log(1 - D) is least at D = 1 - alpha."""
    logit = math.log(0.9 / 0.1)
    _, d_real, d_fake = Minimax(label_smoothing=0.1).discriminator(
        np.full((3, 1), logit), np.zeros((3, 1))
    )
    np.testing.assert_allclose(d_real, 0, atol=1e-16)
    np.testing.assert_allclose(d_fake, 1 / 6)  # one-sided: that of generated ones is as it was


def test_scores_that_are_far_apart_do_not_overflow():
    far = np.array([[-1e4], [1e4]])
    for name in ("minimax", "relativistic", "relativistic-average", "softmax", "bgan", "hinge"):
        for real, fake in ((far, -far), (far, far)):
            loss, *gradients = CASES[name].discriminator(real, fake)
            loss_g, d_fake = CASES[name].generator(fake, real)
            assert np.isfinite([loss, loss_g]).all(), name
            assert all(np.isfinite(g).all() for g in (*gradients, d_fake)), name


@pytest.mark.parametrize(
    "objective", [Relativistic(), RelativisticAverage(), Softmax()], ids=lambda o: o.name
)
def test_losses_of_g_that_look_at_examples_ask_for_them(objective):
    assert objective.needs_real
    with pytest.raises(OptionError, match=f"{objective.name}.* needs D's scores of examples"):
        objective.generator(numbers(3, 1.0, 0))


def test_others_do_not():
    needing = {"relativistic", "relativistic-average", "softmax"}
    assert {name for name, o in OBJECTIVES.items() if o.needs_real} == needing


# --- BEGAN's control ------------------------------------------------------------------------------


def test_k_moves_with_the_balance_of_energies():
    """The paper's numbers: k += lambda_k (gamma L(x) - L(G(z))), kept in [0, 1]."""
    objective = Equilibrium(gamma=0.5, rate=0.1)
    assert objective.state_dict()["k"].tolist() == [0.0]
    log = objective.settle({"energy(x)": 0.8, "loss_G": 0.1})
    assert log == {"k_t": pytest.approx(0.03), "convergence": pytest.approx(0.8 + 0.3)}
    log = objective.settle({"energy(x)": 0.2, "loss_G": 0.9})
    assert log == {"k_t": 0.0, "convergence": pytest.approx(0.2 + 0.8)}
    objective.k[...] = 0.999
    assert objective.settle({"energy(x)": 9.0, "loss_G": 0.0})["k_t"] == 1.0


# --- by name, and what is refused -----------------------------------------------------------------


def test_by_name():
    assert {name: type(objectives.get(name)) for name in OBJECTIVES} == OBJECTIVES
    with pytest.raises(UnknownNameError, match="unknown objective 'minmax'; did you mean 'minimax"):
        objectives.get("minmax")


def test_settings_are_read_off_the_constructor():
    assert objectives.settings_of(LeastSquares) == {"a": 0.0, "b": 1.0, "c": 1.0}
    assert objectives.settings_of(Wasserstein) == {}


BAD = {
    "a is b": (LeastSquares, {"a": 1.0}, "a unlike b"),
    "a is not finite": (LeastSquares, {"a": math.nan}, "finite targets"),
    "smoothing of all": (Minimax, {"label_smoothing": 1.0}, r"must lie in \[0, 1\)"),
    "negative smoothing": (NonSaturating, {"label_smoothing": -0.1}, r"must lie in \[0, 1\)"),
    "no margin": (EnergyMargin, {"margin": 0.0}, "margin=0.0 must be above 0"),
    "no epsilon": (Margin, {"epsilon": math.inf}, "epsilon=inf must be above 0 and finite"),
    "gamma": (Equilibrium, {"gamma": 0.0}, r"gamma=0.0 must lie in \(0, 1\]"),
    "rate": (Equilibrium, {"rate": -1.0}, "rate=-1.0 must be above 0"),
}


@pytest.mark.parametrize(("kind", "settings", "says"), BAD.values(), ids=BAD)
def test_bad_settings_are_refused(kind, settings, says):
    with pytest.raises(OptionError, match=says):
        kind(**settings)


def critic(end=None):
    rng = np.random.default_rng(0)
    return L.Sequential(L.Dense(3, 2, rng=rng), L.Sequential(L.Dense(2, 1, rng=rng), *end or []))


def energies():
    rng = np.random.default_rng(0)
    return L.ReconstructionError(L.Dense(3, 2, rng=rng), L.Dense(2, 3, rng=rng))


@every_objective
def test_a_network_that_cannot_serve_is_refused_by_both_names(objective):
    takes_energies = objective.name in ("ebgan", "began")
    good, bad = (energies(), critic()) if takes_energies else (critic(), energies())
    objective.check(good)
    says = r"Dense\(2, 1\), which has no decoder" if takes_energies else "energies of an auto-enc"
    with pytest.raises(OptionError, match=f"'{objective.name}' takes .*{says}"):
        objective.check(bad)
    for end in (L.Sigmoid(), L.Tanh()):
        with pytest.raises(OptionError, match=rf"'{objective.name}' takes .*{type(end).__name__}"):
            objective.check(critic([end]))
