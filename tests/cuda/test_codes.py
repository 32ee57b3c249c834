"""GANs with codes on a card: captured or not the same bits, and near the CPU's.

Semi-supervised and coupled ones; those that take examples alone stand in test_algorithms.py too.
"""

import numpy as np
import pytest

from minigan.backend import on_cuda, to_host
from minigan.training.stepper import WARM_UP, Stepper, read
from tests.algorithms.codes.cases import Case

STEPS = WARM_UP + 3
CASES = [
    Case("semi-supervised", "mlp"),
    Case("semi-supervised", "mlp", {"supervised_only": True}),
    Case("infogan", "mlp", {"categorical": (2, 3), "learned_spread": True}),
    Case("cogan", "mlp"),
]


def train(case, device, graph):
    """Scalars of the last step, and all state and some samples, on the host."""
    game = case.build().to(device)
    stepper = Stepper(game, graph=graph)
    for i in range(STEPS):
        scalars = read(stepper(case.examples(4, i, np.float32)))
    game.check_health()
    arrays = game.state_dict()
    floats = [a for name, a in arrays.items() if not name.startswith("optimizer")]
    assert all(on_cuda(a) for a in floats) == (device != "cpu")
    asked = {"samples": game.generate(np.ones((2, game.prior.dim), np.float32))}
    if hasattr(game, "cluster"):
        asked["clusters"] = game.cluster(case.examples(4, 9, np.float32))
    if hasattr(game, "classify"):
        asked["classes"] = game.classify(case.examples(4, 9, np.float32))
    return scalars, {name: to_host(a) for name, a in arrays.items()} | asked


@pytest.mark.parametrize("case", CASES, ids=str)
def test_steps_on_a_card(case, device):
    """Five steps part from the CPU's by rounding alone, float32 and sums of 64 pixels."""
    cpu, eager, captured = (
        train(case, *how) for how in (("cpu", False), (device, False), (device, True))
    )
    assert eager[0] == captured[0]
    for name, array in eager[1].items():
        np.testing.assert_array_equal(array, captured[1][name], err_msg=name)
    for name, value in cpu[0].items():
        assert captured[0][name] == pytest.approx(value, rel=1e-3, abs=1e-5), name
    for name, array in cpu[1].items():
        scale = np.abs(array).max()
        np.testing.assert_allclose(captured[1][name], array, atol=1e-3 * scale, err_msg=name)
