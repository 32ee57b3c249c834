"""What `minigan doctor` says of a machine with, and without, what a card needs."""

import pytest

from minigan import backend
from minigan.cuda import facts, sources
from tests.cuda.compiling import compile_first
from tests.cuda.fake_cupy import fake_cupy, pretend


def rows(monkeypatch, driver, cupy):
    pretend(monkeypatch, driver, cupy)
    return dict(facts.facts())


def test_a_machine_with_nothing(monkeypatch):
    said = rows(monkeypatch, None, None)
    assert said["CUDA driver"] == "not found: install NVIDIA's driver"
    assert "pip install 'minigan[cuda13x]'" in said["CuPy"]
    assert (
        said["kernels"]
        == f"{len(sources.families())} files, not compiled: that takes CuPy and a card"
    )
    assert set(said) == {"CUDA driver", "CuPy", "kernels"}


@pytest.mark.parametrize(
    ("driver", "cards", "words"),
    [(12040, ("90",), "built for CUDA 13;"), (13000, (), "shows no card")],
)
def test_a_card_that_cannot_be_used(monkeypatch, driver, cards, words):
    said = rows(monkeypatch, driver, fake_cupy(cards=cards))
    assert said["CuPy"] == "14.2.0"
    assert said["CUDA of CuPy"] == "runtime 13.2, NVRTC 13.0"
    assert words in said["card"]
    assert "not compiled" in said["kernels"]


def test_a_whole_machine(monkeypatch):
    monkeypatch.setenv("CUPY_CACHE_DIR", "/somewhere/cache")
    said = rows(monkeypatch, 13020, fake_cupy(cards=("90", "61")))
    assert said["CUDA driver"] == "runs CUDA 13.2"
    assert said["card cuda:0"] == "A card, compute capability 9.0, 24.00 GiB"
    assert said["card cuda:1"] == "A card, compute capability 6.1 (too old), 24.00 GiB"
    n = len(sources.families())
    assert said["kernels"] == f"{n} of {n} files compile and are kept in /somewhere/cache"
    assert said["device memory"] == (
        "5.00 GiB of 24.00 GiB free; the pool holds 3.00 GiB, 1.00 GiB of it in use"
    )


@pytest.mark.skipif(backend.driver_cuda() is not None, reason="this machine has a card's driver")
def test_several_processes_compile():
    (said,) = compile_first(["activation"])
    assert said.startswith("activation: ")
    assert "CuPy" in said or "driver" in said


def test_a_library_that_does_not_load_and_kernels_that_do_not_compile(monkeypatch, tmp_path):
    def no_library():
        raise RuntimeError("libnvrtc.so.13 not found")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cupy = fake_cupy(log="x.cu(3): error: no")
    cupy.cuda.nvrtc.getVersion = no_library
    said = rows(monkeypatch, 13000, cupy)
    assert "does not load: libnvrtc.so.13 not found" in said["CUDA of CuPy"]
    assert said["kernels"].startswith(f"0 of {len(sources.families())} files compile")
    assert "x.cu(3): error: no" in said["kernels"]
