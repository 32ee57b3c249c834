"""Launching a kernel by its name, through whatever runs kernels at the moment.

A kernel is named "family.symbol": the file kernels/family.cu and a function in it. What runs it is
a runtime: CuPy's on a card; the tests' runtime compiles the same file for the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import numpy as np

from minigan.backend import on_cuda
from minigan.errors import KernelError

Dim = tuple[int, ...]

# Python's own numbers have no size that a kernel's parameter could be read from.
SCALARS = (np.int32, np.int64, np.uint64, np.float32, np.float64)


class Runtime(Protocol):
    """What compiles and runs kernels."""

    def launch(
        self, family: str, symbol: str, grid: Dim, block: Dim, args: tuple[Any, ...], shared: int
    ) -> None:
        """Run `symbol` of kernels/`family`.cu; `shared` is its dynamic shared memory in bytes."""

    def capture(self) -> AbstractContextManager[Any]:
        """Record what a `with` block launches and computes; `replay()` of its value does it."""


_runtime: Runtime | None = None


def launch(kernel: str, grid: Dim, block: Dim, *args: Any, shared: int = 0) -> None:
    """Run the kernel "family.symbol" over a grid of blocks of threads, one to three numbers each.

    Arguments are arrays on the device, contiguous in C order; NumPy scalars of the types in
    SCALARS; or None, a null pointer. Nothing is launched where a grid is empty.

    Raises KernelError for any other argument, and where the kernel does not exist or compile.
    """
    family, dot, symbol = kernel.partition(".")
    if not dot:
        raise KernelError(f"kernel {kernel!r}: a name is 'family.symbol'")
    for what, dims in (("grid", grid), ("block", block)):
        if not 1 <= len(dims) <= 3:
            raise KernelError(f"kernel {kernel}: {what} {dims}; one to three numbers are allowed")
    passed = tuple(_checked(kernel, i, arg) for i, arg in enumerate(args))
    if 0 in grid:
        return
    current_runtime().launch(family, symbol, grid, block, passed, shared)


def current_runtime() -> Runtime:
    """What runs kernels now: CuPy's runtime unless another one is in use."""
    global _runtime
    if _runtime is None:
        from minigan.cuda.runtime import CupyRuntime

        _runtime = CupyRuntime()
    return _runtime


@contextmanager
def use_runtime(runtime: Runtime) -> Iterator[Runtime]:
    """Let `runtime` run kernels inside a `with` block."""
    global _runtime
    before, _runtime = _runtime, runtime
    try:
        yield runtime
    finally:
        _runtime = before


def _checked(kernel: str, i: int, arg: Any) -> Any:
    if arg is None:
        return np.uint64(0)
    if isinstance(arg, SCALARS):
        return arg
    if not on_cuda(arg):
        allowed = ", ".join(f"np.{kind.__name__}" for kind in SCALARS)
        raise KernelError(
            f"kernel {kernel}: argument {i} is a {type(arg).__module__}.{type(arg).__name__}; "
            f"allowed are arrays on the device, None and scalars of {allowed}"
        )
    if not arg.flags.c_contiguous:
        raise KernelError(
            f"kernel {kernel}: argument {i}, an array {arg.shape} with strides {arg.strides}, is "
            "not contiguous; copy it with ascontiguousarray first"
        )
    return arg
