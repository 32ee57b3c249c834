"""What a user can do about an error of CuPy's that no check could foresee."""

from __future__ import annotations

from minigan.backend import load_cupy
from minigan.cuda.facts import memory

SMALLER = "lower --batch, --width or --size, or give --precision bf16"


def explained(error: BaseException) -> str | None:
    """A line for the command line, None for an error that does not come from a card.

    CuPy's errors are known by name: CuPy may not be installed.
    """
    kind = type(error)
    if kind.__module__.partition(".")[0] not in ("cupy", "cupy_backends"):
        return None
    if kind.__name__ == "OutOfMemoryError":
        return f"out of device memory: {_asked(error)}; {memory(load_cupy())}; {SMALLER}"
    if kind.__name__ in ("CUDARuntimeError", "CUDADriverError"):
        return (
            f"the card failed: {error}; look at nvidia-smi, then `minigan resume` goes on from the "
            "last checkpoint"
        )
    return None


def _asked(error: BaseException) -> str:
    """CuPy's own sentence, which says how much was asked for, without its end."""
    return str(error).strip().rstrip(".")
