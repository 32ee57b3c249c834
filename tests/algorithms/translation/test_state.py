"""A stored translation goes on to the bit, pools included; the seed alone decides its noise."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.errors import CheckpointError, NonFiniteError
from tests.algorithms.games import assert_resumes, changed, held_back
from tests.algorithms.translation.cases import Case

CASES = [
    Case("pix2pix", {"dropout": 0.5}),
    Case("cyclegan", {"pool": 5}),
    Case("dualgan", {"dropout": 0.5}),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_resumes_to_the_bit(case, dtype):
    unbroken = case.ours(dtype=dtype)
    batches = [case.examples(2 * unbroken.minibatches, seed, dtype) for seed in range(6)]
    assert_resumes(unbroken, case.ours(seed=8, dtype=dtype), batches)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_piece_of_state_has_a_name(case):
    made = case.ours()
    state = "v" if case.algorithm == "dualgan" else "mv"
    expected = {"sides"}
    for name, net in made.networks.items():
        expected |= {f"{name}.{k}" for k in (*net.params, *net.buffers)}
        expected |= {f"optimizer.{name}.{k}" for k in (*state, "t")}
    if case.algorithm == "cyclegan":
        expected |= {f"pool.{side}.{k}" for side in "XY" for k in ("pictures", "count")}
    assert set(made.state_dict()) == expected
    assert made.state_dict()["sides"].tolist() == [16, 16, 1, 3]


def test_another_architecture_is_refused():
    state = Case("cyclegan").ours().state_dict()
    with pytest.raises(CheckpointError, match="belongs to another architecture"):
        Case("pix2pix").ours().load_state_dict(state)
    with pytest.raises(CheckpointError, match="belongs to another architecture"):
        Case("cyclegan", channels=(3, 3)).ours().load_state_dict(state)


def test_G_does_not_move_where_F_cannot():
    case = Case("cyclegan")
    held_back(case.ours(), "G", "F", case.examples(2, 0))


# --- translations ---------------------------------------------------------------------------------


def test_the_seed_decides_the_noise_and_nothing_moves():
    case = Case("pix2pix", {"dropout": 0.5})
    made = case.ours(dtype=np.float32)
    x, _ = made.split(case.examples(3, 1, np.float32))
    before = {name: a.copy() for name, a in made.state_dict().items()}
    first, again, other = (made.translate(x, make_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert changed(before, made.state_dict()) == set()
    twice = made.translate(np.stack([x[0], x[0]]), make_rng(1))
    assert (twice[0] != twice[1]).any()  # each picture has noise of its own


def test_a_translation_does_not_depend_on_the_pictures_beside_it():
    case = Case("pix2pix", {"dropout": 0.0})
    made = case.ours()
    x, _ = made.split(case.examples(3, 1))
    whole = made.translate(x, make_rng(0))
    for i in range(3):
        np.testing.assert_array_equal(made.translate(x[i : i + 1], make_rng(0))[0], whole[i])


def test_running_statistics_and_no_dropout_if_asked_for():
    case = Case("pix2pix", {"dropout": 0.5, "running_statistics": True})
    made = case.ours()
    x, _ = made.split(case.examples(3, 1))
    expected, _ = made.G.forward(x, train=False)
    # Matrix products of other sizes add in another order.
    np.testing.assert_allclose(made.translate(x, make_rng(0)), expected, rtol=1e-9, atol=1e-12)


def test_samples_are_translations_of_examples():
    case = Case("cyclegan")
    made = case.ours()
    x, _ = made.split(case.examples(4, 5))
    np.testing.assert_array_equal(made.sample(4, make_rng(0)), made.translate(x, make_rng(0)))
    back = made.translate(made.sample(2, make_rng(0)), make_rng(0), name="F")
    assert back.shape == (2, 16, 16, 1)


def test_weights_that_ran_away_are_named():
    made = Case("pix2pix").ours()
    made.G.flat.data[...] = np.nan
    made.G.flat.touch()
    with pytest.raises(NonFiniteError, match=r"a translation G\(x\) is not finite"):
        made.sample(1, make_rng(0))
