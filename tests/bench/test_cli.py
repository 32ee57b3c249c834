"""The commands as a user runs them: what they refuse, and what tiny runs leave."""

import pytest
from click.testing import CliRunner

from bench import cli as commands
from bench.cli import cli
from bench.errors import BenchError, Unavailable
from bench.machine import cores
from bench.measure import Session, measure_step
from bench.remote import Worker
from bench.rows import append, read
from bench.work import Work
from tests.bench.rows import make_row

TINY = "--size 16 --width 4 --batch 2 --repeats 2 --sample 0.001"


@pytest.fixture
def unprobed(monkeypatch):
    """Without the process that finds PyTorch's fastest ways."""
    monkeypatch.setattr(Session, "choose", lambda self, work: {})


def run(line):
    return CliRunner().invoke(cli, line.split())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("step --device tpu", "unknown device 'tpu'; known: cpu, cuda"),
        ("step --precision tf32", "--precision tf32 of --device cpu: allowed there: float32"),
        ("step --device cuda --precision fp8", "allowed there: tf32, fp32, bf16"),
        ("step --no-graph", "on the CPU nothing is captured"),
        ("step --peers tensorflow", "peer 'tensorflow' is unknown; known: torch, torch-frozen"),
        ("step --peers torch-graph", "peer 'torch-graph' is no peer on cpu; known: torch,"),
        ("step --size 50", "--size 50: dcgan halves a picture"),
        ("step --arch mlp --width 7", "must be a multiple of 5"),
        ("step --arch vae", "'vae' is not one of"),
        ("step --batch 0", "must be at least 1"),
        ("step --threads 4096", f"may use {cores()} cores"),
        ("step --repeats 0", "--repeats"),
        ("memory --steps 5", "100 steps or more"),
        ("scaling --at 3", "--at needs one --axis"),
        ("scaling --counts one", "numbers of threads, such as 1,2"),
        ("report missing.json", "does not exist"),
        ("profile --device cuda", "CPU only"),
        ("scaling --device cuda", "CPU only"),
    ],
)
def test_what_cannot_be_is_one_line_and_a_code(line, said):
    result = run(line)
    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_step_leaves_a_row(tmp_path):
    file = tmp_path / "rows.json"
    result = run(f"step {TINY} --threads 1 --peers torch --json {file}")
    assert result.exit_code == 0, result.output
    (row,) = read(file)
    assert (row.bench, row.peer, row.threads, row.precision) == ("step", "torch", 1, "float32")
    assert row.detail["repeats"] == 2
    assert row.detail["ratio_min"] <= row.ratio <= row.detail["ratio_max"]
    assert row.detail["ours_first_ms"] > 0
    assert row.detail["choices"]["optimizer"] in ("fused", "foreach")
    assert max(row.detail["deviations"].values()) < 0.01
    assert "1 rows added" in result.output


def test_a_difference_stops_everything(monkeypatch, tmp_path, unprobed):
    """The peer is given another learning rate: no time is printed, the code is not 0."""
    honest = Worker.ask

    def ask(self, do, **given):
        if do == "step" and self.side != "ours":
            given["work"] = given["work"] | {"lr": 3e-4}
        return honest(self, do, **given)

    monkeypatch.setattr(Worker, "ask", ask)
    file = tmp_path / "rows.json"
    result = run(f"step {TINY} --threads 1 --json {file}")
    assert result.exit_code == 1
    assert "do not compute the same" in result.output
    assert "ratio" not in result.output
    assert not file.exists()


def test_a_peer_that_is_missing_is_skipped_with_a_line(monkeypatch):
    def choose(self, work):
        raise Unavailable("no compiler")

    monkeypatch.setattr(Session, "choose", choose)
    said = []
    session = Session(threads=1, repeats=1, sample=0.001, warm=0.001, say=said.append)
    assert measure_step(session, Work.of("dcgan", 16, 4, 2), ["torch-compile"]) == []
    assert said == ["torch-compile: skipped: no compiler"]


def test_a_worker_that_dies_is_an_error():
    with Worker("ours", 1) as worker:
        worker.process.kill()
        with pytest.raises(BenchError, match="the process of ours ended with -9"):
            worker.ask("first")


def test_a_profile_leaves_a_row(tmp_path):
    file = tmp_path / "rows.json"
    result = run(f"profile {TINY} --threads 1 --calls 1 --json {file}")
    assert result.exit_code == 0, result.output
    assert "convolution forward" in result.output
    (row,) = read(file)
    assert row.detail["families"]["norm forward"] > 0


def test_memory_leaves_a_row(tmp_path, unprobed):
    file = tmp_path / "rows.json"
    result = run(f"memory {TINY} --threads 1 --steps 100 --json {file}")
    assert result.exit_code == 0, result.output
    (row,) = read(file)
    assert row.detail["steps"] == 100
    assert row.detail["peer_process_mb"] > row.detail["ours_process_mb"] > 10


def test_counts_leave_a_row_without_a_card(tmp_path):
    file = tmp_path / "rows.json"
    result = run(f"counts --size 16 --width 4 --batch 2 --precision bf16 --json {file}")
    assert result.exit_code == 0, result.output
    (row,) = read(file)
    assert (row.bench, row.precision) == ("counts", "bf16")
    assert f"{row.detail['launches']} launches a step" in result.output


@pytest.mark.parametrize(
    ("missing", "code"), [([], 0), (["step: not started, 3 of 50 s were left"], 1)]
)
def test_all_on_a_card_says_where_its_rows_are_and_what_is_missing(
    monkeypatch, tmp_path, missing, code
):
    asked = {}

    def run_card(session, path, **how):
        asked.update(how, where=session.where)
        append(path, [make_row(device="cuda", precision="bf16")])
        return missing

    monkeypatch.setattr(commands, "run_card", run_card)
    monkeypatch.setattr(Session, "look_at_card", lambda self: None)
    result = run(f"all --device cuda --precision bf16 --tests --minutes 2 --out {tmp_path}")
    assert result.exit_code == code
    (file,) = tmp_path.glob("*.json")
    assert f"rows are in {file}" in result.output
    assert all(line in result.output for line in missing)
    assert asked == {
        "minutes": 2,
        "tests": True,
        "precision": "bf16",
        "where": ("cuda", "bf16", True),
    }
