"""The autoencoders on a card: captured or not the same bits, and near the CPU's."""

import numpy as np
import pytest

from minigan.backend import on_cuda, to_host
from minigan.noise import Stream
from minigan.training.stepper import WARM_UP, Stepper, read
from tests.algorithms.autoencoding.test_updates import EVERY

STEPS = WARM_UP + 3


def train(case, device, graph):
    """Scalars of the last step, all state and two reconstructions, on the host."""
    model = case.ours(dtype=np.float32)
    model.rng = Stream(0, 2)
    model.to(device)
    stepper = Stepper(model, graph=graph)
    for i in range(STEPS):
        scalars = read(stepper(case.examples(4, i, np.float32)))
    model.check_health()
    arrays = model.state_dict()
    floats = [a for name, a in arrays.items() if not name.startswith("optimizer")]
    assert all(on_cuda(a) for a in floats) == (device != "cpu")
    back = model.reconstruct(case.examples(2, 9, np.float32))
    samples = model.generate(np.ones((2, model.prior.dim), np.float32))
    state = {name: to_host(a) for name, a in arrays.items()}
    return scalars, state | {"back": back, "samples": samples}


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_steps_on_a_card(case, device):
    """Five steps part from the CPU's by rounding alone, float32 and sums of 256 pixels."""
    cpu, eager, captured = (
        train(case, *how) for how in (("cpu", False), (device, False), (device, True))
    )
    assert eager[0] == captured[0]
    for name, array in eager[1].items():
        np.testing.assert_array_equal(array, captured[1][name], err_msg=name)
    for name, value in cpu[0].items():
        assert captured[0][name] == pytest.approx(value, rel=1e-3), name
    for name, array in cpu[1].items():
        scale = np.abs(array).max()
        np.testing.assert_allclose(captured[1][name], array, atol=1e-3 * scale, err_msg=name)
