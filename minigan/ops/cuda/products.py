"""Which kernel computes a product of matrices or a convolution on a card, and how it is launched.

Every product is D (M, N) = A (M, K) B (K, N), computed by blocks of threads that take one tile of D
each (kernels/product_simt.cuh, product_mma.cuh). Three kernels for each precision:

    wide     128 x 128    the most operations for each number read; 128 x 64 in fp32
    small     64 x  64    where D has too few wide tiles to occupy a card
    scalar    64 x  64    where rows do not start at multiples of 16 bytes

Where even small tiles are too few and K is long, K is split among blocks: each writes its sums to a
workspace, and kernels/split_sum.cu adds them in a fixed order. Nothing depends on the card or on
timing, so results are the same to the bit from run to run and from card to card.

The choice was made by counting tiles, not by measuring on a card.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.launcher import launch
from minigan.cuda.precision import precision
from minigan.cuda.shapes import ceil_div, flat, suffix
from minigan.errors import KernelError, ShapeError, UnknownNameError

# A card is taken to be occupied by one tile for each of the H200's multiprocessors; a split aims at
# two. Not the number of the card at hand: the order of a sum would depend on it.
OCCUPIED = 132
# A split sums at least this many products, so that adding up the splits stays cheap.
SHORTEST_RUN = 512
MOST_NUMBERS = 2**31 - 1  # kernels count an array's numbers in 32 bits
MOST_BLOCKS_Y = 65535

# As kernels/common.cuh numbers them.
ACTIVATIONS = {"none": 0, "relu": 1, "leaky_relu": 2, "tanh": 3}


@dataclass(frozen=True, slots=True)
class Tile:
    """One kernel: the endings of its name and of its file's, the tile of a block, the launch."""

    name: str
    m: int
    n: int
    threads: int
    shared: int = 0  # dynamic, bytes
    file: str = ""


@dataclass(frozen=True, slots=True)
class Precision:
    """Kernels of one precision: those that want aligned rows, best first; one for any rows."""

    aligned: tuple[Tile, ...]
    scalar: Tile


def _mma(file: str, stages: int, name: str, size: int, threads: int) -> Tile:
    """Of kernels/product_mma.cuh: shared memory holds operands in stages, or sums on their way."""
    shared = 4 * max(stages * 2 * size * 20, size * (size + 8))
    return Tile(name, size, size, threads, shared, file)


_BF16 = (
    _mma("_bf16", 2, "wide", 128, 256),
    _mma("_bf16", 2, "small", 64, 128),
    _mma("_bf16", 2, "scalar", 64, 256),
)

PRECISIONS = {
    "fp64": Precision((), Tile("scalar", 64, 64, 256)),
    "fp32": Precision(
        (Tile("wide", 128, 64, 256), Tile("small", 64, 64, 256)), Tile("scalar", 64, 64, 256)
    ),
    "tf32": Precision(
        (_mma("_tf32", 4, "wide", 128, 128), _mma("_tf32", 4, "small", 64, 128)),
        _mma("_tf32", 4, "scalar", 64, 256),
    ),
    "bf16": Precision(_BF16[:2], _BF16[2]),
    # Of kernels/product_wgmma.cuh: the sums on their way are more than two buffers of operands.
    "bf16_wgmma": Precision(
        (Tile("wide", 128, 128, 256, 4 * 128 * (128 + 8), "_wgmma"), _BF16[1]), _BF16[2]
    ),
}

# Whether wide bf16 products use wgmma, which needs sm_90a. Not before they were run on such a card:
# the CPU runs their sources, but not the instruction.
WGMMA = False


@dataclass(frozen=True, slots=True)
class Finish:
    """What becomes of the sums: act(alpha sum + bias + what was there)."""

    bias: Array | None = None
    alpha: float = 1.0
    activation: str = "none"
    slope: float = 0.0  # of leaky_relu
    accumulate: bool = False

    def arguments(self, dtype: np.dtype) -> tuple[Any, ...]:
        """The last arguments of every kernel of products."""
        if self.activation not in ACTIVATIONS:
            raise UnknownNameError("fused activation", self.activation, ACTIVATIONS)
        code = ACTIVATIONS[self.activation]
        real = dtype.type
        return real(self.alpha), real(self.slope), np.int32(code), np.int32(self.accumulate)


PLAIN = Finish()


@dataclass(frozen=True, slots=True)
class Plan:
    """A product's kernel and launch."""

    file: str  # the ending of the file's name
    kernel: str  # the ending of the kernel's
    grid: tuple[int, int]
    block: tuple[int, ...]
    shared: int = 0  # dynamic, bytes
    splits: int = 1

    def __post_init__(self) -> None:
        if self.grid[0] > MOST_NUMBERS or self.grid[1] > MOST_BLOCKS_Y:
            raise KernelError(f"a product needs {self.grid} blocks; use a smaller batch or stride")


def plan(m: int, n: int, k: int, dtype: np.dtype, *, vectors: bool, phases: int = 1) -> Plan:
    """How to compute `phases` products (m, k) (k, n). Raises KernelError beyond a launch's limits.

    `vectors`: whether rows of all operands start at multiples of 16 bytes.
    """
    kernels = PRECISIONS[_name(dtype)]
    tiles = kernels.aligned if vectors and kernels.aligned else (kernels.scalar,)
    for tile in tiles:
        blocks = ceil_div(m, tile.m) * ceil_div(n, tile.n) * phases
        splits = _splits(blocks, k)
        fills = m > tile.m // 2 and n > tile.n // 2
        if fills and blocks * splits >= OCCUPIED:
            break
    grid = (ceil_div(m, tile.m) * ceil_div(n, tile.n), phases * splits)
    return Plan(tile.file, tile.name, grid, (tile.threads,), tile.shared, splits)


def _name(dtype: np.dtype) -> str:
    if dtype == np.float64:
        return "fp64"
    return "bf16_wgmma" if WGMMA and precision() == "bf16" else precision()


def _splits(blocks: int, k: int) -> int:
    if blocks >= OCCUPIED or blocks == 0:
        return 1
    return max(1, min(ceil_div(2 * OCCUPIED, blocks), k // SHORTEST_RUN))


def run(
    family: str,
    symbol: str,
    chosen: Plan,
    operands: tuple[Array, Array],
    out: Array,
    shape: tuple[int, ...],
    finish: Finish = PLAIN,
) -> Array:
    """Launch kernels/FAMILY.cu's SYMBOL as planned; its sums, finished, are in `out`.

    `shape` holds the kernel's integers. The last axis of `out` is the product's n.
    """
    kernel = f"{family}{chosen.file}.{symbol}_{chosen.kernel}{suffix(out)}"
    finish = _with_fitting_bias(finish, out)
    ends = finish.arguments(out.dtype)
    splits = np.int32(chosen.splits)
    one = chosen.splits == 1
    target = out if one else array_module(out).empty((chosen.splits, *out.shape), out.dtype)
    launch(
        kernel,
        chosen.grid,
        chosen.block,
        *(*operands, finish.bias, target),
        *(np.int32(i) for i in shape),
        *(splits, *ends),
        shared=chosen.shared,
    )
    if not one:
        add_splits(target, out, finish)
    return out


def _with_fitting_bias(finish: Finish, out: Array) -> Finish:
    """`finish` with its bias contiguous. Raises ShapeError where it does not fit the output."""
    bias, columns = finish.bias, out.shape[-1]
    if bias is None:
        return finish
    if bias.shape != (columns,) or bias.dtype != out.dtype:
        raise ShapeError(
            f"a bias {bias.shape} of {bias.dtype} for {columns} columns of {out.dtype}"
        )
    return replace(finish, bias=array_module(out).ascontiguousarray(bias))


def add_splits(parts: Array, out: Array, finish: Finish = PLAIN) -> None:
    """out = act(alpha sum of parts (splits, ...) + bias + out), in the order of the splits."""
    launch(
        f"split_sum.split_sum{suffix(out)}",
        *flat(out.size),
        *(parts, finish.bias, out, np.int64(out.size), np.int32(out.shape[-1])),
        *(np.int32(parts.shape[0]), *finish.arguments(out.dtype)),
    )


def starts_on_vectors(*operands: tuple[Array, int]) -> bool:
    """Whether each array, read in rows of the given length, has rows at multiples of 16 bytes."""
    return all(length % 4 == 0 and _address(x) % 16 == 0 for x, length in operands)


def _address(x: Any) -> int:
    return int(x.__cuda_array_interface__["data"][0])


def check_sizes(*arrays: Array) -> None:
    """Raise KernelError for an array whose numbers 32 bits do not count, or of mixed dtypes."""
    for x in arrays:
        if x.size > MOST_NUMBERS:
            raise KernelError(
                f"an array {x.shape} holds {x.size} numbers; kernels take up to {MOST_NUMBERS}; "
                "use a smaller batch"
            )
        if x.dtype != arrays[0].dtype:
            raise KernelError(f"arrays of {arrays[0].dtype} and {x.dtype} do not multiply")
