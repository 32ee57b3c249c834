"""`bench all` measures what the targets speak of, and stores it as it goes."""

import pytest

from bench import standard
from bench.errors import NotTheSame
from bench.measure import Session
from bench.rows import read
from bench.targets import verdicts
from tests.bench.rows import SPREAD, STEP, make_row

OP = {"op": "conv", "pass": "dx", "kind": "conv", "flops": 1, "bytes": 1, "choices": {}}
LONG = {"steps": 1000, "ours_growth": 0.0}


def row_of(bench, work, **changed):
    return make_row(
        bench, arch=work.arch, size=work.size, width=work.width, batch=work.batch, **changed
    )


@pytest.fixture
def measured(monkeypatch):
    """Every measurement replaced by rows as it would return them; which peers were asked for."""
    asked = {}

    def step(session, work, peers):
        asked[work] = peers
        return [row_of("step", work, peer=peer, detail=STEP) for peer in peers]

    def ops(session, works):
        return [row_of("ops", work, detail=SPREAD | OP) for work in works]

    def memory(session, work, peers, steps=0):
        return [row_of("memory", work, detail=LONG | {"steps": steps})]

    monkeypatch.setattr(standard, "measure_step", step)
    monkeypatch.setattr(standard, "measure_ops", ops)
    monkeypatch.setattr(standard, "measure_memory", memory)
    monkeypatch.setattr(standard, "best_rates", lambda session: {"flops": 1e11, "bytes": 1e10})
    monkeypatch.setattr(standard, "measure_profile", lambda s, work, n: row_of("profile", work))
    monkeypatch.setattr(standard, "measure_scaling", lambda s, sweeps, threads: [])
    return asked


def quiet():
    return Session(threads=2, say=lambda text: None)


def test_every_target_is_measured(measured, tmp_path):
    path = standard.run_all(quiet(), tmp_path / "rows.json")
    assert all(v.met is not None for v in verdicts(read(path)))
    assert {"torch", "torch-frozen"} <= set.intersection(*map(set, measured.values()))
    assert any("torch-compile" in peers for peers in measured.values())


def test_compiling_can_be_left_out(measured, tmp_path):
    standard.run_all(quiet(), tmp_path / "rows.json", compiled=False)
    assert not any("torch-compile" in peers for peers in measured.values())


def test_the_file_is_named_by_machine_and_day(measured, tmp_path, monkeypatch):
    monkeypatch.setattr(standard, "RESULTS", tmp_path)
    session = quiet()
    session.machine = "A (TM) processor, 2 cores, 8 GB"
    path = standard.run_all(session, None)
    assert path.parent == tmp_path
    assert path.name.startswith("a-processor-2-cores-8-gb-20")
    assert path.suffix == ".json"


def test_what_was_measured_before_a_failure_is_kept(measured, tmp_path, monkeypatch):
    def fail(*args):
        raise NotTheSame("ours and torch do not compute the same")

    monkeypatch.setattr(standard, "measure_ops", fail)
    with pytest.raises(NotTheSame):
        standard.run_all(quiet(), tmp_path / "rows.json")
    assert {row.bench for row in read(tmp_path / "rows.json")} == {"step"}
