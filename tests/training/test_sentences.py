"""Runs on sentences: what they leave, how they resume, and sentences as text, pictures, arrays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.text import KITTENS
from minigan.training.telling import LINE, REAL, SHOWN, page
from tests.training.support import OFTEN, Finished, assert_same_run, error_line, leave, records

Command = Callable[..., Finished]

SMALL = split(
    "seqgan --embedding 4 --hidden 5 --embedding-D 3 --windows 1,2 --filters 3,4 --rollouts 2 "
    "--d-steps 2 --batch 8 --pretrain-G 2 --pretrain-D 2 --length 8"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 6 steps on captions, two of each stage."""
    folder = tmp_path_factory.mktemp("sentences") / "run"
    leave("train", *SMALL, "--data", "captions", *OFTEN, "--steps", 6, "--out", folder)
    return folder


def test_a_run_tells_sentences_and_logs_its_stages(run: Path) -> None:
    log = records(run)
    assert [record["stage"] for record in log] == [1, 1, 2, 2, 3, 3]
    assert {"NLL", "grad_norm_G"} <= set(log[0])
    assert {"loss_D", "D(x)", "D(G(z))"} <= set(log[2])
    assert {"loss_G", "reward", "loss_D"} <= set(log[5])
    told = (run / "samples" / "step_000006.txt").read_text().splitlines()
    assert len(told) == 64
    assert {word for line in told for word in line.split()} <= set(KITTENS.vocabulary.words)
    with Image.open(run / "samples" / "step_000006.png") as sheet:
        assert sheet.height > (SHOWN + REAL + 2) * LINE
        assert len(sheet.convert("L").getcolors()) > 5
    assert (run / "report.html").stat().st_size > 0
    kept = json.loads((run / "vocabulary.json").read_text())
    assert tuple(kept["words"]) == KITTENS.vocabulary.words


@pytest.mark.parametrize("step", [2, 4])
def test_a_resumed_run_equals_an_unbroken_one(
    step: int, minigan: Command, run: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    assert minigan("resume", folder, "--steps", 0, "--from", step).code == 0
    assert_same_run(folder, run)


def test_sentences_are_measured(minigan: Command, run: Path) -> None:
    result = minigan("eval", run, "--n", 50)
    assert result.code == 0, result.err
    assert result.out.startswith("nll-test: nll ")
    assert "sentences: distinct " in result.out
    assert ", captions 0" in result.out
    assert "split: test; N: 50 samples, 10000 real" in result.out


def test_the_oracle_chooses_a_checkpoint(minigan: Command, tmp_path: Path) -> None:
    how = split("--words 6 --steps 6 --keep-best nll-oracle --eval-every 2 --eval-samples 20")
    result = minigan("train", *SMALL, *how, "--out", tmp_path / "run", "--no-report")
    assert result.code == 0, result.err
    logged = [r["nll-oracle.nll"] for r in records(tmp_path / "run") if "nll-oracle.nll" in r]
    assert len(logged) == 3
    result = minigan("eval", tmp_path / "run", "--metrics", "nll-oracle", "--from", "best")
    assert "of the oracle itself" in result.out


# --- sample ---------------------------------------------------------------------------------------


def test_sentences_leave_as_text_and_as_numbers(
    minigan: Command, run: Path, tmp_path: Path
) -> None:
    result = minigan("sample", run, "--n", 7, "--out", tmp_path / "s.txt")
    assert result.code == 0, result.err
    assert "7 sentences after step 6" in result.out
    told = (tmp_path / "s.txt").read_text().splitlines()
    assert len(told) == 7
    assert minigan("sample", run, "--n", 7, "--out", tmp_path / "s.npz").code == 0
    with np.load(tmp_path / "s.npz", allow_pickle=False) as stored:
        x = stored["x"]
    assert x.shape == (7, 8)
    names = KITTENS.vocabulary.names
    assert [" ".join(names[i] for i in row if i) for row in x] == told
    assert minigan("sample", run, "--n", 7, "--seed", 1, "--out", tmp_path / "o.txt").code == 0
    assert (tmp_path / "o.txt").read_text().splitlines() != told
    assert minigan("sample", run, "--out", tmp_path / "s.png").code == 0
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.height > 64 * LINE


REFUSED = {
    "--out s.mid": "asks for tunes, and this run of seqgan makes none",
    "--out s.wav": "wanted a .png or .npz file (of tunes a .mid, of sentences a .txt too)",
    "--out s.png --columns 3": "--columns is for runs that make pictures; this one makes sentences",
    "--out s --single": "--single is for runs that make pictures",
    "--out s.png --interpolate 3": "a way through z is for runs that make pictures",
    "--out s.txt --text c": "--text is for runs that make pictures",
    "--out s.txt --bars 3": "--bars asks for tunes, and this run of seqgan makes none",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_sentences_have_not_is_refused(words: str, minigan: Command, run: Path) -> None:
    result = minigan("sample", run, *split(words))
    assert result.code == 1
    assert REFUSED[words] in error_line(result.err)


def test_other_runs_tell_no_sentences(minigan: Command, unbroken: Path, tmp_path: Path) -> None:
    result = minigan("sample", unbroken, "--out", tmp_path / "s.txt")
    assert result.code == 1
    said = error_line(result.err)
    assert "asks for sentences, and this run of dcgan makes none" in said


# --- one's own text -------------------------------------------------------------------------------


def test_a_run_on_a_text_knows_its_words(minigan: Command, tmp_path: Path) -> None:
    text = tmp_path / "own.txt"
    text.write_text("\n".join(f"a word w{i % 7} and another" for i in range(40)))
    folder = tmp_path / "run"
    ask = ["train", *SMALL, "--data", text, "--steps", 2, "--out", folder, "--no-report"]
    assert minigan(*ask).code == 0
    assert minigan("sample", folder, "--n", 3, "--out", tmp_path / "s.txt").code == 0
    text.write_text(text.read_text().replace("another", "other"))
    result = minigan("resume", folder, "--steps", 1)
    assert result.code == 1
    assert "has learned other words than its data has now, such as 'another'" in error_line(
        result.err
    )
    text.unlink()
    result = minigan("resume", folder, "--steps", 1)
    assert "own.txt, which is not there any more; put it back" in error_line(result.err)


def test_a_long_sentence_is_cut_on_a_page() -> None:
    short, long = page(["a"], [], 40), page(["a" * 500], ["b"], 40)
    assert short.width == long.width
    assert long.height == short.height + 3 * LINE
