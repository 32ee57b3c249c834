"""Devices and random numbers: the only module that knows where arrays live.

The engine is written against NumPy's interface, which CuPy's arrays on a card have too. A request
for a device that is not there is refused here, in one place, and never answered by a silent CPU
run.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigan.errors import DeviceError, OptionError

Array = np.ndarray  # or an array of a device, which has the same methods
DTypeLike = Any

# Array types of devices, each with the module that their functions are found in.
_device_arrays: dict[type, Any] = {}
_stand_in: Any = None
_checked: set[int] = set()  # cards that are known to be usable

# glibc's malloc.h: no array is mapped apart, and the heap's top is not trimmed; all threads share
# one heap, so that one can use what another has freed.
_MALLOPT = {
    -3: 1 << 30,  # M_MMAP_THRESHOLD, bytes
    -1: (1 << 31) - 1,  # M_TRIM_THRESHOLD, bytes
    -8: 1,  # M_ARENA_MAX
}

AT_ONCE = 8  # arrays that CuPy joins without a table of their addresses

_HOST = 1  # kDLCPU, DLPack's number of the processor's own memory
DEVICES = ("cpu", "cuda", "cuda:N")
OLDEST_CARD = "75"  # compute capability: the first that CUDA 13 compiles for
_DRIVER = "libcuda.so.1"


def require_device(name: str) -> str:
    """Return `name` if arrays can live there.

    Raises OptionError for a name that is no device, DeviceError for one that is not available.
    """
    device_module(name)
    return name


def device_module(name: str) -> Any:
    """The module that makes arrays on a device: numpy for "cpu", cupy for "cuda" and "cuda:N".

    The card becomes the current one, on which cupy makes its arrays. Raises what `require_device`
    raises.
    """
    if name == "cpu":
        return np
    if not re.fullmatch(r"cuda(:\d+)?", name):
        raise OptionError(f"unknown device {name!r}; allowed: {', '.join(DEVICES)}")
    if _stand_in is not None:
        return _stand_in
    number = int(name.partition(":")[2] or 0)
    cupy = load_cupy()
    if number not in _checked:
        _check_card(cupy, name, number)
        _checked.add(number)
    cupy.cuda.Device(number).use()
    return cupy


def load_cupy() -> Any:
    """The module cupy. Raises DeviceError where it is not installed or does not load."""
    try:
        import cupy
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "cupy"
        what = "is not installed" if missing else f"does not load ({error})"
        raise DeviceError(f"CuPy {what}; {_right_cupy()}, or run with --device cpu") from error
    register_arrays(cupy.ndarray, cupy)
    return cupy


def driver_cuda() -> int | None:
    """The newest CUDA that the installed driver can run, as 1000 major + 10 minor; None: no driver.

    Asked of the driver itself, so that it is known without CuPy too.
    """
    version = ctypes.c_int()
    try:
        failed = ctypes.CDLL(_DRIVER).cuDriverGetVersion(ctypes.byref(version))
    except (OSError, AttributeError):
        return None
    return None if failed else version.value


def _check_card(cupy: Any, name: str, number: int) -> None:
    """Raise DeviceError unless card `number` is there, and driver, CuPy and card fit together."""
    driver, built = driver_cuda(), cupy.cuda.runtime.runtimeGetVersion()
    if driver is None:
        raise DeviceError(
            f"device {name!r}: no CUDA driver found ({_DRIVER}); install NVIDIA's driver, "
            "or run with --device cpu"
        )
    if driver // 1000 < built // 1000:
        raise DeviceError(
            f"device {name!r}: the driver runs CUDA {spelt(driver)} and the installed CuPy is "
            f"built for CUDA {built // 1000}; {_right_cupy()}, or run with --device cpu"
        )
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except RuntimeError as error:
        raise DeviceError(
            f"device {name!r}: the driver shows no card ({error}); look at nvidia-smi, "
            "or run with --device cpu"
        ) from error
    if number >= count:
        cards = "one card, cuda:0" if count == 1 else f"{count} cards, cuda:0 to cuda:{count - 1}"
        raise DeviceError(f"device {name!r}: this machine has {cards}")
    capability = cupy.cuda.Device(number).compute_capability
    if int(capability) < int(OLDEST_CARD):
        raise DeviceError(
            f"device {name!r} is a card of compute capability {_dotted(capability)}; minigan's "
            f"kernels need {_dotted(OLDEST_CARD)} or later; run with --device cpu"
        )


def _right_cupy() -> str:
    """How to install the CuPy that fits the driver."""
    driver = driver_cuda()
    if driver is not None and driver < 12000:
        return f"update the driver first, for it runs no CUDA beyond {spelt(driver)}"
    extra = "cuda12x" if driver is not None and driver < 13000 else "cuda13x"
    return f"pip install 'minigan[{extra}]'"


def spelt(version: int) -> str:
    """A version of CUDA in the usual spelling: 13.0 for 13000."""
    return f"{version // 1000}.{version % 1000 // 10}"


def _dotted(capability: str) -> str:
    return f"{capability[:-1]}.{capability[-1]}"


@contextmanager
def stand_in_for_cuda(module: Any) -> Iterator[None]:
    """Let `module` make the arrays of "cuda" inside a `with` block, as tests without a card do."""
    global _stand_in
    before, _stand_in = _stand_in, module
    try:
        yield
    finally:
        _stand_in = before


def register_arrays(array_type: type, module: Any) -> None:
    """Let arrays of `array_type` count as a device's, with the functions of `module`.

    CuPy's arrays register themselves; tests register a stand-in that lives in the CPU's memory.
    """
    _device_arrays[array_type] = module


def array_module(x: Any) -> Any:
    """The module that x's functions are found in: numpy, or cupy for an array on a card."""
    kind = type(x)
    if kind is np.ndarray:
        return np
    module = _device_arrays.get(kind)
    if module is None and kind.__module__.partition(".")[0] == "cupy":
        register_arrays(kind, module := sys.modules["cupy"])
    return np if module is None else module


def on_cuda(x: Any) -> bool:
    """Whether x lives on a card."""
    return array_module(x) is not np


def is_array(x: Any) -> bool:
    """Whether x is an array, on whatever device."""
    return isinstance(x, np.ndarray) or on_cuda(x)


def asarray(x: Any, device: str = "cpu") -> Array:
    """Anything that holds numbers as an array on `device`, without a copy where it lies there.

    x: an array of NumPy or CuPy, a tensor of PyTorch or of any library that speaks DLPack, a
    parameter, or numbers in lists. Layouts stay: minigan's pictures have their channels last.
    Raises DeviceError for a device that is not there, TypeError for what holds no numbers.
    """
    if is_array(x):
        return to_device(x, device)
    kind, _ = x.__dlpack_device__() if hasattr(x, "__dlpack_device__") else (_HOST, 0)
    if kind != _HOST:
        x = load_cupy().from_dlpack(x)
    found = np.asarray(x) if kind == _HOST else x
    if found.dtype == object:
        raise TypeError(f"{type(x).__name__} holds no numbers: give an array, a tensor or lists")
    return to_device(found, device)


def scalar(x: Any) -> Any:
    """The value of one number: a float on the CPU; on a card it stays there, for reading it waits.

    Losses return their values through this, so that a step copies nothing to the host.
    """
    return x if on_cuda(x) else float(x)


def to_host(x: Any) -> Array:
    """x as a NumPy array; itself if it is one. Waits for the card, so no step calls this."""
    module = array_module(x)
    return np.asarray(x) if module is np else module.asnumpy(x)


def to_device(x: Any, device: str) -> Array:
    """x as an array on `device`; itself if it is there already."""
    module = device_module(device)
    return to_host(x) if module is np else module.asarray(x)


def overwrite(target: Array, values: Array) -> None:
    """Write `values` into `target`, from whichever device to whichever."""
    module = array_module(target)
    if array_module(values) is not module:
        values = to_host(values) if module is np else module.asarray(values)
    target[...] = values


def joined(arrays: Sequence[Array], axis: int = 0) -> Array:
    """np.concatenate of as many arrays as you like, on a card too while a step is captured.

    CuPy sends the addresses of more than AT_ONCE arrays over to the card, which a capture refuses.
    """
    while on_cuda(arrays[0]) and len(arrays) > AT_ONCE:
        arrays = [
            np.concatenate(arrays[i : i + AT_ONCE], axis) for i in range(0, len(arrays), AT_ONCE)
        ]
    return np.concatenate(arrays, axis)


def stacked(arrays: Sequence[Array], axis: int = 0) -> Array:
    """np.stack of as many arrays as you like; see `joined`."""
    return joined([np.expand_dims(a, axis) for a in arrays], axis)


def keep_freed_memory() -> bool:
    """Let this process keep the memory that arrays free, instead of giving it back to the system.

    A training step frees and asks for the same large arrays again and again; taken from the system
    each time, every page of them is cleared and faulted in anew. True where the C library is glibc,
    which can be told so; nothing happens elsewhere.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(option, value) for option, value in _MALLOPT.items())


def make_rng(*seed: int) -> np.random.Generator:
    """A Generator over Philox, the counter-based generator, seeded by one or more integers >= 0.

    Different tuples of integers below 2^32 give independent streams: NumPy's SeedSequence hashes
    them, and their number with them, because to it (1,) and (1, 0) are the same. A second integer
    says what the stream is for: streams.Purpose lists them all.
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((len(seed), *seed))))


def check_rng(rng: Any) -> Any:
    """`rng` itself. Raises OptionError for what draws no random numbers, such as a bare seed."""
    if not hasattr(rng, "standard_normal"):
        raise OptionError(
            f"rng={rng!r}: wanted a generator of random numbers, such as minigan.make_rng(0)"
        )
    return rng


def rng_state(rng: np.random.Generator) -> dict[str, Any]:
    """The generator's whole state as plain integers, strings and lists, fit for JSON."""
    return _plain(rng.bit_generator.state)


def restore_rng(rng: np.random.Generator, state: dict[str, Any]) -> None:
    """Put back a state that `rng_state` returned."""
    kind = rng.bit_generator.state["bit_generator"]
    if state["bit_generator"] != kind:
        raise OptionError(f"random state of {state['bit_generator']} given to a {kind} generator")
    inner = {k: np.array(v, np.uint64) for k, v in state["state"].items()}
    rng.bit_generator.state = {
        **state,
        "state": inner,
        "buffer": np.array(state["buffer"], np.uint64),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return [int(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value
