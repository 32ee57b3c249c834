"""A step of every algorithm, with every part that it can be given, is captured and replayed.

Eight steps, of which six are replays, leave the same bits as eight eager ones, and in float32 what
the CPU computes but for rounding.
"""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from minigan.algorithms import ALGORITHMS, Streams, Task
from minigan.backend import to_host
from minigan.losses.objectives import OBJECTIVES
from minigan.losses.penalties import PENALTIES
from minigan.noise import rng_state
from minigan.training.stepper import Stepper, read

BATCH, STEPS = 4, 8
# Small networks and steps, by the names that options have.
SMALL = {
    "lr": 1e-3,
    "patch": 16,
    "blocks": 1,
    "z_dim": 3,
    "width": 2,
    "code_dim": 3,
    "pieces": 2,
    "scales": 2,
    "local_blocks": 1,
    "shared_blocks": 1,
    "reference_batch": 4,
    "pretrain": 4,
    "window": 64,
    "halvings": 2,
    "w_dim": 4,
    "mapping_layers": 2,
    **dict.fromkeys(("hidden_E", "hidden_G", "hidden_D", "hidden_C"), (5,)),
}

# Parts and settings of an algorithm beside its defaults.
VARIANTS: list[Any] = [(name, {}) for name, r in ALGORITHMS.items() if r.takes == "examples"]
VARIANTS += [
    ("gan", {"objective": name})
    for name in OBJECTIVES
    if name not in ("non-saturating", "ebgan", "began", "softmax", "wasserstein")
]
VARIANTS += [
    *(("gan", {"penalty": name}) for name in PENALTIES if name != "none"),
    ("gan", {"unroll": 2}),
    ("gan", {"feature_matching": True}),
    ("gan", {"historical_averaging": 0.1}),
    ("gan", {"instance_noise": 0.3}),
    ("gan", {"clip_weights": 0.1, "objective": "wasserstein", "k": 2}),
    ("gan", {"spectral_norm": True}),
    ("gan", {"minibatch_discrimination": 3}),
    ("gan", {"minibatch_stddev": True, "pac": 2}),
    ("gan", {"clip_norm": 0.1, "ema": 0.9, "schedule": "linear", "warm_up": 2}),
    ("gogan", {"stage_steps": 4, "dropout": 0.0}),
    ("gan", {"norm_G": "virtual"}),
    ("dcgan", {"norm_G": "reference"}),
    ("dcgan", {"spectral_norm": True, "norm_D": "none"}),
    ("stylegan", {"r1_every": 1, "path_every": 1}),
]


# Convolutions on pictures of 16x16 take the pretended card half a minute: left to a real one.
VARIANTS += [
    pytest.param(name, {}, marks=pytest.mark.cuda)
    for name, r in ALGORITHMS.items()
    if r.takes not in ("examples", "labelled", "captions", "sounds")
]
VARIANTS += [("segan", {}), ("segan", {"judge": "none"})]


def build(name, options):
    recipe = ALGORITHMS[name]
    known = {f.name for f in fields(recipe.options)}
    small = {k: v for k, v in SMALL.items() if k in known}
    if recipe.takes == "sounds":
        return sounds(recipe, small | options)
    pairs = recipe.takes != "examples"
    filled = getattr(recipe.options, "fills", False)  # x shows what is missing too
    three = recipe.takes == "references" or filled
    shape = (16, 16, 3 if three else 2) if pairs else (8, 8, 1)
    rng = np.random.default_rng(3)
    examples = rng.uniform(-1, 1, (16, *shape)).astype(np.float32)
    task = Task(shape, "pairs" if pairs else "image", 10, batch=BATCH)
    task = task._replace(
        examples=lambda n: examples[:n], channels=(1 + filled, 1) if pairs else None
    )
    return recipe.build(replace(recipe.options(), **small, **options), task, Streams(0)), shape


def sounds(recipe, given):
    shape = (given["window"], 2)
    examples = np.random.default_rng(3).uniform(-1, 1, (16, *shape)).astype(np.float32)
    task = Task(shape, "sounds", 10, batch=BATCH, examples=lambda n: examples[:n], rate=8000)
    return recipe.build(replace(recipe.options(), **given), task, Streams(0)), shape


def run(name, options, device, *, graph):
    algorithm, shape = build(name, options)
    stepper = Stepper(algorithm.to(device), graph=graph)
    # Of other examples some lie so near a kink that float32's rounding takes UNIT to another side.
    rng, log = np.random.default_rng(200), []
    for _ in range(STEPS):
        x = rng.uniform(-1, 1, (BATCH * algorithm.minibatches, *shape)).astype(np.float32)
        log.append(read(stepper(x)))
    algorithm.check_health()
    staged = name in ("pix2pixhd", "srgan") or (name == "gogan" and "stage_steps" in options)
    assert stepper.captured == (graph and 1 + staged)
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


def test_every_algorithm_is_in_the_table():
    names = {case.values[0] if hasattr(case, "values") else case[0] for case in VARIANTS}
    # test_conditional.py, test_biggan.py, test_codes.py and test_text.py
    elsewhere = {name for name, r in ALGORITHMS.items() if r.takes in ("labelled", "captions")}
    assert names | elsewhere == set(ALGORITHMS)
