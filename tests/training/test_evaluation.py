"""minigan eval: every metric of a run says its protocol, and what cannot be measured says why."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigan.algorithms import ALGORITHMS
from minigan.backend import make_rng
from minigan.data import open_data
from minigan.errors import DataError, OptionError
from minigan.metrics import METRICS, MetricWarning, Subject, measure
from minigan.metrics.frechet import frechet_distance
from minigan.metrics.modes import mixture_modes
from minigan.metrics.subject import Judge, examples
from minigan.models import discriminator_features
from minigan.streams import Purpose
from minigan.training import Config, RunOptions, Trainer, checkpoint
from minigan.training.building import build_algorithm
from minigan.training.evaluation import evaluate, fitting
from minigan.training.generation import drawing
from tests.training.support import MLP, POINTS, Finished, error_line, leave, write_pictures

Command = Callable[..., Finished]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two steps on several data sets, in folders of their names."""
    folder = tmp_path_factory.mktemp("runs")
    leave("train", *POINTS, "--steps", 2, "--out", folder / "ring")
    own = write_pictures(folder / "own.npz", n=200)
    leave("train", *MLP, "--data", own, "--steps", 2, "--out", folder / "own")
    for name in ("kittens", "stacked-digits"):
        small = ["--data", name, "--width", 2, "--z-dim", 4, "--batch", 8, "--steps", 2]
        leave("train", "dcgan", *small, "--out", folder / name)
    return folder


def test_every_metric_that_takes_the_data(minigan: Command, runs: Path, tmp_path: Path) -> None:
    result = minigan("eval", runs / "ring", "--n", 200, "--json", tmp_path / "found.json")
    assert result.code == 0, result.err
    found = json.loads((tmp_path / "found.json").read_text())
    assert [r["metric"] for r in found] == [
        *("modes", "fid", "kid", "precision-recall", "density-coverage", "parzen", "two-sample")
    ]
    for r in found:
        assert f"{r['metric']}: {next(iter(r['values']))} " in result.out
        assert r["protocol"] in result.out
        assert r["n_fake"] == 200
        assert r["seed"] == 0
        assert r["run"] == str(runs / "ring")
        assert all(np.isfinite(value) for value in r["values"].values())
    assert "split: test; N: 200 samples, 200 real; seed 0" in result.out


def test_a_file_that_cannot_be_written_is_met_before_anything_is_measured(
    minigan: Command, runs: Path
) -> None:
    result = minigan("eval", runs / "ring", "--n", 200, "--json", runs / "ring")
    assert result.code == 1
    assert error_line(result.err) == f"{runs / 'ring'}: Is a directory; choose another place"
    assert result.out == ""


def test_kittens_have_scores_and_novelty(runs: Path) -> None:
    found = {r.metric: r for r in evaluate(runs / "kittens", ["is", "novelty", "fid"], n=200)}
    assert found["is"].values.keys() >= {"score", "score (body)", "deviation (eyes)"}
    scores = [found["is"].values[f"score ({label})"] for label in open_data("kittens").label_names]
    assert found["is"].values["score"] == pytest.approx(np.prod(scores) ** 0.2)
    assert found["novelty"].values["new_on_training"] < 0.05
    assert found["novelty"].values["new_on_held_out"] > 0.7
    assert found["novelty"].split == "train and test"
    assert found["fid"].extractor == "minigan's kittens classifier, 128 features"


def test_stacked_digits_have_a_thousand_modes(runs: Path) -> None:
    (result,) = evaluate(runs / "stacked-digits", ["modes"], n=300)
    assert 1 <= result.values["modes"] <= 300
    assert "of 1000 triples" in result.protocol
    data = open_data("stacked-digits")
    real = Subject(lambda n, rng: data.draw(n, rng).x, data, split="train")
    assert measure("modes", real, 6000).values["modes"] > 980
    assert METRICS["modes"].n(data) == 26_000


def test_values_are_those_of_the_samples(runs: Path) -> None:
    """The modes and the Fréchet distance again, from the samples that the seed gives."""
    config, ring = Config.load(runs / "ring/config.json"), open_data("ring", split="test")
    algorithm = build_algorithm(config, ring)
    checkpoint.load(runs / "ring/checkpoints").restore(algorithm)
    x = drawing(algorithm)(600, make_rng(3, Purpose.MEASURED))
    assert len(x) == 600
    modes, fid = evaluate(runs / "ring", ["modes", "fid"], n=600, seed=3)
    assert modes.values == mixture_modes(x, ring.centres, 0.01)._asdict()  # type: ignore[attr-defined]
    real = examples(ring, 600, make_rng(3, Purpose.REAL)).x
    assert fid.values["distance"] == pytest.approx(frechet_distance(real, x), rel=1e-12)
    (other,) = evaluate(runs / "ring", ["fid"], n=600, seed=4)
    assert other.values != fid.values


def test_the_split_is_the_test_split_where_there_is_one(runs: Path) -> None:
    (test,) = evaluate(runs / "kittens", ["kid"], n=50)
    (train,) = evaluate(runs / "kittens", ["kid"], n=50, split="train")
    assert (test.split, train.split) == ("test", "train")
    assert test.values != train.values


def test_the_users_own_pictures(minigan: Command, runs: Path) -> None:
    result = minigan("eval", runs / "own", "--metrics", "fid", "--n", 20)
    assert result.code == 1
    assert "need a network: minigan ships extractors for digits" in error_line(result.err)
    result = minigan("eval", runs / "own", "--metrics", "kid", "--extractor", "digits", "--n", 20)
    assert result.code == 0
    assert "digits classifier, 64 features; split: train; N: 20 samples, 20 real" in result.out
    result = minigan("eval", runs / "own", "--metrics", "parzen", "--n", 20)
    assert "parzen needs held-out data" in error_line(result.err)
    result = minigan("eval", runs / "own", "--split", "test", "--metrics", "kid")
    assert "no separate test split" in error_line(result.err)


def test_what_d_has_learned_without_labels(minigan: Command, runs: Path, tmp_path: Path) -> None:
    """The run's D and one as new, by their features; labels of the training split teach."""
    asked = ["--metrics", "d-features", "--n", 20, "--json", tmp_path / "found.json"]
    result = minigan("eval", runs / "kittens", *asked)
    assert result.code == 0, result.err
    (found,) = json.loads((tmp_path / "found.json").read_text())
    data, test = (open_data("kittens", size=32, split=split) for split in ("train", "test"))
    game = build_algorithm(Config.load(runs / "kittens/config.json"), data)
    anew = partial(discriminator_features, game.networks["D"])
    first = anew(test.draw(3, make_rng(0)).x)
    trained = build_algorithm(Config.load(runs / "kittens/config.json"), data)
    checkpoint.load(runs / "kittens/checkpoints").restore(trained)
    own = partial(discriminator_features, trained.networks["D"])
    assert not np.allclose(first, own(test.draw(3, make_rng(0)).x))
    judge = Judge(own, anew, lambda: data)
    subject = Subject(lambda n, rng: None, test, split="test", held_out=test, judge=judge)
    assert found["values"] == measure("d-features", subject, 20).values
    result = minigan("eval", runs / "ring", "--metrics", "d-features")
    assert "d-features' needs pictures with labels" in error_line(result.err)
    assert "d-features" not in fitting(test, test)


def test_few_samples_are_warned_of(minigan: Command, runs: Path) -> None:
    result = minigan("eval", runs / "kittens", "--metrics", "fid", "--n", 20)
    assert "warning: Fréchet distance from 20 rows of 128 features" in result.err
    data = open_data("ring")
    subject = Subject(lambda n, rng: data.draw(n, rng).x, data, split="train")
    with pytest.warns(MetricWarning, match="sigma 0.1 at the end"):
        measure("parzen", Subject(subject._draw, data, split="test", held_out=data), 500)


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ("fid,novelty", "metric 'novelty' needs kittens, whose parts are known; the data here is"),
        ("is", "metric 'is' needs pictures; the data here is ring, points of shape (2,)"),
        ("", "unknown metric ''; known: caption-acc"),
        ("fidd", "unknown metric 'fidd'; did you mean 'fid' or 'kid'? known: caption-acc"),
    ],
)
def test_a_metric_without_its_data_names_both(
    minigan: Command, runs: Path, metrics: str, words: str
) -> None:
    result = minigan("eval", runs / "ring", "--metrics", metrics)
    assert result.code == 1
    assert words in error_line(result.err)
    assert result.out == ""  # nothing is measured before all can be


def test_other_things_that_cannot_be(minigan: Command, runs: Path, tmp_path: Path) -> None:
    assert "holds no run" in error_line(minigan("eval", tmp_path).err)
    assert "no best checkpoint" in error_line(minigan("eval", runs / "ring", "--from", "best").err)
    assert minigan("eval", runs / "ring", "--n", 3).code == 2
    data = open_data("ring")
    subject = Subject(lambda n, rng: data.draw(n, rng).x, data, split="train")
    with pytest.raises(OptionError, match="9 samples say nothing"):
        measure("modes", subject, 9)
    data = open_data("stacked-digits")
    subject = Subject(subject._draw, data, split="train", extractor="digits")
    with pytest.raises(DataError, match="its own extractor"):
        measure("modes", subject, 20)


@pytest.mark.parametrize(
    ("test_classes", "side", "said"),
    [
        (("disc", "square"), 8, "the classes of .* in the test split are not those of the run"),
        (("circle", "square"), 8, None),
        (("circle", "square"), 10, r"shape \(8, 8, 3\), and those of the test split"),
    ],
)
def test_a_test_split_is_measured_where_it_is_like_the_run(
    tmp_path: Path, test_classes: tuple[str, ...], side: int, said: str | None
) -> None:
    """Networks are the run's, whatever the test split holds: fewer labelled examples, too."""
    for split, names, pixels in (
        ("train", ("circle", "square"), 8),
        ("test", test_classes, side),
    ):
        for name in names:
            (tmp_path / "pics" / split / name).mkdir(parents=True)
            for i in range(12 if split == "train" else 6):
                image = np.random.default_rng(i).integers(256, size=(pixels, pixels, 3))
                path = tmp_path / "pics" / split / name / f"{i}.png"
                Image.fromarray(image.astype(np.uint8)).save(path)
    options = ALGORITHMS["semi-supervised"].options.of(
        network="mlp", hidden_G=(4,), hidden_D=(4,), labels=20
    )
    run = RunOptions(data=str(tmp_path / "pics"), batch=4, steps=0, threads=1, no_report=True)
    Trainer.start("semi-supervised", options, run, tmp_path / "run").train()
    names = ["parzen"]
    if said is None:
        assert [r.split for r in evaluate(tmp_path / "run", names, n=12)] == ["test"]
        return
    with pytest.raises(DataError, match=said):
        list(evaluate(tmp_path / "run", names, n=12))
