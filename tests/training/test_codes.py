"""Runs of GANs with codes: what they leave and log, how they resume, what they refuse."""

import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.data import DataWarning
from minigan.data.memory import InMemory
from minigan.errors import DataError, OptionError
from minigan.training.held_out import HeldOut
from tests.training.support import (
    OFTEN,
    Finished,
    assert_same_run,
    error_line,
    numbers,
    records,
    write_pictures,
)

Command = Callable[..., Finished]

SMALL = "--network mlp --hidden-G 8 --hidden-D 7 --z-dim 3 --batch 8"
RUNS = {
    "semi-supervised": split(f"semi-supervised --data digits {SMALL} --labels 20"),
    "infogan": split(f"infogan --data digits {SMALL}"),
    "clustergan": split(f"clustergan --data digits {SMALL} --hidden-D 6 --k 2"),
    "cogan": split(f"cogan --data digits-negative {SMALL}"),
}
SHOWN = {  # what the log has besides the game's losses
    "semi-supervised": {"supervised", "accuracy(labelled)", "accuracy"},
    "infogan": {"L_I(c1)", "L_I(c2)", "L_I(c3)", "purity", "NMI"},
    "clustergan": {"noise", "cluster", "wgan-gp", "purity", "NMI"},
    "cogan": {"D(x) 1", "D(G(z)) 2"},
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run(minigan: Command, tmp_path: Path, name: str) -> None:
    """Files and log; going on in two parts leaves the same; samples and ways through z come out."""
    folder = tmp_path / "run"
    train = ["train", *RUNS[name], *OFTEN, "--no-report"]
    result = minigan(*train, "--steps", 4, "--out", folder)
    assert result.code == 0, result.err
    assert numbers(folder, "samples/step_*.png") == [0, 2, 4]
    assert SHOWN[name] <= records(folder)[-1].keys()
    for key in SHOWN[name] & {"accuracy", "purity"}:
        assert 0 < records(folder)[-1][key] < 1
    shutil.copytree(folder, tmp_path / "parts")
    for longer in (
        minigan("resume", tmp_path / "parts", "--from", 2),
        minigan("sample", folder, "--n", 5, "--out", tmp_path / "x.npz"),
        minigan("sample", folder, "--n", 2, "--traverse", "1", "--out", tmp_path / "x.png"),
    ):
        assert longer.code == 0, longer.err
    assert_same_run(tmp_path / "parts", folder)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as archive:
        assert archive["x"].shape == (5, 28, 28, 2 if name == "cogan" else 1)


def test_a_pair_stands_below_one_another(minigan: Command, tmp_path: Path) -> None:
    """Samples of two domains: a row of the first above a row of the second."""
    folder, out = tmp_path / "run", tmp_path / "x.png"
    train = ["train", *RUNS["cogan"], "--steps", 1, "--no-report", "--out", folder]
    assert minigan(*train).code == 0
    assert minigan("sample", folder, "--n", 5, "--out", out).code == 0
    assert minigan("sample", folder, "--n", 5, "--out", tmp_path / "x.npz").code == 0
    with np.load(tmp_path / "x.npz", allow_pickle=False) as archive, Image.open(out) as picture:
        x = archive["x"]
        seen = np.asarray(picture.convert("L")).astype(float)
    factor = round(seen.shape[1] / (8 * 30 - 2))
    seen = seen[::factor, ::factor]
    for row, channel in ((0, 0), (30, 1)):
        expected = (x[2, :, :, channel] + 1) * 127.5
        np.testing.assert_allclose(seen[row : row + 28, 60:88], expected, atol=1)


REFUSED = {
    "semi-supervised --data kittens --size 16": "choose one with --label",
    "semi-supervised --data kittens --label fur --size 16": "--labels 100: wanted a multiple of",
    "semi-supervised --data digits --labels 8000": "take 800 of each class, and there are",
    "semi-supervised --data digits --label digti": "did you mean 'digit'",
    "cogan --data digits": "digits holds single examples; pairs are digits-negative",
    "infogan --data ring": "--network conv takes pictures",
    "infogan --categorical 10,1": "categorical codes of 10, 1 classes",
    "cogan --own-G 9": "9 of G's 3 layers for each domain alone: wanted 1 to 2",
}


@pytest.mark.parametrize("command", REFUSED)
def test_refused(minigan: Command, tmp_path: Path, command: str) -> None:
    result = minigan("train", *split(command), "--out", tmp_path / "run")
    assert result.code == 1
    assert REFUSED[command] in error_line(result.err)
    assert not (tmp_path / "run").exists()


def test_data_without_labels(minigan: Command, tmp_path: Path) -> None:
    data = write_pictures(tmp_path / "own.npz")
    train = ["train", "semi-supervised", "--data", data, "--network", "mlp"]
    result = minigan(*train, "--out", tmp_path / "run")
    assert result.code == 1
    assert "learns from labelled examples" in error_line(result.err)


def test_data_without_labels_is_clustered_without_a_score(minigan: Command, tmp_path: Path) -> None:
    data = write_pictures(tmp_path / "own.npz")
    train = split(f"train infogan {SMALL} --steps 1 --no-report")
    assert minigan(*train, "--data", data, "--out", tmp_path / "run").code == 0
    assert not {"purity", "NMI"} & records(tmp_path / "run")[-1].keys()


# --- what is measured -----------------------------------------------------------------------------


class Rounding:
    """Says that a point is of the class that it rounds to."""

    label, clusters = "kind", 3

    def classify(self, x):
        return np.rint(x[:, 0]).astype(int)


class Sorting:
    """Sorts by the same, with other numbers for the clusters."""

    clusters = 3

    def cluster(self, x):
        return np.array([2, 0, 1])[np.rint(x[:, 0]).astype(int)]


def opened() -> InMemory:
    """Two of six test points are of another class than they round to."""
    x = np.array([[0.1], [1.2], [2.0], [0.2], [1.1], [1.9]], np.float32)
    labels = np.array([[9, 0], [9, 1], [9, 2], [9, 1], [9, 1], [9, 0]])
    return InMemory("six", x, labels[:, ::-1], {"kind": ("a", "b", "c"), "other": ("x",)})


def test_accuracy_and_purity_are_of_the_test_split():
    train = opened()
    train.take = None  # the training split is not measured where there is a test split
    held_out = HeldOut(opened, train, seed=0)
    assert held_out.look(Rounding()) == {"accuracy": pytest.approx(4 / 6)}
    found = held_out.look(Sorting())
    assert found["purity"] == pytest.approx(4 / 6)
    assert 0 < found["NMI"] < 1
    assert held_out.look(object()) == {}


def test_data_without_a_split_is_measured_whole():
    def no_split() -> InMemory:
        raise OptionError("own data has no test split")

    assert HeldOut(no_split, whole(), seed=0).look(Rounding()) == {"accuracy": 0.75}


def whole(classes: tuple[str, ...] = ("a", "b"), width: int = 1) -> InMemory:
    x = np.zeros((4, width), np.float32)
    return InMemory("own", x, np.array([[0], [0], [0], [1]]), {"kind": classes})


def test_a_split_that_does_not_fit_is_left_alone():
    """Its classes would have other numbers, and its pictures another shape."""

    def damaged() -> InMemory:
        raise DataError("no pictures in own/test")

    for unfit, said in (
        (lambda: whole(("b", "c")), "pictures or classes of its own"),
        (lambda: whole(width=2), "pictures or classes of its own"),
        (damaged, "no held-out examples: no pictures in own/test"),
    ):
        with pytest.warns(DataWarning, match=said):
            assert HeldOut(unfit, whole(), seed=0).look(Rounding()) == {"accuracy": 0.75}
