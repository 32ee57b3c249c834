"""Arrays of a pretended card: they live in the CPU's memory and behave as CuPy's do.

An `EmulatedArray` is no numpy.ndarray. It refuses to be mixed with NumPy's arrays, and to become
one except through `asnumpy`, so a missing transfer is an error here too. What `empty` returns holds
NaNs. While a capture runs, whatever computes on these arrays is recorded, and what would have to
wait for a card is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from minigan import backend
from minigan.backend import AT_ONCE

# A recorded piece of work, done by calling it.
Work = Callable[[], None]


class CaptureError(RuntimeError):
    """Something that a card cannot do while a stream is captured."""


class Recording:
    """What would be computed, in order. Nothing counts as done: what had to be computed to know its
    shape is undone, so what is read without a replay is NaN or as it was before."""

    def __init__(self) -> None:
        self.works: list[Work] = []
        self._before: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._fresh: list[np.ndarray] = []

    def about_to_write(self, array: np.ndarray) -> None:
        """Keep what the memory of `array` holds."""
        root = _root(array)
        if id(root) not in self._before:
            self._before[id(root)] = (root, root.copy())

    def made(self, arrays: list[np.ndarray]) -> None:
        """These are results, unknown before a replay."""
        self._fresh += arrays

    def undo(self) -> None:
        """Everything is again as it was before the recording."""
        for root, content in self._before.values():
            root[...] = content
        for array in self._fresh:
            _poison(array)


_recording: Recording | None = None


@contextmanager
def recording() -> Iterator[Recording]:
    """Everything that the block would compute on emulated arrays."""
    global _recording
    if _recording is not None:
        raise CaptureError("a capture is running already")
    _recording = Recording()
    try:
        with np.errstate(all="ignore"):
            yield _recording
    finally:
        _recording.undo()
        _recording = None


def do(work: Work) -> None:
    """Do `work`, whose result is in arrays; while a capture runs, record it instead."""
    if _recording is None:
        work()
    else:
        _recording.works.append(work)


def refuse_waiting(what: str) -> None:
    """Raise CaptureError if a capture is running."""
    if _recording is not None:
        raise CaptureError(f"{what} waits for the card, which is not allowed during a capture")


def refuse_a_table(function: Any, args: Any) -> None:
    """Raise CaptureError if a capture is running in which CuPy would send over a table to join
    arrays by: cupy/_core/_routines_manipulation.pyx, of version 14."""
    if _recording is not None and function in (np.concatenate, np.stack) and len(args[0]) > AT_ONCE:
        raise CaptureError(
            f"{function.__name__} of {len(args[0])} arrays copies from the host, which is not "
            "allowed during a capture; use backend.joined or backend.stacked"
        )


class EmulatedArray(NDArrayOperatorsMixin):
    """An array of the pretended card over `host`, a NumPy array."""

    __slots__ = ("host",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, host: np.ndarray) -> None:
        assert type(host) is np.ndarray
        self.host = host

    dtype = property(lambda self: self.host.dtype)
    shape = property(lambda self: self.host.shape)
    strides = property(lambda self: self.host.strides)
    ndim = property(lambda self: self.host.ndim)
    size = property(lambda self: self.host.size)
    itemsize = property(lambda self: self.host.itemsize)
    nbytes = property(lambda self: self.host.nbytes)
    flags = property(lambda self: self.host.flags)
    T = property(lambda self: EmulatedArray(self.host.T))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"version": 3, **self.host.__array_interface__}

    @property
    def base(self) -> EmulatedArray | None:
        return None if self.host.base is None else EmulatedArray(np.asarray(self.host.base))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("an array of the card does not become NumPy's by itself; use to_host")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "at":
            raise TypeError(f"{ufunc.__name__}.at: not in CuPy")
        return _computed(getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        refuse_a_table(func, args)
        return _computed(func, args, kwargs)

    def __getitem__(self, key: Any) -> EmulatedArray:
        return _computed(lambda a, k: a[k], (self, key), {})

    def __setitem__(self, key: Any, value: Any) -> None:
        key, value = _unwrap(key), _unwrap(value)

        def work() -> None:
            self.host[key] = value

        do(work)

    def __len__(self) -> int:
        return len(self.host)

    def __iter__(self) -> Iterator[EmulatedArray]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"emulated {self.host!r}"

    def __bool__(self) -> bool:
        refuse_waiting("bool(array)")
        return bool(self.host)

    def __int__(self) -> int:
        refuse_waiting("int(array)")
        return int(self.host)

    def __float__(self) -> float:
        refuse_waiting("float(array)")
        return float(self.host)

    def __index__(self) -> int:
        refuse_waiting("index(array)")
        return self.host.__index__()

    def item(self) -> Any:
        """The one number, on the host."""
        refuse_waiting("item()")
        return self.host.item()

    def tolist(self) -> Any:
        """The numbers, on the host."""
        refuse_waiting("tolist()")
        return self.host.tolist()

    def get(self) -> np.ndarray:
        """A copy on the host."""
        refuse_waiting("get()")
        return self.host.copy()

    def fill(self, value: Any) -> None:
        """Every number becomes `value`."""
        self[...] = value


def _method(name: str) -> Callable[..., Any]:
    def method(self: EmulatedArray, *args: Any, **kwargs: Any) -> Any:
        return _computed(
            lambda a, *rest, **named: getattr(a, name)(*rest, **named), (self, *args), kwargs
        )

    method.__name__ = name
    return method


# The methods that CuPy's arrays have too.
for _name in (
    *("reshape", "transpose", "swapaxes", "squeeze", "ravel", "flatten", "view", "copy", "astype"),
    *("sum", "mean", "var", "std", "max", "min", "prod", "all", "any", "argmax", "argmin"),
    *("cumsum", "clip", "dot", "take", "repeat", "round", "nonzero"),
):
    setattr(EmulatedArray, _name, _method(_name))


def _unwrap(value: Any) -> Any:
    """The NumPy arrays inside; raises TypeError for one that is not on the card."""
    if isinstance(value, EmulatedArray):
        return value.host
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError(f"an array {value.shape} of the host met one of the card; use to_device")
    if isinstance(value, tuple | list):
        return type(value)(_unwrap(v) for v in value)
    if isinstance(value, dict):
        return {k: _unwrap(v) for k, v in value.items()}
    return value


def _wrap(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return EmulatedArray(value)
    if isinstance(value, np.generic):  # CuPy gives arrays without axes
        return EmulatedArray(np.asarray(value))
    if isinstance(value, tuple | list):
        return type(value)(_wrap(v) for v in value)
    return value


def _arrays(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple | list):
        for v in value:
            yield from _arrays(v)


def _computed(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """function(*args, **kwargs), recorded so that doing it again fills the same arrays."""
    out = kwargs.get("out")
    args, named = _unwrap(tuple(args)), _unwrap(kwargs)
    written = list(_arrays(named.get("out")))
    if _recording is not None:
        for array in written:
            _recording.about_to_write(array)
    raw = function(*args, **named)
    result = _wrap(raw)
    if out is not None:
        result = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if _recording is None:
        return result
    inputs = [*_arrays(args), *_arrays(tuple(named.values()))]
    several = result if isinstance(result, tuple | list) else [result]
    results = [a.host for a in several if isinstance(a, EmulatedArray)]
    fresh = [a for a in results if not any(np.may_share_memory(a, i) for i in inputs)]
    if not fresh and not written:
        return result  # views: nothing was computed

    def work() -> None:
        again = function(*args, **named)
        if not written:
            for old, new in zip(results, _arrays(_as_arrays(again)), strict=True):
                old[...] = new

    _recording.made(fresh)
    _recording.works.append(work)
    return result


def _as_arrays(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_as_arrays(v) for v in value]
    return np.asarray(value)


def _root(array: np.ndarray) -> np.ndarray:
    """The array that owns the memory."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _poison(array: np.ndarray) -> None:
    """NaNs, or the largest integers."""
    if array.flags.c_contiguous:
        array.reshape(-1).view(np.uint8)[...] = 0xFF
    else:
        array[...] = np.nan if array.dtype.kind == "f" else 0


class EmulatedModule:
    """NumPy's functions, making and taking emulated arrays: what cupy is to a card."""

    __name__ = "emulated"
    ndarray = EmulatedArray

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(np, name)
        if not callable(attribute) or isinstance(attribute, type):
            return attribute

        def function(*args: Any, **kwargs: Any) -> Any:
            refuse_a_table(attribute, args)
            return _computed(attribute, args, kwargs)

        return function

    def asarray(self, x: Any, dtype: Any = None) -> EmulatedArray:
        """x on the card: itself if it is there, else copied to it."""
        if isinstance(x, EmulatedArray):
            return x if dtype is None or x.dtype == dtype else x.astype(dtype)
        return self.array(x, dtype)

    def array(self, x: Any, dtype: Any = None) -> EmulatedArray:
        """A copy of x on the card."""
        host = x.host if isinstance(x, EmulatedArray) else x
        if isinstance(x, np.ndarray) and x.ndim:
            refuse_waiting("a copy from the host")
        return EmulatedArray(np.array(host, dtype))

    def asnumpy(self, x: Any) -> np.ndarray:
        """A copy of x on the host."""
        refuse_waiting("asnumpy")
        return np.array(x.host if isinstance(x, EmulatedArray) else x)

    def empty(self, shape: Any, dtype: Any = np.float64) -> EmulatedArray:
        """Memory of unknown content: NaNs, or the largest integers."""
        array = np.empty(shape, dtype)
        _poison(array)
        return EmulatedArray(array)

    def empty_like(self, x: EmulatedArray, dtype: Any = None) -> EmulatedArray:
        """Such memory in the shape of x."""
        return self.empty(x.shape, x.dtype if dtype is None else dtype)


emulated = EmulatedModule()
backend.register_arrays(EmulatedArray, emulated)
