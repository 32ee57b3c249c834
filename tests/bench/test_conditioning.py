"""bench conditioning: every way trains and is measured, and what the page says of results."""

import base64
import io
import json

import pytest
from click.testing import CliRunner
from PIL import Image

from bench import trainings
from bench.cli import cli
from bench.conditioning import RUNS, ConditioningCase, build, section
from minigan.models.conditional import DISCRIMINATORS, GENERATORS


def result(run, accuracy, seed=0, **other):
    found = {"run": run, "seed": seed, "steps": 7, "error": None, "accuracy": accuracy}
    found |= {"real": 0.99, "fid": 3.25, "seconds": 90.0, "panel": picture()}
    return found | other


def picture():
    """A small PNG in text."""
    buffer = io.BytesIO()
    Image.new("L", (12, 12), 128).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_every_way_has_a_run():
    assert {run.settings.get("d_sees") for run in RUNS.values()} >= set(DISCRIMINATORS)
    assert {run.settings.get("g_sees", "input") for run in RUNS.values()} == set(GENERATORS)
    for name, run in RUNS.items():
        third = build(run, 0, 5).wrong_pairs
        assert (third == "whole") == ("three terms" in run.summary), name


def test_a_run_is_trained_and_measured():
    found = ConditioningCase("auxiliary", 0, steps=1).play()
    assert found["error"] is None
    assert 0 <= found["accuracy"] <= 1
    assert found["real"] > 0.95
    assert found["fid"] > 10
    json.dumps(found)


def test_a_run_whose_numbers_run_away_is_told(monkeypatch):
    monkeypatch.setattr("bench.conditioning.SHARED", {"lr": 1e30})
    found = ConditioningCase("projection", 0, steps=3).play()
    assert "not finite" in found["error"] or "nan" in found["error"]
    assert "accuracy" not in found


def test_the_page(tmp_path):
    results = [
        result("projection", 0.97),
        result("projection", 0.99, seed=1),
        result("auxiliary", 0.9),
        result("auxiliary-weight-4", 0.96),
        result("input", 0.94),
        result("g-norm", 0, error="not finite", seconds=1.0),
    ]
    text = section(results, tmp_path / "RESULTS.md")
    assert "| `projection` | D: projection | 98.0% (97.0% to 99.0%) | 3.25 | 1.5 | 2 |" in text
    assert "| `g-norm` | G: conditional batch norm | failed |  |  | 1 |" in text
    assert "`auxiliary-weight-4` 96.0%: reached" in text
    assert "`projection` 97.0%: reached" in text
    assert "`input` 94.0%: **not reached**" in text
    assert "right in 99.0% of cases" in text
    with Image.open(tmp_path / "results/conditioning-7.png") as image:
        assert image.width > 12


@pytest.mark.parametrize("only", ["inputs", "input,projektion"])
def test_an_unknown_run_is_refused(only):
    done = CliRunner().invoke(cli, ["conditioning", "--only", only])
    assert done.exit_code == 1
    assert "unknown run" in done.output


def test_the_command_plays_each_run_from_each_seed(monkeypatch, tmp_path):
    given = []
    monkeypatch.setattr(trainings, "_sweep", lambda cases, name, jobs, out: given.extend(cases))
    options = ["--only", "input,cgan", "--seeds", "2", "--steps", "9"]
    assert CliRunner().invoke(cli, ["conditioning", *options]).exit_code == 0
    keys = ["input-9-seed0", "cgan-9-seed0", "input-9-seed1", "cgan-9-seed1"]
    assert [case.key for case in given] == keys
