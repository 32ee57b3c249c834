"""Devices are refused by name, random states survive JSON."""

import json

import numpy as np
import pytest

from minigan import backend
from minigan.errors import DeviceError, OptionError


def test_the_cpu_is_there():
    assert backend.require_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:17"])
def test_a_device_that_is_not_there_is_refused_with_the_fix(name):
    with pytest.raises(DeviceError, match=rf"{name}.*--device cpu"):
        backend.require_device(name)


@pytest.mark.parametrize("name", ["", "gpu", "CPU", "cpu:0", "cuda:", "cuda:x", "xcuda", "cuda:1 "])
def test_an_unknown_device_is_refused_with_what_is_allowed(name):
    with pytest.raises(OptionError, match=r"unknown device .*cpu, cuda, cuda:N"):
        backend.require_device(name)


def test_streams_are_functions_of_the_whole_seed():
    def numbers(*seed):
        return tuple(backend.make_rng(*seed).integers(0, 2**63, 4).tolist())

    seeds = [(0,), (1,), (0, 0), (0, 1), (1, 0), (2, 1), (2**40,)]
    assert len({numbers(*seed) for seed in seeds}) == len(seeds)
    assert numbers(5, 6) == numbers(5, 6)
    kind = backend.make_rng(0).bit_generator
    assert isinstance(kind, np.random.Philox)


@pytest.mark.parametrize("drawn", range(6))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_state_goes_through_json_and_back(drawn, dtype):
    """Also in the middle of the generator's buffer, and with half a number left over."""
    rng = backend.make_rng(3)
    rng.random(drawn, dtype)
    text = json.dumps(backend.rng_state(rng))
    expected = (rng.random(9, dtype), rng.standard_normal(5), rng.integers(0, 9, 3, np.uint32))

    for other in (rng, backend.make_rng(4)):
        other.random(1)
        backend.restore_rng(other, json.loads(text))
        assert backend.rng_state(other) == json.loads(text)
        again = (
            other.random(9, dtype),
            other.standard_normal(5),
            other.integers(0, 9, 3, np.uint32),
        )
        for a, b in zip(again, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_state_is_a_copy():
    rng = backend.make_rng(3)
    state = backend.rng_state(rng)
    text = json.dumps(state)
    rng.random(100)
    assert json.dumps(state) == text


def test_a_state_of_another_generator_is_refused():
    other = np.random.Generator(np.random.PCG64(0))
    state = backend.rng_state(other)
    json.dumps(state)
    with pytest.raises(OptionError, match="PCG64 given to a Philox"):
        backend.restore_rng(backend.make_rng(0), state)
