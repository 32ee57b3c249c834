"""Launching through CuPy: what reaches it, and what is said of a kernel that does not compile."""

import re
from pathlib import Path

import numpy as np
import pytest

from minigan import cuda
from minigan.cuda import failures
from minigan.cuda.runtime import CupyRuntime
from minigan.errors import DeviceError, KernelError
from tests.cuda.fake_cupy import (
    CUDARuntimeError,
    OutOfMemoryError,
    Stream,
    fake_cupy,
    ndarray,
    pretend,
)
from tests.emulator.arrays import emulated


class NoLibraryError(RuntimeError):
    """What NVIDIA's finder of libraries raises where there is no NVRTC."""


@pytest.fixture
def runtime(monkeypatch):
    pretend(monkeypatch, 13000, fake_cupy())
    return CupyRuntime()


def test_a_family_is_compiled_once_and_a_kernel_gets_what_was_given(runtime):
    x = ndarray()
    args = (x, np.int32(3), np.float32(0.5))
    runtime.launch("activation", "relu_f32", (2,), (256,), args, 0)
    module = runtime.compiled["activation"]
    runtime.launch("activation", "relu_f64", (1, 2), (32, 4, 1), args, 60_000)
    assert runtime.compiled == {"activation": module}
    assert module.launched == [
        ("relu_f32", (2,), (256,), args, 0),
        ("relu_f64", (1, 2), (32, 4, 1), args, 60_000),  # the fake asserts that it was asked for
    ]


def test_what_a_family_needs_of_the_card(monkeypatch):
    pretend(monkeypatch, 13000, fake_cupy(cards=("75",)))
    runtime = CupyRuntime()
    for family in ("gemm_tf32", "conv_bf16"):
        with pytest.raises(KernelError, match=r"needs .* 8\.0 .* has 7\.5; .*--precision fp32"):
            runtime.compile(family)
    assert runtime.compile("gemm").options == ("--std=c++17",)


def test_instructions_of_one_architecture_are_asked_for(runtime):
    """CuPy adds the card's own architecture behind; the first one is taken."""
    assert runtime.compile("gemm_wgmma").options == ("-arch=sm_90a", "--std=c++17")


@pytest.mark.parametrize("card", ["80", "100", "120"])
def test_no_other_card_has_them(monkeypatch, card):
    pretend(monkeypatch, 13000, fake_cupy(cards=(card,)))
    with pytest.raises(KernelError, match=rf"gemm_wgmma\.cu needs .* 9\.0, .* {int(card) / 10}; "):
        CupyRuntime().compile("gemm_wgmma")


def test_a_kernel_that_is_not_there(runtime):
    with pytest.raises(KernelError, match=r"no kernels/nothing\.cu; there are: .*activation"):
        runtime.launch("nothing", "x", (1,), (1,), (), 0)
    with pytest.raises(
        KernelError, match=r"kernels/activation\.cu has no kernel missing: .*symbol"
    ):
        runtime.launch("activation", "missing", (1,), (1,), (), 0)


def test_a_kernel_that_does_not_compile_shows_its_errors_and_keeps_its_log(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    log = "a.cu(1): note: fine\na.cu(7): error: expected a ';'\n1 error detected\n"
    pretend(monkeypatch, 13000, fake_cupy(log=log))
    with pytest.raises(KernelError) as caught:
        CupyRuntime().launch("activation", "relu_f32", (1,), (1,), (), 0)
    message = str(caught.value)
    assert message.startswith("kernels/activation.cu does not compile for this card: ")
    assert "a.cu(7): error: expected a ';'" in message
    assert "\n" not in message
    assert "--device cpu" in message
    kept = Path(re.search(r"whole log: (\S+);", message)[1])
    assert kept.parent == tmp_path
    assert kept.read_text() == log


def test_without_a_compiler_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pretend(monkeypatch, 13000, fake_cupy(log=RuntimeError("Failed to find CUDA headers")))
    with pytest.raises(KernelError, match=r"does not compile .*: Failed to find CUDA headers; "):
        CupyRuntime().launch("activation", "relu_f32", (1,), (1,), (), 0)
    pretend(monkeypatch, 13000, fake_cupy(log=NoLibraryError("libnvrtc.so: not found")))
    with pytest.raises(KernelError, match=r"does not compile .*: libnvrtc\.so: not found; "):
        CupyRuntime().launch("activation", "relu_f32", (1,), (1,), (), 0)
    failure = CUDARuntimeError("cudaErrorMemoryAllocation: out of memory")
    pretend(monkeypatch, 13000, fake_cupy(log=failure))  # is not the compiler's
    with pytest.raises(CUDARuntimeError, match="out of memory"):
        CupyRuntime().launch("activation", "relu_f32", (1,), (1,), (), 0)


def test_a_broken_capture_is_ended_and_its_first_error_told(runtime):
    def capture():
        with runtime.capture():
            assert Stream.capturing
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        capture()
    assert not Stream.capturing


def test_without_cupy_nothing_is_launched(monkeypatch):
    pretend(monkeypatch, None, None)
    with pytest.raises(DeviceError, match="CuPy is not installed"):
        CupyRuntime()


# --- arguments ------------------------------------------------------------------------------------


class Noted:
    """A runtime that keeps what it is given."""

    def __init__(self):
        self.launches = []

    def launch(self, *given):
        self.launches.append(given)


def test_what_a_kernel_may_be_given():
    x = emulated.zeros((2, 3), np.float32)
    numbers = (np.int32(1), np.int64(2), np.uint64(3), np.float32(4), np.float64(5))
    with cuda.use_runtime(Noted()) as noted:
        cuda.launch("family.symbol", (1, 2), (3,), x, None, *numbers, shared=7)
        cuda.launch("family.symbol", (4, 0), (3,), x)  # an empty grid
    ((family, symbol, grid, block, args, shared),) = noted.launches
    assert (family, symbol, grid, block, shared) == ("family", "symbol", (1, 2), (3,), 7)
    assert args == (x, 0, *numbers)
    assert type(args[1]) is np.uint64


@pytest.mark.parametrize(
    ("kernel", "grid", "block", "argument", "words"),
    [
        ("symbol", (1,), (1,), None, r"'symbol': a name is 'family\.symbol'"),
        ("f.s", (), (1,), None, r"grid \(\); one to three"),
        ("f.s", (1,), (1, 1, 1, 1), None, r"block \(1, 1, 1, 1\); one to three"),
        ("f.s", (1,), (1,), 1, r"argument 0 is a builtins\.int; .*np\.int32"),
        ("f.s", (1,), (1,), 0.5, r"argument 0 is a builtins\.float"),
        ("f.s", (1,), (1,), np.int8(1), r"argument 0 is a numpy\.int8"),
        ("f.s", (1,), (1,), np.zeros(3), r"argument 0 is a numpy\.ndarray; .*on the device"),
        (
            "f.s",
            (1,),
            (1,),
            emulated.zeros((3, 2)).T,
            r"argument 0, an array \(2, 3\) .*contiguous",
        ),
    ],
)
def test_what_is_refused_before_a_launch(kernel, grid, block, argument, words):
    with cuda.use_runtime(Noted()) as noted, pytest.raises(KernelError, match=words):
        cuda.launch(kernel, grid, block, argument)
    assert not noted.launches


def test_runtimes_nest():
    with cuda.use_runtime(Noted()) as outer:
        with cuda.use_runtime(Noted()) as inner:
            assert cuda.current_runtime() is inner
        assert cuda.current_runtime() is outer


# --- failures of the card -------------------------------------------------------------------------


def test_out_of_memory_says_what_was_asked_what_the_pool_holds_and_what_to_lower(monkeypatch):
    pretend(monkeypatch, 13000, fake_cupy())
    error = OutOfMemoryError(
        "Out of memory allocating 8,589,934,592 bytes (allocated so far: 3,221,225,472 bytes)."
    )
    said = failures.explained(error)
    assert "allocating 8,589,934,592 bytes" in said
    assert "the pool holds 3.00 GiB, 1.00 GiB of it in use" in said
    for option in ("--batch", "--width", "--size", "--precision"):
        assert option in said


def test_a_card_that_fails_says_so_and_other_errors_are_not_its():
    error = CUDARuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered")
    assert "cudaErrorIllegalAddress" in failures.explained(error)
    assert "minigan resume" in failures.explained(error)
    for other in (MemoryError("x"), RuntimeError("y"), ValueError("z")):
        assert failures.explained(other) is None


def test_precision_is_one_of_three():
    before = cuda.precision()
    try:
        for name in cuda.PRECISIONS:
            cuda.set_precision(name)
            assert cuda.precision() == name
        with pytest.raises(KeyError, match="unknown precision 'fp64'"):
            cuda.set_precision("fp64")
        assert cuda.precision() == cuda.PRECISIONS[-1]
    finally:
        cuda.set_precision(before)
