"""A step of BigGAN on examples and labels is captured and replayed; its samples follow."""

import numpy as np

from minigan.backend import to_host
from minigan.noise import Stream, rng_state
from minigan.training.stepper import Stepper, read
from tests.algorithms.conditional.test_biggan import examples, make

SHAPE = (8, 8, 1)
STEPS = 4  # of which two are replays


def run(device, *, graph):
    game, _ = make(np.float32, shape=SHAPE, width=4, z_dim=4)
    game.rng = Stream(0)
    stepper = Stepper(game.to(device), graph=graph)
    log = [read(stepper(*examples(i, 4, np.float32, SHAPE))) for i in range(STEPS)]
    game.check_health()
    arrays = {key: to_host(a) for key, a in game.state_dict().items()}
    samples = game.sample(2, np.random.default_rng(0))
    return log, arrays, rng_state(game.rng), samples, stepper.captured


def test_a_step_is_captured_and_near_the_cpu_s(device):
    here, eager, captured = (
        run(where, graph=graph)
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
