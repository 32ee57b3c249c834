"""Faults planted into copies of the products' sources: each is caught by what the tests compare."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from minigan import cuda
from minigan.errors import KernelError
from minigan.ops.cuda import products
from tests.emulator import build
from tests.emulator.arrays import emulated
from tests.emulator.rounded import Choice, check_product
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.test_conv import arrays, check_triad, only
from tests.emulator.test_gemm import factors

pytestmark = pytest.mark.skipif(
    build.SANITIZING, reason="planted faults touch memory that is not theirs"
)

# One kernel of a family each, so that a copy compiles in a moment.
GEMM = '#include "gemm.cuh"\n#include "product_{header}.cuh"\n'
KERNELS = {
    "gemm": GEMM.format(header="simt")
    + "GEMM_KERNEL(gemm_nn_small_f32, SimtSmall, false, false, float)\n",
    "gemm_tf32": GEMM.format(header="mma")
    + "GEMM_KERNEL(gemm_nn_small_f32, Tf32Small, false, false, float)\n",
    "gemm_bf16": GEMM.format(header="mma")
    + "GEMM_KERNEL(gemm_nn_small_f32, Bf16Small, false, false, float)\n",
}
PRECISION = {"gemm": "fp32", "gemm_tf32": "tf32", "gemm_bf16": "bf16"}


def sources(family: str, header: str, before: str, after: str) -> dict[str, Path]:
    """Copies of all headers, one of them changed, and a kernel that includes them.

    In a folder that stays, as what is compiled from it does.
    """
    name = hashlib.sha256(f"{family}{header}{before}{after}".encode()).hexdigest()[:12]
    folder = build.CACHE / "faults" / name
    folder.mkdir(parents=True, exist_ok=True)
    for path in build.KERNELS.glob("*.cuh"):
        shutil.copyfile(path, folder / path.name)
    text = (folder / header).read_text()
    assert text.count(before) == 1, f"{before!r} is {text.count(before)} times in {header}"
    (folder / header).write_text(text.replace(before, after))
    source = folder / f"{family}.cu"
    source.write_text(KERNELS[family])
    return {family: source}


FAULTS = {
    "no barrier between storing and reading a tile": (
        "gemm",
        "product_simt.cuh",
        "            keep(feed_b, next_b, right[buffer]);\n            __syncthreads();",
        "            keep(feed_b, next_b, right[buffer]);",
    ),
    "one buffer where two are needed": ("gemm", "product_simt.cuh", "buffer ^= 1;", ";"),
    "no barrier after waiting for copies": (
        "gemm_tf32",
        "product_mma.cuh",
        "wait_for_copies<STAGES - 2>();\n            __syncthreads();",
        "wait_for_copies<STAGES - 2>();",
    ),
    "a tile is overwritten that others still read": (
        "gemm_tf32",
        "product_mma.cuh",
        "            __syncthreads();\n            request(tile + STAGES - 1);",
        "            request(tile + STAGES - 1);\n            __syncthreads();",
    ),
    "copies are waited for one too late": (
        "gemm_tf32",
        "product_mma.cuh",
        "wait_for_copies<STAGES - 2>()",
        "wait_for_copies<STAGES - 1>()",
    ),
    "factors are cut off, not rounded": (
        "gemm_tf32",
        "product_mma.cuh",
        "return to_tf32(__uint_as_float(word));",
        "return word;",
    ),
    "two words of a fragment change places": (
        "gemm_tf32",
        "product_mma.cuh",
        "row + 16 * i + 8 * (e % 2)",
        "row + 16 * i + 8 * (e / 2)",
    ),
    "halves of a bf16 word change places": (
        "gemm_bf16",
        "product_mma.cuh",
        "to_bf16x2(from[i][e], from[i + 1][e])",
        "to_bf16x2(from[i + 1][e], from[i][e])",
    ),
    "rows beyond the end are written": (
        "gemm",
        "operand.cuh",
        "return row < count ? row * columns : -1;",
        "return row * columns;",
    ),
    "a split begins where the last one began": (
        "gemm",
        "operand.cuh",
        "const int begin = min(split * each * tile, k);",
        "const int begin = min((split ? split - 1 : 0) * each * tile, k);",
    ),
}


def computed(family, sources):
    """A product at once and in three splits, and what lies behind it in memory."""
    precision = PRECISION[family]
    tile = products.PRECISIONS[precision].aligned[1]
    sizes = m, n, k = 60, 64, 152
    memory = emulated.empty((2 * m * n,), np.float32)  # NaNs
    out = memory[: m * n].reshape(m, n)
    with cuda.use_runtime(EmulatorRuntime(1, sources=sources)), Choice(precision):
        a, b = factors(sizes, "nn", np.float32, 0)
        operands = emulated.asarray(a), emulated.asarray(b)
        for splits in (1, 3):
            plan = products.Plan(
                *(tile.file, tile.name, (1, splits)),
                *((tile.threads,), tile.shared, splits),
            )
            products.run("gemm", "gemm_nn", plan, operands, out, sizes)
            check_product(out.get(), np.matmul, a, b, precision, k)
            assert np.isnan(memory[m * n :].get()).all()


@pytest.mark.parametrize("family", PRECISION)
def test_nothing_planted_is_right(family):
    computed(family, sources(family, "gemm.cuh", "#pragma once", "#pragma once"))


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught(fault):
    family, header, before, after = FAULTS[fault]
    changed = sources(family, header, before, after)
    with pytest.raises((AssertionError, KernelError)):
        computed(family, changed)


# --- faults of convolutions: the same comparison, one kernel of each of the triad -----------------

CONV = """#include "conv.cuh"
#include "product_simt.cuh"
CONV_KERNELS(scalar_f32, SimtScalar<float>, float)
"""
KERNELS["conv"] = CONV
CONV_FAULTS = {
    "a place in the padding is read": (
        "return static_cast<unsigned>(row) < static_cast<unsigned>(vertical.size) &&",
        "return",
    ),
    "a phase takes its neighbour's taps": (
        "p.first = ((phase - padding) % stride + stride) % stride;",
        "p.first = phase % stride;",
    ),
    "taps of a phase lie too close": (
        "p.tap_stride * dilation % stride != 0) ++p.tap_stride;",
        "false) ++p.tap_stride;",
    ),
    "places are counted without their stride": (
        "row = vertical.origin + i * vertical.place_step;",
        "row = vertical.origin + i;",
    ),
    "a quotient is off for some numbers": (
        "<< 32) / by.divisor + 1);",
        "<< 32) / by.divisor);",
    ),
}


@pytest.mark.parametrize("fault", CONV_FAULTS)
def test_fault_of_a_convolution_is_caught(fault):
    changed = sources("conv", "conv.cuh", *CONV_FAULTS[fault])
    geometry = (2, (7, 9), (3, 5), (2, 3), (2, 1), (1, 1))
    scalar = products.PRECISIONS["fp32"].scalar
    runtime = EmulatorRuntime(2, sources=changed)
    with only("fp32", scalar), cuda.use_runtime(runtime), Choice("fp32") as choice:
        data = arrays(geometry, (5, 6), choice.dtype, 3)
        with pytest.raises((AssertionError, KernelError)):
            check_triad(*data, "fp32")
