"""bench modes: every run trains, the tables say where it differs, and a sweep goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from bench import trainings
from bench.cli import cli
from bench.errors import BenchError
from bench.mode_tables import LEAST, PUBLISHED, Summary, difference, section, summary, target
from bench.modes import (
    FULL,
    PIECES,
    RUNS,
    SHORT,
    TABLED,
    ModesCase,
    build,
    generator,
    set_apart,
)
from bench.stacked import PACKS, StackedCase
from bench.stacked import build as build_stacked
from bench.sweep import read, sweep
from minigan.algorithms.gan import GAN
from minigan.algorithms.presets import PRESETS
from minigan.layers import BatchNorm, Conv2d, ConvTranspose2d, Dense, Maxout, Pack
from minigan.losses import OBJECTIVES, PENALTIES

TINY = replace(SHORT["ring"], name="tiny", steps=1, batch=12, units_G=8, units_D=12)


@pytest.mark.parametrize("run", RUNS)
def test_every_run_trains_and_is_counted(run):
    found = ModesCase("ring", run, 0, TINY).play()
    assert found["error"] is None
    assert 0 <= found["modes"] <= 8
    assert 0 <= found["high_quality"] <= 1
    assert len(found["points"]) == 600
    json.dumps(found)


def test_samples_are_of_standing_statistics_where_the_protocol_has_them(monkeypatch):
    """Both counts are kept, and what is trained is the same."""
    left = ModesCase("ring", "gan", 0, TINY).play()
    standing = ModesCase("ring", "gan", 0, replace(TINY, ema=0.0, standing=3))
    running = ModesCase("ring", "gan", 0, replace(TINY, ema=0.0)).play()
    drawn = []
    monkeypatch.setattr(
        "bench.modes.standing_statistics",
        lambda net, batches: drawn.extend(x.shape for x in batches),
    )
    untouched = standing.play()
    assert drawn == [(500, 2)] * 3
    assert untouched["points"] == running["points"]
    assert untouched["as_left"] == {key: running[key] for key in untouched["as_left"]}
    monkeypatch.undo()
    found = standing.play()
    assert found["as_left"] == untouched["as_left"]
    assert found["points"] != running["points"]
    assert "as_left" not in left
    assert (FULL.standing, SHORT["ring"].standing) == (200, 0)


def test_every_objective_penalty_and_preset_has_a_run():
    said = {run.settings.get("objective", "non-saturating") for run in RUNS.values()}
    said |= {PRESETS[name]["objective"] for name in said if name in PRESETS}
    assert said >= {*OBJECTIVES, *PRESETS}
    penalties = {PRESETS.get(name, {}).get("penalty") for name in said}
    penalties |= {run.settings.get("penalty") for run in RUNS.values()}
    assert penalties >= {*PENALTIES}
    assert {*TABLED} <= {*RUNS}


def test_the_networks_are_the_protocols():
    rng = np.random.default_rng(0)
    G = generator(rng, FULL).layers
    assert [(d.in_features, d.out_features) for d in G if isinstance(d, Dense)] == [
        *((2, 400), (400, 400), (400, 400), (400, 400), (400, 2)),
    ]
    assert sum(isinstance(layer, BatchNorm) for layer in G) == 4
    for name, pack in (("gan", 1), ("pac4", 4)):
        D = RUNS[name].critic(rng, RUNS[name].pack, FULL).layers
        dense = [(d.in_features, d.out_features) for d in D if isinstance(d, Dense)]
        assert dense == [(2 * pack, 1000), (200, 1000), (200, 1000), (200, 1)]
        assert [layer.num_pieces for layer in D if isinstance(layer, Maxout)] == [5, 5, 5]
        assert np.std(D[-3].weight.data) == pytest.approx(0.02, rel=0.02)  # of 200,000
        assert D[-3].weight.data.all()  # not set apart


def test_units_begin_with_one_example_of_the_pack_each():
    rng = np.random.default_rng(0)
    dense = Dense(2 * 3, 7 * PIECES, rng=rng)
    dense.weight.data[...] = 1
    set_apart(dense, 3)
    groups = [0, 0, 0, 1, 1, 2, 2]  # of the seven units
    expected = np.array([[a == b for b in groups] for a in (0, 0, 1, 1, 2, 2)])
    weights = dense.weight.data.reshape(6, 7, PIECES)
    np.testing.assert_allclose(weights, np.sqrt(3) * expected[..., None] * np.ones(PIECES))
    before = Dense(2, 10, rng=rng)
    alone = before.weight.data.copy()
    set_apart(before, 1)
    np.testing.assert_array_equal(before.weight.data, alone)


@pytest.mark.parametrize("data", SHORT)
def test_the_short_budget_is_the_same_for_every_pack(data):
    budget = replace(SHORT[data], steps=9)
    for name in ("gan", "pac4"):
        gan = build(RUNS[name], 0, budget)
        rates = [gan.optimizers[player].schedule(0) for player in "GD"]
        assert rates == pytest.approx([1e-4 * budget.rate_G, 1e-4 * budget.rate_D])
        assert gan.optimizers["D"].schedule(8) < 0.3 * rates[1]
        assert gan.D.layers[-1].in_features == budget.units_D
        assert gan.G.layers[0].out_features == budget.units_G
        assert gan.averages["G"].decay == budget.ema
        packed = next(layer for layer in gan.D.layers if isinstance(layer, Dense)).weight.data
        assert (packed == 0).mean() == pytest.approx(1 - 1 / RUNS[name].pack)


def test_packs_and_not_examples_are_counted(monkeypatch):
    seen = []
    step = GAN.step
    monkeypatch.setattr(GAN, "step", lambda gan, x: seen.append(len(x)) or step(gan, x))
    for name in ("gan", "pac3", "wgan-gp"):
        ModesCase("ring", name, 0, TINY).play()
    assert seen == [12, 36, 60]


def test_the_full_budget_is_the_papers():
    assert FULL.steps == 100_000 // 100 * 400
    gan = build(RUNS["gan"], 0, FULL)
    adam = gan.optimizers["D"]
    assert (adam.schedule(0), adam.schedule(FULL.steps - 1), adam.beta1) == (1e-4, 1e-4, 0.8)
    assert not gan.averages
    assert (FULL.batch, FULL.units_G, FULL.units_D) == (100, 400, 200)
    critic = build(RUNS["wgan-gp"], 0, SHORT["ring"])
    assert critic.k == 5
    assert critic.optimizers["D"].beta1 == 0  # the paper's own


def test_runs_start_alike_and_seeds_differ():
    a, b, c = (build(RUNS["gan"], seed, TINY).G.flat.data for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_numbers_that_run_away_are_a_result():
    found = ModesCase("ring", "gan", 0, replace(TINY, steps=9, rate_G=1e34)).play()
    assert "the largest weight is" in found["error"]
    assert summary([found]) is None


# --- tables ---------------------------------------------------------------------------------------


def result(**changed):
    base = {"data": "grid", "run": "pac2", "seed": 0, "budget": "short", "steps": 10, "error": None}
    base |= {"seconds": 3.0, "modes": 24, "high_quality": 0.92, "reverse_kl": 0.1}
    return base | {"points": [[0.0, 0.0], [2.0, 2.0]]} | changed


def test_means_and_deviations():
    found = summary([result(), result(modes=20, high_quality=0.9), result(error="ran away")])
    assert found == pytest.approx((22, np.sqrt(8), 91, 0.1, 3, 2, 1))


def test_an_older_row_has_no_divergence():
    """It was of all samples then, and is not to be mixed with those of today."""
    older = {key: value for key, value in result().items() if key != "reverse_kl"}
    found = summary([result(), older])
    assert found._replace(reverse_kl=0.0) == pytest.approx((24, 0, 92, 0, 3, 2, 0))
    assert found.reverse_kl is None
    assert "KL" not in difference(found, PUBLISHED["grid", "pac2"])


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (Summary(23.9, 0.1, 92.0, 0.1, 1, 3, 0), "as published"),
        (Summary(21.0, 0.1, 92.0, 0.1, 1, 3, 0), "differs from the paper: modes -2.8"),
        (Summary(23.8, 0, 60.0, 0.5, 1, 3, 0), "differs from the paper: HQ -31.3, KL +0.37"),
        (Summary(21.0, 3.0, 91.3, 0.1, 1, 3, 0), "as published"),  # within twice the deviation
    ],
)
def test_where_it_differs_is_computed(own, said):
    assert difference(own, PUBLISHED["grid", "pac2"]) == said
    assert difference(own, None) == ""


def test_claims():
    good, bad = Summary(24, 0, 95, 0, 1, 3, 0), Summary(22.5, 0, 80, 0, 1, 3, 0)
    assert target("grid", "pac2", good) == f"met: {LEAST['grid']} modes or more"
    assert target("grid", "pac2", good._replace(modes=23)).startswith("met")
    assert target("grid", "pac2", bad) == "missed: fewer than 23 modes, HQ below the published"
    assert target("grid", "gan", good) == "loses modes, as claimed"
    assert target("grid", "gan", good._replace(modes=25)) == "missed: loses no mode"
    assert target("grid", "hinge", bad) == ""


def test_the_section_has_ours_beside_the_papers_and_a_plot(tmp_path):
    text = section(
        [result(), result(seed=1), result(run="gan", error="ran away")], tmp_path / "R.md"
    )
    assert "| `pac2` | 24.0 ± 0.0 | 92.0 | 0.10 | 3 | 2 | 23.8 ± 0.7 | 91.3 | 0.13 |" in text
    assert "| `gan` | failed: ran away |" in text
    assert "![samples of each run on the grid](results/modes-grid-short-10.png)" in text
    with Image.open(tmp_path / "results/modes-grid-short-10.png") as picture:
        assert picture.size[0] > 100
    before = (tmp_path / "results/modes-grid-short-10.png").read_bytes()
    section([result(), result(seed=1)], tmp_path / "R.md")
    assert (tmp_path / "results/modes-grid-short-10.png").read_bytes() == before


def test_what_a_short_budget_changes_is_said(tmp_path):
    text = section([result()], tmp_path / "R.md")
    ring, grid = SHORT["ring"], SHORT["grid"]
    assert f"| steps of G | 400,000 | {ring.steps:,} | {grid.steps:,} |" in text
    assert f"| G | 4 x 400 | 4 x {ring.units_G} | 4 x {grid.units_G} |" in text
    assert f"| rate of D | 0.0001 | {1e-4 * ring.rate_D:g} | {1e-4 * grid.rate_D:g} |" in text
    assert "| rates over time | constant | falling to 0 from half-way |" in text
    assert "`wgan` 0.001 and 0.001, `wgan-gp` 0.0001 and 0.001" in text
    assert "`gan` 0" not in text
    assert "wide, grid (`--wide`)" in text


def test_what_training_left_stands_under_the_table(tmp_path):
    left = {"modes": 6, "high_quality": 0.875, "reverse_kl": 0.3}
    text = section([result(budget="full", as_left=left), result(run="gan")], tmp_path / "R.md")
    assert "place of standing ones: `pac2`, seed 0: 6 modes, HQ 87.5 %, KL 0.30." in text
    assert text.count("place of standing ones") == 1
    assert "| statistics of G's batch norms | standing | running | running | running |" in text


def test_stacked_digits_have_a_margin_and_no_plot(tmp_path):
    rows = [
        result(data="stacked-digits", run=run, modes=modes, high_quality=None, points=None)
        for run, modes in (("dcgan", 30), ("pacdcgan2", 50), ("pacdcgan4", 600))
    ]
    text = section(rows, tmp_path / "R.md")
    assert "| `dcgan` | 30 |  | 0.10 | 3 | 1 | 30.6 |  |  | another protocol |" in text
    assert "differs from the paper" not in text
    assert "pacdcgan4 captures 600 modes, DCGAN 30 at the same budget: 20.0 times" in text
    assert not (tmp_path / "results").exists()
    assert "at the same budget" not in section(rows[1:], tmp_path / "R.md")
    behind = section([rows[0], rows[1] | {"modes": 20}], tmp_path / "R.md")
    assert "pacdcgan2 captures 20 modes, DCGAN 30 at the same budget: differs from" in behind


# --- stacked digits -------------------------------------------------------------------------------


@pytest.mark.parametrize("run", PACKS)
def test_stacked_digits_are_trained_and_counted(run):
    found = StackedCase(run, 0, steps=1, samples=30).play()
    assert found["error"] is None
    assert 1 <= found["modes"] <= 30
    json.dumps(found)


def test_the_discriminator_is_weak_and_sees_packs():
    gan = build_stacked(4, 0, 1)
    pack, D = gan.D.layers
    assert isinstance(pack, Pack)
    convolutions = [layer for _, layer in D.walk() if isinstance(layer, Conv2d)]
    assert convolutions[0].in_channels == 12
    logits, _ = gan.D.forward(gan.sample(8, np.random.default_rng(0)))
    assert logits.shape == (2, 1)
    of_G = [layer.in_channels for _, layer in gan.G.walk() if isinstance(layer, ConvTranspose2d)]
    of_D = [layer.out_channels for layer in convolutions]
    assert of_G == [8 * channels for channels in reversed(of_D)]


# --- the sweep ------------------------------------------------------------------------------------


def test_a_sweep_goes_on_where_it_was(tmp_path):
    cases = [ModesCase("ring", name, 0, TINY) for name in ("gan", "pac2")]
    (tmp_path / f"{cases[0].key}.json").write_text(json.dumps({"stored": True}))
    said = []
    first, second = sweep(cases, tmp_path, jobs=1, say=said.append)
    assert first == {"stored": True}
    assert second["modes"] == ModesCase("ring", "pac2", 0, TINY).play()["modes"]
    assert {"machine", "versions", "date"} <= second.keys()
    assert said[0].startswith("1 of 2 results stored already")
    assert read([tmp_path / f"{cases[1].key}.json"]) == [second]


def test_a_damaged_result_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(BenchError, match=r"x\.json: .*; remove it to train that case again"):
        read([tmp_path / "x.json"])


def test_the_command_writes_the_page(tmp_path):
    page = tmp_path / "RESULTS.md"
    line = f"modes --data ring --only gan --seeds 1 --steps 2 --jobs 1 --out {page}"
    result = CliRunner().invoke(cli, line.split())
    assert result.exit_code == 0, result.output
    assert "| `gan` |" in page.read_text()
    assert "2 steps of G" in page.read_text()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("modes --only gan,veegan", "unknown run 'veegan'; known: gan, "),
        ("modes --data ring --only dcgan", "names no run of --data ring"),
        ("modes --data kittens", "'kittens' is not one of"),
        ("modes --seeds 0", "--seeds"),
        ("robustness --n 0", "--n"),
    ],
)
def test_what_cannot_be(line, said):
    result = CliRunner().invoke(cli, line.split())
    assert result.exit_code != 0
    assert said in result.output


def test_the_wide_budget_is_of_the_grid_alone(monkeypatch, tmp_path):
    played = []
    monkeypatch.setattr(trainings, "_sweep", lambda cases, *rest: played.extend(cases))
    how = ["modes", "--wide", "--only", "gan,wgan-gp", "--seeds", "1", "--out", str(tmp_path / "R")]
    assert CliRunner().invoke(cli, how).exit_code == 0
    assert [case.key for case in played] == [
        "grid-gan-wide-10000-seed0",
        "grid-wgan-gp-wide-10000-seed0",
    ]
    refused = CliRunner().invoke(cli, [*how, "--data", "ring"])
    assert refused.exit_code != 0
    assert len(played) == 2
