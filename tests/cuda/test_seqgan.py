"""Steps of SeqGAN are captured and replayed, each stage as a graph of its own."""

import numpy as np
import pytest

from minigan.backend import to_host
from minigan.noise import Stream, rng_state
from minigan.training.stepper import Stepper, read
from tests.algorithms.sequence.seqgan_cases import Case

M, STEPS = 3, 12
STAGES = {"pretrain_G": 4, "pretrain_D": 4, "dropout": 0.25}
CASES = [Case(False, STAGES), Case(True, {**STAGES, "g_steps": 2, "rollouts": 2, "k": 1})]


def run(case, device, *, graph):
    game = case.ours(dtype=np.float32)
    game.rng = Stream(0)
    stepper = Stepper(game.to(device), graph=graph)
    log = [read(stepper(case.batch(M, seed))) for seed in range(STEPS)]
    game.check_health()
    arrays = {key: to_host(a) for key, a in game.state_dict().items()}
    said = game.sample(5, np.random.default_rng(0)), game.log_likelihood(case.batch(M, 50))
    return log, arrays, rng_state(game.rng), said, stepper.captured


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_stage_is_captured_and_near_the_cpu_s(case, device):
    here, eager, captured = (
        run(case, where, graph=graph)
        for where, graph in (("cpu", False), (device, False), (device, True))
    )
    assert [eager[4], captured[4]] == [0, 3]
    assert eager[0] == captured[0]
    assert eager[2] == captured[2] == here[2]
    for key, array in eager[1].items():
        np.testing.assert_array_equal(array, captured[1][key], err_msg=key)
    for a, b in zip(eager[3], captured[3], strict=True):
        np.testing.assert_array_equal(a, b)
    for ours, theirs in zip(eager[0][:6], here[0][:6], strict=True):  # before rounding has grown
        for key, value in theirs.items():
            assert abs(ours[key] - value) <= 1e-3 * max(1, abs(value)), key
