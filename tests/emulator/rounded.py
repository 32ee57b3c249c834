"""Products in lower precision, exactly: factors rounded as a card rounds them, sums in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigan import cuda
from minigan.cuda.precision import precision
from minigan.ops.cuda import products

# Bits of mantissa of a factor, beside the leading one. float64 arrays ignore the precision's name.
MANTISSA = {"fp64": 52, "fp32": 23, "tf32": 10, "bf16": 7, "bf16_wgmma": 7}


def to_tf32(x: np.ndarray) -> np.ndarray:
    """The 13 lowest of 23 bits rounded away, ties away from zero."""
    bits = x.astype(np.float32).view(np.uint32) + np.uint32(0x1000)
    return (bits & np.uint32(0xFFFFE000)).view(np.float32).astype(np.float64)


def to_bf16(x: np.ndarray) -> np.ndarray:
    """The 16 lowest bits rounded away, ties to even."""
    bits = x.astype(np.float32).view(np.uint32)
    bits = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (bits & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)


def widened(x: np.ndarray) -> np.ndarray:
    """x in float64, nothing lost."""
    return x.astype(np.float64)


ROUND: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "fp64": widened,
    "fp32": widened,
    "tf32": to_tf32,
    "bf16": to_bf16,
    "bf16_wgmma": to_bf16,
}


class Choice:
    """A row of products.PRECISIONS for a `with` block, and how its factors are rounded."""

    def __init__(self, name: str) -> None:
        self.name, self.dtype = name, np.dtype(np.float64 if name == "fp64" else np.float32)
        self.round = ROUND[name]

    def __enter__(self) -> Choice:
        self.before = precision(), products.WGMMA
        if self.name != "fp64":
            cuda.set_precision(self.name.removesuffix("_wgmma"))
        products.WGMMA = self.name.endswith("_wgmma")
        return self

    def __exit__(self, *error: object) -> None:
        cuda.set_precision(self.before[0])
        products.WGMMA = self.before[1]


def check_product(
    ours: np.ndarray,
    product: Callable[[np.ndarray, np.ndarray], np.ndarray],
    a: np.ndarray,
    b: np.ndarray,
    name: str,
    terms: int,
) -> None:
    """`ours` is product(a, b), bilinear, each of whose numbers is a sum of `terms` products.

    Against rounded factors only the sums' rounding remains: about sqrt(terms) half-units of
    float32 of the sums on the way, whose size is the root of the sum of squares. Against factors
    as given, each of two is off by at most half a unit of its mantissa, so independent errors add
    up to under one unit times the root of the sum of squares. Both with room to spare (16, 4).
    """
    unit = 2.0**-52 if name == "fp64" else 2.0**-23
    spread = np.sqrt(product(widened(a) ** 2, widened(b) ** 2)) + 1e-30
    exact = np.abs(ours - product(ROUND[name](a), ROUND[name](b))) / spread
    assert ours.dtype == a.dtype
    assert exact.max(initial=0) <= 16 * unit * np.sqrt(terms + 1), f"{name}: {exact.max():.1e}"
    if MANTISSA[name] < 23:
        off = np.abs(ours - product(widened(a), widened(b))) / spread
        assert off.max(initial=0) <= 4 * 2.0 ** -MANTISSA[name], f"{name}: {off.max():.1e}"
