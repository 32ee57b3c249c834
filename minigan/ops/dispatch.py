"""One name for an operation, on the CPU and on a card.

A public function of minigan/ops/FAMILY.py marked `@op` computes with NumPy. Given an array on a
card, the function of the same name and signature in minigan/ops/cuda/FAMILY.py answers instead; it
launches kernels. What has none is refused by name, never computed slowly in silence. Where plain
CuPy is good enough, `@op(plain=True)` lets the NumPy function run on CuPy's arrays, and its
docstring says so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, ParamSpec, TypeVar, overload

import numpy as np

from minigan.backend import on_cuda
from minigan.errors import NoCudaError

P = ParamSpec("P")
R = TypeVar("R")

# Every operation by its name "family.function", for the test of both sides' signatures.
OPS: dict[str, Callable[..., Any]] = {}
PLAIN: set[str] = set()


@overload
def op(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def op(*, plain: bool) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def op(function: Callable[..., Any] | None = None, *, plain: bool = False) -> Any:
    """Mark a function of minigan/ops whose first argument, given by position, is an array."""
    if function is None:
        return functools.partial(_registered, plain=plain)
    return _registered(function, plain)


def cuda_version(name: str) -> Callable[..., Any]:
    """What answers for the operation "family.function" on a card.

    Raises NoCudaError where there is nothing.
    """
    family, _, function = name.partition(".")
    version = getattr(_cuda_module(family), function, None)
    if version is None:
        raise NoCudaError(
            f"{name} has no CUDA version; run with --device cpu, "
            f"or add it to minigan/ops/cuda/{family}.py"
        )
    return version


def _registered(function: Callable[..., Any], plain: bool) -> Callable[..., Any]:
    name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
    OPS[name] = function
    if plain:
        PLAIN.add(name)
        return function

    @functools.wraps(function)
    def dispatched(first: Any, /, *args: Any, **kwargs: Any) -> Any:
        if type(first) is np.ndarray or not on_cuda(first):
            return function(first, *args, **kwargs)
        return cuda_version(name)(first, *args, **kwargs)

    return dispatched


@functools.cache
def _cuda_module(family: str) -> ModuleType | None:
    """minigan/ops/cuda/FAMILY.py, imported when first needed; None where there is no such file."""
    try:
        return import_module(f"minigan.ops.cuda.{family}")
    except ModuleNotFoundError as error:
        if error.name != f"minigan.ops.cuda.{family}":  # an import inside it
            raise
        return None
