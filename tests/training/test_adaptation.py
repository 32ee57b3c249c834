"""Runs of PixelDA: what their log, sheet and measurements say, their baseline, what they export."""

from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.backend import make_rng
from minigan.data import open_labelled_domains
from minigan.streams import Purpose
from minigan.training import Trainer
from tests.training.support import OFTEN, Finished, error_line, leave, records

Command = Callable[..., Finished]

SMALL = "pixelda --size 12 --batch 2 --steps 4"
RUNS = {
    "adapted": f"{SMALL} --width 2 --blocks 1 --z-dim 3",
    "baseline": f"{SMALL} --method source-only",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adaptations")
    for name, words in RUNS.items():
        leave("train", *split(words), *OFTEN, "--out", folder / name)
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Two classes of a source, and a target without labels."""
    rng = np.random.default_rng(0)
    for name, n in (("A/cat", 5), ("A/dog", 4), ("B", 6)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(n):
            pixels = rng.integers(0, 255, (12, 12, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "own" / name / f"{i}.png")
    return tmp_path / "own"


def test_the_log_has_the_accuracy_on_held_out_pictures_of_both_domains(runs: Path) -> None:
    for name in RUNS:
        trainer = Trainer.resume(runs / name)
        data = open_labelled_domains("digits-m", size=12, split="test")
        judged = data.judged(2000, make_rng(0, Purpose.HELD_OUT))
        last = records(runs / name)[-1]
        for domain, batch in judged.items():
            found = trainer.algorithm.classify(batch.x)
            assert last[f"accuracy({domain})"] == (found == batch.labels[:, 0]).mean()
        assert ("loss_G" in last) == (name == "adapted")


def test_the_sheet_shows_source_adapted_and_target(runs: Path) -> None:
    trainer = Trainer.resume(runs / "adapted")
    x, y = trainer.dataset.split(trainer.dataset.draw(40, make_rng(0, Purpose.SHOWN)).x)
    rng = make_rng(0, Purpose.PICTURES)
    zs = trainer.algorithm.prior.draw(5, rng)

    def shown(name: str, left: int, row: int, column: int) -> np.ndarray:
        pixels = np.asarray(Image.open(runs / name / "samples" / "step_000004.png"))
        top, left = 20 + 2 * row * 14, left + 2 * column * 14
        return pixels[top : top + 24 : 2, left : left + 24 : 2] / 127.5 - 1

    middle, right = 24 + 16, 24 + 16 + 2 * (5 * 14 - 2) + 16
    np.testing.assert_allclose(shown("adapted", 0, 3, 0), x[3], atol=0.005)
    made = trainer.algorithm.translate(x[[3]], rng, z=zs[[4]])[0]
    np.testing.assert_allclose(shown("adapted", middle, 3, 4), made, atol=0.005)
    np.testing.assert_allclose(shown("adapted", right, 2, 1), y[11], atol=0.005)
    np.testing.assert_allclose(shown("baseline", middle, 2, 1), y[11], atol=0.005)


def test_measurements_are_of_held_out_pictures(minigan: Command, runs: Path) -> None:
    data = open_labelled_domains("digits-m", size=12, split="test")
    batch = data.judged(2000, make_rng(0, Purpose.REAL_LABELLED))["target"]
    for name, others in (("adapted", True), ("baseline", False)):
        result = minigan("eval", runs / name)
        assert result.code == 0, result.err
        found = Trainer.resume(runs / name).algorithm.classify(batch.x)
        share = (found == batch.labels[:, 0]).mean()
        assert f"target-accuracy: target {share:.5g}, source " in result.out
        assert ("adapted 0." in result.out) == others
        assert ("sharpness: " in result.out) == others
        assert "split: test; N: 999 samples, 2000 real" in result.out


def test_a_baseline_measures_nothing_of_g_and_adapts_nothing(
    minigan: Command, runs: Path, tmp_path: Path
) -> None:
    result = minigan("eval", runs / "baseline", "--metrics", "sharpness")
    assert "this run trained no G; measure target-accuracy" in error_line(result.err)
    Image.new("RGB", (12, 12)).save(tmp_path / "x.png")
    call = ["translate", "--input", tmp_path / "x.png", "--output", tmp_path / "out"]
    result = minigan(call[0], runs / "baseline", *call[1:])
    assert "--method source-only has no G that adapts pictures" in error_line(result.err)
    assert minigan(call[0], runs / "adapted", *call[1:], "--n", 2).code == 0
    one, two = (np.asarray(Image.open(tmp_path / "out" / n / "x.png")) for n in "12")
    assert one.shape == two.shape == (12, 12, 3)


def test_another_domain_adaptation_cannot_be_measured_by_one_that_names_nothing(
    minigan: Command, tmp_path: Path
) -> None:
    """CycleGAN takes the same data, and has no classifier."""
    words = "cyclegan --data digits-m --size 12 --width 2 --blocks 1 --patch 7 --batch 2 --steps 1"
    assert minigan("train", *split(words), "--out", tmp_path / "run").code == 0
    result = minigan("eval", tmp_path / "run", "--n", 10)
    assert result.code == 0, result.err
    assert "target-accuracy" not in result.out
    result = minigan("eval", tmp_path / "run", "--metrics", "target-accuracy")
    assert "needs a classifier that was trained to adapt" in error_line(result.err)


@pytest.mark.parametrize("network", ["G", "T", "D"])
def test_networks_leave(minigan: Command, runs: Path, tmp_path: Path, network: str) -> None:
    call = ["export", runs / "adapted", "--network", network, "--onnx", tmp_path / "net.onnx"]
    result = minigan(*call, "--torch", tmp_path / "net.safetensors")
    assert result.code == 0, result.err
    given = "x (N, 3, 12, 12), z (N, 3)" if network == "G" else "x (N, 3, 12, 12)"
    assert f"{given}, as onnxruntime computes it" in result.out


def test_pictures_of_a_user(minigan: Command, own: Path, tmp_path: Path) -> None:
    words = split("pixelda --width 2 --blocks 1 --batch 2 --steps 2")
    result = minigan("train", *words, "--data", own, "--out", tmp_path / "run")
    assert result.code == 0, result.err
    assert "T names the class of 2 classes" in result.out + result.err
    last = records(tmp_path / "run")[-1]
    assert "accuracy(source)" in last
    assert "accuracy(target)" not in last
    result = minigan("eval", tmp_path / "run", "--metrics", "target-accuracy")
    assert "needs a labelled source domain and a target whose labels" in error_line(result.err)
    assert minigan("eval", tmp_path / "run", "--n", 10).code == 0
