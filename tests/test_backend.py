"""Devices are refused by name, random states survive JSON."""

import builtins
import json

import numpy as np
import pytest

from minigan import backend
from minigan.algorithms import GAN
from minigan.backend import make_rng
from minigan.errors import DeviceError, OptionError
from minigan.layers import Dense
from minigan.models import mlp_generator
from minigan.optim import Adam
from minigan.prior import Prior
from tests.cuda.fake_cupy import fake_cupy, ndarray, pretend
from tests.emulator.arrays import emulated


def test_the_cpu_is_there():
    assert backend.require_device("cpu") == "cpu"


# What a machine lacks: the CUDA of its driver, CuPy, the device asked for, and what is said.
LACKING = {
    "no CuPy": (13000, None, "cuda", r"CuPy is not installed; pip install 'minigan\[cuda13x\]'"),
    "no CuPy, older driver": (12040, None, "cuda", r"pip install 'minigan\[cuda12x\]'"),
    "no CuPy, no driver": (None, None, "cuda:1", r"CuPy is not installed; .*cuda13x"),
    "no CuPy, ancient driver": (11080, None, "cuda", r"update the driver .* beyond 11.8"),
    "no driver": (None, {}, "cuda", r"no CUDA driver found \(libcuda.so.1\); install NVIDIA's"),
    "CuPy too new": (
        12080,
        {},
        "cuda:0",
        r"runs CUDA 12.8 and the installed CuPy is built for CUDA 13; pip .*\[cuda12x\]'",
    ),
    "no card": (13000, {"cards": ()}, "cuda", r"shows no card \(cudaErrorNoDevice.*nvidia-smi"),
    "one card": (13000, {}, "cuda:1", r"this machine has one card, cuda:0"),
    "two cards": (13000, {"cards": ("90", "80")}, "cuda:2", r"has 2 cards, cuda:0 to cuda:1"),
    "an old card": (13000, {"cards": ("70",)}, "cuda", r"compute capability 7.0; .* need 7.5"),
    "one old card": (13000, {"cards": ("90", "61")}, "cuda:1", r"'cuda:1' is a card of .* 6.1"),
}


@pytest.mark.parametrize("lacking", LACKING)
def test_a_device_that_is_not_there_is_refused_with_the_fix(monkeypatch, lacking):
    driver, cupy, name, said = LACKING[lacking]
    pretend(monkeypatch, driver, None if cupy is None else fake_cupy(**cupy))
    with pytest.raises(DeviceError, match=said) as caught:
        backend.require_device(name)
    if not lacking.endswith(("one card", "two cards")):
        assert "--device cpu" in str(caught.value)


def test_a_cupy_that_does_not_load_says_why(monkeypatch):
    def broken(name, *rest):
        if name == "cupy":
            raise ImportError("libnvrtc.so.13: cannot open shared object file", name="cupy._core")
        return real(name, *rest)

    real = builtins.__import__
    pretend(monkeypatch, 13000, None)
    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(DeviceError, match=r"does not load \(libnvrtc.*--device cpu"):
        backend.require_device("cuda")


@pytest.mark.parametrize("driver", [13000, 13020, 14000])
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:1"])
def test_a_device_that_is_there(monkeypatch, driver, name):
    """Drivers run programs of every older CUDA, and of newer ones of their major version."""
    pretend(monkeypatch, driver, cupy := fake_cupy(built=13010, cards=("75", "120")))
    assert backend.require_device(name) == name
    assert backend.device_module(name) is cupy


def test_a_card_is_looked_at_once(monkeypatch):
    cupy = fake_cupy()
    pretend(monkeypatch, 13000, cupy)
    backend.require_device("cuda")
    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceCount", lambda: 1 / 0)
    assert backend.device_module("cuda:0") is cupy


def test_the_driver_itself_is_asked_which_cuda_it_runs(monkeypatch):
    class Driver:
        def cuDriverGetVersion(self, version):
            version._obj.value = 12080
            return 0

    assert backend.driver_cuda() is None or backend.driver_cuda() >= 11000
    monkeypatch.setattr(backend.ctypes, "CDLL", lambda name: Driver())
    assert backend.driver_cuda() == 12080
    monkeypatch.setattr(Driver, "cuDriverGetVersion", lambda self, version: 100)
    assert backend.driver_cuda() is None


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


# --- arrays of a device ---------------------------------------------------------------------------


def test_arrays_move_by_name_and_their_functions_are_found_by_type():
    x = np.arange(3.0)
    with backend.stand_in_for_cuda(emulated):
        there = backend.to_device(x, "cuda:0")
    assert backend.array_module(there) is emulated
    assert backend.on_cuda(there)
    assert backend.is_array(there)
    for host in (x, 1.0, np.float32(2), None, [1.0]):
        assert backend.array_module(host) is np
        assert not backend.on_cuda(host)
    assert not backend.is_array([1.0])
    np.testing.assert_array_equal(backend.to_host(there), x)
    assert backend.to_host(x) is x
    assert backend.to_device(x, "cpu") is x
    assert type(backend.to_device(there, "cpu")) is np.ndarray


def test_a_number_stays_on_the_card_until_it_is_read():
    assert type(backend.scalar(np.float32(2.5))) is float
    there = emulated.asarray(np.array(2.5))
    assert backend.scalar(there) is there


def test_overwriting_goes_from_any_device_to_any():
    values = np.arange(4.0)
    for source in (values, emulated.asarray(values)):
        for target in (np.zeros(4), emulated.zeros(4)):
            backend.overwrite(target, source)
            np.testing.assert_array_equal(backend.to_host(target), values)


@pytest.mark.parametrize("count", [1, 8, 9, 64, 73])
@pytest.mark.parametrize("axis", [0, 1])
def test_any_number_of_arrays_is_joined(count, axis):
    arrays = [np.random.default_rng(i).standard_normal((2, 3)) for i in range(count)]
    for make in (np.asarray, emulated.asarray):
        given = [make(a) for a in arrays]
        found = backend.to_host(backend.joined(given, axis))
        np.testing.assert_array_equal(found, np.concatenate(arrays, axis))
        found = backend.to_host(backend.stacked(given, axis))
        np.testing.assert_array_equal(found, np.stack(arrays, axis))


def test_an_array_of_cupy_registers_itself(monkeypatch):
    cupy = fake_cupy()
    pretend(monkeypatch, 13000, cupy)
    monkeypatch.setattr(ndarray, "__module__", "cupy")
    assert backend.array_module(ndarray()) is cupy


@pytest.mark.parametrize("rng", [0, None, 7.5], ids=str)
def test_a_seed_is_no_generator(rng):
    """Where weights, noise or samples are drawn, and before a game that could not begin."""
    G, D = mlp_generator(2, (2,), bounded=False, rng=make_rng(0)), Dense(2, 1, rng=make_rng(0))
    given = {"optimizer_G": Adam(G.flat, 1e-3), "optimizer_D": Adam(D.flat, 1e-3)}
    uses = (
        lambda: Dense(2, 3, rng=rng),
        lambda: Dense(2, 3, init="orthogonal", rng=rng),
        lambda: Prior("normal", 2).draw(3, rng),
        lambda: GAN(G, D, prior=Prior("normal", 2), rng=rng, **given),
    )
    for use in uses:
        with pytest.raises(OptionError, match=rf"rng={rng}: wanted a generator .*make_rng\(0\)"):
            use()
