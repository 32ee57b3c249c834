"""Runs on captions: what they leave, how they resume, and `minigan sample --text`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.text import KITTENS
from tests.training.support import (
    OFTEN,
    Finished,
    assert_same_run,
    error_line,
    leave,
    records,
    run,
)

Command = Callable[..., Finished]

SMALL = "--size 16 --width 2 --embedding-dim 4 --text-dim 6 --code-dim 3 --z-dim 4 --batch 4"
RUNS = {
    "gan-cls": split(f"gan-cls {SMALL} --encoder conv --ema 0.9"),
    "stackgan": split(f"stackgan {SMALL} --blocks 1 --stage-steps 2"),
}
OWN = {"a.png": "a red one", "b.png": "a blue one", "c.png": ["a green one", "it is green"]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of each, of 4 steps."""
    folder = tmp_path_factory.mktemp("texts")
    for name, words in RUNS.items():
        leave("train", *words, *OFTEN, "--steps", 4, "--out", folder / name)
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's captioned pictures, and a run on them."""
    folder = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    (folder / "data").mkdir()
    for name in OWN:
        pixels = rng.integers(256, size=(16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "data" / name)
    (folder / "data" / "captions.json").write_text(json.dumps(OWN))
    leave(
        *("train", *RUNS["gan-cls"], "--data", folder / "data", "--steps", 1),
        *("--out", folder / "run"),
    )
    return folder


def x_of(file: Path) -> np.ndarray:
    with np.load(file, allow_pickle=False) as stored:
        return stored["x"]


# --- what a run leaves ----------------------------------------------------------------------------


def test_a_run_keeps_its_words_and_says_what_its_pictures_show(runs: Path) -> None:
    for name in RUNS:
        kept = json.loads((runs / name / "vocabulary.json").read_text())
        assert tuple(kept["words"]) == KITTENS.vocabulary.words
        assert (kept["length"], kept["shape"]) == (KITTENS.vocabulary.length, [16, 16, 3])
        captions = (runs / name / "samples" / "captions.txt").read_text().splitlines()
        assert len(captions) == 10
        assert all(KITTENS.parse(caption) for caption in captions)
        with Image.open(runs / name / "samples" / "step_000004.png") as sheet:
            factor = round(512 / (8 * 18 - 2))
            assert sheet.size == (factor * (8 * 18 - 2), factor * (10 * 18 - 2))


def test_the_log_has_what_every_stage_pays(runs: Path) -> None:
    assert {"loss_D", "loss_G", "D(x)", "D(G(z))", "score(x, wrong text)"} <= set(
        records(runs / "gan-cls")[-1]
    )
    first, *_, last = (r for r in records(runs / "stackgan") if r["step"] > 0)
    assert {"loss_D1", "loss_G1", "KL 1", "grad_norm_E"} <= set(first)
    assert {"loss_D2", "loss_G2", "KL 2"} <= set(last)
    assert not {"loss_D2", "loss_G2"} & set(first)
    assert not {"loss_D1", "loss_G1", "grad_norm_E"} & set(last)


@pytest.mark.parametrize("name", RUNS)
def test_a_resumed_run_equals_an_unbroken_one(
    name: str, minigan: Command, runs: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(runs / name, tmp_path / "run"))
    assert minigan("resume", folder, "--steps", 0, "--from", 2).code == 0
    assert_same_run(folder, runs / name)


# --- sample --text --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_texts_have_a_row_each_with_one_z_down_a_column(
    name: str, minigan: Command, runs: Path, tmp_path: Path
) -> None:
    one, two = "a blue kitten with glasses", "a black cat"
    ask = ["sample", runs / name, "--from", 2]  # of stackgan, the first stage's
    texts = ["--text", one, "--text", two, "--columns", 3]
    both = minigan(*ask, *texts, "--out", tmp_path / "both.npz")
    assert both.code == 0, both.err
    x = x_of(tmp_path / "both.npz")
    assert x.shape == (6, 16, 16, 3)
    assert np.abs(x[:3] - x[3:]).max() > 0  # the text
    assert np.abs(x[0] - x[1]).max() > 0  # z
    for i, text in enumerate((one, two)):
        minigan(*ask, "--text", text, "--n", 3, "--out", tmp_path / "alone.npz")
        np.testing.assert_allclose(x[3 * i : 3 * i + 3], x_of(tmp_path / "alone.npz"), atol=1e-6)


def test_a_picture_of_texts_lists_them_beside(minigan: Command, runs: Path, tmp_path: Path) -> None:
    texts = ["--text", "A blue kitten, with glasses!", "--text", "a cat"]
    result = minigan("sample", runs / "gan-cls", *texts, "--out", tmp_path / "asked.png")
    assert result.code == 0, result.err
    assert "16 samples after step 4" in result.out
    assert (tmp_path / "asked.txt").read_text() == "a blue kitten with glasses\na cat\n"
    result = minigan("sample", runs / "gan-cls", "--n", 3, "--out", tmp_path / "drawn.png")
    assert result.code == 0, result.err
    drawn = (tmp_path / "drawn.txt").read_text().splitlines()
    assert len(drawn) == 3
    assert all(KITTENS.parse(caption) for caption in drawn)


def test_a_text_can_be_walked_through_z(minigan: Command, runs: Path, tmp_path: Path) -> None:
    walk = ["--text", "a red cat", "--interpolate", 4, "--n", 2]
    result = minigan("sample", runs / "stackgan", *walk, "--out", tmp_path / "walk.npz")
    assert result.code == 0, result.err
    assert x_of(tmp_path / "walk.npz").shape == (8, 16, 16, 3)


def test_eval_reads_captions(minigan: Command, runs: Path) -> None:
    result = minigan("eval", runs / "gan-cls", "--metrics", "caption-accuracy", "--n", 40)
    assert result.code == 0, result.err
    assert "caption-accuracy: accuracy 0." in result.out
    assert "body (real)" in result.out


# --- a folder of one's own ------------------------------------------------------------------------


def test_a_run_on_own_captions_draws_without_its_data(
    minigan: Command, own: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(own / "run", tmp_path / "run"))
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace(str(own / "data"), "/gone"))
    ask = ["sample", folder, "--out", tmp_path / "x.npz", "--n", 2]
    assert minigan(*ask, "--text", "it is blue").code == 0
    assert x_of(tmp_path / "x.npz").shape == (2, 16, 16, 3)
    refused = minigan(*ask)
    assert "was trained on /gone, which is not there any more" in error_line(refused.err)


def test_other_words_than_a_run_has_learned_are_refused(
    minigan: Command, own: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(own / "data", tmp_path / "data"))
    train = ["train", *RUNS["gan-cls"], "--data", data, "--steps", 1, "--out", tmp_path / "run"]
    assert minigan(*train).code == 0
    table = (data / "captions.json").read_text()
    (data / "captions.json").write_text(table.replace("red", "rod"))
    refused = minigan("resume", tmp_path / "run", "--steps", 1)
    assert refused.code == 1
    assert "has learned other words than its data has now, such as 'red'" in error_line(refused.err)


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--text", "a blu kitten"], ["unknown word 'blu'", "did you mean 'blue'"]),
        (["--text", "..."], ["has no words"]),
        (["--text", "a cat", "--text", "a red cat", "--n", "3"], ["several --text", "leave --n"]),
        (
            ["--text", "a " * (KITTENS.vocabulary.length + 1)],
            [f"the model takes {KITTENS.vocabulary.length} at most"],
        ),
        (["--class", "blue"], ["--class", "reads captions; ask with --text"]),
        (["--text", "a cat", "--attr", "body=blue"], ["--attr", "ask with --text"]),
        (["--text", "a cat", "--panels"], ["--panels"]),
    ],
    ids=str,
)
def test_a_text_that_cannot_be_read_is_refused(
    asked: list[str], words: list[str], minigan: Command, runs: Path, tmp_path: Path
) -> None:
    result = minigan("sample", runs / "stackgan", *asked, "--out", tmp_path / "x.png")
    message = error_line(result.err)
    assert result.code == 1
    assert [word for word in words if word not in message] == []
    assert not (tmp_path / "x.png").exists()


def test_a_run_that_reads_no_captions_says_so(
    minigan: Command, perceptrons: Path, tmp_path: Path
) -> None:
    result = minigan("sample", perceptrons, "--text", "a cat", "--out", tmp_path / "x.png")
    assert "this run of gan reads none; train gan-cls or stackgan" in error_line(result.err)


def test_words_that_cannot_be_read_are_told(minigan: Command, runs: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(runs / "gan-cls", tmp_path / "run"))
    for content in ("{", '{"words": ["Big"], "length": 3, "shape": [1]}', "{}"):
        (folder / "vocabulary.json").write_text(content)
        result = minigan("sample", folder, "--text", "a cat", "--out", tmp_path / "x.png")
        assert "vocabulary.json cannot be read as a run's words" in error_line(result.err)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("train gan-cls --data digits", ["digits has no captions of pictures", "captions.json"]),
        ("train stackgan --size 30", ["stage 1 of pictures of 30x30 has 15x15", "nearest legal"]),
        ("train stackgan --size 18 --stages 3", ["a StackGAN of 3 stages", "32x32"]),
        ("train gan-cls --width 0", ["--width 0"]),
    ],
)
def test_runs_that_cannot_be_are_refused(
    command: str, words: list[str], minigan: Command, tmp_path: Path
) -> None:
    result = minigan(*split(command), "--out", tmp_path / "run")
    message = error_line(result.err)
    assert result.code == 1
    assert [word for word in words if word not in message] == []
    assert not (tmp_path / "run").exists()


def test_the_real_command_draws_and_refuses(runs: Path, tmp_path: Path) -> None:
    """A process of its own."""
    ask = ["sample", runs / "gan-cls", "--out", tmp_path / "x.png", "--text"]
    assert run(*ask, "a blue kitten with glasses").code == 0
    refused = run(*ask, "a blue kitten with glases")
    assert refused.code == 1
    assert "unknown word 'glases', did you mean 'glasses'" in error_line(refused.err)
