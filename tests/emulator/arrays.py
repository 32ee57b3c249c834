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

# A recorded piece of work, done again by calling it.
Work = Callable[[], None]
_recording: list[Work] | None = None


class CaptureError(RuntimeError):
    """Something that a card cannot do while a stream is captured."""


@contextmanager
def recording() -> Iterator[list[Work]]:
    """Everything that is computed on emulated arrays inside the block, in order."""
    global _recording
    if _recording is not None:
        raise CaptureError("a capture is running already")
    _recording = []
    try:
        yield _recording
    finally:
        _recording = None


def record(work: Work) -> None:
    """Keep `work`, which has been done once, if a capture is running."""
    if _recording is not None:
        _recording.append(work)


def refuse_waiting(what: str) -> None:
    """Raise CaptureError if a capture is running."""
    if _recording is not None:
        raise CaptureError(f"{what} waits for the card, which is not allowed during a capture")


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
    def base(self) -> EmulatedArray | None:
        return None if self.host.base is None else EmulatedArray(np.asarray(self.host.base))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("an array of the card does not become NumPy's by itself; use to_host")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "at":
            raise TypeError(f"{ufunc.__name__}.at: not in CuPy")
        return _computed(getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _computed(func, args, kwargs)

    def __getitem__(self, key: Any) -> EmulatedArray:
        return _computed(lambda a, k: a[k], (self, key), {})

    def __setitem__(self, key: Any, value: Any) -> None:
        def work() -> None:
            self.host[_unwrap(key)] = _unwrap(value)

        work()
        record(work)

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
    args, named = _unwrap(tuple(args)), _unwrap(kwargs)
    result = _wrap(function(*args, **named))
    if _recording is None:
        return result
    outs = [
        a.host
        for a in (result if isinstance(result, tuple | list) else [result])
        if isinstance(a, EmulatedArray)
    ]
    inputs = [*_arrays(args), *_arrays(tuple(named.values()))]
    written = list(_arrays(named.get("out")))
    if not outs and not written:
        return result
    if all(any(np.may_share_memory(o, i) for i in inputs) for o in outs) and not written:
        return result  # views: nothing was computed

    def work() -> None:
        again = function(*args, **named)
        for old, new in zip(outs, _arrays(_as_arrays(again)), strict=True):
            if new is not old and not any(old is w for w in written):
                old[...] = new

    record(work)
    if written and isinstance(kwargs.get("out"), tuple):
        return kwargs["out"][0] if len(kwargs["out"]) == 1 else kwargs["out"]
    return result


def _as_arrays(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_as_arrays(v) for v in value]
    return np.asarray(value)


class EmulatedModule:
    """NumPy's functions, making and taking emulated arrays: what cupy is to a card."""

    __name__ = "emulated"
    ndarray = EmulatedArray

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(np, name)
        if not callable(attribute) or isinstance(attribute, type):
            return attribute

        def function(*args: Any, **kwargs: Any) -> Any:
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
        if isinstance(host, np.ndarray):
            refuse_waiting("a copy from the host") if host is x else None
        return EmulatedArray(np.array(host, dtype))

    def asnumpy(self, x: Any) -> np.ndarray:
        """A copy of x on the host."""
        refuse_waiting("asnumpy")
        return np.array(x.host if isinstance(x, EmulatedArray) else x)

    def empty(self, shape: Any, dtype: Any = np.float64) -> EmulatedArray:
        """Memory of unknown content: NaNs, or the largest integers."""
        array = np.empty(shape, dtype)
        array.reshape(-1).view(np.uint8)[...] = 0xFF
        return EmulatedArray(array)

    def empty_like(self, x: EmulatedArray, dtype: Any = None) -> EmulatedArray:
        """Such memory in the shape of x."""
        return self.empty(x.shape, x.dtype if dtype is None else dtype)


emulated = EmulatedModule()
backend.register_arrays(EmulatedArray, emulated)
