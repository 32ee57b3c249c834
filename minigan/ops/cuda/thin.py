"""Launches of kernels/thin_conv.cu: convolutions that have at most 4 channels on one side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from minigan.cuda.shapes import THREADS, ceil_div
from minigan.ops.cuda.products import OCCUPIED, Plan
from minigan.ops.patches import Pair

FEW = 4  # channels of a thin picture, and places, pixels or entries of a thread
LANES = 16  # share a pixel of dx
BLOCKS = 4 * OCCUPIED  # that a sum over places is split among
SHORTEST_RUN = 64  # places of a split
WIDE_ROW = 256  # channels from which a whole block takes one place


@dataclass(frozen=True, slots=True)
class Geometry:
    """A convolution from x (N, H, W, C) to y (N, OH, OW, O)."""

    x_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    def numbers(self) -> tuple[int, ...]:
        """The integers of a convolution kernel, in its order."""
        pairs = (*self.kernel_size, *self.stride, *self.padding, *self.dilation)
        return (*self.x_shape, *self.y_shape[1:], *pairs)

    @property
    def places(self) -> int:
        """Positions of the kernel in all pictures."""
        n, oh, ow, _ = self.y_shape
        return n * oh * ow

    @property
    def entries(self) -> int:
        """Rows of w as a matrix."""
        return self.kernel_size[0] * self.kernel_size[1] * self.x_shape[-1]

    @property
    def phases(self) -> int:
        """Pixels of x that meet different taps."""
        return self.stride[0] * self.stride[1]

    @property
    def phase_places(self) -> int:
        """Pixels of x in the largest phase."""
        n, h, w, _ = self.x_shape
        return n * ceil_div(h, self.stride[0]) * ceil_div(w, self.stride[1])


def plan(symbol: str, geometry: Geometry) -> Plan | None:
    """How to compute conv2d, conv2d_dx or conv2d_dw on a thin picture; None where none is thin."""
    for side, channels in (("few_in", geometry.x_shape[-1]), ("few_out", geometry.y_shape[-1])):
        if channels <= FEW:
            return PLANS[symbol, side](geometry)
    return None


def _y_few_in(g: Geometry) -> Plan:
    threads = ceil_div(g.places, FEW) * ceil_div(g.y_shape[-1], 4)
    return Plan("", "few_in", (ceil_div(threads, THREADS), 1), (THREADS,))


def _y_few_out(g: Geometry) -> Plan:
    across = THREADS if g.x_shape[-1] >= WIDE_ROW else 32
    down = THREADS // across
    return Plan("", "few_out", (ceil_div(g.places, down), 1), (across, down))


def _dx_few_in(g: Geometry) -> Plan:
    blocks = ceil_div(g.phase_places, FEW * THREADS // LANES)
    return Plan("", "few_in", (blocks, g.phases), (THREADS,))


def _dx_few_out(g: Geometry) -> Plan:
    blocks = ceil_div(g.phase_places * g.x_shape[-1], THREADS)
    return Plan("", "few_out", (blocks, g.phases), (THREADS,))


def _dw_few_in(g: Geometry) -> Plan:
    runs = ceil_div(g.kernel_size[1] * g.x_shape[-1], FEW)
    return _dw("few_in", g.kernel_size[0] * runs * ceil_div(g.y_shape[-1], 4), g.places)


def _dw_few_out(g: Geometry) -> Plan:
    return _dw("few_out", g.entries, g.places)


def _dw(kernel: str, threads: int, places: int) -> Plan:
    blocks = ceil_div(threads, THREADS)
    splits = max(1, min(BLOCKS // max(1, blocks), places // SHORTEST_RUN))
    return Plan("", kernel, (blocks, splits), (THREADS,), splits=splits)


PLANS: dict[tuple[str, str], Callable[[Geometry], Plan]] = {
    ("conv2d", "few_in"): _y_few_in,
    ("conv2d", "few_out"): _y_few_out,
    ("conv2d_dx", "few_in"): _dx_few_in,
    ("conv2d_dx", "few_out"): _dx_few_out,
    ("conv2d_dw", "few_in"): _dw_few_in,
    ("conv2d_dw", "few_out"): _dw_few_out,
}
