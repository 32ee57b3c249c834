"""Five steps of GAN-CLS and StackGAN here and in PyTorch: losses, weights, running statistics."""

import numpy as np
import pytest

from tests.algorithms.text.cases import Case, arrays

STEPS, BATCH = 5, 4
# Rounding, 1e-16 a step, grows by the games' own sensitivity: to 2e-11 in a bias that a later norm
# takes out, whose gradient is rounding alone, which Adam scales up. Weights are around 0.2.
TOLERANCE = 1e-10

CASES = [
    Case("gan-cls"),
    Case("gan-cls", {"encoder": "conv", "objective": "lsgan"}),
    Case("gan-cls", {"objective": "relativistic"}),
    Case("gan-cls", {"d_sees": "projection"}),
    Case("stackgan"),
    Case("stackgan", {"d_sees": "projection", "training": "jointly"}),
    Case("stackgan", {"training": "added", "encoder": "conv", "kl_weight": 0.3}),
    Case("stackgan", {"training": "jointly", "objective": "lsgan"}),
    Case("stackgan", {"stages": 1, "blocks": 0}),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_five_steps_equal_pytorch(case):
    ours = case.ours()
    theirs = case.theirs(ours)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(STEPS):
        x, text = case.batch(BATCH, seed=100 + step)
        kept = x.copy(), text.copy()
        scalars = ours.step(x, text)
        for before, after in zip(kept, (x, text), strict=True):
            np.testing.assert_array_equal(before, after)
        for name, value in theirs.step(x, text).items():
            assert abs(scalars[name] - value) <= TOLERANCE * max(1, abs(value)), f"{step} {name}"
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        expected = arrays(name, theirs.nets[name])
        assert trained.keys() == expected.keys()
        for key, a in trained.items():
            assert np.abs(a - expected[key]).max() <= TOLERANCE, f"{name} {key}"
        moved = (net.flat.data != start[name]).mean()
        assert moved > 0.9 - (name == "E" and case.chosen.encoder == "conv") * 0.5, name
