"""The unrolled gradient equals PyTorch's, differentiated through every step of D by autograd."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.func import functional_call

from minigan import layers as L
from minigan.algorithms.adversarial.surrogate import surrogate
from minigan.algorithms.adversarial.unrolled import Unrolled, UnrolledGAN
from minigan.backend import make_rng
from minigan.errors import NoSecondDerivativeError, OptionError
from minigan.losses import Minimax, NonSaturating, objectives
from minigan.losses.penalties import R1
from minigan.models import dcgan_discriminator
from minigan.optim import SGD, Adam, AdamW, Momentum, RMSProp
from minigan.schedule import linear_decay
from tests.algorithms.games import Z_DIM, make_examples, make_game, points, snapshot
from tests.layers.cases import WATCHFUL_CRITIC
from tests.oracles import gan_twin
from tests.oracles.torch_twins import Env, channels_first, relative_error

# Five steps of second derivatives of small networks in float64 lose up to six of 16 digits.
FLOAT64 = 1e-9

OPTIMIZERS = {
    "sgd": lambda p: SGD(p, 0.3),
    "momentum": lambda p: Momentum(p, linear_decay(0.2, start=0, end=20), momentum=0.7),
    "adam": lambda p: Adam(p, 2e-2, beta1=0.5, beta2=0.9),
    "adamw": lambda p: AdamW(p, linear_decay(1e-2, start=0, end=20), weight_decay=0.1),
}


# --- PyTorch: D as a function of its parameters, and a step as an expression ----------------------


def torch_step(optimizer, theta, state, g, k):
    """theta and state after a step of `optimizer`, as autograd can differentiate it."""
    lr, t = optimizer.schedule(optimizer.t + k), optimizer.t + k + 1
    if isinstance(optimizer, SGD):
        return [p - lr * d for p, d in zip(theta, g, strict=True)], state
    if isinstance(optimizer, Momentum):
        v = [optimizer.momentum * v + d for v, d in zip(state["v"], g, strict=True)]
        return [p - lr * v for p, v in zip(theta, v, strict=True)], {"v": v}
    b1, b2 = optimizer.beta1, optimizer.beta2
    ms = [b1 * m + (1 - b1) * d for m, d in zip(state["m"], g, strict=True)]
    vs = [b2 * v + (1 - b2) * d**2 for v, d in zip(state["v"], g, strict=True)]
    after = []
    for p, m, v in zip(theta, ms, vs, strict=True):
        # autograd gives 0 * inf = NaN for the root of an exact 0
        root = torch.where(v > 0, torch.where(v > 0, v, 1).sqrt(), 0) / (1 - b2**t) ** 0.5
        step = m / (1 - b1**t) / (root + optimizer.eps)
        after.append((1 - lr * optimizer.weight_decay) * p - lr * step)
    return after, {"m": ms, "v": vs}


def cross_entropy(logits, real):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


TORCH_LOSSES = {  # D's loss of both logits, and G's
    "minimax": (
        lambda r, f: cross_entropy(r, 1) + cross_entropy(f, 0),
        lambda f: -cross_entropy(f, 0),
    ),
    "non-saturating": (
        lambda r, f: cross_entropy(r, 1) + cross_entropy(f, 0),
        lambda f: cross_entropy(f, 1),
    ),
    "lsgan": (
        lambda r, f: ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda f: ((f - 1) ** 2).mean() / 2,
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda f: -f.mean()),
    "hinge": (lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), lambda f: -f.mean()),
}


def torch_unrolled(net, params, states, optimizer, objective, steps, real, fake):
    """f_K and df_K/dfake. net(params, x) -> logits; params and states are lists of tensors."""
    loss_D, loss_G = TORCH_LOSSES[objective]
    fake = torch.tensor(fake, requires_grad=True)
    theta = [p.clone().requires_grad_() for p in params]
    for k in range(steps):
        loss = loss_D(net(theta, torch.tensor(real)), net(theta, fake))
        g = torch.autograd.grad(loss, theta, create_graph=True)
        theta, states = torch_step(optimizer, theta, states, g, k)
    loss = loss_G(net(theta, fake))
    return loss.item(), torch.autograd.grad(loss, fake)[0].numpy()


# --- the networks, on both sides ------------------------------------------------------------------


def perceptrons():
    D = points(make_rng(0))[1].astype(np.float64)
    return D, gan_twin.mlp_discriminator((2,), (7, 6), 3), (2,)


def smooth():
    r = make_rng(1)
    D = L.Sequential(L.Dense(2, 6, rng=r), L.Tanh(), L.Dense(6, 5, rng=r), L.Softplus())
    D = L.Sequential(*D.layers, L.Dense(5, 1, rng=r)).astype(np.float64)
    linear, nn = torch.nn.Linear, torch.nn
    twin = nn.Sequential(linear(2, 6), nn.Tanh(), linear(6, 5), nn.Softplus(), linear(5, 1))
    return D, twin.double(), (2,)


def pictures():
    D = dcgan_discriminator((16, 16, 3), width=3, rng=make_rng(2)).astype(np.float64)
    return D, gan_twin.dcgan_discriminator((16, 16, 3), 3, 2), (16, 16, 3)


def torch_side(D, twin, optimizer):
    """The twin as a function of a list of parameters, these, and the optimiser's state."""
    gan_twin.load(twin, {k: p.data for k, p in D.params.items()} | dict(D.buffers))
    names = [name for name, _ in twin.named_parameters()]

    def net(theta, x):
        x = channels_first(x) if x.ndim == 4 else x
        return functional_call(twin, dict(zip(names, theta, strict=True)), (x,))

    def in_torch(vector):
        views = D.flat.direction(vector)
        turned = {name: gan_twin.turned(views[D.params[name]]) for name in names}
        return [torch.tensor(np.ascontiguousarray(turned[name])) for name in names]

    states = {name: in_torch(s) for name, s in optimizer.state.items()}
    return net, in_torch(D.flat.data), states


def examples(shape, n=6, seed=5):
    rng = make_rng(seed)
    return [np.tanh(rng.standard_normal((n, *shape)) + shift) for shift in (0.5, -0.3)]


def warmed_up(D, optimizer, shape):
    """The optimiser in the middle of its run: its state is not zero."""
    for seed in range(3):
        x, _ = examples(shape, seed=20 + seed)
        D.flat.zero_grad()
        y, ctx = D.forward(x, update_stats=False)
        D.backward(make_rng(seed).standard_normal(y.shape), ctx)
        optimizer.step()


@pytest.mark.parametrize("steps", [1, 3, 5])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("build", [perceptrons, smooth, pictures], ids=lambda f: f.__name__)
def test_it_equals_autograd_through_the_steps(build, optimizer, steps):
    D, twin, shape = build()
    rule = OPTIMIZERS[optimizer](D.flat)
    warmed_up(D, rule, shape)
    real, fake = examples(shape)
    expected, dfake = torch_unrolled(
        *torch_side(D, twin, rule), rule, "non-saturating", steps, real, fake
    )
    loss, ours = Unrolled(NonSaturating(), rule, steps)(D, fake, real)
    assert loss == pytest.approx(expected, rel=FLOAT64)
    assert relative_error(ours, dfake) < FLOAT64


@pytest.mark.parametrize("objective", TORCH_LOSSES)
def test_every_objective_with_a_second_derivative(objective):
    D, twin, shape = smooth()
    rule = OPTIMIZERS["adam"](D.flat)
    real, fake = examples(shape)
    expected, dfake = torch_unrolled(*torch_side(D, twin, rule), rule, objective, 3, real, fake)
    loss, ours = Unrolled(objectives.get(objective), rule, 3)(D, fake, real)
    assert loss == pytest.approx(expected, rel=FLOAT64)
    assert relative_error(ours, dfake) < FLOAT64


def test_from_a_state_of_zeros_and_with_units_that_never_win():
    """Adam's first step, where some gradients and so some vhat are exactly 0."""
    D, twin, shape = perceptrons()
    D.flat.data[...] *= 3  # some pieces win everywhere, others nowhere
    rule = OPTIMIZERS["adam"](D.flat)
    real, fake = examples(shape)
    D.flat.zero_grad()
    y, ctx = D.forward(real)
    D.backward(y, ctx)
    assert (D.flat.grad == 0).any()
    _, dfake = torch_unrolled(*torch_side(D, twin, rule), rule, "minimax", 2, real, fake)
    _, ours = Unrolled(Minimax(), rule, 2)(D, fake, real)
    assert np.isfinite(ours).all()
    assert relative_error(ours, dfake) < FLOAT64


def test_a_critic_of_packs_spectral_norms_and_minibatch_layers():
    """Every layer against collapse, under an unrolled objective."""
    rng = make_rng(3)
    D = WATCHFUL_CRITIC.build(rng).astype(np.float64)
    rule = Adam(D.flat, 1e-2, beta1=0.5)
    real, fake = examples((6, 5, 2), n=4)
    names = list(D.flat.params)
    buffers = {k: torch.tensor(b) for k, b in D.buffers.items()}

    def net(theta, x):
        return WATCHFUL_CRITIC.torch(Env(dict(zip(names, theta, strict=True)), buffers, D), x)

    params = [torch.tensor(p.data) for p in D.flat.params.values()]
    states = {name: [torch.zeros_like(p) for p in params] for name in ("m", "v")}
    expected, dfake = torch_unrolled(net, params, states, rule, "minimax", 2, real, fake)
    loss, ours = Unrolled(Minimax(), rule, 2)(D, fake, real)
    assert loss == pytest.approx(expected, rel=FLOAT64)
    assert relative_error(ours, dfake) < FLOAT64


# --- the algorithm --------------------------------------------------------------------------------


def game(unroll=2, **options):
    return make_game(points, game=UnrolledGAN, unroll=unroll, **options)


def test_only_g_moves_in_g_s_update():
    """D's weights, gradients, statistics and optimiser are put back to the bit."""
    unrolled = game()
    unrolled.D.flat.grad[...] = make_rng(4).standard_normal(unrolled.D.flat.size)
    x, z = make_examples(points, 5), make_rng(9).standard_normal((5, Z_DIM))
    unrolled.update_discriminator(x, z)
    before = snapshot(unrolled)
    unrolled.update_generator(z, x)
    after = snapshot(unrolled)
    for name in before:
        same = np.array_equal(before[name], after[name])
        if name.startswith(("D.", "D gradient", "optimizer.D")):
            assert same, name
        elif name.startswith(("G.", "optimizer.G", "G gradient")):
            assert not same, name


def test_d_s_update_is_the_ordinary_one():
    unrolled, plain = game(), make_game(points)
    x, z = make_examples(points, 5), make_rng(9).standard_normal((5, Z_DIM))
    assert unrolled.update_discriminator(x, z) == plain.update_discriminator(x, z)
    np.testing.assert_array_equal(unrolled.D.flat.data, plain.D.flat.data)


def test_d_is_put_back_after_an_error():
    unrolled = game()
    kept = unrolled.D.flat.data.copy()
    x, z = make_examples(points, 5), make_rng(9).standard_normal((5, Z_DIM))

    def fails(scores, real=None):
        raise RuntimeError

    unrolled.objective.generator = fails
    with pytest.raises(RuntimeError):
        unrolled.update_generator(z, x)
    np.testing.assert_array_equal(unrolled.D.flat.data, kept)


def test_float32_and_resuming():
    first, other = game(dtype=np.float32), game(dtype=np.float32, seed=3)
    batches = [make_examples(points, 6, seed, np.float32) for seed in range(4)]
    for x in batches[:2]:
        first.step(x)
    other.load_state_dict({k: a.copy() for k, a in first.state_dict().items()})
    other.rng = make_rng(0, 1)
    first.rng = make_rng(0, 1)
    for x in batches[2:]:
        assert first.step(x) == other.step(x)
    assert first.G.flat.data.dtype == np.float32
    for name, array in first.state_dict().items():
        np.testing.assert_array_equal(array, other.state_dict()[name])


def test_refused():
    with pytest.raises(OptionError, match="unroll=0: wanted at least 1 step of D"):
        game(unroll=0)
    with pytest.raises(OptionError, match=r"steps of RMSProp .* use sgd, momentum, adam"):
        game(optimizer=lambda p: RMSProp(p, 1e-3))
    with pytest.raises(OptionError, match="steps are those of the objective alone"):
        game(terms=[R1()])
    with pytest.raises(OptionError, match="'softmax' has no second derivative here"):
        game(objective=objectives.get("softmax"))


def test_a_d_that_cannot_be_unrolled_is_named():
    rng = make_rng(0)
    D = L.ReconstructionError(L.Dense(2, 3, rng=rng), L.Dense(3, 2, rng=rng)).astype(np.float64)
    real, fake = examples((2,))
    with pytest.raises(NoSecondDerivativeError, match="ReconstructionError"):
        Unrolled(Minimax(), SGD(D.flat, 0.1), 1)(D, fake, real)


def test_a_surrogate_takes_the_steps_of_the_optimiser():
    """Step by step, from the middle of a run, as the optimiser itself goes on."""
    for build in OPTIMIZERS.values():
        D, _, shape = smooth()
        rule = build(D.flat)
        warmed_up(D, rule, shape)
        steps = surrogate(rule)
        point = steps.start()
        foreseen = []
        gradients = [make_rng(k).standard_normal(D.flat.size) for k in range(3)]
        for k, g in enumerate(gradients):
            point = steps.advance(point, g, k)
            foreseen.append(point)
        for g, (theta, state) in zip(gradients, foreseen, strict=True):
            D.flat.grad[...] = g
            rule.step()
            np.testing.assert_allclose(theta, D.flat.data, rtol=1e-12)
            for name, array in state.items():
                np.testing.assert_allclose(array, rule.state[name], rtol=1e-12)
