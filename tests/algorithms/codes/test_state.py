"""A stored GAN with codes goes on to the bit."""

import numpy as np
import pytest

from minigan.backend import make_rng
from tests.algorithms.codes.cases import PLAIN, VANILLA, Case
from tests.algorithms.games import assert_resumes

CASES = [
    Case("semi-supervised", "conv", {**PLAIN, "dropout": 0.5}, optimizer="adam"),
    Case("infogan", "conv", optimizer="adam"),
    Case("clustergan", "conv", {**VANILLA, "clusters": 3}, optimizer="adam"),
    Case("cogan", "conv", optimizer="adam"),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_resumes_to_the_bit(case, dtype):
    batches = [case.examples(6, seed, dtype) for seed in range(6)]
    unbroken = case.ours(dtype=dtype)
    resumed = case.ours(seed=8, dtype=dtype)
    assert_resumes(unbroken, resumed, batches)
    sample = resumed.sample(3, make_rng(1))
    np.testing.assert_array_equal(unbroken.sample(3, make_rng(1)), sample)
    assert sample.dtype == dtype


def test_the_labelled_examples_are_stored():
    """A run goes on with those that it had, whatever its data gives now."""
    case = CASES[0]
    stored = {name: a.copy() for name, a in case.ours().state_dict().items()}
    other = case.ours(seed=8)
    other.labelled.x[...] = 0
    other.load_state_dict(stored)
    np.testing.assert_array_equal(other.labelled.x, case.ours().labelled.x)
