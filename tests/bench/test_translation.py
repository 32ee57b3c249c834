"""bench translation: what a case leaves, the page's tables and pictures, and orders that differ."""

import json

import numpy as np
import pytest
from PIL import Image

from bench import translation
from bench.errors import BenchError
from bench.trainings import translation as command
from bench.translation import ABLATIONS, ALSO, METRICS, RUNS, TranslationCase, decoded, encoded
from bench.translation_tables import CLAIMS, section
from minigan.algorithms import recipe


def row(shade):
    return encoded(np.full((3, 16, 16, 3), shade, np.float32))


def result(run, seed=0, *, error=None, steps=None, **values):
    """A stored result, with the values given and others that do not matter."""
    found = {
        "run": run,
        "seed": seed,
        "steps": steps or ABLATIONS[RUNS[run].ablation].steps,
        "error": error,
        "seconds": 12.0,
    }
    if error:
        return found
    usual = {"l1": 0.2, "psnr": 18.0, "ssim": 0.5, "fid": 500.0, "sharpness": 0.9} | values
    measured = {name: {key: usual[name]} for name, key in (METRICS | ALSO).items()}
    if RUNS[run].ablation == "cyclegan":
        for name, value in (("l1", 0.38), ("psnr", 10.3), ("ssim", 0.45)):
            measured[name]["untranslated"] = value
    pictures = {"x": row(0.0), "made": row(0.5), "y": row(1.0)}
    return found | {"values": measured, "pictures": pictures}


AS_THE_PAPERS_SAY = {
    "l1": {"psnr": 18.5, "fid": 900.0, "sharpness": 0.6},
    "l1+cgan": {"l1": 0.18, "psnr": 18.0, "fid": 500.0, "sharpness": 0.95},
    "l1+cgan-1": {"fid": 800.0},
    "l1+cgan-34": {"fid": 510.0},
    "gan": {"l1": 0.5},
    "cgan": {"l1": 0.3},
    "cycle-none": {"l1": 0.25},
    "cycle-forward": {"l1": 0.2},
    "cycle-backward": {"l1": 0.21},
    "cycle-both": {"l1": 0.15},
}


def page(tmp_path, **changed):
    values = AS_THE_PAPERS_SAY | changed
    return section([result(run, **own) for run, own in values.items()], tmp_path / "RESULTS.md")


def verdicts(text):
    return [line.split(" | ")[-1].rstrip(" |") for line in orders(text)]


def orders(text):
    """The lines of the table of orders."""
    _, _, table = text.partition("| order | here | seeds |  |\n")
    return table.splitlines()[1:]


def test_the_papers_orders_are_told_from_the_means(tmp_path):
    text = page(tmp_path)
    assert verdicts(text) == ["as the papers say"] * len(CLAIMS)
    assert "sharpness 0.95 against 0.60, Fréchet distance 500 against 900, 0.50 dB" in text
    assert "l1 0.150 against 0.380" in text  # leaving pictures as they are


def test_an_order_says_from_how_many_seeds_it_is(tmp_path):
    values = AS_THE_PAPERS_SAY.items()
    twice = [result(run, seed, **own) for run, own in values for seed in (0, 1)]
    (*_, last) = orders(section(twice, tmp_path / "RESULTS.md"))
    assert last.endswith("| 2 | as the papers say |")
    fewer = [r for r in twice if (r["run"], r["seed"]) != ("cycle-none", 1)]
    seeds = [line.split(" | ")[-2] for line in orders(section(fewer, tmp_path / "RESULTS.md"))]
    assert seeds == ["2", "2", "2", "2", "1", "2", "2"]


@pytest.mark.parametrize(
    ("claim", "changed"),
    [
        (0, {"l1+cgan": {"psnr": 17.0, "fid": 500.0, "sharpness": 0.95, "l1": 0.18}}),
        (0, {"l1": {"psnr": 18.5, "fid": 400.0, "sharpness": 0.6}}),
        (0, {"l1": {"psnr": 18.5, "fid": 900.0, "sharpness": 0.97}}),
        (1, {"l1+cgan-1": {"fid": 505.0}}),
        (2, {"gan": {"l1": 0.1}}),
        (3, {"cgan": {"l1": 0.17}, "gan": {"l1": 0.5}}),
        (4, {"cycle-none": {"l1": 0.14}}),
        (5, {"cycle-backward": {"l1": 0.14}}),
        (6, {name: {"l1": 0.4} for name in ("cycle-both",)}),
    ],
)
def test_an_order_that_differs_is_said(tmp_path, claim, changed):
    assert verdicts(page(tmp_path, **changed))[claim] == "differs"


def test_a_claim_waits_for_its_runs(tmp_path):
    text = section([result("l1"), result("cycle-both")], tmp_path / "RESULTS.md")
    assert [line for line in text.splitlines() if "1x1 are worse" in line] == []
    assert "CycleGAN beats leaving pictures" in text


def test_tables_have_means_deviations_and_what_failed(tmp_path):
    results = [
        result("l1", 0, l1=0.1),
        result("l1", 1, l1=0.3),
        result("gan", 0, error="the loss of D is nan"),
        result("cycle-none", 0, l1=0.2),
    ]
    text = section(results, tmp_path / "RESULTS.md")
    assert "| L1 | 0.200 ± 0.141 | 18.00 ± 0.00 |" in text
    assert "| GAN | 1 failed: the loss of D is nan |" in text
    assert "| the pictures as they are | 0.380 | 10.30 | 0.450 |  |" in text
    assert "pix2pix on kittens-edges, 500 steps" in text


def test_pictures_lie_beside_the_page(tmp_path):
    text = page(tmp_path)
    for name in ("pix2pix-500", "cyclegan-500"):
        file = f"translation-{name}.png"
        assert f"(results/{file})" in text
        with Image.open(tmp_path / "results" / file) as sheet:
            width, height = decoded(row(0.5)).size
            runs = [r for r in AS_THE_PAPERS_SAY if RUNS[r].ablation == name.split("-")[0]]
            assert sheet.size == (150 + width, (len(runs) + 2) * (height + 2) - 2)
            assert sheet.convert("RGB").getpixel((152, 2)) == (128, 128, 128)  # x comes first
            assert sheet.convert("RGB").getpixel((152, sheet.height - 3)) == (255, 255, 255)


def test_runs_of_an_ablation_differ_in_what_is_ablated_alone():
    for run in RUNS.values():
        shared = ABLATIONS[run.ablation]
        changed = set(run.settings) & set(shared.settings)
        assert changed <= {"patch"}
        recipe(shared.algorithm).options.of(**shared.settings | run.settings)


@pytest.mark.parametrize("run", ["l1+cgan-1", "cycle-both"])
def test_a_case_trains_measures_and_shows(run, monkeypatch):
    monkeypatch.setattr(translation, "MEASURED", 12)
    case = TranslationCase.of(run, 0, 2)
    with pytest.warns(UserWarning, match="singular"):
        found = case.play()
    assert case.key == f"{run}-2-seed0"
    assert found["error"] is None
    assert json.loads(json.dumps(found)) == found
    assert set(found["values"]) == {*METRICS, *ALSO}
    assert all(np.isfinite(v) for values in found["values"].values() for v in values.values())
    assert ("untranslated" in found["values"]["l1"]) == (run == "cycle-both")
    assert {decoded(p).size for p in found["pictures"].values()} == {(540, 64)}


def test_a_run_that_runs_away_is_kept_as_such(monkeypatch):
    changed = ABLATIONS | {"pix2pix": translation.Ablation("pix2pix", "kittens-edges", True, 3, 2)}
    changed["pix2pix"].settings.update(width=1, lr=1e30, halvings=2, patch=7)
    monkeypatch.setattr(translation, "ABLATIONS", changed)
    monkeypatch.setitem(RUNS, "l1+cgan", translation.Run("pix2pix", ""))
    found = TranslationCase("l1+cgan", 0, 5).play()
    assert "not finite" in found["error"] or "is nan" in found["error"]
    assert "values" not in found


def test_an_unknown_run_is_refused():
    with pytest.raises(BenchError, match="unknown run 'l2'; known: l1, gan"):
        command.callback("l1,l2", 1, None, 1, None)
