"""A runtime for minigan.cuda that runs kernels on the CPU, and captures and replays whole steps."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minigan.errors import KernelError
from tests.emulator import build
from tests.emulator.arrays import EmulatedArray, Work, do, recording


class _Launch(ctypes.Structure):
    _fields_ = (
        ("grid", ctypes.c_uint * 3),
        ("block", ctypes.c_uint * 3),
        ("shared", ctypes.c_ulonglong),
        ("seed", ctypes.c_ulonglong),
    )


EVER_LAUNCHED: set[str] = set()  # in this process


class EmulatorRuntime:
    """Runs kernels/FAMILY.cu; `sources` gives other files for some families.

    `seed` decides the order of threads and blocks, anew for each launch. `launched` holds the
    names of all kernels that ran.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        sources: dict[str, Path] | None = None,
        flags: tuple[str, ...] = (),
    ) -> None:
        self.seed, self.sources, self.flags = seed, sources or {}, flags
        self.launched: list[str] = []

    def launch(
        self,
        family: str,
        symbol: str,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        args: tuple[Any, ...],
        shared: int = 0,
    ) -> None:
        """Run a kernel. Raises KernelError, also for arguments of other types than its own."""
        source = self.sources.get(family, build.KERNELS / f"{family}.cu")
        if not source.exists() or symbol not in build.symbols(source):
            raise KernelError(f"no kernel {family}.{symbol}")
        library = build.load(source, self.flags)
        name = f"{family}.{symbol}"
        _check_types(library, name, args)
        run = getattr(library, f"emulated_{symbol}")
        run.restype = ctypes.c_char_p
        dims = [(ctypes.c_uint * 3)(*d, *(1,) * (3 - len(d))) for d in (grid, block)]

        def work() -> None:
            values = [_as_value(a) for a in args]
            pointers = (ctypes.c_void_p * len(values))(*(v.ctypes.data for v in values))
            self.seed += 1
            error = run(ctypes.byref(_Launch(*dims, shared, self.seed)), pointers)
            if error:
                raise KernelError(f"kernel {name}: {error.decode()}")

        self.launched.append(name)
        EVER_LAUNCHED.add(name)
        do(work)

    @contextmanager
    def capture(self) -> Iterator[Capture]:
        """Record what the block would launch and compute; `replay()` of the result does it."""
        with recording() as recorded:
            yield Capture(recorded.works)


class Capture:
    """A recorded step."""

    def __init__(self, works: list[Work]) -> None:
        self.works = works

    def replay(self) -> None:
        """Launch and compute it, on the memory that it was recorded with."""
        for work in self.works:
            work()


def _as_value(arg: Any) -> np.ndarray:
    """The 1 number that a parameter is: a scalar, or an address."""
    if isinstance(arg, EmulatedArray):
        return np.array([arg.host.ctypes.data], np.uint64)
    return np.array([arg])


def _check_types(library: ctypes.CDLL, kernel: str, args: tuple[Any, ...]) -> None:
    """A card would read the wrong bytes in silence."""
    spell = getattr(library, f"signature_{kernel.partition('.')[2]}")
    spell.restype = ctypes.c_char_p
    wanted = spell().decode().split()
    given = [f"*{a.dtype}" if isinstance(a, EmulatedArray) else str(a.dtype) for a in args]
    fits = len(wanted) == len(given) and all(
        g == w or (w[0] == "*" and g == "uint64" and a == 0)  # a null pointer
        for w, g, a in zip(wanted, given, args, strict=True)
    )
    if not fits:
        raise KernelError(f"kernel {kernel} takes ({', '.join(wanted)}), got ({', '.join(given)})")
