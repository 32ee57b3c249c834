"""A step of MidiNet is captured and replayed."""

import numpy as np
import pytest

from minigan.backend import to_host
from minigan.noise import Stream, rng_state
from minigan.training.stepper import Stepper, read
from tests.algorithms.sequence.midinet_cases import Case

BATCH, STEPS = 4, 5
CASES = [Case(), Case({"chords": "last"}), Case({"chords": "none", "updates_G": 1})]


def run(case, device, *, graph):
    game = case.ours(dtype=np.float32)
    game.rng = Stream(0)
    stepper = Stepper(game.to(device), graph=graph)
    log = [read(stepper(*case.batch(BATCH, seed, np.float32))) for seed in range(STEPS)]
    game.check_health()
    arrays = {key: to_host(a) for key, a in game.state_dict().items()}
    z = game.prior.draw(2, np.random.default_rng(0))
    samples = game.generate(z, case.batch(2, 50)[1])
    return log, arrays, rng_state(game.rng), samples, stepper.captured


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_step_is_captured_and_near_the_cpu_s(case, device):
    here, eager, captured = (
        run(case, where, graph=graph)
        for where, graph in (("cpu", False), (device, False), (device, True))
    )
    assert [eager[4], captured[4]] == [0, 1]
    assert eager[0] == captured[0]
    assert eager[2] == captured[2] == here[2]
    for key, array in eager[1].items():
        np.testing.assert_array_equal(array, captured[1][key], err_msg=key)
    np.testing.assert_array_equal(eager[3], captured[3])
    for ours, theirs in zip(eager[0][:2], here[0][:2], strict=True):  # before rounding has grown
        for key, value in theirs.items():
            assert abs(ours[key] - value) <= 1e-3 * max(1, abs(value)), key
