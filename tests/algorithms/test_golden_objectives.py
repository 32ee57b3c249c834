"""Five steps with each objective and part here and in PyTorch: the same losses and weights."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from minigan import models
from minigan.algorithms.adversarial.energy import PullingAway
from minigan.algorithms.gan import GAN
from minigan.algorithms.parts import WeightClipping
from minigan.backend import make_rng
from minigan.layers import ReconstructionError
from minigan.losses import NonSaturating
from minigan.losses.boundary import BoundarySeeking
from minigan.losses.critic import Hinge, Margin, Wasserstein
from minigan.losses.energy import EnergyMargin, Equilibrium
from minigan.losses.fdivergence import FGAN
from minigan.losses.least_squares import LeastSquares
from minigan.losses.penalties import R1, R2, Div, Interpolated, Perturbed
from minigan.losses.relativistic import Relativistic, RelativisticAverage
from minigan.losses.softmax import Softmax
from minigan.optim import Adam, Momentum, RMSProp
from minigan.prior import Prior
from tests.oracles import gan_twin
from tests.oracles.game_twin import Game
from tests.oracles.objective_twins import Energy

STEPS, BATCH, Z_DIM = 5, 6, 4
# Rounding grows with the game's own sensitivity, as in test_golden.py.
TOLERANCE = 1e-10


def points(rng):
    G = models.mlp_generator(Z_DIM, (2,), hidden=(7, 6), bounded=False, rng=rng)
    return G, models.mlp_discriminator((2,), hidden=(6, 5), num_pieces=3, rng=rng)


def torch_points():
    return (
        gan_twin.mlp_generator(Z_DIM, (2,), (7, 6), bounded=False),
        gan_twin.mlp_discriminator((2,), (6, 5), 3),
    )


def convolutions(rng):
    G = models.dcgan_generator(Z_DIM, (16, 16, 1), width=2, rng=rng)
    return G, models.dcgan_discriminator((16, 16, 1), width=2, norm="none", rng=rng)


def torch_convolutions():
    critic = nn.Sequential(
        nn.Conv2d(1, 2, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2, 4, 4, stride=2, padding=1),
        nn.Identity(),
        nn.LeakyReLU(0.2),
        gan_twin.ToRows(),
        nn.Linear(64, 1),
    )
    return gan_twin.dcgan_generator(Z_DIM, (16, 16, 1), 2, halvings=2), critic.double()


def energies(power):
    def build(rng):
        G = models.mlp_generator(Z_DIM, (2,), hidden=(7, 6), bounded=False, rng=rng)
        encoder = models.mlp_encoder((2,), 3, hidden=(6,), rng=rng)
        decoder = models.mlp_decoder(3, (2,), hidden=(6,), bounded=False, rng=rng)
        return G, ReconstructionError(encoder, decoder, power=power)

    return build


def torch_energies(power):
    def build():
        encoder = gan_twin.mlp_generator(2, (3,), (6,), bounded=False)
        decoder = gan_twin.mlp_generator(3, (2,), (6,), bounded=False)
        D = Energy(encoder, decoder, power)
        return gan_twin.mlp_generator(Z_DIM, (2,), (7, 6), bounded=False), D

    return build


def balanced(k):
    """BEGAN that weighs D's terms by k at the start, and moves fast from there."""
    objective = Equilibrium(gamma=1.0, rate=0.05)
    objective.k[...] = k
    return objective


NETWORKS = {
    "points": (points, torch_points, (2,)),
    "convolutions": (convolutions, torch_convolutions, (16, 16, 1)),
    "squared energies": (energies(2), torch_energies(2), (2,)),
    "absolute energies": (energies(1), torch_energies(1), (2,)),
}
ADAM = (
    lambda p: Adam(p, 2e-3, beta1=0.5, beta2=0.9),
    lambda p: torch.optim.Adam(p, lr=2e-3, betas=(0.5, 0.9)),
)
# For objectives that a constant added to all scores does not change: the gradient of D's last bias
# is rounding alone there, which Adam would scale up to whole steps.
MOMENTUM = (
    lambda p: Momentum(p, 0.02, momentum=0.5),
    lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.5),
)
RMSPROP = (
    lambda p: RMSProp(p, 1e-3),
    lambda p: torch.optim.RMSprop(p, lr=1e-3),
)


@dataclass(frozen=True)
class Run:
    networks: str
    objective: Any  # a function that makes it: BEGAN's has state
    penalty: Any = None
    clip: float | None = None
    pull_away: float = 0.0
    k: int = 1
    optimizer: tuple = field(default=ADAM, repr=False)


RUNS = {
    "lsgan": Run("points", LeastSquares),
    "lsgan -1, 1, 0": Run("convolutions", lambda: LeastSquares(a=-1, b=1, c=0)),
    "hinge": Run("convolutions", Hinge),
    "smoothed labels": Run("points", lambda: NonSaturating(label_smoothing=0.1)),
    "wgan": Run("points", Wasserstein, clip=0.05, k=3, optimizer=RMSPROP),
    "wgan, convolutions": Run("convolutions", Wasserstein, clip=0.05, k=2, optimizer=RMSPROP),
    "wgan-gp": Run("points", Wasserstein, Interpolated(), k=3),
    "wgan-gp, convolutions": Run("convolutions", Wasserstein, Interpolated(), k=2),
    "wgan-div": Run("convolutions", Wasserstein, Div(), k=2),
    "dragan": Run("points", NonSaturating, Perturbed()),
    "dragan, convolutions": Run("convolutions", NonSaturating, Perturbed()),
    "r1": Run("convolutions", NonSaturating, R1()),
    "r2": Run("points", NonSaturating, R2()),
    "relativistic": Run("points", Relativistic, optimizer=MOMENTUM),
    "relativistic average": Run("convolutions", RelativisticAverage, k=2, optimizer=MOMENTUM),
    "softmax": Run("points", Softmax, optimizer=MOMENTUM),
    "bgan": Run("points", BoundarySeeking),
    "margin": Run("points", lambda: Margin(epsilon=0.3), clip=0.1, optimizer=RMSPROP),
    "f-gan kl": Run("points", lambda: FGAN(divergence="kl")),
    "f-gan jeffrey": Run("points", lambda: FGAN(divergence="jeffrey")),
    "f-gan jeffrey, trick": Run("convolutions", lambda: FGAN(divergence="jeffrey", trick=True)),
    "f-gan weighted": Run(
        "points", lambda: FGAN(divergence="weighted-jensen-shannon", pi=0.3), k=2
    ),
    "ebgan": Run("squared energies", lambda: EnergyMargin(margin=0.9), pull_away=0.1),
    "began": Run("absolute energies", lambda: balanced(0.5)),
}


def make_pair(run):
    build, build_torch, _ = NETWORKS[run.networks]
    G, D = (net.astype(np.float64) for net in build(make_rng(0)))
    ours, theirs = run.optimizer
    objective = run.objective()
    prior = Prior("normal", Z_DIM, np.float64)
    game = GAN(
        G,
        D,
        optimizer_G=ours(G.flat),
        optimizer_D=ours(D.flat),
        prior=prior,
        objective=objective,
        terms=[run.penalty] if run.penalty else [],
        generator_loss=PullingAway(objective, run.pull_away) if run.pull_away else None,
        weight_clipping=WeightClipping(run.clip) if run.clip else None,
        k=run.k,
        rng=make_rng(0, 1),
    )
    nets = build_torch()
    for net, own in zip(nets, (G, D), strict=True):
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    optimizers = [theirs(net.parameters()) for net in nets]
    twin = Game(
        *nets,
        *optimizers,
        objective=run.objective(),
        prior=prior,
        rng=make_rng(0, 1),
        penalty=run.penalty,
        clip=run.clip,
        pull_away=run.pull_away,
        k=run.k,
    )
    return game, twin


def examples(run, step):
    shape = NETWORKS[run.networks][2]
    x = make_rng(100 + step).standard_normal((run.k * BATCH, *shape))
    return np.tanh(x + 0.5)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_five_steps_equal_pytorch(run):
    game, twin = make_pair(run)
    start = {name: a.copy() for name, a in game.state_dict().items()}
    for step in range(STEPS):
        x = examples(run, step)
        scalars, expected = game.step(x), twin.step(x)
        for name, value in expected.items():
            assert scalars[name] == pytest.approx(value, rel=TOLERANCE, abs=1e-12), (step, name)
    for name, net in (("G", twin.G), ("D", twin.D)):
        theirs = gan_twin.arrays(net)
        own = game.networks[name]
        for key, a in ({k: p.data for k, p in own.params.items()} | own.buffers).items():
            worst = np.abs(a - theirs[key]).max()
            assert worst <= TOLERANCE * max(np.abs(theirs[key]).max(), 1e-3), f"{name} {key}"
    state = game.state_dict()
    moved = {name for name in start if (state[name] != start[name]).any()}
    assert {n for n in start if n.endswith("weight")} <= moved
    if twin.balance:
        assert 0 < state["objective.k"][0] < 1
        assert abs(state["objective.k"][0] - 0.5) > 0.01
        assert state["objective.k"][0] == pytest.approx(twin.balance.k[0], rel=TOLERANCE)
