"""What a side's own library says of the card: its time, its facts, its memory.

Ours is CuPy, the peers' is PyTorch. Each side is timed by events of its own library, recorded on
the stream that it works on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.errors import Unavailable


@dataclass
class Memory:
    """Bytes of the card: `peak` in use at once, `reserved` taken from the driver for that."""

    peak: int = 0
    reserved: int = 0


class Card(Protocol):
    """The card as one library shows it."""

    def synchronize(self) -> None:
        """Wait until everything is done."""

    def event(self) -> Any:
        """A new event that keeps the time of its `record()`."""

    def elapsed_ms(self, start: Any, end: Any) -> float:
        """Milliseconds between two recorded events."""

    def facts(self) -> dict[str, str]:
        """Name, driver, toolkit and libraries."""

    def held(self) -> int:
        """Bytes of the card that are taken, by whomever."""

    def metered(self) -> Any:
        """A `with` block whose value, a Memory, says after it what the block took."""


class CupyCard:
    """The card as CuPy shows it."""

    def __init__(self) -> None:
        from minigan.backend import load_cupy, require_device

        require_device("cuda")
        self.cupy = load_cupy()

    def synchronize(self) -> None:
        self.cupy.cuda.Device().synchronize()

    def event(self) -> Any:
        return self.cupy.cuda.Event()

    def elapsed_ms(self, start: Any, end: Any) -> float:
        return float(self.cupy.cuda.get_elapsed_time(start, end))

    def facts(self) -> dict[str, str]:
        from minigan.backend import spelt

        runtime = self.cupy.cuda.runtime
        properties = runtime.getDeviceProperties(self.cupy.cuda.Device().id)
        return {
            "card": properties["name"].decode(),
            "capability": f"{properties['major']}.{properties['minor']}",
            "driver": f"{_driver()}, CUDA {spelt(runtime.driverGetVersion())}",
            "CUDA runtime": spelt(runtime.runtimeGetVersion()),
            "cupy": self.cupy.__version__,
        }

    def held(self) -> int:
        free, total = self.cupy.cuda.runtime.memGetInfo()
        return int(total - free)

    @contextmanager
    def metered(self) -> Iterator[Memory]:
        """CuPy's pools keep no peak, so a hook adds up what is given out and given back."""
        memory = Memory()
        with memory_hook(self.cupy.cuda.MemoryHook, memory):
            yield memory


def _driver() -> str:
    """The version of the kernel's module, such as 580.65.06."""
    try:
        found = re.search(r"\d+\.\d+(\.\d+)?", Path("/proc/driver/nvidia/version").read_text())
    except OSError:
        found = None
    return found[0] if found else "unknown"


def memory_hook(base: type, memory: Memory) -> Any:
    """A hook of CuPy's that keeps `memory`; it sees every pool, a graph's own among them."""

    class Hook(base):
        name = "bench"
        used = 0

        def malloc_postprocess(self, **given: Any) -> None:
            self.used += given["mem_size"]
            memory.peak = max(memory.peak, self.used)

        def free_postprocess(self, **given: Any) -> None:
            self.used -= given["mem_size"]

        def alloc_postprocess(self, **given: Any) -> None:
            memory.reserved += given["mem_size"]

    return Hook()


class TorchCard:
    """The card as PyTorch shows it. Raises Unavailable where it shows none."""

    def __init__(self) -> None:
        import torch

        if not torch.cuda.is_available():
            raise Unavailable(f"PyTorch {torch.__version__} finds no card")
        self.torch = torch

    def synchronize(self) -> None:
        self.torch.cuda.synchronize()

    def event(self) -> Any:
        return self.torch.cuda.Event(enable_timing=True)

    def elapsed_ms(self, start: Any, end: Any) -> float:
        return float(start.elapsed_time(end))

    def facts(self) -> dict[str, str]:
        version = self.torch.version.cuda
        return {"torch CUDA": str(version), "cuDNN": str(self.torch.backends.cudnn.version())}

    def held(self) -> int:
        free, total = self.torch.cuda.mem_get_info()
        return int(total - free)

    @contextmanager
    def metered(self) -> Iterator[Memory]:
        cuda, memory = self.torch.cuda, Memory()
        cuda.synchronize()
        cuda.reset_peak_memory_stats()
        before = cuda.memory_allocated(), cuda.memory_reserved()
        yield memory
        cuda.synchronize()
        memory.peak = cuda.max_memory_allocated() - before[0]
        memory.reserved = cuda.max_memory_reserved() - before[1]


def card_of(side: str) -> Card:
    """The card as the library of `side` shows it."""
    return CupyCard() if side == "ours" else TorchCard()
