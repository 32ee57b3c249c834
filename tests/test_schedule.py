"""Learning-rate schedules against PyTorch's and against their formulas, end points included."""

import math

import numpy as np
import pytest
import torch

from minigan import schedule
from minigan.errors import OptionError

torch.set_num_threads(1)

LR = 0.3
S = torch.optim.lr_scheduler


def torch_rates(make, steps):
    """The rates that PyTorch uses in steps 0, 1, ..., steps - 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    plan = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(plan.get_last_lr()[0])
        optimizer.step()
        plan.step()
    return rates


# ours, PyTorch's, and for how many steps both are defined
PAIRS = {
    "constant": (
        schedule.constant(LR),
        lambda o: S.LambdaLR(o, lambda t: 1.0),
        20,
    ),
    "linear_decay": (
        schedule.linear_decay(LR, start=4, end=16),
        # CycleGAN's lambda_rule, counted in steps.
        lambda o: S.LambdaLR(o, lambda t: 1.0 - min(max(0, t - 4) / 12, 1.0)),
        25,
    ),
    "linear_decay from 0": (
        schedule.linear_decay(LR, start=0, end=10),
        lambda o: S.LinearLR(o, 1.0, 0.0, total_iters=10),
        15,
    ),
    "cosine": (schedule.cosine(LR, end=12), lambda o: S.CosineAnnealingLR(o, 12), 13),
    "cosine with a floor": (
        schedule.cosine(LR, end=9, floor=0.1),
        lambda o: S.CosineAnnealingLR(o, 9, eta_min=0.1),
        10,
    ),
    "halving": (schedule.halving(LR, every=4), lambda o: S.StepLR(o, 4, gamma=0.5), 20),
    "warm_up": (
        schedule.warm_up(schedule.constant(LR), steps=4),
        lambda o: S.LinearLR(o, 1 / 5, 1.0, total_iters=4),
        12,
    ),
    "warm_up of a cosine": (
        schedule.warm_up(schedule.cosine(LR, end=12), steps=3),
        lambda o: S.LambdaLR(
            o, lambda t: min(1, (t + 1) / 4) * (0.5 + 0.5 * math.cos(math.pi * t / 12))
        ),
        13,
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "steps"), PAIRS.values(), ids=PAIRS)
def test_equals_pytorch(ours, theirs, steps):
    # PyTorch computes some of them by recursion, which rounds once a step.
    rates = [ours(t) for t in range(steps)]
    np.testing.assert_allclose(rates, torch_rates(theirs, steps), rtol=1e-13, atol=1e-15)


# schedule, step, the rate there
POINTS = {
    "constant": (schedule.constant(LR), {0: LR, 10**9: LR}),
    "linear": (
        schedule.linear_decay(LR, start=10, end=20),
        {0: LR, 10: LR, 15: LR / 2, 19: LR / 10, 20: 0, 21: 0, 10**6: 0},
    ),
    "cosine": (
        schedule.cosine(LR, end=8, floor=0.1),
        {0: LR, 4: (LR + 0.1) / 2, 8: 0.1, 9: 0.1, 10**6: 0.1},
    ),
    "halving": (schedule.halving(LR, every=5), {4: LR, 5: LR / 2, 9: LR / 2, 50: LR / 1024}),
    "warm-up": (
        schedule.warm_up(schedule.constant(LR), steps=2),
        {0: LR / 3, 1: 2 * LR / 3, 2: LR, 3: LR},
    ),
    "no warm-up": (schedule.warm_up(schedule.constant(LR), steps=0), {0: LR, 1: LR}),
}


@pytest.mark.parametrize(("ours", "points"), POINTS.values(), ids=POINTS)
def test_end_points(ours, points):
    for step, rate in points.items():
        assert ours(step) == pytest.approx(rate, rel=1e-14, abs=1e-17), step


REFUSED = {
    "start after end": lambda: schedule.linear_decay(LR, start=5, end=4),
    "start at end": lambda: schedule.linear_decay(LR, start=5, end=5),
    "negative start": lambda: schedule.linear_decay(LR, start=-1, end=5),
    "cosine of no steps": lambda: schedule.cosine(LR, end=0),
    "halving every 0 steps": lambda: schedule.halving(LR, every=0),
    "negative warm-up": lambda: schedule.warm_up(schedule.constant(LR), steps=-1),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_refused(make):
    with pytest.raises(OptionError, match="wanted"):
        make()


def test_k_steps_of_an_iteration_have_its_rate():
    inner = schedule.linear_decay(LR, start=2, end=6)
    rate = schedule.per_iteration(inner, k=3)
    assert [rate(t) for t in range(21)] == [inner(i) for i in range(7) for _ in range(3)]
