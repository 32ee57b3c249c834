"""The precision of matrix products and convolutions on a card, a choice made once.

"tf32": factors are rounded to 10 bits of mantissa, sums kept in float32. PyTorch's convolutions do
so by default. "fp32": float32 throughout. "bf16": factors rounded to 7 bits of mantissa, sums and
parameters kept in float32. Arrays of float64 are always computed in float64.
"""

from __future__ import annotations

from minigan.errors import UnknownNameError

PRECISIONS = ("tf32", "fp32", "bf16")

_precision = "tf32"


def set_precision(name: str) -> None:
    """Compute products on the card in `name` from now on. Raises UnknownNameError for another."""
    global _precision
    if name not in PRECISIONS:
        raise UnknownNameError("precision", name, PRECISIONS)
    _precision = name


def precision() -> str:
    """The name that `set_precision` was given, "tf32" before."""
    return _precision
