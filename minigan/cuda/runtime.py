"""Kernels on a card: compiled by NVRTC through CuPy when first launched, and captured as graphs.

CuPy keeps what it compiled in a folder of the user's, by the hash of source, options and card, so
that a second process compiles nothing. CuPy is imported in minigan/backend.py alone.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from minigan.backend import load_cupy
from minigan.cuda.sources import source
from minigan.errors import KernelError

# CuPy adds -ftz=true: float32 numbers below 1.2e-38 count as 0 on a card.
OPTIONS = ("--std=c++17",)
# The oldest compute capability for families with these endings; and the one whose instructions
# only cards of that very capability have.
NEEDS = {"_tf32": 80, "_bf16": 80}
ALONE = {"_wgmma": 90}
STATIC_SHARED = 48 * 1024  # bytes; a kernel that wants more of its launch asks for it


class CupyRuntime:
    """Launches on CuPy's current stream of CuPy's current device."""

    def __init__(self) -> None:
        self._cupy = load_cupy()
        self.compiled: dict[str, Any] = {}  # a module for each family that was launched
        self._kernel = cache(self._find)
        # Bytes of dynamic shared memory that a kernel was allowed, on each card.
        self._allowed: dict[tuple[int, str, str], int] = {}

    def launch(
        self,
        family: str,
        symbol: str,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        args: tuple[Any, ...],
        shared: int = 0,
    ) -> None:
        """Run a kernel. Raises KernelError where it does not exist or compile."""
        kernel = self._kernel(family, symbol)
        if shared > STATIC_SHARED:
            place = (self._cupy.cuda.Device().id, family, symbol)
            if shared > self._allowed.get(place, STATIC_SHARED):
                kernel.max_dynamic_shared_size_bytes = self._allowed[place] = shared
        kernel(grid, block, args, shared_mem=shared)

    @contextmanager
    def capture(self) -> Iterator[CudaGraph]:
        """Record what the block launches, without doing it; `replay()` of the result does it.

        Memory that the block allocates comes from a pool of the graph's own, so that nothing else
        is ever put there. The stream does not wait for the default one, on which loading a module
        may do work: that would end the capture.
        """
        cupy = self._cupy
        stream, graph = cupy.cuda.Stream(non_blocking=True), CudaGraph(cupy.cuda.MemoryPool())
        with stream, cupy.cuda.using_allocator(graph.pool.malloc):
            stream.begin_capture()
            try:
                yield graph
            except BaseException:
                _abandon(stream)
                raise
            graph.recorded = stream.end_capture()

    def _find(self, family: str, symbol: str) -> Any:
        try:
            return self.compile(family).get_function(symbol)
        except self._cupy.cuda.driver.CUDADriverError as error:
            raise KernelError(f"kernels/{family}.cu has no kernel {symbol}: {error}") from error

    def compile(self, family: str) -> Any:
        """The module of kernels/FAMILY.cu, compiled or from the cache. Raises KernelError."""
        if family in self.compiled:
            return self.compiled[family]
        ending = family[family.rfind("_") :]
        capability = int(self._cupy.cuda.Device().compute_capability)
        alone = ALONE.get(ending)
        if capability < NEEDS.get(ending, 0) or alone not in (None, capability):
            wanted = f"{alone / 10}" if alone else f"{NEEDS[ending] / 10} or later"
            raise KernelError(
                f"kernels/{family}.cu needs a card of compute capability {wanted}, this one has "
                f"{capability / 10}; run with --precision fp32"
            )
        options = (f"-arch=sm_{alone}a", *OPTIONS) if alone else OPTIONS
        module = self._cupy.RawModule(code=source(family), options=options)
        try:
            module.compile()
        except self._cupy.cuda.compiler.CompileException as error:
            raise KernelError(_compile_message(family, str(error))) from error
        except (RuntimeError, ImportError) as error:  # no compiler, or no headers
            if type(error).__module__.startswith("cupy_backends."):  # a failure of the card
                raise
            raise KernelError(_compile_message(family, str(error))) from error
        self.compiled[family] = module
        return module


class CudaGraph:
    """A captured step, with the memory it works in."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.recorded: Any = None

    def replay(self) -> None:
        """Do the whole step again, on CuPy's current stream as everything else."""
        self.recorded.launch()

    def memory(self) -> int:
        """Bytes that the step's own arrays take."""
        return int(self.pool.total_bytes())


def _abandon(stream: Any) -> None:
    """End a capture that failed, valid or not, for no other work could be done on the stream's
    device before; the error that made it fail is the one to tell."""
    try:
        stream.end_capture()
    except Exception:
        return


def _compile_message(family: str, log: str) -> str:
    """One line with the last errors of a compiler's log, and where all of it is."""
    descriptor, name = tempfile.mkstemp(prefix=f"minigan-{family}-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(log)
    errors = [line.strip() for line in log.splitlines() if "error" in line][-3:]
    tail = "; ".join(errors or [line.strip() for line in log.splitlines() if line.strip()][-3:])
    return (
        f"kernels/{family}.cu does not compile for this card: {tail}; whole log: {Path(name)}; "
        "report it with the output of `minigan doctor`, or run with --device cpu"
    )
