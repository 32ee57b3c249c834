"""`bench modes`: how many modes each objective and remedy captures, under PacGAN's protocol.

Data: the ring of 8 (sigma 0.01) and the grid of 25 (sigma 0.05). G: z of 2 normal numbers, four
layers of 400 with batch norm and ReLU. D: three maxout layers of 200 with 5 pieces. Adam with
beta1 = 0.8, 100 examples in a batch. Modes, high-quality share and reverse KL of 2,500 samples
(Lin et al. 2018, section 4.1 and table 1).

Two things of the protocol are read so: a minibatch holds 100 examples however they are packed (99
for packs of three); and what a paper sets besides (WGAN's RMSProp, five steps of D) is kept.

The paper trains for 400 epochs of 100,000 samples, 400,000 steps at a rate of 1e-4: `--full`. The
default is short: `SHORT` says its steps and its rate, and that the rate falls to 0 on a line and
samples come from a moving average of G, which the paper does not do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigan.algorithms.adversarial.unrolled import UnrolledGAN
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import AdversarialOptions, Streams, Task
from minigan.algorithms.presets import PRESETS
from minigan.backend import make_rng
from minigan.data import Loader, open_data
from minigan.data.mixtures import Mixture
from minigan.errors import MiniganError
from minigan.layers import (
    BatchNorm,
    Dense,
    Layer,
    Maxout,
    MinibatchDiscrimination,
    MinibatchStdDev,
    Pack,
    ReconstructionError,
    ReLU,
    Sequential,
    SpectralNorm,
)
from minigan.metrics.modes import mixture_modes

DATA = ("ring", "grid")
SAMPLES = 2500
SHOWN = 600  # points of a run that are stored for the scatter plots
Z = 2


@dataclass(frozen=True)
class Budget:
    """How long and how fast a run trains. rate: factor on every learning rate of a paper."""

    name: str
    steps: int
    rate: float
    schedule: str
    ema: float


FULL = Budget("full", 400_000, 1.0, "constant", 0.0)
SHORT = Budget("short", 3000, 30.0, "linear", 0.99)

Networks = Callable[[np.random.Generator, int], Layer]


def maxout_critic(rng: np.random.Generator, pack: int = 1) -> Sequential:
    """PacGAN's D on packs of `pack` points."""
    return _critic(rng, pack, lambda layer: layer, [])


def normed_critic(rng: np.random.Generator, pack: int = 1) -> Sequential:
    """The same D, every weight divided by its spectral norm."""
    return _critic(rng, pack, lambda layer: SpectralNorm(layer, rng=rng), [])


def discriminating_critic(rng: np.random.Generator, pack: int = 1) -> Sequential:
    """The same D with minibatch discrimination, 20 kernels of 5, before its last layer."""
    kernels = MinibatchDiscrimination(UNITS, 20, kernel_dim=5, rng=rng)
    return _critic(rng, pack, lambda layer: layer, [kernels], more=20)


def deviating_critic(rng: np.random.Generator, pack: int = 1) -> Sequential:
    """The same D, the minibatch's deviation joined before its last layer."""
    return _critic(rng, pack, lambda layer: layer, [MinibatchStdDev()], more=1)


def energy_critic(rng: np.random.Generator, pack: int = 1) -> ReconstructionError:
    """An auto-encoder of points: one maxout layer of 200 in the encoder, one in the decoder."""
    return ReconstructionError(
        Sequential(_dense(Z * pack, UNITS * PIECES, rng), Maxout(PIECES), _dense(UNITS, 1, rng)),
        Sequential(_dense(1, UNITS * PIECES, rng), Maxout(PIECES), _dense(UNITS, Z * pack, rng)),
    )


@dataclass(frozen=True)
class Run:
    """What differs from the plain GAN of the protocol."""

    summary: str
    settings: dict[str, Any] = field(default_factory=dict)
    critic: Networks = maxout_critic
    pack: int = 1
    unroll: int = 0


def _objective(name: str, summary: str, **settings: Any) -> dict[str, Run]:
    return {name: Run(summary, {"objective": name, **settings})}


RUNS: dict[str, Run] = {
    "gan": Run("non-saturating, the plain GAN of the tables"),
    **_objective("minimax", "the zero-sum game"),
    **_objective("f-gan", "variational f-divergence, its default"),
    **_objective("lsgan", "least squares"),
    **_objective("hinge", "hinge"),
    **_objective("margin", "a margin between real and generated scores"),
    **_objective("relativistic", "relativistic"),
    **_objective("relativistic-average", "relativistic, against the average"),
    **_objective("softmax", "softmax over the minibatch"),
    **_objective("bgan", "boundary-seeking"),
    "ebgan": Run("energy with a margin", {"objective": "ebgan"}, energy_critic),
    "began": Run("boundary equilibrium of energies", {"objective": "began"}, energy_critic),
    **_objective("wgan", "Wasserstein, clipped weights"),
    **_objective("wgan-gp", "Wasserstein, gradient penalty"),
    **_objective("wgan-div", "Wasserstein divergence"),
    **_objective("dragan", "gradient penalty around the data"),
    "r1": Run("gradient penalty on the data", {"penalty": "r1"}),
    "r2": Run("gradient penalty on samples", {"penalty": "r2"}),
    "pac2": Run("PacGAN, packs of 2", pack=2),
    "pac3": Run("PacGAN, packs of 3", pack=3),
    "pac4": Run("PacGAN, packs of 4", pack=4),
    "unrolled-5": Run("G looks 5 steps of D ahead", unroll=5),
    "unrolled-10": Run("G looks 10 steps of D ahead", unroll=10),
    "minibatch-discrimination": Run("D sees closeness within a batch", {}, discriminating_critic),
    "minibatch-stddev": Run("D sees the deviation of a batch", {}, deviating_critic),
    "spectral-norm": Run("D's weights have spectral norm 1", {}, normed_critic),
}

# What the published tables name, and the short default of the command.
TABLED = ("gan", "pac2", "pac3", "pac4", "unrolled-5", "wgan-gp")

BATCH, UNITS, PIECES, LR, BETA1 = 100, 200, 5, 1e-4, 0.8


@dataclass(frozen=True)
class ModesCase:
    """One run on one mixture from one seed."""

    data: str
    run: str
    seed: int
    budget: Budget

    @property
    def key(self) -> str:
        return f"{self.data}-{self.run}-{self.budget.name}-{self.budget.steps}-seed{self.seed}"

    def play(self) -> dict[str, Any]:
        """Train and count; a run whose numbers run away has an `error` and no modes."""
        dataset = open_data(self.data)
        assert isinstance(dataset, Mixture)
        found: dict[str, Any] = {
            "data": self.data,
            "run": self.run,
            "seed": self.seed,
            "budget": self.budget.name,
            "steps": self.budget.steps,
        }
        gan = build(RUNS[self.run], self.seed, self.budget)
        batch = BATCH // RUNS[self.run].pack * RUNS[self.run].pack
        before = time.process_time()
        try:
            with (
                Loader(dataset, batch * gan.minibatches, seed=self.seed) as loader,
                np.errstate(all="ignore"),
            ):
                for step in range(self.budget.steps):
                    gan.step(loader.batch(step).x)
            x = gan.sample(SAMPLES, make_rng(self.seed, 3))
        except MiniganError as error:
            return found | {"error": str(error), "seconds": time.process_time() - before}
        counted = mixture_modes(x, dataset.centres, dataset.sigma)
        points = np.round(x[:SHOWN].astype(np.float64), 3)
        return found | {
            "error": None,
            "seconds": time.process_time() - before,
            "modes": counted.modes,
            "high_quality": counted.high_quality,
            "reverse_kl": counted.reverse_kl,
            "points": points.tolist(),
        }


def build(run: Run, seed: int, budget: Budget) -> GAN:
    """The protocol's networks under a run's settings."""
    streams = Streams(seed)
    preset = PRESETS.get(run.settings.get("objective", ""), {})
    adam = {} if preset else {"beta1": BETA1}  # a preset brings its paper's optimiser
    own = AdversarialOptions.of(
        **run.settings,
        **adam,
        lr=preset.get("lr", LR) * budget.rate,
        schedule=budget.schedule,
        ema=budget.ema,
        z_dim=Z,
    )
    G = generator(streams.weights)
    D = run.critic(streams.weights, run.pack)
    task = Task((Z,), "points", budget.steps)
    if run.unroll:
        return own.build_game(G, D, task, streams, game=UnrolledGAN, unroll=run.unroll)
    return own.build_game(G, D, task, streams)


def generator(rng: np.random.Generator) -> Sequential:
    """PacGAN's G."""
    layers: list[Layer] = []
    features = Z
    for _ in range(4):
        layers += [Dense(features, 400, bias=False, rng=rng), BatchNorm(400), ReLU()]
        features = 400
    return Sequential(*layers, _dense(features, Z, rng))


def _critic(
    rng: np.random.Generator,
    pack: int,
    wrap: Callable[[Layer], Layer],
    before_last: list[Layer],
    more: int = 0,
) -> Sequential:
    layers: list[Layer] = [Pack(pack)] if pack > 1 else []
    features = Z * pack
    for _ in range(3):
        layers += [wrap(_dense(features, UNITS * PIECES, rng)), Maxout(PIECES)]
        features = UNITS
    return Sequential(*layers, *before_last, wrap(_dense(features + more, 1, rng)))


def _dense(fan_in: int, fan_out: int, rng: np.random.Generator) -> Dense:
    return Dense(fan_in, fan_out, init="glorot_uniform", rng=rng)
