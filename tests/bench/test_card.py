"""The measurements of a card, as far as they run without one."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from bench import card_standard, cards, measure, memory, ops_ours, roofline, same, timing
from bench.card_standard import Item, run_card
from bench.cards import Memory, memory_hook
from bench.cli import cli
from bench.errors import BenchError, NotTheSame, TimeUp
from bench.measure import Session, measure_step
from bench.ops import MANY_LOGITS, Case, cases_of, measure_ops
from bench.peers import card as torch_card
from bench.peers.step import TorchStep
from bench.roofline import best_rates, shares
from bench.rows import read
from bench.steps import OurStep
from bench.where import CPU, Where
from bench.work import Work
from minigan import backend, cuda
from tests.bench.card import ClockCard, NearWorker
from tests.bench.rows import make_row
from tests.emulator import build
from tests.emulator.arrays import emulated
from tests.emulator.runtime import EmulatorRuntime

WORK = Work.of("dcgan", 16, 4, 2)
CARD = Where("cuda", "fp32")


@pytest.fixture
def card(monkeypatch):
    """A pretended card, in the place of CuPy's; workers in this process."""
    if build.COMPILER is None:
        pytest.skip("no C++ compiler (g++ or clang++) to run kernels with")
    for module in (cards, timing, memory):
        monkeypatch.setattr(module, "card_of", lambda side: ClockCard())
    monkeypatch.setattr(measure, "Worker", NearWorker)
    monkeypatch.setattr(NearWorker, "asked", [])
    before = cuda.precision()
    with backend.stand_in_for_cuda(emulated), cuda.use_runtime(EmulatorRuntime()):
        yield
    cuda.set_precision(before)


@pytest.fixture
def session():
    return Session(
        where=CARD, threads=1, repeats=1, sample=1e-3, warm=1e-3, pause=0, say=lambda text: None
    )


def test_a_step_on_a_card_leaves_rows(card, session):
    session.look_at_card()
    (row,) = measure_step(session, WORK, ["torch"])
    assert (row.device, row.precision, row.detail["form"]) == ("cuda", "fp32", "graph")
    assert row.machine.startswith("A Card, ")
    assert row.versions["driver"] == "1.2, CUDA 13.0"
    assert max(row.detail["deviations"].values()) < 1e-3
    assert row.ours_ms > 0


def test_what_is_checked_is_captured_too(card):
    step = OurStep(WORK, 1, CARD)
    start = {k.removeprefix("0."): a for k, a in step.trace().items() if k.startswith("0.")}
    eager = OurStep(WORK, 1, CARD._replace(graph=False)).trace(start)
    captured = step.trace(start)
    assert all(np.array_equal(captured[k], eager[k]) for k in eager)
    for _ in range(4):
        step.run()
    assert step.advance.captured == 1


def test_a_replayed_step_that_is_wrong_is_found(card, monkeypatch):
    peer = TorchStep(WORK, "torch", 1)
    honest = cuda.StepGraph.__call__
    monkeypatch.setattr(cuda.StepGraph, "__call__", lambda self, x: honest(self, x * x))
    trace = OurStep(WORK, 1, CARD).trace()
    start = {k.removeprefix("0."): a for k, a in trace.items() if k.startswith("0.")}
    with pytest.raises(NotTheSame, match="step 1"):
        same.compare(trace, peer.trace(start), "torch", "fp32")


def test_both_precisions_are_checked_and_the_exact_one_first(card, session):
    session.where = Where("cuda", "bf16")
    row = measure_step(session, Work.of("dcgan", 16, 8, 8), ["torch"])[0]
    traced = [given["precision"] for side, do, given in NearWorker.asked if do == "trace"]
    assert traced == ["fp32", "fp32", "bf16", "bf16"]
    assert cuda.precision() == "bf16"
    assert max(row.detail["deviations"].values()) > 1e-3  # the emulated products were rounded


@pytest.mark.parametrize(
    "case",
    [
        Case(op="conv", direction="dw", batch=2, side=8, cin=4, cout=8),
        Case(op="conv_transpose", direction="forward", batch=2, side=4, cin=8, cout=4),
        Case(op="norm_leaky_relu", direction="dx", batch=2, side=4, cin=8),
        Case(op="loss", direction="all", batch=8),
        Case(op="adam", direction="all", batch=2, cin=100),
    ],
    ids=str,
)
def test_copies_of_an_operation_take_turns_in_one_graph(card, monkeypatch, case):
    monkeypatch.setattr("bench.ops.ROTATED_BYTES", 3 * case.bytes)
    op = ops_ours.build(case, 1, CARD)
    assert op.per_run == 3
    launched = len(cuda.current_runtime().launched)
    results = op.run()
    assert len(cuda.current_runtime().launched) == launched  # replayed, not launched anew
    if case.op == "conv_transpose":
        addresses = {r[0].__cuda_array_interface__["data"][0] for r in results}
        assert len(addresses) == 3
    found = {k: backend.to_host(a) for k, a in op.outputs().items()}
    wanted = ops_ours.build(case, 1).outputs()
    assert same.check_outputs(found, wanted, str(case)) < 1e-5


def test_operations_on_a_card_leave_rows_of_one_of_the_copies(card, session, monkeypatch):
    cases = [
        Case(op="conv", direction="forward", batch=2, side=8, cin=4, cout=8),
        Case(op="norm_relu", direction="forward", batch=2, side=4, cin=8),
    ]
    monkeypatch.setattr("bench.ops.cases_of", lambda work, where: cases)
    monkeypatch.setattr("bench.ops.MOST_COPIES", 2)
    rows = measure_ops(session, [WORK])
    assert [r.detail["op"] for r in rows] == ["conv 8x8, 4 to 8", "norm_relu 4x4x8"]
    rates = {"flops": 1e12, "bytes": 1e12}
    conv, norm = shares(rows, rates)
    assert conv.detail["channels"] == 4
    assert norm.detail["copy_share"] == pytest.approx(1.5 * norm.detail["share"])


def test_an_operation_that_fails_is_left_out_and_time_ends_the_rest(card, session, monkeypatch):
    cases = [Case(op="loss", direction="all", batch=n) for n in (2, 3, 4, 5)]
    monkeypatch.setattr("bench.ops.cases_of", lambda work, where: cases)
    honest, said = ops_ours.build, []

    def build_some(case, *how):
        if case.batch == 3:
            raise BenchError("no")
        if case.batch == 5:
            raise TimeUp("the time is up")
        return honest(case, *how)

    monkeypatch.setattr(ops_ours, "build", build_some)
    session.say = said.append
    rows = measure_ops(session, [WORK])
    assert [r.detail["op"] for r in rows] == ["loss 2 logits", "loss 4 logits"]
    assert any("loss 3 logits all: not measured: no" in line for line in said)


@pytest.mark.parametrize("case", [*cases_of(Work.of("dcgan"), CARD)], ids=str)
def test_the_copies_are_more_than_a_cache_holds(case):
    """The largest L2 cache so far holds 126 MB; 64 copies of a small operation do not fill it."""
    assert case.copies == 64 or case.copies * case.bytes >= 1 << 28
    assert case.copies == 1 or (case.copies - 1) * case.bytes < 1 << 28


def test_a_card_has_a_loss_that_is_large():
    extra = [c for c in cases_of(WORK, CARD) if c not in [*cases_of(WORK, CPU)]]
    assert [c.batch for c in extra] == [MANY_LOGITS]


def test_rates_of_both_sides_are_kept(card, session, monkeypatch):
    monkeypatch.setitem(roofline.PRODUCT_SIZES, "cuda", (8,))
    monkeypatch.setitem(roofline.PRODUCT_SIZES, "cpu", (8,))
    for device in ("cpu", "cuda"):
        monkeypatch.setitem(roofline.COPY_BYTES, device, 1 << 10)
    rates = best_rates(session)
    assert rates["flops"] == max(rates["ours_flops"], rates["torch_flops"])
    assert rates["bytes"] == rates["ours_bytes"] > 0


def test_memory_of_a_card_is_what_its_library_says(card, session):
    found = memory.measure("ours", 1, WORK.to_json(), steps=20, where=CARD)
    assert (found["peak"], found["reserved"]) == (3 << 20, 5 << 20)
    row = session.row("memory", WORK, "torch", **memory.summary(found, found, 100))
    assert (row.ratio, row.detail["ours_mb"], row.detail["peer_reserved_mb"]) == (1, 3, 5)
    assert row.detail["ours_growth"] == 0
    assert "taken from the driver 5 and 5 MB" in memory.line(row)


def test_the_hook_keeps_the_peak_of_what_is_in_use():
    kept = Memory()
    hook = memory_hook(object, kept)
    hook.alloc_postprocess(device_id=0, mem_size=2048, mem_ptr=1)
    hook.malloc_postprocess(device_id=0, size=500, mem_size=512, mem_ptr=1, pmem_id=1)
    hook.malloc_postprocess(device_id=0, size=1000, mem_size=1024, mem_ptr=2, pmem_id=2)
    hook.free_postprocess(device_id=0, mem_size=1024, mem_ptr=2, pmem_id=2)
    hook.malloc_postprocess(device_id=0, size=200, mem_size=512, mem_ptr=3, pmem_id=3)
    assert kept == Memory(peak=1536, reserved=2048)


@pytest.mark.parametrize(
    ("precision", "tf32", "autocast"),
    [("tf32", True, False), ("fp32", False, False), ("bf16", False, True)],
)
def test_pytorch_computes_in_the_same_precision(precision, tf32, autocast):
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    try:
        context = torch_card.set_precision(Where("cpu", precision))
        assert torch.backends.cuda.matmul.allow_tf32 is tf32
        assert torch.backends.cudnn.allow_tf32 is tf32
        with context():
            made = torch.ones(2, 2) @ torch.ones(2, 2)
        assert made.dtype == (torch.bfloat16 if autocast else torch.float32)
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def test_a_step_of_pytorch_in_bf16_is_near_its_own():
    """Its autocast reaches every forward pass; parameters and losses stay float32."""
    ours, peer = OurStep(WORK, 1), TorchStep(WORK, "torch", 1)
    start = {k.removeprefix("0."): a for k, a in ours.trace().items() if k.startswith("0.")}
    exact = peer.trace(start)
    with peer.computing("bf16"):
        rounded = peer.trace(start)
    apart = same.compare(rounded, exact, "torch", "bf16")
    assert apart["gradient_D"] > 1e-4
    again = peer.trace(start)
    assert all(np.array_equal(again[k], exact[k]) for k in exact)


def test_the_graph_of_a_peer_begins_where_the_check_says(monkeypatch):
    """A capture that is no graph: it warms up, so the weights must be put back after it."""

    def recorded(call, aside=None):
        for _ in range(torch_card.WARM_UP + 1):
            call()
        return call

    monkeypatch.setattr("bench.peers.step.captured", recorded)
    ours, peer = OurStep(WORK, 1), TorchStep(WORK, "torch", 1)
    peer.peer = peer.peer._replace(graphed=True)
    trace = ours.trace()
    start = {k.removeprefix("0."): a for k, a in trace.items() if k.startswith("0.")}
    assert max(same.compare(trace, peer.trace(start), "torch-graph").values()) < 1e-3


def test_as_much_is_measured_as_there_is_time_for(session, tmp_path, monkeypatch):
    said = []
    session.say = said.append

    def fail(session, stored):
        raise NotTheSame("they differ")

    def hang(session, stored):
        import time

        time.sleep(60)

    row = make_row(device="cuda", precision="tf32")
    items = [
        Item("first", "tf32", 0, lambda s, stored: [row]),
        Item("failing", "tf32", 0, fail),
        Item("long", "tf32", 3600, fail),
        Item("other", "bf16", 0, lambda s, stored: [make_row(precision=s.where.precision)]),
        Item("hanging", "tf32", 0, hang),
        Item("none", "fp32", 0, lambda s, stored: []),
    ]
    monkeypatch.setattr(card_standard, "ITEMS", items)
    missing = run_card(session, tmp_path / "rows.json", minutes=0.05)
    assert [r.precision for r in read(tmp_path / "rows.json")] == ["tf32", "bf16"]
    assert missing[0] == "failing, tf32: they differ"
    assert missing[1].startswith("long, tf32: not started, ")
    assert missing[2] == "hanging, tf32: stopped, the time is up"
    assert missing[3].startswith("none, fp32: ")
    assert len(missing) == 4


def test_one_failure_on_a_card_costs_no_other_row(session, tmp_path, monkeypatch):
    session.where, session.say = Where("cuda", "tf32"), str

    def measure(session, stored):
        session.failed("step beside torch-graph", NotTheSame("they differ"))
        return [make_row(device="cuda", precision="tf32")]

    monkeypatch.setattr(card_standard, "ITEMS", [Item("step", "tf32", 1, measure)] * 2)
    missing = run_card(session, tmp_path / "rows.json", minutes=1)
    assert missing == ["step, tf32: step beside torch-graph: not measured: they differ"] * 2
    assert len(read(tmp_path / "rows.json")) == 2
    session.where = Where("cpu")
    with pytest.raises(NotTheSame, match="they differ"):
        session.failed("step", NotTheSame("they differ"))


def test_both_sides_start_from_the_same_numbers_in_bf16():
    a = np.random.default_rng(0).standard_normal((50, 40)).astype(np.float32)
    a[0, :4] = [1.00390625, 1.01171875, -0.0, 3e38]  # two ties, to even each
    theirs = torch.from_numpy(a).bfloat16().float().numpy()
    np.testing.assert_array_equal(ops_ours._rounded(a, Where("cuda", "bf16")), theirs)
    assert ops_ours._rounded(a, Where("cuda", "tf32")) is a


@pytest.mark.parametrize(
    ("code", "limit", "said", "passed"),
    [
        ("print('..'); print('2 passed in 1s')", 60, "2 passed in 1s", True),
        ("print('1 failed'); exit(1)", 60, "1 failed", False),
        ("import time; time.sleep(60)", 1, "stopped after 1 s", False),
        # A process of its own keeps the pipe open; it is stopped as well.
        (
            "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time;"
            " time.sleep(600)'])",
            2,
            "stopped after 2 s",
            False,
        ),
    ],
)
def test_the_outcome_of_the_parity_tests(monkeypatch, code, limit, said, passed):
    monkeypatch.setattr(card_standard, "TESTS", (card_standard.TESTS[0], "-c", code))
    assert card_standard.run_tests(limit) == (said, passed)


@pytest.mark.skipif(backend.driver_cuda() is not None, reason="this machine has a card's driver")
@pytest.mark.parametrize("command", ["all --tests", "step", "ops", "roofline", "memory"])
def test_without_a_card_one_line_says_so(command, tmp_path):
    result = CliRunner().invoke(cli, [*command.split(), "--device", "cuda"])
    assert result.exit_code == 1
    assert "CuPy" in result.output or "driver" in result.output
    assert result.output.count("\n") == 1
