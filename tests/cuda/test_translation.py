"""Translations on small pictures: captured steps near the CPU's, pools and noise included.

The pictures of test_algorithms.py are larger and left to a real card.
"""

import numpy as np
import pytest

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.backend import to_host
from minigan.training.stepper import Stepper, read
from tests.algorithms.translation.cases import Case

STEPS = 5
CASES = [
    Case("pix2pix", {"halvings": 2, "patch": 7, "dropout": 0.5}, (1, 3), 8),
    Case("cyclegan", {"patch": 7, "pool": 2}, (1, 3), 8),
]


def run(case, device):
    task = Task(
        (case.side, case.side, sum(case.channels)),
        "pairs",
        100,
        channels=case.channels,
        examples=lambda n: case.examples(n, 5, np.float32),
    )
    made = recipe(case.algorithm).build(case.chosen, task, Streams(0)).to(device)
    stepper = Stepper(made)
    log = [read(stepper(case.examples(1, seed, np.float32))) for seed in range(STEPS)]
    made.check_health()
    state = {name: to_host(array) for name, array in made.state_dict().items()}
    return log, state, made.sample(2, np.random.default_rng(0))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_steps_are_near_the_cpu_s(case, device):
    (log, state, sample), (ours, there, drawn) = run(case, "cpu"), run(case, device)
    for here, card in zip(log, ours, strict=True):
        assert here.keys() == card.keys()
        for key, value in here.items():
            # instance norm of four places and the sign of an absolute error magnify rounding
            assert abs(card[key] - value) <= 1e-2 * max(1, abs(value)), key
    assert state.keys() == there.keys()
    for key in state:
        if key.startswith("pool"):
            np.testing.assert_allclose(there[key], state[key], rtol=0, atol=1e-3)
    np.testing.assert_allclose(drawn, sample, rtol=0, atol=2e-2)
