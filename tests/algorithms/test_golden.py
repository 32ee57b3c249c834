"""Ten steps of Algorithm 1 here and in PyTorch: the same losses, weights and running statistics."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from minigan import losses, optim
from minigan.backend import make_rng
from minigan.prior import Prior
from tests.algorithms.games import Z_DIM, digits, make_examples, make_game, pictures, points
from tests.oracles import gan_twin

STEPS = 10
BATCH = 6
# Rounding, 1e-16 a step, grows with the game's own sensitivity over twenty or thirty updates to
# 1e-14 at most; another order of additions, on another machine, may make it some times that.
TOLERANCE = 1e-10

TWINS = {
    points: lambda: (
        gan_twin.mlp_generator(Z_DIM, (2,), (9, 8), bounded=False),
        gan_twin.mlp_discriminator((2,), (7, 6), 3),
    ),
    digits: lambda: (
        gan_twin.mlp_generator(Z_DIM, (5, 4, 1), (9, 8), bounded=True),
        gan_twin.mlp_discriminator((5, 4, 1), (7, 6), 3),
    ),
    pictures: lambda: (
        gan_twin.dcgan_generator(Z_DIM, (16, 16, 3), 3, halvings=2),
        gan_twin.dcgan_discriminator((16, 16, 3), 3, halvings=2),
    ),
}
OPTIMIZERS = {
    "adam": (
        lambda p: optim.Adam(p, 2e-3, beta1=0.5),
        lambda p: torch.optim.Adam(p, lr=2e-3, betas=(0.5, 0.999)),
    ),
    "momentum": (
        lambda p: optim.Momentum(p, 0.02, momentum=0.5),
        lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.5),
    ),
}


@dataclass(frozen=True)
class Run:
    networks: object
    objective: str
    optimizer: str
    k: int
    scale: float = 1.0
    ema: float = 0.0
    max_grad_norm: float = math.inf
    prior: str = "normal"

    def __str__(self):
        return f"{self.networks.__name__}, {self.objective}, {self.optimizer}, k={self.k}"


RUNS = [
    Run(pictures, "non-saturating", "adam", 1, ema=0.9, prior="uniform"),
    Run(pictures, "minimax", "adam", 2),
    Run(pictures, "non-saturating", "momentum", 2, max_grad_norm=0.3),
    Run(digits, "minimax", "momentum", 1),
    Run(digits, "non-saturating", "adam", 2, scale=0.5, prior="uniform"),
    Run(points, "non-saturating", "momentum", 1, ema=0.5),
    Run(points, "minimax", "adam", 2, max_grad_norm=0.1),
]


def make_pair(run):
    ours, theirs = OPTIMIZERS[run.optimizer]
    objective = losses.Minimax()
    if run.objective == "non-saturating":
        objective = losses.NonSaturating(scale=run.scale)
    game = make_game(
        run.networks,
        optimizer=ours,
        objective=objective,
        k=run.k,
        ema=run.ema,
        max_grad_norm=run.max_grad_norm,
        prior=run.prior,
    )
    nets = TWINS[run.networks]()
    for net, own in zip(nets, (game.G, game.D), strict=True):
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    twin = gan_twin.TwinGAN(
        *nets,
        *(theirs(net.parameters()) for net in nets),
        run.objective,
        scale=run.scale,
        k=run.k,
        decay=run.ema,
        max_grad_norm=run.max_grad_norm,
    )
    return game, twin


def assert_close(ours, theirs, what):
    """Array by array: the largest difference against the largest number."""
    assert ours.keys() == theirs.keys()
    for name, a in ours.items():
        b = np.asarray(theirs[name])
        assert np.abs(a - b).max() <= TOLERANCE * np.abs(b).max(), f"{what} {name}"


def trained_arrays(net):
    return {k: p.data for k, p in net.params.items()} | net.buffers


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_ten_steps_equal_pytorch(run):
    game, twin = make_pair(run)
    start = {name: a.copy() for name, a in game.state_dict().items()}
    noise, prior = make_rng(0, 1), Prior(run.prior, Z_DIM, np.float64)
    for step in range(STEPS):
        x = make_examples(run.networks, run.k * BATCH, seed=100 + step)
        scalars = game.step(x)
        expected = twin.step(x, [prior.draw(BATCH, noise) for _ in range(run.k + 1)])
        assert_close({k: np.float64(v) for k, v in scalars.items()}, expected, f"step {step}:")
    for name, net in (("G", twin.G), ("D", twin.D)):
        assert_close(trained_arrays(game.networks[name]), gan_twin.arrays(net), name)
    if run.ema:
        average = game.averages["G"].average
        places = game.G.flat.slices
        params = {
            k: average["params"][s].reshape(game.G.params[k].shape) for k, s in places.items()
        }
        buffers = {k: a for k, a in average.items() if k != "params"}
        assert_close(params | buffers, twin.average, "average")
    # Something was learned: no array stands where it began.
    state = game.state_dict()
    assert all((state[name] != start[name]).any() for name in start)
