"""Five steps of every GAN with codes here and in PyTorch: the same losses, weights, statistics."""

import numpy as np
import pytest

from tests.algorithms.codes.cases import CASES
from tests.oracles import gan_twin

STEPS, BATCH = 5, 6
# Rounding, 1e-16 a step, grows with an algorithm's own sensitivity.
TOLERANCE = 1e-10


def assert_close(ours, theirs, what):
    """Array by array: the largest difference against the largest number."""
    assert ours.keys() == theirs.keys()
    for name, a in ours.items():
        b = np.asarray(theirs[name])
        assert np.abs(a - b).max() <= TOLERANCE * max(np.abs(b).max(), 1e-3), f"{what} {name}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_five_steps_equal_pytorch(case):
    ours = case.ours()
    theirs = case.theirs(ours)
    start = {name: a.copy() for name, a in ours.state_dict().items()}
    for step in range(STEPS):
        x = case.examples(BATCH * ours.minibatches, seed=100 + step)
        kept = x.copy()
        scalars = ours.step(x)
        np.testing.assert_array_equal(x, kept)
        expected = theirs.step(x)
        assert_close({k: np.float64(v) for k, v in scalars.items()}, expected, f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
    # Something was learned: nothing that is trained stands where it began.
    trained = {"D"} if case.options.get("supervised_only") else set(ours.networks)
    state = ours.state_dict()
    still = [name for name in start if (state[name] == start[name]).all()]
    still = [name for name in still if name.partition(".")[0] in trained]
    assert still == unmoved(case, ours)


def unmoved(case, game):
    """A constant that is added to all scores does not change a critic's loss."""
    if getattr(case.chosen, "objective", "") != "wasserstein":
        return []
    return [f"D.{[k for k in game.D.params if k.endswith('bias')][-1]}"]
