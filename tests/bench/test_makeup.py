"""`bench makeup`: what it measures, the page, and a training of each run."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import makeup
from bench.makeup import RUNS, MakeupCase, measured, section, verdicts
from bench.translation import encoded
from minigan.algorithms.translation.cyclegan import CycleGAN
from minigan.algorithms.translation.pairedcyclegan import PairedCycleGAN
from minigan.backend import make_rng
from minigan.data import open_references


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(makeup, "SIZE", 16)
    monkeypatch.setattr(makeup, "MEASURED", 4)
    monkeypatch.setattr(makeup, "SHARED", makeup.SHARED | {"width": 2, "patch": 7, "halvings": 2})


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("run", RUNS)
def test_every_run_trains_and_is_measured(run: str, tmp_path: Path) -> None:
    case = MakeupCase(run, 0, 1)
    assert case.key == f"{run}-1-seed0"
    found = case.play()
    assert found["error"] is None
    assert set(found["values"]) == set(found["nothing"]) == set(makeup.HEADS)
    text = section([found], tmp_path / "RESULTS.md")
    assert RUNS[run].summary in text
    assert "| the warped references themselves | 0.0" in text
    assert (tmp_path / "results/makeup-1.png").exists() == (run == "full")


@pytest.mark.usefixtures("small")
def test_cyclegan_s_generators_have_the_same_form_and_no_reference() -> None:
    full, cycle = (makeup.trained(MakeupCase(run, 0, 1)) for run in ("full", "cyclegan"))
    assert isinstance(full, PairedCycleGAN)
    assert isinstance(cycle, CycleGAN)
    sizes = [{name: net.flat.size for name, net in m.translators.items()} for m in (full, cycle)]
    assert sizes[0]["F"] == sizes[1]["F"]
    assert sizes[0]["G"] - sizes[1]["G"] == 7 * 7 * 3 * 2  # of the reference's channels
    x, y = make_rng(0).uniform(-1, 1, (2, 3, 16, 16, 3)).astype(np.float32)
    same = makeup.put_on(cycle, x, y) == makeup.put_on(cycle, x, y[::-1])
    assert same.all()
    assert (makeup.put_on(full, x, y) != makeup.put_on(full, x, y[::-1])).any()


def test_what_is_measured_is_the_distance_to_the_truth() -> None:
    known = open_references("faces-makeup", size=16).known(20, make_rng(0))
    perfect = measured(known, known.applied, known.x, known.removed)
    assert perfect["error"] == perfect["where"] == perfect["error bare"] == 0
    assert (perfect["told apart"], perfect["similarity"]) == (1, pytest.approx(1))
    nothing = measured(known, known.x, known.x, known.y)
    assert nothing["told apart"] == 0.5
    there = np.abs(known.applied - known.x).max(-1) > 0.1
    by_hand = [np.abs(known.applied - known.x)[i][there[i]].mean() for i in range(20)]
    assert nothing["where"] == pytest.approx(np.mean(by_hand), rel=1e-5)
    assert nothing["error"] == pytest.approx(np.abs(known.applied - known.x).mean(), rel=1e-5)
    assert measured(known, known.x, known.applied, known.y)["told apart"] == 0


def result(run: str, where: float, seed: int = 0, **other: float) -> dict:
    values = dict.fromkeys(makeup.HEADS, 0.25) | {"where": where} | other
    row = np.zeros((8, 16, 16, 3), np.float32)
    return {
        "run": run,
        "seed": seed,
        "steps": 7,
        "error": None,
        "values": values,
        "nothing": dict.fromkeys(makeup.HEADS, 0.5),
        "pictures": {"x": encoded(row), "made": encoded(row + 1)},
    }


def test_the_page_says_whether_claims_came_out(tmp_path: Path) -> None:
    results = [result("full", 0.1), result("full", 0.2, 1), result("cyclegan", 0.3)]
    text = section(results, tmp_path / "RESULTS.md")
    assert "| PairedCycleGAN, all terms | 0.250 | 0.150 |" in text
    assert "| nothing done | 0.500 | 0.500 |" in text
    assert "0.150 against 0.300 (where makeup is; 2 and 1 seeds), as claimed." in text
    assert "bare face better than CycleGAN: 0.250 against 0.250" in text
    assert "not as claimed" in text
    assert "7 steps" in text
    with Image.open(tmp_path / "results/makeup-7.png") as sheet:
        assert sheet.height > sheet.width / 8
    assert verdicts({"full": results[:2], "cyclegan": []}) == []


def test_runs_that_ran_away_are_left_out(tmp_path: Path) -> None:
    failed = {"run": "full", "seed": 0, "steps": 7, "error": "the loss is nan", "seconds": 1.0}
    assert "No run came to an end" in section([failed], tmp_path / "RESULTS.md")
