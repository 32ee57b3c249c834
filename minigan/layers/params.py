"""Parameters, and the one contiguous buffer that a whole network's parameters live in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigan.backend import (
    Array,
    DTypeLike,
    array_module,
    device_module,
    on_cuda,
    overwrite,
    to_host,
)
from minigan.errors import CheckpointError, OptionError
from minigan.ops.optim import sum_of_squares


class Version:
    """Counts the changes of a set of parameters, so that a stale backward pass is caught."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Param:
    """A trainable array `data` and the gradient `grad` that backward passes add into."""

    __slots__ = ("_version", "data", "grad", "packed")

    def __init__(self, data: Array) -> None:
        self.data = data
        self.grad = np.zeros_like(data)
        self.packed = False
        self._version = Version()

    @property
    def version(self) -> int:
        """Moves on whenever an optimiser, or anyone through `FlatParams.touch`, changes data."""
        return self._version.count

    @property
    def shape(self) -> tuple[int, ...]:
        """Of `data`."""
        return self.data.shape

    def __array__(self, dtype: DTypeLike = None, copy: bool | None = None) -> Array:
        """The values for NumPy: themselves on the CPU, a copy of those on a card."""
        return np.array(to_host(self.data), dtype, copy=copy)

    def __dlpack__(self, **how: Any) -> Any:
        """The values for any library that speaks DLPack, without a copy. See `FlatParams.touch`."""
        return self.data.__dlpack__(**how)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Where they lie."""
        return self.data.__dlpack_device__()

    def bind(self, data: Array, grad: Array, version: Version) -> None:
        """Move into `data` and `grad`, views of a shared buffer, keeping the values."""
        overwrite(data, self.data)
        overwrite(grad, self.grad)
        self.data, self.grad, self._version, self.packed = data, grad, version, True


VECTOR = 4  # numbers of float32 in 16 bytes


# A direction in the space of parameters: for each parameter an array of its shape.
Directions = Mapping[Param, Array]


class FlatParams:
    """All parameters of a network in one buffer `data` (P,), all gradients in `grad` (P,).

    The layers hold views, so an optimiser, a moving average or a file needs one pass over one
    array. `slices` maps each dotted name to its place. Parameters follow one another as the names
    do, but those whose size is no multiple of VECTOR come last: a bias of 3 numbers in front would
    keep every later weight off the 16 bytes that a card's kernels read at once.

    Raises OptionError when a parameter already lives in another buffer (pack the outermost
    network, once) and when the parameters' dtypes differ.
    """

    def __init__(self, params: dict[str, Param]) -> None:
        named: dict[str, Param] = {}
        for name, p in params.items():
            if any(p is other for other in named.values()):
                continue  # shared by two layers: one place, the first name
            if p.packed:
                raise OptionError(
                    f"parameter {name!r} already lives in another buffer; "
                    "take the parameters of the outermost network, once"
                )
            named[name] = p
        dtypes = {p.data.dtype for p in named.values()}
        if len(dtypes) > 1:
            raise OptionError(f"parameters of several dtypes: {sorted(map(str, dtypes))}")
        self.params = named
        self.version = Version()
        self.slices = dict.fromkeys(named, slice(0))  # in the order of the names
        self._allocate(dtypes.pop() if dtypes else np.dtype(np.float32), np)

    @property
    def size(self) -> int:
        """Number of scalars."""
        return self.data.size

    def astype(self, dtype: DTypeLike) -> None:
        """Move everything into new buffers of another dtype; optimisers made before are stale."""
        self._allocate(np.dtype(dtype), array_module(self.data))
        self.touch()

    def to(self, device: str) -> None:
        """Move everything to `device`; an optimiser's own state is moved by itself."""
        module = device_module(device)
        if module is not array_module(self.data):
            self._allocate(self.data.dtype, module)
            self.touch()

    def zero_grad(self) -> None:
        """Set all gradients to 0, before the backward passes of an update add into them."""
        self.grad[...] = 0

    def touch(self) -> None:
        """Say that `data` changed: backward passes of earlier forwards are refused from now on."""
        self.version.count += 1

    def grad_norm(self) -> Any:
        """Euclidean norm of the gradient; on a card an array of no axes, which stays there."""
        if on_cuda(self.grad):
            return np.sqrt(sum_of_squares(self.grad))
        with np.errstate(over="ignore"):
            square = float(np.dot(self.grad, self.grad))
        if square == np.inf:  # float32 squares of finite numbers above 1e19 are
            square = float(np.square(self.grad, dtype=np.float64).sum())
        return float(np.sqrt(square))

    def first_nonfinite(self) -> str | None:
        """Name of the parameter nearest the output whose gradient is not finite, if any."""
        for name in reversed(self.slices):
            if not np.isfinite(to_host(self.grad[self.slices[name]])).all():
                return name
        return None

    def load(self, data: Array) -> None:
        """Overwrite the parameters with `data` (P,)."""
        if data.shape != self.data.shape:
            raise CheckpointError(
                f"{data.size} stored parameters for a network of {self.data.size}: "
                "the file belongs to another architecture"
            )
        overwrite(self.data, data)
        self.touch()

    def direction(self, vector: Array) -> Directions:
        """A vector (P,) as views, one for each parameter."""
        return {p: vector[self.slices[name]].reshape(p.shape) for name, p in self.params.items()}

    def _allocate(self, dtype: np.dtype, module: Any) -> None:
        """New buffers made by `module`, with the values of the old ones."""
        total = sum(p.data.size for p in self.params.values())
        self.data = module.zeros(total, dtype)
        self.grad = module.zeros(total, dtype)
        start = 0
        for name in sorted(self.params, key=lambda name: self.params[name].data.size % VECTOR > 0):
            size = self.params[name].data.size
            self.slices[name] = slice(start, start + size)
            start += size
        for name, p in self.params.items():
            place = self.slices[name]
            p.bind(
                self.data[place].reshape(p.shape), self.grad[place].reshape(p.shape), self.version
            )
