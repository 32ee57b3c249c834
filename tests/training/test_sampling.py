"""Samples from Python: what is asked at once must go together, as on the command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minigan.errors import OptionError
from minigan.training.latent_tools import Interpolation, StyleGrid, Traversal, Truncation
from minigan.training.sampling import write_samples
from tests.training.support import Finished

# The file, what is asked, and what the refusal says. No run is read for it.
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "panels of n": (
        "x.png",
        {"panels": True, "n": 8},
        "--panels shows every class, in --columns draws: leave --n out",
    ),
    "panels of 64": ("x.png", {"panels": True, "n": 64}, "leave --n out"),
    "panels of a class": (
        "x.png",
        {"panels": True, "class_name": "7", "attributes": ["body=blue"]},
        "leave --class and --attr out",
    ),
    "panels of texts": ("x.png", {"panels": True, "texts": ["a cat"]}, "leave --text out"),
    "single panels": ("x", {"panels": True, "single": True}, "leave --single out"),
    "panels on a way": (
        "x.png",
        {"panels": True, "tool": Interpolation(3, "linear")},
        "leave --interpolate and --way out",
    ),
    "panels between two ends": (
        "x.png",
        {"panels": True, "tool": Traversal("0", low=0.0, high=1.0)},
        "leave --traverse and --low and --high out",
    ),
    "panels in short": ("x.png", {"panels": True, "interpolate": 3}, "leave --interpolate out"),
    "n of texts": (
        "x.png",
        {"texts": ["a cat", "a red cat"], "n": 3},
        "several --text give a row of --columns pictures each: leave --n out",
    ),
    "single in a file": (
        "x.png",
        {"single": True},
        "--single writes a folder of pictures, and --out x.png names a file",
    ),
    "columns of numbers": (
        "x.npz",
        {"columns": 4},
        "--columns arranges a grid in one .png: leave it out",
    ),
    "columns of files": ("x", {"columns": 4, "single": True}, "--columns arranges a grid in one"),
    "columns of a way": (
        "x.png",
        {"interpolate": 3, "columns": 4},
        "--columns is an option of --traverse",
    ),
    "two ways": (
        "x.png",
        {"interpolate": 3, "tool": StyleGrid(2)},
        "--interpolate and --mix-styles are ways of their own: give one",
    ),
    "two more": ("x.png", {"interpolate": 3, "tool": Truncation((1.0,))}, "and --truncate are"),
    "a place": (
        "x.jpg",
        {},
        "--out x.jpg: wanted a .png or .npz file (of tunes a .mid, of sentences a .txt too), or a "
        "folder with --single",
    ),
}


@pytest.mark.parametrize(("out", "asked", "says"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, asked: dict[str, Any], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError) as refused:
        write_samples(Path("no-run"), Path(out), **asked)
    assert says in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 64),
        ({"n": 3}, 3),
        ({"n": 2, "interpolate": 3}, 6),
        ({"n": 2, "tool": Traversal("1", columns=5), "columns": 5}, 10),
    ],
    ids=str,
)
def test_as_many_as_are_asked_for(
    perceptrons: Path, tmp_path: Path, asked: dict[str, Any], count: int
) -> None:
    said = write_samples(perceptrons, tmp_path / "x.npz", **asked)
    assert said.startswith(f"{count} samples after step ")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as archive:
        assert len(archive["x"]) == count


def test_the_command_line_draws_64_too(perceptrons: Path, tmp_path: Path, minigan: Any) -> None:
    result: Finished = minigan("sample", perceptrons, "--out", tmp_path / "x.npz")
    assert result.out.startswith("64 samples after step ")
    assert "Samples (default: 64)" in minigan("sample", "--help").out


def test_single_pictures_are_not_put_among_others(tmp_path: Path) -> None:
    """A folder of 5 old and 12 new ones would be measured as 17."""
    (tmp_path / "0.png").write_bytes(b"an old one")
    with pytest.raises(OptionError, match=r"holds files already, .*; empty it or choose another"):
        write_samples(Path("no-run"), tmp_path, single=True)
    assert [path.name for path in tmp_path.iterdir()] == ["0.png"]
