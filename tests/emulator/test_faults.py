"""A fault planted in a copy of a kernel is caught: barriers, indices and memory beyond an array."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from minigan import cuda
from minigan.errors import KernelError
from minigan.ops import channels, norm, pool, random, resample
from tests.emulator import build
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.twins import assert_same, on_card

pytestmark = pytest.mark.skipif(
    build.SANITIZING or build.COMPILER is None,
    reason="needs a C++ compiler, and runs beside the sanitizer's pass",
)


def planted(family: str, file: str, old: str, new: str) -> dict[str, Path]:
    """Sources with kernels/FAMILY.cu in which `file`, itself or a header, has `new` for `old`.

    In a folder of the fault's own, so that it is compiled once.
    """
    fault = hashlib.sha256("\0".join((family, file, old, new)).encode()).hexdigest()[:20]
    folder = build.CACHE / "faults" / fault
    folder.mkdir(parents=True, exist_ok=True)
    for name in {f"{family}.cu", file}:
        text = (build.KERNELS / name).read_text(encoding="utf-8")
        if name == file:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    return {family: folder / f"{family}.cu"}


def draw(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def sums():
    assert_same(channels.channel_sum, draw(70, 40), terms=70)


def instance_norm():
    assert_same(norm.normalize, draw(3, 4, 7), (1,), 1e-5, factor=4)


def pooling():
    assert_same(pool.avg_pool, draw(1, 4, 5, 3), (2, 3), (1, 2), (1, 0))


def enlarging():
    assert_same(resample.upsample_bilinear, draw(2, 3, 4, 2), (2, 3))


def noise():
    state = np.arange(6, dtype=np.uint64)
    ours = random.uniform(on_card(state), (9,), 0.0, 1.0, np.float64).get()
    np.testing.assert_array_equal(ours, random.uniform(state, (9,), 0.0, 1.0, np.float64))


TREE = "        __syncthreads();\n        if (lane < half) {"

WRONG_RESULTS = {
    "a barrier dropped in the tree": (
        sums,
        "reduce",
        "columns.cuh",
        TREE,
        "        if (lane < half) {",
    ),
    "a tree that stops early": (
        sums,
        "reduce",
        "columns.cuh",
        "half; half /= 2",
        "half > 1; half /= 2",
    ),
    "a wrong statistic": (
        *(instance_norm, "norm", "columns.cuh"),
        *("slice * size, base = slice * columns", "slice * size, base = 0"),
    ),
    "a wrong column": (
        *(instance_norm, "norm", "columns.cuh"),
        *("if (++column == columns) column = 0;", "if (++column == columns) column = 1;"),
    ),
    "rows and columns of a window exchanged": (
        *(pooling, "pool", "pool.cu"),
        *("top + k / kw, x = left + k % kw", "top + k % kw, x = left + k / kw"),
    ),
    "the wrong neighbour": (
        *(enlarging, "resample", "resample.cu"),
        *("high = low + 1 < size ? low + 1 : low;", "high = low;"),
    ),
    "a round too few": (noise, "random", "random.cu", "round < 10", "round < 9"),
}


@pytest.mark.parametrize("fault", WRONG_RESULTS)
@pytest.mark.parametrize("seed", range(3))
def test_a_wrong_result_is_seen(fault, seed):
    work, *where = WRONG_RESULTS[fault]
    with cuda.use_runtime(EmulatorRuntime(seed)):
        work()
    sources = planted(*where)
    with cuda.use_runtime(EmulatorRuntime(seed, sources=sources)), pytest.raises(AssertionError):
        work()


DIVERGENT = {
    "a barrier in a branch": (
        *("columns.cuh", TREE, "        if (lane < half) {\n            __syncthreads();"),
        *("waits at the barrier of columns.cuh:", "while thread"),
    ),
    "threads that leave early": (
        *("columns.cuh", "        meet(c, total);\n        if (lane || column", None),
        *("has left the kernel", "waits at the barrier of columns.cuh:"),
    ),
}


@pytest.mark.parametrize("fault", DIVERGENT)
def test_a_divergent_barrier_is_an_error(fault):
    file, old, new, *words = DIVERGENT[fault]
    new = new or old.replace("meet(", "if (column >= c.columns) return;\n        meet(")
    sources = planted("reduce", file, old, new)
    with cuda.use_runtime(EmulatorRuntime(sources=sources)):
        with pytest.raises(
            KernelError, match=r"kernel reduce\.sum_f32: divergent barrier"
        ) as error:
            sums()
        for word in words:
            assert word in str(error.value)


def test_a_launch_after_an_error_is_right():
    """The fibers that were given up leave nothing behind."""
    file, old, new, *_ = DIVERGENT["a barrier in a branch"]
    with (
        cuda.use_runtime(EmulatorRuntime(sources=planted("reduce", file, old, new))),
        pytest.raises(KernelError),
    ):
        sums()
    with cuda.use_runtime(EmulatorRuntime()):
        sums()


def test_a_fault_that_is_not_planted_would_be_seen():
    with pytest.raises(AssertionError, match="stands 0 times"):
        planted("reduce", "reduce.cu", "not there", "")
