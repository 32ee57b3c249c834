"""Streams of noise: independent, at home on one device, and their state goes through JSON."""

import json

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.noise import Stream, restore_rng, rng_state
from minigan.ops import random


def numbers(*seed):
    return tuple(Stream(*seed).random(4).tolist())


def test_streams_are_functions_of_the_whole_seed():
    seeds = [(0,), (1,), (0, 0), (0, 1), (1, 0), (2, 1), (2**40,)]
    assert len({numbers(*seed) for seed in seeds}) == len(seeds)
    assert numbers(5, 6) == numbers(5, 6)


def test_each_draw_is_that_of_the_next_counter():
    stream = Stream(3)
    state = stream.state.copy()
    drawn = [
        stream.uniform(-1, 1, (2, 3)),
        stream.standard_normal(5),
        stream.random(4),
        stream.standard_normal((3, 1)),
    ]
    for count, (x, draw) in enumerate(
        zip(
            drawn,
            (
                lambda s: random.uniform(s, (2, 3), -1, 1, np.float64),
                lambda s: random.normal(s, (5,), np.float64),
                lambda s: random.uniform(s, (4,), 0.0, 1.0, np.float64),
                lambda s: random.normal(s, (3, 1), np.float64),
            ),
            strict=True,
        )
    ):
        state[5] = count
        np.testing.assert_array_equal(x, draw(state))


@pytest.mark.parametrize("make", [Stream, make_rng])
@pytest.mark.parametrize("drawn", [0, 1, 5])
def test_a_state_goes_through_json_and_back(make, drawn):
    rng = make(3)
    for _ in range(drawn):
        rng.standard_normal(3)
    text = json.dumps(rng_state(rng))
    expected = [rng.uniform(-1, 1, 4), rng.standard_normal(5)]
    for other in (rng, make(4)):
        other.uniform(0, 1, 2)
        restore_rng(other, json.loads(text))
        assert json.dumps(rng_state(other)) == text
        for a, b in zip([other.uniform(-1, 1, 4), other.standard_normal(5)], expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_state_of_another_kind_or_size_is_refused_and_nothing_moves():
    stream = Stream(0)
    before = rng_state(stream)
    with pytest.raises(OptionError, match="of Philox given to a stream"):
        restore_rng(stream, rng_state(make_rng(0)))
    with pytest.raises(OptionError, match=r"Philox 4x64-10.* given to a Philox generator"):
        restore_rng(make_rng(0), before)
    with pytest.raises(OptionError, match="5 words; wanted 6"):
        restore_rng(stream, {**before, "state": before["state"][:5]})
    assert rng_state(stream) == before
