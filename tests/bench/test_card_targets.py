"""The targets of a card, from rows that are written down; and what the page says of a card."""

from dataclasses import replace

import pytest

from bench.card_targets import COPY_KINDS, LARGE, card_verdicts
from bench.counts import count
from bench.ops import cases_of
from bench.report import settings, verdicts_of, write_report
from bench.rows import append
from bench.where import Where
from bench.work import Work
from minigan import cuda
from tests.bench.rows import STEP, make_row

H200 = {"device": "cuda", "precision": "tf32", "machine": "A card, a processor"}


def step(peer, ratio, form="graph", **changed):
    return make_row(peer=peer, ratio=ratio, detail=STEP | {"form": form}, **(H200 | changed))


def roof(kind, *, ms=1.0, size=2 * LARGE, copy=0.9, product=0.7, channels=64):
    detail = {"op": kind, "pass": "dx", "kind": kind, "bytes": size, "flops": 1}
    shares = {"copy_share": copy, "product_share": product, "channels": channels}
    more = {"bound": "memory", "share": 0.9, "rates": {"flops": 1e14, "bytes": 4e12}}
    return make_row("roofline", peer="floor", ours_ms=ms, detail=detail | shares | more, **H200)


def conv(ours, peer, channels):
    detail = {"op": "conv", "pass": "dx", "kind": "conv", "channels": channels}
    spread = {"ratio_min": 1.0, "ratio_max": 1.0, "repeats": 3, "choices": {}, "flops": 1}
    ms = {"ours_ms": ours, "peer_ms": peer, "ratio": ours / peer}
    return make_row("ops", detail=detail | spread, **ms, **H200)


def word(rows, what, peer):
    (found,) = [v for v in card_verdicts(rows) if v.what.startswith(what) and v.peer == peer]
    return found.measured, found.word


WIDE = "whole DCGAN step, size 64, width 64, batch 64"


@pytest.mark.parametrize(
    ("peer", "ratio", "said"),
    [
        ("torch", 0.5, "met"),
        ("torch", 0.51, "missed"),
        ("torch-graph", 0.83, "met"),
        ("torch-graph", 0.84, "missed"),
    ],
)
def test_steps(peer, ratio, said):
    assert word([step(peer, ratio)], WIDE, peer) == (f"{ratio:.3f}", said)


def test_the_small_step_has_its_own_limit():
    small = "whole DCGAN step, size 32, width 32, batch 64"
    for ratio, said in ((0.2, "met"), (0.21, "missed")):
        assert word([step("torch", ratio, size=32, width=32)], small, "torch")[1] == said


def test_a_step_without_its_graph_or_on_the_cpu_is_no_verdict():
    rows = [step("torch", 0.1, form="eager"), step("torch", 0.1, device="cpu")]
    assert word(rows, WIDE, "torch") == ("", "not measured yet")


def test_bandwidth_is_that_of_the_worst_large_operation():
    rows = [
        roof("norm_relu", copy=0.85),
        roof("norm_leaky_relu", copy=0.79),
        roof("norm_relu", copy=0.1, size=1 << 20),
        roof("loss", copy=0.8),
        roof("adam", copy=0.5),
    ]
    assert word(rows, "normalisation", "this card") == ("79%", "missed")
    assert word(rows, "loss", "this card") == ("80%", "met")
    assert word(rows, "optimiser", "this card") == ("50%", "missed")


def test_wide_convolutions_count_by_their_time():
    """Half of the rate for 3 ms and all of it for 1 ms: five eighths of the operations."""
    rows = [
        roof("conv", ms=3, product=0.5),
        roof("conv_transpose", ms=1, product=1.0),
        roof("conv", ms=50, product=0.01, channels=3),
    ]
    assert word(rows, "wide convolutions together: share", "this card") == ("62%", "met")
    assert word(rows[:1], "wide convolutions together: share", "this card")[1] == "missed"


def test_wide_convolutions_are_summed_against_cudnn():
    rows = [conv(3.0, 2.0, 64), conv(1.0, 2.0, 128), conv(9.0, 1.0, 3)]
    assert word(rows, "wide convolutions together, against", "torch") == ("1.000", "met")
    assert word([*rows, conv(2.1, 2.0, 64)], "wide convolutions together, against", "torch") == (
        "1.017",
        "missed",
    )


def test_the_standard_network_has_operations_that_are_large_enough():
    found = [c for c in cases_of(Work.of("dcgan"), Where("cuda")) if c.bytes >= LARGE]
    for kinds in COPY_KINDS.values():
        assert any(c.op in kinds for c in found)


def test_without_rows_nothing_is_met():
    assert {v.word for v in card_verdicts([make_row(ratio=0.1)])} == {"not measured yet"}


def page(tmp_path, rows):
    append(tmp_path / "stored.json", rows)
    out = tmp_path / "RESULTS.md"
    write_report([tmp_path / "stored.json"], out, tried=tmp_path / "none.md")
    return out.read_text()


@pytest.fixture
def counted():
    before = cuda.precision()
    yield count(Work.of("dcgan", 16, 8, 4), Where("cuda", "tf32"))
    cuda.set_precision(before)


def test_before_a_card_the_page_says_that_nothing_was_timed(tmp_path, counted):
    text = page(tmp_path, [make_row(), counted, replace(counted, precision="bf16")])
    launches = counted.detail["launches"]
    for part in (
        "## CUDA: counted, not yet measured",
        f"| {WIDE} | `torch` | ≤ 0.5 | not measured yet |",
        f"| dcgan, size 16, width 8, batch 4 | tf32 | {launches} |",
        "| D | conv 16x16, 3 to 8 | dw | 2 |",
        "copies 3 small arrays",
    ):
        assert part in text
    assert "no card: counted" not in text
    assert text.count("| D | conv 16x16, 3 to 8 | dw | 2 |") == 1


def test_a_measured_card_has_a_section_for_each_precision(tmp_path, counted):
    memory = {"ours_mb": 8.0, "peer_mb": 9.0, "ours_reserved_mb": 20.0, "peer_reserved_mb": 30.0}
    rows = [
        make_row(),
        step("torch", 0.4),
        step("torch", 0.6, form="eager"),
        step("torch", 0.3, precision="bf16"),
        roof("loss"),
        make_row("memory", ours_ms=None, peer_ms=None, detail=memory, **H200),
        counted,
    ]
    text = page(tmp_path, rows)
    titles = [title for title, _ in settings(rows)]
    assert titles == ["A processor, 2 cores, 8 GB", *(f"A card, a processor, {p}" for p in PAIR)]
    for part in (
        *(f"## {title}\n" for title in titles),
        f"| {WIDE} | `torch` | ≤ 0.5 | 0.400 | met |",
        "| dcgan, size 64, width 64, batch 64, ours without a graph |",
        "The best tf32 matrix product here does 100000 Gflop/s",
        "| 8 | 9 | **0.700** |  | 20 | 30 |",
        "The most bytes of the card in use at once",
        "## CUDA: counted\n",
        "A card, a processor, tf32, A card, a processor, bf16",
    ):
        assert part in text
    assert "not yet measured" not in text
    on_cpu, on_card = (verdicts_of(own) for _, own in settings(rows)[:2])
    assert any(v.what.startswith("MLP pair") for v in on_cpu)
    assert not any(v.what.startswith("MLP pair") for v in on_card)


PAIR = ("tf32", "bf16")
