"""A stand-in for the module cupy where only what it says of the machine matters."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from minigan import backend


class CUDARuntimeError(RuntimeError):
    """What CuPy raises when a call of the driver fails."""


class CompileException(Exception):
    """What CuPy raises with a compiler's log."""


class CUDADriverError(RuntimeError):
    """What CuPy raises where a module has no such function."""


class OutOfMemoryError(MemoryError):
    """What CuPy's pool raises."""


for _error in (CompileException, OutOfMemoryError):
    _error.__module__ = "cupy.cuda.memory"
for _error in (CUDARuntimeError, CUDADriverError):
    _error.__module__ = "cupy_backends.cuda.api.runtime"


class ndarray:
    """An array that is never made."""


class Device:
    """A card of some compute capability."""

    def __init__(self, capability: str) -> None:
        self.compute_capability, self.id = capability, 0

    def use(self) -> None:
        """Nothing to switch."""


class FakeKernel:
    """Notes its launches; as on a card, shared memory beyond 48 KiB has to be asked for."""

    def __init__(self, name: str, launched: list[tuple[Any, ...]]) -> None:
        self.name, self.launched = name, launched
        self.max_dynamic_shared_size_bytes = 48 * 1024

    def __call__(self, grid: Any, block: Any, args: Any, shared_mem: int) -> None:
        assert shared_mem <= self.max_dynamic_shared_size_bytes
        self.launched.append((self.name, grid, block, args, shared_mem))


class Stream:
    """A stream whose capture was broken, as CuPy's: only `end_capture` says so without an error
    of its own kind, and only it lets the card do other work again."""

    capturing = False

    def __init__(self, non_blocking: bool = False) -> None:
        self.non_blocking = non_blocking

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to leave."""

    def begin_capture(self) -> None:
        """As CuPy's."""
        assert self.non_blocking
        Stream.capturing = True

    def is_capturing(self) -> bool:
        """As CuPy's: no answer but an error."""
        raise RuntimeError("the stream is capturing, but has been invalidated")

    def end_capture(self) -> None:
        """As CuPy's."""
        Stream.capturing = False
        raise CUDARuntimeError("cudaErrorStreamCaptureInvalidated")


class FakeModule:
    """A compiled file with every function but `missing`, or one that does not compile."""

    def __init__(self, log: str | Exception | None, options: tuple[str, ...]) -> None:
        self.log, self.options = log, options
        self.launched: list[tuple[Any, ...]] = []

    def compile(self) -> None:
        """Raises as the log says."""
        if isinstance(self.log, Exception):
            raise self.log
        if self.log is not None:
            raise CompileException(self.log)

    def get_function(self, name: str) -> Any:
        """A kernel that notes its launches."""
        if name == "missing":
            raise CUDADriverError("CUDA_ERROR_NOT_FOUND: named symbol not found")
        return FakeKernel(name, self.launched)


def fake_cupy(
    *,
    built: int = 13020,  # of CuPy's own runtime: CuPy 14.2 brings that of 13.2
    cards: tuple[str, ...] = ("90",),
    log: str | Exception | None = None,
) -> ModuleType:
    """A module built for CUDA `built` on a machine with cards of these compute capabilities."""

    def count() -> int:
        if not cards:
            raise CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")
        return len(cards)

    def properties(number: int) -> dict[str, Any]:
        return {
            "name": b"A card",
            "major": int(cards[number][:-1]),
            "minor": int(cards[number][-1]),
            "totalGlobalMem": 24 << 30,
        }

    pool = SimpleNamespace(total_bytes=lambda: 3 << 30, used_bytes=lambda: 1 << 30)
    module = ModuleType("cupy")
    module.__dict__.update(
        __version__="14.2.0",
        ndarray=ndarray,
        get_default_memory_pool=lambda: pool,
        RawModule=lambda code, options: FakeModule(log, options),
        cuda=SimpleNamespace(
            Device=lambda number=0: Device(cards[number]),
            Stream=Stream,
            MemoryPool=lambda: SimpleNamespace(malloc=None),
            using_allocator=lambda malloc: nullcontext(),
            compiler=SimpleNamespace(CompileException=CompileException),
            driver=SimpleNamespace(CUDADriverError=CUDADriverError),
            nvrtc=SimpleNamespace(getVersion=lambda: (13, 0)),
            runtime=SimpleNamespace(
                runtimeGetVersion=lambda: built,
                getDeviceCount=count,
                getDeviceProperties=properties,
                memGetInfo=lambda: (5 << 30, 24 << 30),
            ),
        ),
    )
    return module


def pretend(monkeypatch: pytest.MonkeyPatch, driver: int | None, cupy: ModuleType | None) -> None:
    """Until the test ends the machine has this driver and, unless None, this CuPy."""
    monkeypatch.setattr(backend, "driver_cuda", lambda: driver)
    monkeypatch.setattr(backend, "_checked", set())
    monkeypatch.setattr(backend, "_device_arrays", dict(backend._device_arrays))
    monkeypatch.setitem(sys.modules, "cupy", cupy)
