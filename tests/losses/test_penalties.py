"""Gradient penalties: finite differences in every parameter, PyTorch's double backward, points."""

import math

import numpy as np
import pytest
import torch

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import NoSecondDerivativeError, OptionError, ShapeError, UnknownNameError
from minigan.gradcheck import GradcheckError, check_loss
from minigan.losses import PENALTIES, penalties
from minigan.losses.penalties import R1, R2, Div, Interpolated, Perturbed
from tests.oracles import objective_twins as twins
from tests.oracles.torch_twins import Env, spec

# Critics of every kind: curved, piecewise linear, maxout, with norms over an example alone,
# residual, with several numbers pooled away. The last one is an auto-encoder's energy.
CRITICS = {
    "perceptron": (
        spec(
            L.Sequential,
            spec(L.Dense, 3, 5),
            spec(L.Tanh),
            spec(L.Dense, 5, 6),
            spec(L.Maxout, 2),
            spec(L.Dense, 3, 1),
        ),
        (3,),
    ),
    "layer norm": (
        spec(
            L.Sequential,
            spec(L.Dense, 3, 4),
            spec(L.LayerNorm, 4),
            spec(L.ELU),
            spec(L.Dense, 4, 1),
        ),
        (3,),
    ),
    "convolutions": (
        spec(
            L.Sequential,
            spec(L.Conv2d, 1, 2, 4, stride=2, padding=1),
            spec(L.LeakyReLU, negative_slope=0.2),
            spec(L.Conv2d, 2, 2, 3, padding=1),
            spec(L.LayerNorm, (2, 3, 2)),
            spec(L.Softplus),
            spec(L.Flatten),
            spec(L.Dense, 12, 1),
        ),
        (4, 6, 1),
    ),
    "residual": (
        spec(
            L.Sequential,
            spec(
                L.Residual,
                spec(L.Sequential, spec(L.Softplus), spec(L.Conv2d, 2, 2, 3, padding=1)),
            ),
            spec(L.InstanceNorm, 2, affine=True),
            spec(L.AvgPool2d, 2),
            spec(L.Sigmoid),
            spec(L.GlobalSumPool),
            spec(L.Dense, 2, 1),
        ),
        (4, 4, 2),
    ),
    "energy": (
        spec(
            L.ReconstructionError,
            spec(L.Sequential, spec(L.Dense, 3, 2), spec(L.Tanh)),
            spec(L.Dense, 2, 3),
        ),
        (3,),
    ),
}
every_critic = pytest.mark.parametrize("critic", CRITICS)
MADE = {
    "wgan-gp": Interpolated(weight=3.0, target=0.8),
    "wgan-div": Div(weight=0.5, power=3.0),
    "dragan": Perturbed(spread=0.7),
    "r1": R1(weight=4.0),
    "r2": R2(),
}
every_penalty = pytest.mark.parametrize("penalty", MADE.values(), ids=MADE)


def build(critic, seed=0):
    """A critic in float64 with every weight random, and two batches of four examples."""
    made, shape = CRITICS[critic]
    rng = np.random.default_rng(seed)
    D = made.build(rng).astype(np.float64)
    D.flat.load(rng.uniform(0.3, 1, D.flat.size) * rng.choice([-1.0, 1.0], D.flat.size))
    return D, *rng.standard_normal((2, 4, *shape))


def value_and_gradient(penalty, D, real, fake):
    D.flat.zero_grad()
    value = penalty(D, real, fake, make_rng(5))
    return value, D.flat.grad.copy()


def test_each_has_a_case():
    assert set(MADE) == set(PENALTIES)


@every_penalty
@every_critic
def test_finite_differences_in_every_parameter(penalty, critic):
    """The relative error is below 1e-6 in each of them."""
    D, real, fake = build(critic)

    def loss(weights):
        D.flat.load(weights)
        return value_and_gradient(penalty, D, real, fake)

    (result,) = check_loss(loss, D.flat.data.copy(), rng=np.random.default_rng(1))
    assert result.error < 1e-6


def test_a_gradient_that_is_a_little_wrong_would_be_seen():
    D, real, fake = build("perceptron")

    def wrong(weights):
        D.flat.load(weights)
        value, gradient = value_and_gradient(R1(), D, real, fake)
        return value, 1.00001 * gradient

    with pytest.raises(GradcheckError):
        check_loss(wrong, D.flat.data.copy(), rng=np.random.default_rng(1))


@every_penalty
@every_critic
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_pytorchs_double_backward(penalty, critic, seed):
    D, real, fake = build(critic, seed)
    value, gradient = value_and_gradient(penalty, D, real, fake)
    params = {k: torch.tensor(p.data, requires_grad=True) for k, p in D.params.items()}
    twin = CRITICS[critic][0]
    points = torch.tensor(penalty.points(real, fake, make_rng(5)))
    expected = twins.penalty(penalty, lambda x: twin.torch(Env(params, {}, D), x), points)
    theirs = torch.autograd.grad(
        expected, list(params.values()), materialize_grads=True, allow_unused=True
    )
    assert value == pytest.approx(expected.item(), rel=1e-11)
    for (name, place), g in zip(D.flat.slices.items(), theirs, strict=True):
        ours, scale = gradient[place].reshape(g.shape), np.abs(gradient).max()
        assert np.abs(ours - g.numpy()).max() <= 1e-11 * scale, name


@every_penalty
def test_it_adds_to_what_is_there_and_leaves_the_rest_alone(penalty):
    D, real, fake = build("convolutions")
    _, gradient = value_and_gradient(penalty, D, real, fake)
    before = np.random.default_rng(3).standard_normal(D.flat.size)
    D.flat.grad[...] = before
    kept, weights = (real.copy(), fake.copy()), D.flat.data.copy()
    penalty(D, real, fake, make_rng(5))
    np.testing.assert_allclose(D.flat.grad - before, gradient, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal((real, fake), kept)
    np.testing.assert_array_equal(D.flat.data, weights)


@every_penalty
def test_running_state_does_not_move(penalty):
    rng = np.random.default_rng(0)
    D = L.Sequential(
        L.Dense(3, 4, rng=rng), L.Dropout(0.5, rng=rng), L.Tanh(), L.Dense(4, 1, rng=rng)
    )
    before = {name: b.copy() for name, b in D.buffers.items()}
    real, fake = rng.standard_normal((2, 4, 3)).astype(np.float32)
    value = penalty(D, real, fake, make_rng(0))
    assert isinstance(value, float)
    assert before
    for name, b in D.buffers.items():
        np.testing.assert_array_equal(b, before[name])
    assert penalty.points(real, fake, make_rng(0)).dtype == np.float32
    assert D.flat.grad.dtype == np.float32


@every_penalty
def test_a_linear_critic_in_closed_form(penalty):
    """D(x) = w x: the gradient is w at every point, and its norm |w|."""
    D = L.Sequential(L.Flatten(), L.Dense(4, 1, rng=np.random.default_rng(0))).astype(np.float64)
    w = np.array([1.0, -2.0, 2.0, 4.0])  # of norm 5
    D.flat.load(np.array([*w, 0.3]))
    value, gradient = value_and_gradient(
        penalty, D, *np.random.default_rng(1).normal(size=(2, 3, 2, 2))
    )
    phi, slope = {  # of the norm
        "wgan-gp": ((5 - 0.8) ** 2, 2 * (5 - 0.8)),
        "dragan": ((5 - 1) ** 2, 2 * (5 - 1)),
        "wgan-div": (5**3, 3 * 5**2),
        "r1": (12.5, 5),
        "r2": (12.5, 5),
    }[penalty.name]
    assert value == pytest.approx(penalty.weight * phi, rel=1e-13)
    np.testing.assert_allclose(gradient[:4], penalty.weight * slope * w / 5, rtol=1e-12)
    assert gradient[4] == 0


def test_a_critic_that_is_flat_pulls_nothing():
    """At a gradient of 0 its norm has no derivative; PyTorch's is not a number there."""
    D = L.Sequential(L.Dense(3, 1, rng=np.random.default_rng(0))).astype(np.float64)
    D.flat.load(np.zeros(4))
    for penalty in MADE.values():
        value, gradient = value_and_gradient(penalty, D, *np.ones((2, 4, 3)))
        assert math.isfinite(value)
        np.testing.assert_array_equal(gradient, 0)


# --- where the gradient is taken ------------------------------------------------------------------


@pytest.mark.parametrize("penalty", [Interpolated(), Div()], ids=lambda p: p.name)
def test_one_epsilon_for_each_example(penalty):
    real, fake = np.random.default_rng(0).standard_normal((2, 50, 2, 3, 2))
    x = penalty.points(real, fake, make_rng(1))
    epsilon = (x - fake) / (real - fake)
    each = epsilon.reshape(50, -1)
    np.testing.assert_allclose(each, np.broadcast_to(each[:, :1], each.shape), rtol=1e-9)
    assert (each >= 0).all()
    assert (each <= 1).all()
    assert np.ptp(each[:, 0]) > 0.8  # from example to example it differs
    assert (penalty.points(real, fake, make_rng(2)) != x).any()


@pytest.mark.parametrize("penalty", [Interpolated(), Div()], ids=lambda p: p.name)
def test_one_epsilon_for_each_pack_that_D_judges_as_one(penalty):
    D = L.Sequential(L.Pack(2), L.Pack(3), L.Dense(12, 1, rng=make_rng(0))).astype(np.float64)
    seen, forward = [], D.forward

    def watched(x, **how):
        seen.append(x)
        return forward(x, **how)

    D.forward = watched
    real, fake = np.random.default_rng(0).standard_normal((2, 24, 2))
    penalty(D, real, fake, make_rng(1))
    packs = ((seen[0] - fake) / (real - fake)).reshape(4, 12)
    np.testing.assert_allclose(packs, np.broadcast_to(packs[:, :1], packs.shape), rtol=1e-9)
    assert len(np.unique(packs[:, 0])) == 4
    with pytest.raises(ShapeError, match="split into packs of 2"):
        penalty(D, real[:5], fake[:5], make_rng(1))


def test_r1_looks_at_real_and_r2_at_generated_examples():
    real, fake = np.random.default_rng(0).standard_normal((2, 4, 3))
    np.testing.assert_array_equal(R1().points(real, fake, make_rng(0)), real)
    np.testing.assert_array_equal(R2().points(real, fake, make_rng(0)), fake)


def test_dragan_looks_around_real_examples():
    real, fake = np.random.default_rng(0).standard_normal((2, 400, 3)) * 2
    delta = Perturbed(spread=0.5).points(real, fake, make_rng(0)) - real
    assert (delta >= 0).all()
    assert delta.max() <= 0.5 * real.std()
    assert delta.mean() == pytest.approx(0.25 * real.std(), rel=0.05)  # of 1,200 uniform numbers
    assert len(np.unique(delta)) == delta.size


def test_points_between_want_pairs():
    with pytest.raises(OptionError, match=r"as many of either, got \(4, 3\) and \(5, 3\)"):
        Interpolated().points(np.ones((4, 3)), np.ones((5, 3)), make_rng(0))


def test_one_norm_for_each_number_that_d_gives():
    """A D that judges packs of two has one gradient for both of a pack."""
    rng = np.random.default_rng(0)
    D = L.Sequential(L.Pack(2), L.Dense(4, 1, rng=rng)).astype(np.float64)
    D.flat.load(np.array([1.0, 2.0, 2.0, 4.0, 0.0]))
    value, _ = value_and_gradient(R1(weight=1.0), D, *rng.standard_normal((2, 6, 2)))
    assert value == pytest.approx(12.5)


# --- what is refused ------------------------------------------------------------------------------


@every_penalty
def test_batch_norm_is_refused_with_the_reason(penalty):
    rng = np.random.default_rng(0)
    inner = L.Sequential(L.Conv2d(2, 3, 3, rng=rng), L.BatchNorm(3), L.ReLU())
    with pytest.raises(
        OptionError,
        match=rf"'{penalty.name}' looks at .* each example .* D's layer 0\.1, BatchNorm\(3.*mixes "
        "the examples of a batch; use LayerNorm",
    ):
        penalty.check(L.Sequential(inner, L.Flatten()))
    for name in CRITICS:
        penalty.check(build(name)[0])


@every_penalty
def test_minibatch_discrimination_is_refused_and_the_deviation_is_not(penalty):
    rng = np.random.default_rng(0)
    closeness = L.MinibatchDiscrimination(4, 3, rng=rng)
    D = L.Sequential(L.Dense(3, 4, rng=rng), closeness, L.Dense(7, 1, rng=rng))
    with pytest.raises(
        OptionError,
        match=rf"'{penalty.name}' looks at .* D's layer 1, MinibatchDiscrimination\(4, 3.*mixes "
        r"the examples of a batch; leave it out \(--minibatch-discrimination 0\)",
    ):
        penalty.check(D)
    deviating = L.Sequential(L.Dense(3, 4, rng=rng), L.MinibatchStdDev(), L.Dense(5, 1, rng=rng))
    penalty.check(deviating)  # as published with WGAN-GP and with R1


def test_a_layer_without_a_second_derivative_names_itself():
    class Rough(L.Tanh):
        double_backward = L.Layer.double_backward

    D = L.Sequential(L.Dense(3, 1, rng=np.random.default_rng(0)), Rough())
    with pytest.raises(NoSecondDerivativeError, match="Rough"):
        R1()(D, *np.ones((2, 4, 3), np.float32), make_rng(0))


@pytest.mark.parametrize(
    ("kind", "settings", "says"),
    [
        (R1, {"weight": 0.0}, "weight=0.0 must be above 0"),
        (R1, {"weight": math.inf}, "weight=inf"),
        (Interpolated, {"target": -1.0}, "target=-1.0 must be at least 0"),
        (Perturbed, {"spread": math.nan}, "spread=nan must be at least 0"),
        (Div, {"power": 1.0}, "power=1.0 must be at least 2"),
    ],
)
def test_bad_settings_are_refused(kind, settings, says):
    with pytest.raises(OptionError, match=says):
        kind(**settings)


def test_by_name_with_the_papers_weights():
    papers = {"wgan-gp": 10.0, "wgan-div": 2.0, "dragan": 10.0, "r1": 10.0, "r2": 10.0}
    assert {name: penalties.get(name).weight for name in PENALTIES} == papers
    assert penalties.get("r1", weight=0.5).weight == 0.5
    assert Div().power == 6
    with pytest.raises(UnknownNameError, match="unknown penalty 'wgangp'; did you mean 'wgan-gp'"):
        penalties.get("wgangp")
