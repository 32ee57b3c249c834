"""`bench modes`: how many modes each objective and remedy captures, under PacGAN's protocol.

Data: the ring of 8 (sigma 0.01) and the grid of 25 (sigma 0.05). G: z of 2 normal numbers, four
layers of 400 with batch norm and ReLU. D: three maxout layers of 200 with 5 pieces. Adam with
beta1 = 0.8, 400 epochs of 100,000 samples at a rate of 1e-4. Modes, high-quality share and reverse
KL of 2,500 samples (Lin et al. 2018, section 4.1 and table 1). Three things are as in the authors'
published code, where the paper leaves them open: a minibatch holds 100 packs, so that packs of m
see m times as many samples; weights start from N(0, 0.02^2); and before the samples are drawn, G's
batch norms see 200 minibatches of 500 at fixed weights (there their monitoring of an epoch does it,
the last ones with more weight). What training left them by then is kept in a row as `as_left`. The
other budgets average weights and statistics; to three short runs standing ones made no difference.
Not as there: G and D step one after the other, on samples of their own, and batch norm takes all
examples of the packs together, where theirs takes each place of the packs alone. What another paper
sets for its objective (WGAN's RMSProp, five steps of D) is kept. This is `--full`; killed, it goes
on from its last checkpoint in runs/bench/, and a longer one goes on from a shorter one (`--steps`).

The default is short, for a processor core: `SHORT` says how. Found by trial, on packs of 4 first:

- on the grid D must find 25 small modes in each example of a pack before G learns anything; with
  packs of 4 it had not after 3,000 steps against uniform samples. What holds it up is noise: narrow
  layers on larger minibatches are cheaper by far than wide ones, and with 400 packs, and units that
  start from one example of the pack each (`set_apart`), 250 steps were enough;
- D's rate above G's, on the grid far above: at 1e-3 and more for G, its samples moved faster than D
  could learn packs of 4, while on the ring every higher rate gave more high-quality samples;
- rates fall to 0 and G's weights are averaged, as is common where a training is cut short.

The plain GAN trains with all of that too. Nothing was tuned for it or against it. Papers with rates
of their own have both at 1e-3, which is 20 and 5 times WGAN's and WGAN-div's, and DRAGAN those of
the others. WGAN-GP has 1e-4 and 1e-3 and its penalty weighs 1: at 1e-3 for both and a weight of
0.1, 25 modes of the grid were 6 again after 4,000 steps, and at 5e-4, 2e-3 and 10 it lost all.
Unrolled games have 4e-4 and 1e-3: of the grid they had 15 modes after 4,000 steps, at 1e-3 for both
9 after 5,000.

`--wide` is a middle way on the grid, three times as dear: see WIDE.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.resumable import train
from minigan.algorithms.adversarial.unrolled import UnrolledGAN
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import AdversarialOptions, Streams, Task
from minigan.algorithms.presets import PRESETS
from minigan.backend import make_rng
from minigan.data import Loader, open_data
from minigan.data.mixtures import Mixture
from minigan.errors import NonFiniteError
from minigan.init import normal
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
    standing_statistics,
)
from minigan.metrics.modes import mixture_modes
from minigan.streams import Purpose

DATA = ("ring", "grid")
SAMPLES = 2500
STANDING = 500  # examples in a minibatch of standing statistics
SHOWN = 600  # points of a run that are stored for the scatter plots
Z = 2


@dataclass(frozen=True)
class Budget:
    """How wide the networks are, how long and how fast they train.

    batch: packs for D. rate_G, rate_D: factors on a paper's learning rates. std: deviation of the
    weights at the start; None: He's in G, Glorot's in D. apart: units of D begin with weights for
    one example of a pack. standing: minibatches that G's batch norms see anew before it is sampled.
    """

    name: str
    steps: int
    batch: int = 100
    units_G: int = 400
    units_D: int = 200
    std: float | None = 0.02
    rate_G: float = 1.0
    rate_D: float = 1.0
    beta1: float = 0.8
    schedule: str = "constant"
    ema: float = 0.0
    apart: bool = False
    standing: int = 0

    @property
    def course(self) -> str:
        """The rates over time, in words."""
        return {"constant": "constant", "linear": "falling to 0 from half-way"}[self.schedule]


FULL = Budget("full", 400_000, standing=200)
_SHORT = Budget(
    "short",
    4000,
    batch=200,
    units_G=64,
    units_D=32,
    std=None,
    rate_G=4.0,
    rate_D=50.0,
    beta1=0.5,
    schedule="linear",
    ema=0.995,
    apart=True,
)
SHORT = {
    "ring": replace(_SHORT, steps=12_000, batch=100, rate_G=30.0),
    "grid": replace(_SHORT, steps=5000),
}

# Twice as wide, long and as many packs: more samples near a mode, and what needs a good D gains.
# Four times as long again (--steps 40000) 94 to 97 % of the samples are near a mode, as published,
# and fewer modes are left.
WIDE = {"grid": replace(SHORT["grid"], name="wide", steps=10_000, batch=400, units_G=128)}

Networks = Callable[[np.random.Generator, int, Budget], Layer]


def maxout_critic(rng: np.random.Generator, pack: int, budget: Budget) -> Sequential:
    """PacGAN's D on packs of `pack` points."""
    return _critic(rng, pack, budget, lambda layer: layer, [])


def normed_critic(rng: np.random.Generator, pack: int, budget: Budget) -> Sequential:
    """The same D, every weight divided by its spectral norm."""
    return _critic(rng, pack, budget, lambda layer: SpectralNorm(layer, rng=rng), [])


def discriminating_critic(rng: np.random.Generator, pack: int, budget: Budget) -> Sequential:
    """The same D with minibatch discrimination, 20 kernels of 5, before its last layer."""
    kernels = MinibatchDiscrimination(budget.units_D, 20, kernel_dim=5, rng=rng)
    return _critic(rng, pack, budget, lambda layer: layer, [kernels], more=20)


def deviating_critic(rng: np.random.Generator, pack: int, budget: Budget) -> Sequential:
    """The same D, the minibatch's deviation joined before its last layer."""
    return _critic(rng, pack, budget, lambda layer: layer, [MinibatchStdDev()], more=1)


def energy_critic(rng: np.random.Generator, pack: int, budget: Budget) -> ReconstructionError:
    """An auto-encoder of points: one maxout layer in the encoder, one in the decoder."""
    units, std = budget.units_D, budget.std

    def coder(fan_in: int, fan_out: int) -> Sequential:
        wide = _dense(fan_in, units * PIECES, rng, std)
        return Sequential(wide, Maxout(PIECES), _dense(units, fan_out, rng, std))

    return ReconstructionError(coder(Z * pack, 1), coder(1, Z * pack))


@dataclass(frozen=True)
class Run:
    """What differs from the plain GAN of the protocol."""

    summary: str
    settings: dict[str, Any] = field(default_factory=dict)
    critic: Networks = maxout_critic
    pack: int = 1
    unroll: int = 0
    rates: tuple[float, float] | None = None  # of G and D in place of a short budget's


def _objective(
    name: str, summary: str, *, rates: tuple[float, float] | None = None, **settings: Any
) -> dict[str, Run]:
    return {name: Run(summary, {"objective": name, **settings}, rates=rates)}


RUNS: dict[str, Run] = {
    "gan": Run("non-saturating, the plain GAN of the tables"),
    **_objective("minimax", "the zero-sum game"),
    **_objective(
        "f-gan",
        "variational Jensen-Shannon divergence; the paper's trick makes it the plain GAN's game",
        divergence="jensen-shannon",
        trick=True,
    ),
    **_objective("lsgan", "least squares"),
    **_objective("hinge", "hinge"),
    **_objective("margin", "a margin between real and generated scores"),
    **_objective("relativistic", "relativistic"),
    **_objective("relativistic-average", "relativistic, against the average"),
    **_objective("softmax", "softmax over the minibatch"),
    **_objective("bgan", "boundary-seeking"),
    "ebgan": Run("energy with a margin", {"objective": "ebgan"}, energy_critic),
    "began": Run("boundary equilibrium of energies", {"objective": "began"}, energy_critic),
    **_objective("wgan", "Wasserstein, clipped weights", rates=(20, 20)),
    # Its authors have 10 for pictures, and 0.1 for points in their published code.
    **_objective("wgan-gp", "Wasserstein, gradient penalty", penalty_weight=1.0, rates=(1, 10)),
    **_objective("wgan-div", "Wasserstein divergence", rates=(5, 5)),
    **_objective("dragan", "gradient penalty around the data", rates=(15, 25)),
    "r1": Run("gradient penalty on the data", {"penalty": "r1"}),
    "r2": Run("gradient penalty on samples", {"penalty": "r2"}),
    "pac2": Run("PacGAN, packs of 2", pack=2),
    "pac3": Run("PacGAN, packs of 3", pack=3),
    "pac4": Run("PacGAN, packs of 4", pack=4),
    "unrolled-5": Run("G looks 5 steps of D ahead", unroll=5, rates=(4, 10)),
    "unrolled-10": Run("G looks 10 steps of D ahead", unroll=10, rates=(4, 10)),
    "minibatch-discrimination": Run("D sees closeness within a batch", {}, discriminating_critic),
    "minibatch-stddev": Run("D sees the deviation of a batch", {}, deviating_critic),
    "spectral-norm": Run("D's weights have spectral norm 1", {}, normed_critic),
}

# What the published tables name, and the short default of the command.
TABLED = ("gan", "pac2", "pac3", "pac4", "unrolled-5", "wgan-gp")

PIECES, LR = 5, 1e-4


@dataclass(frozen=True)
class ModesCase:
    """One run on one mixture from one seed."""

    data: str
    run: str
    seed: int
    budget: Budget
    folder: Path | None = None  # for checkpoints of a long budget; its rates must be constant

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
        batch = self.budget.batch * RUNS[self.run].pack
        workspace = self.folder and self.folder / f"{self.data}-{self.run}-seed{self.seed}"
        before = time.process_time()
        try:
            with Loader(dataset, batch * gan.minibatches, seed=self.seed) as loader:
                seconds = train(gan, loader, self.budget.steps, workspace)
            x = gan.sample(SAMPLES, make_rng(self.seed, Purpose.PICTURES))
            if self.budget.standing:
                found["as_left"] = mixture_modes(x, dataset.centres, dataset.sigma)._asdict()
                stand(gan, self.budget.standing, make_rng(self.seed, Purpose.STANDING))
                x = gan.sample(SAMPLES, make_rng(self.seed, Purpose.PICTURES))
        except NonFiniteError as error:
            return found | {"error": str(error), "seconds": time.process_time() - before}
        counted = mixture_modes(x, dataset.centres, dataset.sigma)
        points = np.round(x[:SHOWN].astype(np.float64), 3)
        return {
            **found,
            **counted._asdict(),
            "error": None,
            "seconds": seconds,
            "points": points.tolist(),
        }


def stand(gan: GAN, batches: int, rng: np.random.Generator) -> None:
    """Give G the statistics of as many minibatches of 500 at its weights as they are."""
    draws = (gan.prior.draw(STANDING, rng) for _ in range(batches))
    standing_statistics(gan.G, draws)


def build(run: Run, seed: int, budget: Budget) -> GAN:
    """The protocol's networks under a run's settings."""
    streams = Streams(seed)
    preset = PRESETS.get(run.settings.get("objective", ""), {})
    adam = {} if preset else {"beta1": budget.beta1}  # a preset brings its paper's optimiser
    lr = preset.get("lr", LR)
    rate_G, rate_D = budget.rate_G, budget.rate_D
    if run.rates and budget.name != FULL.name:
        rate_G, rate_D = run.rates
    own = AdversarialOptions.of(
        **run.settings,
        **adam,
        lr_G=lr * rate_G,
        lr_D=lr * rate_D,
        schedule=budget.schedule,
        ema=budget.ema,
        z_dim=Z,
    )
    G = generator(streams.weights, budget)
    D = run.critic(streams.weights, run.pack, budget)
    task = Task((Z,), "points", budget.steps)
    if run.unroll:
        return own.build_game(G, D, task, streams, game=UnrolledGAN, unroll=run.unroll)
    return own.build_game(G, D, task, streams)


def generator(rng: np.random.Generator, budget: Budget) -> Sequential:
    """PacGAN's G."""
    layers: list[Layer] = []
    features, units = Z, budget.units_G
    init = "he_normal" if budget.std is None else normal(budget.std)
    for _ in range(4):
        dense = Dense(features, units, bias=False, init=init, rng=rng)
        layers += [dense, BatchNorm(units), ReLU()]
        features = units
    return Sequential(*layers, _dense(features, Z, rng, budget.std))


def _critic(
    rng: np.random.Generator,
    pack: int,
    budget: Budget,
    wrap: Callable[[Layer], Layer],
    before_last: list[Layer],
    more: int = 0,
) -> Sequential:
    layers: list[Layer] = [Pack(pack)] if pack > 1 else []
    features, units = Z * pack, budget.units_D
    for _ in range(3):
        dense = _dense(features, units * PIECES, rng, budget.std)
        if budget.apart:
            set_apart(dense, pack)
        layers += [wrap(dense), Maxout(PIECES)]
        features = units
    last = _dense(features + more, 1, rng, budget.std)
    return Sequential(*layers, *before_last, wrap(last))


def set_apart(dense: Dense, pack: int) -> None:
    """Let each of `pack` groups of outputs begin with weights for one group of inputs alone.

    Outputs keep their variance. Only the start differs: every weight is trained as any other.
    """
    inputs, outputs = dense.weight.data.shape
    units = outputs // PIECES  # the pieces of a unit stay together
    group_in = np.arange(inputs) * pack // inputs
    group_out = np.repeat(np.arange(units) * pack // units, PIECES)
    own = group_in[:, None] == group_out
    dense.weight.data[...] *= np.where(own, math.sqrt(pack), 0)


def _dense(fan_in: int, fan_out: int, rng: np.random.Generator, std: float | None) -> Dense:
    init = "glorot_uniform" if std is None else normal(std)
    return Dense(fan_in, fan_out, init=init, rng=rng)
