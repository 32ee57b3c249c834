"""RESULTS.md from stored rows: every row is in it, and every target has its word."""

from dataclasses import replace

import pytest

from bench.errors import BenchError
from bench.report import write_report
from bench.rows import append
from bench.targets import convolution_sums, verdicts
from tests.bench.rows import SPREAD, STEP, make_row

RATES = {"flops": 3e11, "bytes": 2e10}
ROOF = {
    "bound": "products",
    "share": 0.75,
    "product_share": 0.75,
    "flops": 10**9,
    "bytes": 1,
    "rates": RATES,
}


def conv(direction, ours, peer, **changed):
    detail = SPREAD | {
        "op": "conv 64x64, 3 to 64",
        "pass": direction,
        "kind": "conv",
        "choices": {"form": "channels_last"},
    }
    fields = {"ours_ms": ours, "peer_ms": peer, "ratio": ours / peer, "detail": detail}
    return make_row("ops", **(fields | changed))


MEMORY = {"ours_mb": 80.0, "peer_mb": 100.0, "ours_process_mb": 200.0, "peer_process_mb": 500.0}
LONG = MEMORY | {"steps": 1000, "ours_growth": 0.2, "peer_growth": 0.0}
TIMELESS = {"ours_ms": None, "peer_ms": None}

ROWS = [
    make_row(),
    make_row(peer="torch-compile", ratio=0.9),
    make_row(arch="mlp", size=28, width=1200, ratio=0.71),
    conv("forward", 4.0, 10.0),
    conv("dx", 6.0, 10.0),
    make_row("roofline", peer="floor", detail=ROOF | {"op": "step", "pass": "all", "kind": "step"}),
    make_row("memory", ratio=0.8, detail=MEMORY, **TIMELESS),
    make_row("memory", size=16, width=16, batch=16, ratio=1.5, detail=LONG, **TIMELESS),
    make_row("profile", peer="none", detail={"families": {"norm forward": 3.0, "loss": 1.0}}),
    *(
        make_row(
            "scaling",
            size=32,
            width=32,
            batch=n,
            threads=t,
            ours_ms=n / t + 1,
            peer_ms=2 * n / t + 2,
            ratio=0.5,
            detail=STEP | {"axis": "batch"},
        )
        for t in (1, 2)
        for n in (1, 16, 256)
    ),
]


@pytest.fixture
def page(tmp_path):
    append(tmp_path / "stored.json", ROWS)
    out = tmp_path / "RESULTS.md"
    write_report([tmp_path / "stored.json"], out, tried=tmp_path / "none.md")
    return out


def test_the_page_has_the_rows_and_their_setting(page):
    text = page.read_text()
    for part in (
        "## A processor, 2 cores, 8 GB",
        "numpy 2.0",
        "| dcgan, size 64, width 64, batch 64 | 2 | `torch` | 700 | 1,000 | **0.700** |",
        "| conv 64x64, 3 to 64 | dx | 6 | 10 | 0.600 | 0.60 to 0.80, 7 pairs | channels_last |",
        "300 Gflop/s",
        "| 75% | 75% |",
        "| dcgan, size 16, width 16, batch 16 | `torch` | 80 | 100 | **1.500** |",
        "| not flat |",
        "| norm forward | 3 | 75.0% |",
        "t = 1 + 0.5 batch ms",
        "python -m bench memory --size 16 --width 16 --batch 16 --steps 1000",
    ):
        assert text.count(part) == 1, part


def test_the_page_shows_its_plot(page):
    (plot,) = (page.parent / "results").glob("*.svg")
    assert f"](results/{plot.name})" in page.read_text()
    assert "PyTorch, 2 threads" in plot.read_text()


def test_the_same_rows_give_the_same_bytes(page, tmp_path):
    files = [page, *(page.parent / "results").glob("*.svg")]
    before = [f.read_bytes() for f in files]
    write_report([tmp_path / "stored.json"], page, tried=tmp_path / "none.md")
    assert [f.read_bytes() for f in files] == before


def test_every_target_has_its_word(page):
    words = {(v.what.split(",")[0], v.peer): (v.measured, v.word) for v in verdicts(ROWS)}
    assert words["whole DCGAN step", "torch-compile"] == ("0.900", "missed")
    assert words["MLP pair", "torch"] == ("", "not measured yet")  # at batch 512
    assert words["convolutions of the width-64 network (size 64): forward", "torch"] == (
        "0.500",
        "met",
    )
    assert words["share of the machine's matrix-product rate", "this machine"] == ("75%", "met")
    assert words["a DCGAN step's peak memory", "torch"] == ("0.800", "met")
    assert words["growth of the peak memory over 1", "itself"] == ("+20.00%", "missed")
    text = page.read_text()
    assert (
        "| whole DCGAN step, size 64, width 64, batch 64 | `torch` | ≤ 0.75 | 0.700 | met |" in text
    )
    assert "| MLP pair, size 28, width 1200, batch 64 | `torch` | ≤ 0.70 | 0.710 | missed |" in text


def test_the_convolutions_are_summed_before_they_are_divided():
    other = [conv("dw", 1.0, 1.0, size=32), replace(conv("dw", 1.0, 1.0), peer="none")]
    assert convolution_sums([conv("dx", 1.0, 10.0), conv("dw", 9.0, 10.0), *other]) == (10, 20)
    assert convolution_sums([]) is None


def test_fewer_threads_are_no_verdict():
    rows = [make_row(), make_row(threads=1, ratio=0.2)]
    measured = [v.measured for v in verdicts(rows) if v.measured]
    assert measured == ["0.700"]


@pytest.mark.parametrize(("share", "said"), [(0.01, False), (0.5, True)])
def test_a_busy_machine_is_said(tmp_path, share, said):
    """One row that was disturbed is enough."""
    rows = [
        make_row(peer=peer, detail=STEP | {"busy": busy})
        for peer, busy in (("torch", 0.0), ("torch-frozen", share), ("torch-compile", 0.01))
    ]
    append(tmp_path / "stored.json", rows)
    write_report([tmp_path / "stored.json"], tmp_path / "RESULTS.md", tried=tmp_path / "none.md")
    text = (tmp_path / "RESULTS.md").read_text()
    assert ("**Not on a quiet machine**: other programs used up to 50%" in text) == said


def test_what_was_tried_is_added(tmp_path):
    append(tmp_path / "stored.json", ROWS[:1])
    (tmp_path / "TRIED.md").write_text("## What was tried\n\nMuch.\n")
    out = tmp_path / "RESULTS.md"
    write_report([tmp_path / "stored.json"], out, tried=tmp_path / "TRIED.md")
    assert out.read_text().endswith("## What was tried\n\nMuch.\n")


def test_nothing_stored_is_an_error(tmp_path):
    with pytest.raises(BenchError, match="bench all"):
        write_report([], tmp_path / "RESULTS.md")
