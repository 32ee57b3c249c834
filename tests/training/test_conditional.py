"""Runs of conditional GANs: what they leave, how they resume, and samples asked for by labels."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.algorithms.conditional.game import ConditionalGAN
from minigan.backend import make_rng
from minigan.data import kittens, open_data
from minigan.errors import DataError
from minigan.metrics import Subject, measure, shipped_classifier
from minigan.metrics.label_accuracy import shares
from minigan.streams import Purpose
from minigan.training import best
from minigan.training.building import build_algorithm, dataset_of
from minigan.training.config import Config
from minigan.training.evaluation import fitting
from minigan.training.labels import conditions, inputs
from tests.training.support import (
    OFTEN,
    Finished,
    assert_same_run,
    error_line,
    leave,
    run,
    write_pictures,
)

Command = Callable[..., Finished]

RUNS = {
    "digits": split("cgan --hidden-G 6,7,8 --hidden-D 5,4,6 --z-dim 3 --batch 8 --ema 0.9"),
    "kittens": split("cdcgan --data kittens --size 16 --width 2 --z-dim 3 --batch 8"),
    "two": split(
        "acgan --data kittens --size 8 --width 2 --z-dim 3 --batch 8 --label accessory,body"
    ),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, options in RUNS.items():
        leave("train", *options, *OFTEN, "--steps", 4, "--out", folder / name)
    plain = split("gan --hidden-G 4 --hidden-D 4 --z-dim 2 --batch 8 --steps 1")
    leave("train", *plain, "--out", folder / "plain")
    return folder


def restored(folder: Path) -> ConditionalGAN:
    config = Config.load(folder / "config.json")
    algorithm = build_algorithm(config, dataset_of(config))
    best.load(folder / "checkpoints").restore(algorithm)
    assert isinstance(algorithm, ConditionalGAN)
    return algorithm


def sampled(minigan: Command, folder: Path, out: Path, *options: object) -> np.ndarray:
    result = minigan("sample", folder, *options, "--out", out)
    assert result.code == 0, result.err
    with np.load(out) as arrays:
        return arrays["x"]


def cells(picture: Image.Image, side: int, columns: int) -> np.ndarray:
    """The pixels of each picture of a grid, row by row: (rows, columns, ...)."""
    factor = picture.width // ((side + 2) * columns - 2)
    step = factor * (side + 2)
    pixels = np.asarray(picture.convert("RGB"))
    rows = (pixels.shape[0] + 2 * factor) // step
    inner = factor * side
    return np.stack(
        [
            np.stack([pixels[i * step :, j * step :][:inner, :inner] for j in range(columns)])
            for i in range(rows)
        ]
    )


# --- a run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "side", "rows"), [("digits", 28, 10), ("kittens", 16, 10)])
def test_a_run_shows_a_label_along_each_row_and_a_noise_down_each_column(
    runs: Path, name: str, side: int, rows: int
) -> None:
    game = restored(runs / name)
    with Image.open(runs / name / "samples/step_000004.png") as picture:
        shown = cells(picture, side, 8)
    assert shown.shape[:2] == (rows, 8)
    z = game.prior.draw(8, make_rng(0, Purpose.PICTURES))
    if name == "digits":
        x = game.generate(np.repeat(z[2:3], 10, 0), np.arange(10)[:, None])
        wanted = np.clip(np.rint((x[..., 0] + 1) * 127.5), 0, 255).astype(np.uint8)
        factor = shown.shape[2] // side
        np.testing.assert_array_equal(shown[:, 2, ::factor, ::factor, 0], wanted)


def test_a_run_goes_on_to_the_bit(minigan: Command, runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "kittens", tmp_path / "parts")
    assert minigan("resume", tmp_path / "parts", "--from", 2).code == 0
    assert_same_run(tmp_path / "parts", runs / "kittens")


def test_labels_of_a_run_are_those_that_were_asked_for_in_the_data_s_order(runs: Path) -> None:
    assert [*restored(runs / "kittens").label_names] == [*kittens.NAMES]
    assert [*restored(runs / "two").label_names] == ["body", "accessory"]
    assert restored(runs / "digits").label_names == {"digit": tuple("0123456789")}


def test_a_step_is_given_the_columns_of_these_labels(runs: Path) -> None:
    config = Config.load(runs / "two/config.json")
    data = dataset_of(config)
    batch = data.draw(50, make_rng(0))
    x, labels = inputs(batch, conditions(config, data))
    places = [[*kittens.NAMES].index(label) for label in ("body", "accessory")]
    assert batch.labels is not None
    np.testing.assert_array_equal(labels, batch.labels[:, places])
    assert x is batch.x
    plain = Config.load(runs / "plain/config.json")
    assert inputs(batch, conditions(plain, data)) == (batch.x,)


# --- sample ---------------------------------------------------------------------------------------


def test_a_class_is_that_of_all_samples(minigan: Command, runs: Path, tmp_path: Path) -> None:
    game = restored(runs / "digits")
    x = sampled(minigan, runs / "digits", tmp_path / "x.npz", "--class", 7, "--n", 5)
    z = game.prior.draw(5, make_rng(0, Purpose.SAMPLES))
    np.testing.assert_array_equal(x, game.generate(z, np.full((5, 1), 7)))
    other = sampled(minigan, runs / "digits", tmp_path / "y.npz", "--attr", "digit=3", "--n", 5)
    np.testing.assert_array_equal(other, game.generate(z, np.full((5, 1), 3)))
    drawn = sampled(minigan, runs / "digits", tmp_path / "z.npz", "--n", 5)
    labels = game.draw_labels(5, make_rng(0, Purpose.LABELS))
    np.testing.assert_array_equal(drawn, game.generate(z, labels))
    assert len(np.unique(labels)) > 1


def test_attributes_are_set_and_the_others_are_drawn(
    minigan: Command, runs: Path, tmp_path: Path
) -> None:
    game, folder = restored(runs / "kittens"), runs / "kittens"
    wish = ["--attr", "body=blue", "--attr", "accessory = bell", "--class", "winged"]
    x = sampled(minigan, folder, tmp_path / "x.npz", *wish, "--n", 4)
    labels = game.draw_labels(4, make_rng(0, Purpose.LABELS))
    places = [*kittens.NAMES]
    for label, name in (("body", "blue"), ("accessory", "bell"), ("eyes", "winged")):
        labels[:, places.index(label)] = kittens.NAMES[label].index(name)
    np.testing.assert_array_equal(
        x, game.generate(game.prior.draw(4, make_rng(0, Purpose.SAMPLES)), labels)
    )


def test_rows_of_a_walk_keep_the_class_that_was_asked_for(
    minigan: Command, runs: Path, tmp_path: Path
) -> None:
    ask = ["--class", 4, "--n", 2]
    walked = sampled(minigan, runs / "digits", tmp_path / "x.npz", *ask, "--interpolate", 3)
    assert len(walked) == 6
    ends = sampled(minigan, runs / "digits", tmp_path / "y.npz", *ask)
    np.testing.assert_allclose(walked[[0, 3]], ends, atol=1e-6)


def test_three_panels(minigan: Command, runs: Path, tmp_path: Path) -> None:
    """Noise and label; one noise, 0: columns alike; no label: rows alike."""
    out = tmp_path / "panels.png"
    result = minigan("sample", runs / "digits", "--panels", "--columns", 4, "--out", out)
    assert result.out == f"noise and label, label alone, noise alone after step 4: {out}\n"
    with Image.open(out) as picture:
        width = (picture.width - 2 * 16) // 3
        parts = [
            cells(
                picture.crop((i * (width + 16), 20, i * (width + 16) + width, picture.height)),
                28,
                4,
            )
            for i in range(3)
        ]
    both, *_ = parts
    assert both.shape[:2] == (10, 4)
    columns_alike = [(part == part[:, :1]).all() for part in parts]
    rows_alike = [(part == part[:1]).all() for part in parts]
    assert columns_alike == [False, True, False]
    assert rows_alike == [False, False, True]
    assert len({cell.tobytes() for cell in both.reshape(40, -1)}) == 40


REFUSED = [
    ("digits --class 12", ["class 12 of label 'digit' is out of range", "10 classes, 0 to 9"]),
    ("digits --class -1", ["class -1 of label 'digit' is out of range"]),
    ("digits --class sevn", ["unknown class of label 'digit': 'sevn'", "known: 0, 1"]),
    ("digits --attr digti=3", ["unknown label 'digti'", "did you mean 'digit'"]),
    ("digits --attr digit", ["--attr 'digit'", "wanted LABEL=CLASS, e.g. digit=0"]),
    ("digits --attr digit=", ["wanted LABEL=CLASS"]),
    ("kittens --attr body=bleu", ["class of label 'body': 'bleu'", "did you mean 'blue'"]),
    ("kittens --attr hat=red", ["unknown label 'hat'", "known: accessory, body, eyes, fur, mouth"]),
    ("kittens --class glases", ["unknown class of body, fur,", "did you mean 'glasses'"]),
    ("kittens --class grey", ["a class of 2 labels", "--attr body=grey or --attr eyes=grey"]),
    ("kittens --panels --n 8", ["--panels shows every class, in --columns draws: leave --n out"]),
    ("kittens --panels --single", ["leave --single out"]),
    ("kittens --panels --interpolate 3 --class blue", ["leave --class and --interpolate out"]),
    ("kittens --attr body=blue --attr body=grey", ["'body' is not blue and grey at once"]),
    ("digits --class 7 --attr digit=3", ["'digit' is not 3 and 7 at once: ask for one"]),
    ("plain --class 7", ["run of gan", "biggan, cgan, cdcgan, acgan"]),
    ("plain --attr digit=7", ["--attr asks for samples", "run of gan"]),
    ("plain --panels", ["--panels asks for samples"]),
]


@pytest.mark.parametrize(("command", "words"), REFUSED, ids=lambda v: str(v)[:40])
def test_what_cannot_be_asked_for(
    minigan: Command, runs: Path, tmp_path: Path, command: str, words: list[str]
) -> None:
    name, *rest = split(command)
    out = tmp_path / ("folder" if "--single" in rest else "x.png")
    result = minigan("sample", runs / name, *rest, "--out", out)
    assert result.code == 1
    message = error_line(result.err)
    assert [word for word in words if word not in message] == []
    assert not out.exists()


def test_the_real_command_asks_and_refuses(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "seven.png"
    made = run("sample", runs / "digits", "--class", 7, "--n", 4, "--out", out)
    assert made == Finished(0, f"4 samples after step 4: {out}\n", "")
    refused = run("sample", runs / "digits", "--class", "77", "--out", out)
    assert refused.code == 1
    assert "out of range" in error_line(refused.err)


# --- eval -----------------------------------------------------------------------------------------


def test_eval_prints_the_accuracy_of_labels_beside_the_classifier_s_own(
    minigan: Command, runs: Path, tmp_path: Path
) -> None:
    written = tmp_path / "r.json"
    result = minigan(
        *("eval", runs / "digits", "--metrics", "label-accuracy", "--n", 30, "--json", written)
    )
    assert result.code == 0, result.err
    values = json.loads(written.read_text())[0]["values"]
    assert re.match(r"label-accuracy: accuracy [\d.]+, real [\d.]+\n", result.out)
    game, classifier = restored(runs / "digits"), shipped_classifier("digits")
    rng = make_rng(0, Purpose.MEASURED)
    config = Config.load(runs / "digits/config.json")
    labels = build_algorithm(config, open_data("digits", split="test")).draw_labels(30, rng)  # type: ignore[attr-defined]
    x = game.generate(game.prior.draw(30, rng), labels)
    assert values["accuracy"] == (classifier.predict(x) == labels).mean()
    assert values["real"] > 0.9


def test_eval_of_several_labels_says_each(minigan: Command, runs: Path, tmp_path: Path) -> None:
    written = tmp_path / "r.json"
    ask = ["--metrics", "label-accuracy", "--n", 20, "--json", written]
    assert minigan("eval", runs / "two", *ask).code == 0
    values = json.loads(written.read_text())[0]["values"]
    assert values["accuracy"] == pytest.approx((values["body"] + values["accessory"]) / 2)
    assert values["real"] == pytest.approx((values["body (real)"] + values["accessory (real)"]) / 2)
    assert values["all labels"] <= min(values["body"], values["accessory"])


def test_eval_asks_conditional_runs_only(minigan: Command, runs: Path) -> None:
    result = minigan("eval", runs / "plain", "--metrics", "label-accuracy")
    assert "needs samples that are asked for by their labels" in error_line(result.err)
    digits = open_data("digits")
    assert "label-accuracy" in fitting(digits, None, asks=True)
    assert "label-accuracy" not in fitting(digits, None)
    ring = open_data("ring")
    subject = Subject(lambda n, rng: ring.draw(n, rng).x, ring, split="train")
    with pytest.raises(DataError, match="pictures with labels that a classifier ships for"):
        measure("label-accuracy", subject)


def test_shares_by_hand() -> None:
    p = {"b": np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]]), "a": np.eye(3)}
    labels = np.array([[0, 1], [1, 1], [0, 1]])
    each, together = shares(p, labels, ["a", "b"])
    assert each == {"a": 2 / 3, "b": 2 / 3}
    assert together == 1 / 3


# --- data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            "cgan --data gaussian1d",
            ["cgan learns from labelled examples", "'gaussian1d' has no la"],
        ),
        ("cdcgan --data own.npz", ["has no labels; data with labels: digits, kittens", "folder"]),
        ("cgan --label digti", ["unknown label 'digti'", "did you mean 'digit'"]),
        ("cdcgan --data kittens --label body,tail", ["unknown label 'tail'", "known: accessory"]),
        ("cgan --data one.npz", ["label 'class' has one class only (0)", "nothing to choose"]),
        ("cdcgan --data ring", ["cdcgan makes pictures", "use cgan"]),
        ("acgan --wrong-pairs whole", ["--d-sees auxiliary shows D no condition"]),
        ("cgan --objective softmax --wrong-pairs whole", ["'softmax' holds", "use halved"]),
        ("cdcgan --objective ebgan", ["'ebgan'"]),
    ],
)
def test_data_and_options_that_cannot_be(
    minigan: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_pictures(Path("own.npz"))
    with np.load("own.npz") as arrays:
        np.savez("one.npz", x=arrays["x"], labels=np.zeros(len(arrays["x"]), int))
    result = minigan("train", *split(command), "--steps", 1, "--out", "run")
    message = error_line(result.err)
    assert result.code == 1
    assert [word for word in words if word not in message] == []
    assert not Path("run").exists()


def test_classes_of_a_folder_are_asked_for_by_name(minigan: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(256, size=(8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{i}.png")
    train = split("cdcgan --width 2 --z-dim 2 --batch 4 --steps 1 --channels 1")
    folder = tmp_path / "run"
    assert minigan("train", *train, "--data", tmp_path / "data", "--out", folder).code == 0
    x = sampled(minigan, folder, tmp_path / "x.npz", "--class", "dogs", "--n", 2)
    game = restored(folder)
    z = game.prior.draw(2, make_rng(0, Purpose.SAMPLES))
    np.testing.assert_array_equal(x, game.generate(z, np.ones((2, 1), int)))
    refused = minigan("sample", folder, "--class", "dog", "--out", tmp_path / "y.png")
    assert "did you mean 'dogs'" in error_line(refused.err)


def contents(path: Path) -> np.ndarray:
    with np.load(path) as stored:
        return stored["x"]


def test_a_run_keeps_its_classes(minigan: Command, tmp_path: Path) -> None:
    """Folders that are renamed or added would give other classes the numbers of the old ones."""
    for name in ("circle", "cross", "square"):
        (tmp_path / "pics" / name).mkdir(parents=True)
        for i in range(3):
            pixels = np.random.default_rng(i).integers(256, size=(8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pics" / name / f"{i}.png")
    run = tmp_path / "run"
    small = ["--size", 8, "--width", 2, "--batch", 4, "--steps", 1]
    result = minigan("train", "cdcgan", "--data", tmp_path / "pics", *small, "--out", run)
    assert result.code == 0, result.err
    stored = json.loads((run / "config.json").read_text())
    assert stored["classes"] == {"class": ["circle", "cross", "square"]}
    ask = ["sample", run, "--class", "square", "--out", tmp_path / "x.npz"]
    assert minigan(*ask).code == 0

    asked = contents(tmp_path / "x.npz")
    anything = ["sample", run, "--out", tmp_path / "y.npz"]
    assert minigan(*anything).code == 0

    (tmp_path / "pics/circle").rename(tmp_path / "pics/disc")
    now = "class: cross, disc, square now, class: circle, cross, square then"
    for command in (["resume", run, "--steps", 1], anything):
        assert now in error_line(minigan(*command).err)
    (tmp_path / "pics").rename(tmp_path / "gone")
    gone = f"was trained on {tmp_path / 'pics'}, which is not there any more; put it back"
    said = error_line(minigan(*anything).err)
    assert said.endswith(f"{gone}, or ask for labels with --class or --attr")
    assert error_line(minigan("resume", run, "--steps", 1).err).endswith(gone)
    assert minigan(*ask).code == 0  # its classes are those that it was trained on
    np.testing.assert_array_equal(contents(tmp_path / "x.npz"), asked)
