"""Games with remedies train on a card as on the CPU, through captured steps too."""

import numpy as np
import pytest

from minigan.algorithms import Streams, Task, recipe
from minigan.backend import make_rng, to_host
from minigan.training.stepper import WARM_UP, Stepper, read

CHOICES = {
    "unrolled, adam on a schedule": {
        "unroll": 2,
        "optimizer": "adam",
        "momentum": None,
        "lr": 1e-2,
        "schedule": "linear",
    },
    "within D": {
        "pac": 2,
        "spectral_norm": True,
        "minibatch_stddev": True,
        "minibatch_discrimination": 2,
    },
    "a reference in D": {"pac": 2, "spectral_norm": True, "norm_D": "virtual"},
    "losses and the reference": {
        "norm_G": "reference",
        "feature_matching": True,
        "historical_averaging": 0.1,
    },
}


def examples(n, seed):
    return np.tanh(make_rng(seed).standard_normal((n, 2))).astype(np.float32)


def build(**options):
    sizes = {"hidden_G": (6, 5), "hidden_D": (5,), "pieces": 3, "dropout": 0.0, "z_dim": 4}
    made = recipe("gan").options.of(**sizes, reference_batch=6, **options)
    task = Task((2,), "points", 10, batch=6, examples=lambda n: examples(n, 99))
    return recipe("gan").build(made, task, Streams(0))


@pytest.mark.parametrize("options", CHOICES.values(), ids=CHOICES)
def test_steps_equal_the_cpu_s(options, device):
    here, there = build(**options), build(**options).to(device)
    steps = [Stepper(game) for game in (here, there)]
    for seed in range(WARM_UP + 3):  # the last ones are replays
        mine, theirs = (dict(read(step(examples(6, seed)))) for step in steps)
        # float32, a few steps of small networks
        assert mine == pytest.approx(theirs, rel=1e-3, abs=1e-5)
    for name, array in here.state_dict().items():
        np.testing.assert_allclose(to_host(there.state_dict()[name]), array, rtol=1e-3, atol=1e-5)
