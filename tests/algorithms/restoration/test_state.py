"""A stored restoration goes on to the bit, in either of its stages; the answer is one."""

import numpy as np
import pytest

from minigan.backend import make_rng
from tests.algorithms.games import assert_resumes, changed
from tests.algorithms.restoration.cases import Case

CASES = [
    Case("srgan", {"pretrain": 2, "scale": 2}, (8, 12, 1)),
    Case("srgan", {"pretrain": 4, "content": "kittens"}),
    Case("srgan", {"generator": "rrdb", "growth": 2, "weight_l1": 0.1}),
    Case("context-encoder"),
    Case("context-encoder", {"hole": "random"}, (16, 24, 1)),
    Case("deblurgan"),
    Case("deblurgan", {"weight_gan": 0.0}, (12, 16, 1)),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_resumes_to_the_bit(case, dtype):
    unbroken = case.ours(dtype=dtype)
    batches = [case.examples(2, seed, dtype) for seed in range(6)]
    assert_resumes(unbroken, case.ours(seed=8, dtype=dtype), batches)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_piece_of_state_has_a_name(case):
    made = case.ours()
    expected = {"sides"}
    for name, net in made.networks.items():
        expected |= {f"{name}.{k}" for k in (*net.params, *net.buffers)}
        expected |= {f"optimizer.{name}.{k}" for k in ("m", "v", "t")}
    assert set(made.state_dict()) == expected  # nothing of a classifier, which is never trained


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_picture_has_one_answer_whatever_stands_beside_it_and_nothing_moves(case):
    made = case.ours(dtype=np.float32)
    x, y = made.split(case.examples(3, 1, np.float32))
    before = {name: a.copy() for name, a in made.state_dict().items()}
    whole = made.translate(x, make_rng(0))
    assert whole.shape == y.shape
    assert np.abs(whole).max() <= 1
    assert changed(before, made.state_dict()) == set()
    for i in range(3):
        np.testing.assert_array_equal(made.translate(x[i : i + 1], make_rng(i))[0], whole[i])


def test_pictures_are_held_in_their_range():
    made = Case("srgan").ours()
    made.G.flat.load(30 * made.G.flat.data)
    x, _ = made.split(Case("srgan").examples(2, 0))
    y, _ = made.G.forward(made.small(x), train=False)
    assert np.abs(y).max() > 1
    np.testing.assert_allclose(made.translate(x, make_rng(0)), np.clip(y, -1, 1), atol=1e-9)
