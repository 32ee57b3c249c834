"""A step of every game about labels is captured, its labels and wrong pairs with it.

As test_algorithms.py: replays leave the bits of eager steps, and what the CPU computes but for
rounding.
"""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from minigan.algorithms import ALGORITHMS, Streams, Task
from minigan.backend import to_host
from minigan.losses.objectives import OBJECTIVES
from minigan.noise import rng_state
from minigan.training.stepper import Stepper, read
from tests.cuda.test_algorithms import SMALL as SMALL_OF_ALL

BATCH, STEPS, SHAPE = 4, 5, (8, 8, 1)
NAMES = {"kind": ("a", "b", "c"), "size": ("small", "large")}
SMALL = SMALL_OF_ALL | {"lr": 2e-4}
OWN = {"cgan": {"hidden_G": (3, 4, 5), "hidden_D": (4, 2, 3)}}

VARIANTS: list[Any] = [(name, {}) for name in ("cgan", "cdcgan", "acgan")]
VARIANTS += [
    ("cgan", {"objective": name})
    for name in OBJECTIVES
    if name not in ("non-saturating", "ebgan", "began", "softmax", "wasserstein")
]
VARIANTS += [
    ("cgan", {"objective": "wasserstein", "clip_weights": 0.1}),
    ("cgan", {"k": 2, "ema": 0.9, "wrong_pairs": "halved"}),
    ("cdcgan", {"d_sees": "input", "embed_dim": 2}),
    ("cdcgan", {"d_sees": "two-scores"}),
    ("cdcgan", {"d_sees": "late", "spectral_norm": True}),
    ("cdcgan", {"d_sees": "projection", "g_sees": "norm", "penalty": "r1"}),
    ("cdcgan", {"d_sees": "projection", "g_sees": "adain", "objective": "hinge"}),
    ("acgan", {"objective": "wasserstein", "penalty": "wgan-gp"}),
    ("cdcgan", {"d_sees": "first", "embed_dim": 2}),
    ("age-cgan", {"encoder_steps": 6, "ema": 0.9}),
    ("age-cgan", {"encoder_steps": 10 - 1, "k": 2}),
    ("stargan", {"k": 2}),
    ("stargan", {"k": 1, "lambda_rec": 0.0, "objective": "relativistic", "penalty": "none"}),
]


def build(name, options):
    recipe = ALGORITHMS[name]
    known = {f.name for f in fields(recipe.options)}
    small = {k: v for k, v in SMALL.items() if k in known} | OWN.get(name, {})
    task = Task(SHAPE, "image", 10, batch=BATCH, label_names=NAMES)
    return recipe.build(replace(recipe.options(), **small, **options), task, Streams(0))


def run(name, options, device, *, graph):
    algorithm = build(name, options)
    stepper = Stepper(algorithm.to(device), graph=graph)
    rng, log = np.random.default_rng(1), []
    for _ in range(STEPS):
        n = BATCH * algorithm.minibatches
        x = rng.uniform(-1, 1, (n, *SHAPE)).astype(np.float32)
        labels = np.stack([rng.integers(len(classes), size=n) for classes in NAMES.values()], 1)
        log.append(read(stepper(x, labels)))
    algorithm.check_health()
    assert stepper.captured == graph
    arrays = {key: to_host(a) for key, a in algorithm.state_dict().items()}
    return log, arrays, rng_state(algorithm.rng)


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=str)
def test_a_step_is_captured_and_near_the_cpu_s(name, options, device):
    here, eager, captured = (
        run(name, options, where, graph=graph)
        for where, graph in (("cpu", False), (device, False), (device, True))
    )
    assert eager[0] == captured[0]
    assert eager[2] == captured[2] == here[2]
    for key, array in eager[1].items():
        np.testing.assert_array_equal(array, captured[1][key], err_msg=key)
    for ours, theirs in zip(eager[0][:3], here[0][:3], strict=True):  # before rounding has grown
        for key, value in theirs.items():
            assert abs(ours[key] - value) <= 1e-3 * max(1, abs(value)), key
