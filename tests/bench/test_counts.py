"""Launches are noted as a step makes them; operations and bytes are those of the shapes."""

from collections import Counter

import numpy as np
import pytest

from bench.counts import count, launches, parts
from bench.recording import CUPY, RecordedArray, recorded, recording
from bench.shapes import step_bytes, step_flops
from bench.steps import OurStep
from bench.where import Where
from bench.work import Work
from minigan import backend, cuda
from minigan.cuda.launcher import launch
from tests.emulator import build
from tests.emulator.arrays import emulated
from tests.emulator.runtime import EmulatorRuntime

SMALL = Work.of("dcgan", 16, 8, 4)
WORKS = [Work.of("dcgan"), Work.of("dcgan", 32, 32, 16), Work.of("mlp")]


@pytest.fixture(autouse=True)
def precision():
    before = cuda.precision()
    yield
    cuda.set_precision(before)


@pytest.mark.parametrize("work", WORKS, ids=str)
def test_the_parts_make_up_the_step(work):
    found = parts(work)
    assert sum(p["times"] * p["flops"] for p in found) == step_flops(work)
    assert sum(p["times"] * p["bytes"] for p in found) == step_bytes(work)


@pytest.mark.parametrize("work", [SMALL, Work.of("mlp", 8, 20, 4)], ids=str)
def test_a_step_launches_the_kernels_that_a_card_would(work):
    """The emulator really runs the step, and notes the kernels that it runs."""
    if build.COMPILER is None:
        pytest.skip("no C++ compiler (g++ or clang++) to run kernels with")
    where = Where("cuda", "tf32", graph=False)
    runtime = EmulatorRuntime()
    with backend.stand_in_for_cuda(emulated), cuda.use_runtime(runtime):
        step = OurStep(work, 1, where)
        step.run()
        runtime.launched.clear()
        step.run()
    noted, _ = launches(work, where._replace(graph=True))
    ours = Counter(f"{n.family}.{n.symbol}" for n in noted if n.family != CUPY)
    assert ours == Counter(runtime.launched)


def test_a_replay_copies_the_examples_and_the_rates_alone():
    _, replay = launches(SMALL, Where("cuda", "tf32"))
    assert [n.symbol for n in replay] == ["overwrite"] * 3
    assert replay[-1].bytes == 2 * SMALL.examples().nbytes


def test_the_graph_holds_what_a_step_does_but_for_the_rates():
    captured, _ = launches(SMALL, Where("cuda", "tf32"))
    with recording() as recorder:
        step = OurStep(SMALL, 1, Where("cuda", "tf32", graph=False))
        step.run()
        recorder.launches.clear()
        step.run()
    rates = [n for n in recorder.launches if n not in captured]
    assert {n.symbol for n in rates} <= {"overwrite"}
    assert len(captured) == len(recorder.launches) - 2


def test_a_row_of_counts():
    row = count(SMALL, Where("cuda", "bf16"))
    assert (row.bench, row.device, row.precision, row.ours_ms) == ("counts", "cuda", "bf16", None)
    assert row.detail["launches"] == sum(row.detail["families"].values())
    assert row.detail["launches"] == sum(row.detail["kernels"].values())
    assert row.detail["families"]["optim"] == 2
    assert any(name.startswith("conv_bf16.") for name in row.detail["kernels"])


def noted(work):
    with recording() as recorder:
        x = recorded.zeros((4, 4), np.float32)
        recorder.launches.clear()
        result = work(x)
    return [(n.family, n.symbol) for n in recorder.launches], result


@pytest.mark.parametrize(
    ("work", "names"),
    [
        (lambda x: x + 1, ["add"]),
        (lambda x: x.reshape(-1)[3:].T, []),
        (lambda x: x.astype(np.float32, copy=False), []),
        (lambda x: x.astype(np.float64), ["astype"]),
        (lambda x: np.split(x, 2), []),
        (lambda x: np.concatenate([x, x]), ["concatenate"]),
        (lambda x: np.sqrt(x, out=x), ["sqrt"]),
        (lambda x: x.fill(0), ["fill"]),
        (lambda x: recorded.empty_like(x), []),
        (lambda x: recorded.zeros_like(x), ["zeros_like"]),
        (lambda x: recorded.ascontiguousarray(x), []),
        (lambda x: recorded.ascontiguousarray(x.T), ["ascontiguousarray"]),
    ],
)
def test_what_makes_numbers_is_noted_and_views_are_not(work, names):
    found, result = noted(work)
    assert found == [(CUPY, name) for name in names]
    first = result[0] if isinstance(result, list) else result
    assert result is None or isinstance(first, RecordedArray)


def test_a_kernel_is_noted_with_its_launch_and_arrays():
    with recording() as recorder:
        x = recorded.empty((4, 8), np.float32)
        launch("family.symbol", (3, 2), (32,), x, None, np.int32(5))
    (found,) = recorder.launches
    assert (found.blocks, found.threads, found.bytes) == (6, 32, 128)
    assert not isinstance(np.zeros(3) + 1, RecordedArray)
