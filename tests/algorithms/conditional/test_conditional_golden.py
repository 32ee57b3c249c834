"""Five steps of conditional games here and in PyTorch: the same losses, weights and statistics."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from minigan import losses, models, optim
from minigan.algorithms.conditional.game import ConditionalGAN
from minigan.backend import make_rng
from minigan.losses import objectives, penalties
from minigan.losses.conditional import ClassJudge, PairJudge, TwoScoreJudge
from minigan.prior import Prior
from tests.oracles import conditional_twin as twin
from tests.oracles import gan_twin

STEPS, BATCH, Z_DIM, WIDTH = 5, 6, 4, 3
SHAPE = (16, 16, 2)
NAMES = {"kind": ("a", "b", "c"), "size": ("small", "large")}
COUNTS = [3, 2]
SIZE = sum(COUNTS)
UNITS_G, UNITS_D = (5, 4, 7), (6, 3, 5)
# As in test_golden.py: rounding of 1e-16 a step, multiplied by the game's own sensitivity.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Run:
    d_sees: str  # or "mlp", for both networks
    objective: str = "non-saturating"
    wrong_pairs: str = "none"
    g_sees: str = "input"
    penalty: str = ""
    weight: float = 1.0
    of_fakes: bool = True
    embed: int | None = None
    settings: dict = field(default_factory=dict)

    def __str__(self):
        parts = [self.d_sees, self.g_sees, self.objective, self.wrong_pairs, self.penalty]
        return " ".join(filter(None, parts))


RUNS = [
    Run("mlp", wrong_pairs="whole"),
    Run("mlp", "wasserstein", "halved", penalty="wgan-gp"),
    Run("input", wrong_pairs="whole"),
    Run("input", "lsgan", "whole", embed=2),
    Run("first", wrong_pairs="whole"),
    Run("first", "wasserstein", embed=2, penalty="wgan-gp"),
    Run("late", "relativistic", "halved"),
    Run("late", wrong_pairs="whole", embed=2, penalty="r1"),
    Run("two-scores", "hinge", "whole"),
    Run("two-scores", "relativistic-average", "halved"),
    Run("input", "relativistic-average", "halved", penalty="r1"),
    Run("auxiliary", "lsgan", weight=0.7),
    Run("auxiliary", "wasserstein", penalty="wgan-gp"),
    Run("projection", "hinge"),
    Run("projection", "wasserstein", "halved", penalty="wgan-gp"),
    Run("projection", wrong_pairs="whole", g_sees="norm"),
    Run("auxiliary", g_sees="adain", of_fakes=False),
]


def networks(run, rng):
    if run.d_sees == "mlp":
        G = models.conditional_mlp_generator(
            Z_DIM, SIZE, SHAPE, units=UNITS_G[:2], hidden=UNITS_G[2], rng=rng
        )
        D = models.conditional_mlp_discriminator(
            SHAPE, SIZE, units=UNITS_D[:2], hidden=UNITS_D[2], rng=rng
        )
        return G, D
    G = models.conditional_dcgan_generator(
        Z_DIM, SIZE, SHAPE, width=WIDTH, sees=run.g_sees, rng=rng
    )
    D = models.conditional_dcgan_discriminator(
        SHAPE,
        SIZE,
        width=WIDTH,
        sees=run.d_sees,
        norm="none" if run.penalty else "batch",
        embed=run.embed,
        rng=rng,
    )
    return G, D


def twins(run):
    if run.d_sees == "mlp":
        return (
            twin.mlp_generator(Z_DIM, SIZE, SHAPE, UNITS_G),
            twin.mlp_discriminator(SHAPE, SIZE, UNITS_D),
        )
    return (
        twin.generator(Z_DIM, SIZE, SHAPE, WIDTH, run.g_sees),
        twin.discriminator(SHAPE, SIZE, WIDTH, run.d_sees, normed=not run.penalty, embed=run.embed),
    )


def judge_of(run):
    if run.d_sees == "auxiliary":
        return lambda o: ClassJudge(o, COUNTS, weight=run.weight, of_fakes=run.of_fakes)
    return TwoScoreJudge if run.d_sees == "two-scores" else PairJudge


def make_pair(run):
    nets = [net.astype(np.float64) for net in networks(run, make_rng(0))]
    for net in nets:  # away from small and equal numbers, which hide mistakes
        net.flat.load(net.flat.data + 0.05 * make_rng(1).standard_normal(net.flat.size))
    objective = objectives.get(run.objective)
    penalty = penalties.get(run.penalty) if run.penalty else None
    prior = Prior("normal", Z_DIM, np.float64)
    game = ConditionalGAN(
        *nets,
        optimizer_G=optim.Adam(nets[0].flat, 2e-3, beta1=0.5),
        optimizer_D=optim.Adam(nets[1].flat, 2e-3, beta1=0.5),
        prior=prior,
        objective=objective,
        terms=[penalty] if penalty else [],
        judge=judge_of(run),
        label_names=NAMES,
        draw_labels=lambda n, rng: None,
        wrong_pairs=run.wrong_pairs,
        rng=make_rng(0, 1),
    )
    theirs = twins(run)
    for net, own in zip(theirs, nets, strict=True):
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    other = twin.ConditionalTwin(
        *theirs,
        *(torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.5, 0.999)) for net in theirs),
        objective=objective,
        prior=prior,
        rng=make_rng(0, 1),
        counts=COUNTS,
        sees=run.d_sees,
        wrong_pairs=run.wrong_pairs,
        class_weight=run.weight,
        of_fakes=run.of_fakes,
        penalty=penalty,
    )
    return game, other


def batches():
    rng = make_rng(7)
    for _ in range(STEPS):
        x = np.tanh(rng.standard_normal((BATCH, *SHAPE)) + 0.3)
        yield x, np.stack([rng.integers(count, size=BATCH) for count in COUNTS], 1)


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_five_steps_equal_pytorch(run):
    game, other = make_pair(run)
    start = {name: net.flat.data.copy() for name, net in game.networks.items()}
    for step, (x, labels) in enumerate(batches()):
        ours, theirs = game.step(x, labels), other.step(x, labels)
        for name, value in theirs.items():
            assert abs(ours[name] - value) <= TOLERANCE * max(1, abs(value)), (step, name)
    for name, net in (("G", other.G), ("D", other.D)):
        own = game.networks[name]
        assert np.abs(own.flat.data - start[name]).max() > 1e-3  # it has moved
        reference = gan_twin.arrays(net)
        for key, a in ({k: p.data for k, p in own.params.items()} | own.buffers).items():
            b = reference[key]
            assert np.abs(a - b).max() <= TOLERANCE * max(1, np.abs(b).max()), f"{name} {key}"


def test_every_way_is_compared():
    assert {run.d_sees for run in RUNS} == {"mlp", *models.conditional.DISCRIMINATORS}
    assert {run.g_sees for run in RUNS} == set(models.conditional.GENERATORS)
    assert {run.wrong_pairs for run in RUNS} == set(losses.conditional.WRONG_PAIRS)
