"""bench robustness: what is drawn, what counts as success, and the paper's four counts."""

import json
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from bench.cli import cli
from bench.robustness import OBJECTIVES, PUBLISHED, Architecture, RobustnessCase, counts, section


def test_architectures_are_many_and_always_the_same():
    drawn = [Architecture.drawn(i) for i in range(60)]
    assert drawn == [Architecture.drawn(i) for i in range(60)]
    assert len(set(drawn)) == 60
    for name in ("depth_G", "depth_D", "width_G", "norm_G", "norm_D", "activation_D", "beta1"):
        assert len({getattr(a, name) for a in drawn}) >= 2, name
    assert all(10**-3.31 <= a.lr <= 10**-2.29 for a in drawn)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_trains(number, objective):
    found = RobustnessCase(number, objective, steps=2).play()
    assert found["error"] is None
    assert 0 <= found["score"] <= 8
    assert found["architecture"] == asdict(Architecture.drawn(number))
    json.dumps(found)


def test_a_score_is_modes_times_the_share_near_one(monkeypatch):
    counted = SimpleNamespace(modes=4, high_quality=0.5)
    monkeypatch.setattr("bench.robustness.mixture_modes", lambda *_: counted)
    assert RobustnessCase(2, "gan", steps=1).play()["score"] == 2.0


def test_the_critic_is_the_published_code_s():
    settings = OBJECTIVES["wgan-gp"]
    assert (settings["k"], settings["penalty_weight"]) == (5, 0.1)
    assert "k" not in OBJECTIVES["gan"]


def test_both_objectives_start_from_the_same_weights():
    a, b = (Architecture.drawn(3).networks(np.random.default_rng(0)) for _ in range(2))
    for left, right in zip(a, b, strict=True):
        np.testing.assert_array_equal(left.flat.data, right.flat.data)


def test_the_four_counts():
    pairs = [(3, 1), (1, 3), (3, 3), (1, 1), (0, 8), (2.0, 2.1)]
    scores = {i: {"gan": g, "wgan-gp": w} for i, (g, w) in enumerate(pairs)}
    found = counts(scores, threshold=2.0)
    assert found == {"only GAN": 1, "only WGAN-GP": 3, "both": 1, "neither": 1}
    assert sum(PUBLISHED.values()) == 200


def row(number, objective, score):
    return {"number": number, "objective": objective, "steps": 9, "score": score}


def test_the_section(tmp_path):
    rows = [row(0, "gan", 0.1), row(0, "wgan-gp", 7), row(1, "gan", 5)]  # 1 is not whole yet
    text = section(rows, tmp_path / "R.md")
    assert "### 1 architectures, 9 steps of G" in text
    assert (
        "| succeeded | above 0.25 | above 0.5 | above 1 | above 2 | above 4 | published |" in text
    )
    assert "| only WGAN-GP | 1 | 1 | 1 | 1 | 1 | 147 of 200 |" in text
    assert "python -m bench robustness --n 1 --steps 9\n" in text
    assert "As in the paper, more architectures succeed only with WGAN-GP" in text
    assert "above 2, 1 and 0, from one seed each." in text
    low = section([row(0, "gan", 0.1), row(0, "wgan-gp", 0.7)], tmp_path / "R.md")
    assert "| only WGAN-GP | 1 | 1 | 0 | 0 | 0 |" in low
    assert "Differs from the paper above 2: 0 architectures" in low
    assert "| 0.10 | 7.00 |" in text
    assert "Differs from the paper" in section([row(0, "gan", 7), row(0, "wgan-gp", 0)], tmp_path)


def test_the_command(tmp_path):
    page = tmp_path / "RESULTS.md"
    line = f"robustness --n 1 --steps 1 --jobs 1 --out {page}"
    result = CliRunner().invoke(cli, line.split())
    assert result.exit_code == 0, result.output
    assert "1 architectures, 1 steps of G" in page.read_text()
    assert len(list((tmp_path / "results/robustness").iterdir())) == 2
