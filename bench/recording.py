"""A card that computes nothing: it notes what would be launched on it.

Arrays are memory of the host that nobody writes, so a step of any size takes moments. Kernels are
noted with their launch; what minigan leaves to CuPy is noted as one launch for each function that
makes new numbers, of which CuPy may need more than one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import backend, cuda

CUPY = "CuPy's own"  # the family of what is no kernel of minigan's
UNWRITTEN = ("empty", "empty_like")  # memory, and no launch


@dataclass(frozen=True)
class Launch:
    """A kernel: family and name, blocks, threads of a block, bytes of the arrays it is given."""

    family: str
    symbol: str
    blocks: int
    threads: int
    bytes: int


class Recorder:
    """A runtime that notes every launch, in order, and does none."""

    def __init__(self) -> None:
        self.launches: list[Launch] = []

    def launch(
        self,
        family: str,
        symbol: str,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        args: tuple[Any, ...],
        shared: int = 0,
    ) -> None:
        """Note a kernel."""
        named = sum(a.nbytes for a in args if isinstance(a, RecordedArray))
        blocks, threads = int(np.prod(grid)), int(np.prod(block))
        self.launches.append(Launch(family, symbol, blocks, threads, named))

    def note(self, name: str, *arrays: Any) -> None:
        """Note a function of CuPy's."""
        moved = sum(a.nbytes for a in arrays if isinstance(a, np.ndarray))
        self.launches.append(Launch(CUPY, name, 0, 0, moved))

    @contextmanager
    def capture(self) -> Iterator[Replay]:
        """Notes what the block launches, as ever."""
        yield Replay()


class Replay:
    """A captured step; to replay it is one launch of the processor's, which is not noted."""

    def replay(self) -> None:
        """Nothing."""


class RecordedArray(np.ndarray):
    """An array of the card that computes nothing."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"version": 3, **self.__array_interface__}

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = {k: _plain(v) for k, v in kwargs.items()}
        result = getattr(ufunc, method)(*map(_plain, inputs), **plain)
        _note(ufunc.__name__, result, *inputs)
        return kwargs["out"][0] if "out" in kwargs else _recorded(result)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        result = func(*_plain(args), **_plain(kwargs))
        first = result[0] if isinstance(result, tuple | list) and result else result
        inputs = [*args, *kwargs.values()]
        if not _is_view(first, inputs):
            _note(func.__name__, first, *inputs)
        return _recorded(result)

    def __setitem__(self, key: Any, value: Any) -> None:
        _plain(self)[_plain(key)] = _plain(value)
        _note("overwrite", self, value)

    def __getitem__(self, key: Any) -> Any:
        return _recorded(_plain(self)[_plain(key)])

    def astype(self, *args: Any, **kwargs: Any) -> Any:
        result = _plain(self).astype(*args, **kwargs)
        if not _is_view(result, [self]):
            _note("astype", result, self)
        return _recorded(result)

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        _note("copy", self, self)
        return _recorded(_plain(self).copy(*args, **kwargs))

    def fill(self, value: Any) -> None:
        _note("fill", self)
        _plain(self).fill(value)


class RecordedModule:
    """What cupy is to a card."""

    __name__ = "recorded"
    ndarray = RecordedArray

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(np, name)
        if not callable(attribute) or isinstance(attribute, type):
            return attribute

        def function(*args: Any, **kwargs: Any) -> Any:
            result = attribute(*_plain(args), **_plain(kwargs))
            if not _is_view(result, [*args, *kwargs.values()]):
                _note(name, result, *args)
            return _recorded(result)

        return function

    def asarray(self, x: Any, dtype: Any = None) -> Any:
        return _recorded(np.asarray(_plain(x), dtype))

    def asnumpy(self, x: Any) -> Any:
        return np.array(_plain(x))


recorded = RecordedModule()
backend.register_arrays(RecordedArray, recorded)

_recorder: Recorder | None = None


@contextmanager
def recording() -> Iterator[Recorder]:
    """What the block would launch on "cuda"."""
    global _recorder
    _recorder = Recorder()
    try:
        with (
            backend.stand_in_for_cuda(recorded),
            cuda.use_runtime(_recorder),
            np.errstate(all="ignore"),
        ):
            yield _recorder
    finally:
        _recorder = None


def _note(name: str, *arrays: Any) -> None:
    if _recorder is not None and name not in UNWRITTEN:
        _recorder.note(name, *arrays)


def _is_view(result: Any, inputs: list[Any]) -> bool:
    return isinstance(result, np.ndarray) and any(
        isinstance(a, np.ndarray) and np.may_share_memory(_plain(result), _plain(a)) for a in inputs
    )


def _plain(value: Any) -> Any:
    if isinstance(value, RecordedArray):
        return value.view(np.ndarray)
    if isinstance(value, tuple | list):
        return type(value)(_plain(v) for v in value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _recorded(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.view(RecordedArray)
    if isinstance(value, np.generic):  # CuPy gives arrays without axes
        return np.asarray(value).view(RecordedArray)
    if isinstance(value, tuple | list):
        return type(value)(_recorded(v) for v in value)
    return value
