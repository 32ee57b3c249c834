"""Restorations on small pictures: captured steps of every stage near the CPU's."""

import numpy as np
import pytest

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.backend import to_host
from minigan.training.stepper import Stepper, read
from tests.algorithms.restoration.cases import Case

STEPS = 6
CASES = [
    Case("srgan", {"scale": 2, "pretrain": 3, "content": "digits"}, (8, 8, 1)),
    Case("srgan", {"generator": "rrdb", "scale": 2, "pretrain": 3, "weight_l1": 0.1}, (8, 8, 1)),
    Case("context-encoder", {"hole": "random"}, (8, 8, 1)),
    Case("deblurgan", {"dropout": 0.5}, (12, 12, 1)),
]


def run(case, device, *, graph=True):
    h, w, _ = case.shape
    task = Task(
        (h, w, sum(case.channels)),
        "pairs",
        100,
        channels=case.channels,
        examples=lambda n: case.examples(n, 5, np.float32),
    )
    made = recipe(case.algorithm).build(case.chosen, task, Streams(0)).to(device)
    stepper = Stepper(made, graph=graph)
    log = [read(stepper(case.examples(2, seed, np.float32))) for seed in range(STEPS)]
    made.check_health()
    state = {name: to_host(array) for name, array in made.state_dict().items()}
    return log, state, made.sample(2, np.random.default_rng(0))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_steps_are_near_the_cpu_s_and_captured_ones_are_the_eager_ones(case, device):
    (log, _, sample), (eager, state, _) = run(case, "cpu"), run(case, device, graph=False)
    captured, same, drawn = run(case, device)
    assert eager == captured
    for key in state:
        np.testing.assert_array_equal(same[key], state[key], err_msg=key)
    for here, card in zip(log, captured, strict=True):
        assert here.keys() == card.keys()
        for key, value in here.items():
            # batch norm of a few places magnifies rounding
            assert abs(card[key] - value) <= 1e-2 * max(1, abs(value)), key
    np.testing.assert_allclose(drawn, sample, rtol=0, atol=2e-2)
