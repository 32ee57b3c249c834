"""The commands: what each prints and leaves."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image, ImageSequence

from minigan.algorithms import ALGORITHMS
from minigan.cli import Commands, cli
from minigan.data import DATASETS
from minigan.parallel import available_threads
from minigan.prior import Prior
from minigan.training import RunOptions, generation
from minigan.training.latent_tools import Interpolation
from minigan.version import __version__
from tests.training.support import (
    DCGAN,
    MLP,
    OFTEN,
    POINTS,
    Finished,
    contents,
    numbers,
    records,
    run,
    write_pictures,
)

Command = Callable[..., Finished]
Draw = Callable[..., np.ndarray]


def assert_grid(picture: Image.Image, rows: int, columns: int) -> None:
    """Pictures of 16 x 16 with gaps of 2, enlarged by one whole factor."""
    factor, rest = divmod(picture.width, columns * 18 - 2)
    assert rest == 0
    assert picture.height == factor * (rows * 18 - 2)


def commands(
    group: Commands = cli, path: tuple[str, ...] = ()
) -> dict[tuple[str, ...], click.Command]:
    """Every command by the words that call it."""
    found: dict[tuple[str, ...], click.Command] = {path: group}
    for name, command in group.commands.items():
        here = (*path, name)
        found |= commands(command, here) if isinstance(command, Commands) else {here: command}
    return found


# --- train ----------------------------------------------------------------------------------------


def test_train_leaves_what_is_promised(unbroken: Path) -> None:
    assert sorted(str(p.relative_to(unbroken)) for p in unbroken.rglob("*") if p.is_file()) == [
        ".lock",
        *[f"checkpoints/step_00000{n}.{s}" for n in (2, 4, 6, 8) for s in ("json", "safetensors")],
        "config.json",
        "curves.png",
        "log.jsonl",
        "report.html",
        "samples.gif",
        *[f"samples/step_00000{n}.png" for n in (0, 2, 4, 6, 8)],
    ]
    with (
        Image.open(unbroken / "samples.gif") as film,
        Image.open(unbroken / "samples/step_000008.png") as picture,
    ):
        shown = [frame.info["duration"] for frame in ImageSequence.Iterator(film)]
        assert sum(shown) == 4 * 150 + 1500  # frames that are alike become one, held longer
        assert len(shown) > 1
        assert film.size == picture.size
        assert_grid(picture, 8, 8)
    with Image.open(unbroken / "curves.png") as curves:
        assert curves.size == (800, 1200)


def test_the_configuration_holds_everything(unbroken: Path) -> None:
    stored = json.loads((unbroken / "config.json").read_text())
    assert set(stored) == {
        *("algorithm", "options", "run", "schedule_steps", "versions", "classes", "shape"),
        "examples",
    }
    assert set(stored["options"]) == {f.name for f in fields(ALGORITHMS["dcgan"].options)}
    assert stored["run"] == {
        "data": "kittens",
        "size": "16",
        "channels": None,
        "strict": False,
        "batch": 8,
        "steps": 8,
        "seed": 0,
        "device": "cpu",
        "threads": available_threads(),
        "log_every": 1,
        "sample_every": 2,
        "checkpoint_every": 2,
        "keep": 4,
        "keep_best": None,
        "eval_every": 0,
        "eval_samples": 0,
        "precision": "tf32",
        "no_graph": False,
        "no_report": False,
        "tensorboard": False,
    }
    assert (
        stored["versions"]
        | {
            "minigan": __version__,
            "python": ".".join(map(str, sys.version_info[:3])),
            **{name: version(name) for name in ("numpy", "scipy", "pillow", "safetensors")},
        }
        == stored["versions"]
    )


def test_log_lines(unbroken: Path) -> None:
    lines = [json.loads(line) for line in (unbroken / "log.jsonl").read_text().splitlines()]
    always = {"loss_D", "loss_G", "D(x)", "D(G(z))", "grad_norm_D", "grad_norm_G"}
    for n, line in enumerate(lines, 1):
        drawn = {"diversity"} if n % 2 == 0 else set()
        assert set(line) == {"step", "seconds"} | always | drawn
        assert line["step"] == n
        assert all(np.isfinite(value) for value in line.values())
        assert 0 < line["D(x)"] < 1
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize(
    ("options", "logged", "drawn", "stored"),
    [
        ("--steps 0", [], [0], [0]),
        ("--steps 1", [1], [0, 1], [0, 1]),
        ("--steps 7 --log-every 3 --sample-every 5", [1, 3, 5, 6, 7], [0, 5, 7], [5, 6, 7]),
        (
            "--steps 5 --log-every 9 --sample-every 9 --checkpoint-every 2",
            [1, 5],
            [0, 5],
            [2, 4, 5],
        ),
        ("--steps 5 --checkpoint-every 9 --sample-every 9 --keep 1", [1, 5], [0, 5], [5]),
    ],
)
def test_when_a_run_logs_draws_and_stores(
    minigan: Command,
    tmp_path: Path,
    options: str,
    logged: list[int],
    drawn: list[int],
    stored: list[int],
) -> None:
    assert minigan("train", *DCGAN, *options.split(), "--out", tmp_path).code == 0
    assert [r["step"] for r in records(tmp_path)] == logged
    assert numbers(tmp_path, "samples/*.png") == drawn
    assert numbers(tmp_path, "checkpoints/*.json") == stored
    assert numbers(tmp_path, "checkpoints/*.safetensors") == stored


def test_the_seed_decides_the_run(minigan: Command, unbroken: Path, tmp_path: Path) -> None:
    again = contents(unbroken)
    often = [*OFTEN, "--steps", 8]
    assert minigan("train", *DCGAN, *often, "--out", tmp_path / "same").code == 0
    assert minigan("train", *DCGAN, *often, "--seed", 1, "--out", tmp_path / "other").code == 0
    assert contents(tmp_path / "same") == again
    different = contents(tmp_path / "other")
    assert [name for name in again if again[name] == different[name]] == []


def test_every_picture_shows_the_same_z(minigan: Command, tmp_path: Path) -> None:
    data = write_pictures(tmp_path / "own.npz", n=200)
    train = ["train", *MLP, *OFTEN, "--data", data, "--steps", 4, "--lr"]
    for lr, pictures in (("0", 1), ("0.01", 3)):
        assert minigan(*train, lr, "--out", tmp_path / lr).code == 0
        assert (
            len({path.read_bytes() for path in (tmp_path / lr / "samples").iterdir()}) == pictures
        )


def test_where_a_run_goes_unless_told(
    minigan: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = minigan("train", *DCGAN, "--steps", 0)
    assert result.out == "0 steps done: look at runs/dcgan-kittens/report.html\n"
    assert Path("runs/dcgan-kittens/report.html").exists()


# --- sample ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "rows", "columns"),
    [
        ("--n 1", 1, 1),
        ("--n 7", 3, 3),
        ("--n 64", 8, 8),
        ("", 8, 8),
        ("--n 7 --columns 2", 4, 2),
        ("--n 3 --columns 9", 1, 3),
        ("--n 2 --interpolate 5", 2, 5),
    ],
)
def test_a_grid_of_any_number(
    minigan: Command, unbroken: Path, tmp_path: Path, options: str, rows: int, columns: int
) -> None:
    out = tmp_path / "new" / "grid.png"
    result = minigan("sample", unbroken, *options.split(), "--out", out)
    assert result.code == 0
    assert result.err == ""
    with Image.open(out) as picture:
        assert_grid(picture, rows, columns)


def npz(path: Path) -> np.ndarray:
    with np.load(path) as archive:
        assert archive.files == ["x"]
        return archive["x"]


@pytest.fixture
def numbers_of(minigan: Command, perceptrons: Path, tmp_path: Path) -> Draw:
    """Samples of the run as numbers."""

    def draw(*options: object) -> np.ndarray:
        out = tmp_path / "x.npz"
        assert minigan("sample", perceptrons, *options, "--out", out).code == 0
        return npz(out)

    return draw


def test_numbers_depend_on_the_seed_alone(numbers_of: Draw) -> None:
    x = numbers_of("--n", 7)
    assert (x.shape, x.dtype) == ((7, 8, 8, 1), np.float32)
    assert np.abs(x).max() <= 1
    np.testing.assert_array_equal(numbers_of("--n", 7, "--seed", 0), x)
    assert not (numbers_of("--n", 7, "--seed", 1) == x).all(axis=(1, 2, 3)).any()


def test_more_samples_than_fit_at_once(numbers_of: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = numbers_of("--n", 7)
    monkeypatch.setattr(generation, "CHUNK", 3)
    # Products of other sizes may round otherwise: a few units in the last place.
    np.testing.assert_allclose(numbers_of("--n", 7), whole, atol=1e-6)


def test_an_earlier_checkpoint(numbers_of: Draw, perceptrons: Path) -> None:
    first, last = numbers_of("--from", 2), numbers_of("--from", 8)
    assert np.abs(first - last).max() > 1e-3
    np.testing.assert_array_equal(numbers_of(), last)


def test_single_pictures_are_those_of_the_grid(
    minigan: Command, numbers_of: Draw, perceptrons: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    result = minigan("sample", perceptrons, "--n", 11, "--single", "--out", folder)
    assert result.out == f"11 samples after step 8: {folder}\n"
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"{i:02d}.png" for i in range(11)]
    for file, x in zip(files, numbers_of("--n", 11), strict=True):
        with Image.open(file) as picture:
            assert picture.mode == "L"
            np.testing.assert_array_equal(np.asarray(picture), np.rint((x[..., 0] + 1) * 127.5))


def test_an_interpolation_ends_in_the_samples_of_its_ends(
    numbers_of: Draw,
) -> None:
    way = numbers_of("--n", 3, "--interpolate", 4, "--seed", 5).reshape(3, 4, 8, 8, 1)
    ends = numbers_of("--n", 6, "--seed", 5)  # first the three beginnings, then the three ends
    np.testing.assert_allclose(way[:, 0], ends[:3], atol=1e-6)
    np.testing.assert_allclose(way[:, -1], ends[3:], atol=1e-6)
    steps = np.abs(np.diff(way, axis=1)).max(axis=(2, 3, 4))
    assert steps.min() > 0


@pytest.mark.parametrize("name", ["normal", "uniform"])
def test_the_way_between_two_latent_points(name: str) -> None:
    prior, rng = Prior(name, 50, np.float64), np.random.default_rng(3)
    z = Interpolation(5).points(prior, 4, rng).reshape(4, 5, 50)
    a, b = z[:, :1], z[:, -1:]
    t = np.linspace(0, 1, 5)[:, None]
    if name == "uniform":  # straight, in equal steps, inside the cube
        np.testing.assert_allclose(z, (1 - t) * a + t * b, atol=1e-12)
        assert np.abs(z).max() <= 1
        return
    a, b = (
        a / np.linalg.norm(a, axis=2, keepdims=True),
        b / np.linalg.norm(b, axis=2, keepdims=True),
    )
    angle = np.arccos((a * b).sum(2))
    for row, first, last, w in zip(z, a[:, 0], b[:, 0], angle[:, 0], strict=True):
        # Turned by equal angles in the plane of both ends, where length goes along.
        ends = np.stack([first, last], 1)
        weights = np.linalg.lstsq(ends, row.T, rcond=None)[0].T
        np.testing.assert_allclose(weights @ ends.T, row, atol=1e-12)
        lengths = np.linalg.norm(row[[0, -1]], axis=1)
        expected = np.stack([np.sin((1 - t[:, 0]) * w), np.sin(t[:, 0] * w)], 1) / np.sin(w)
        np.testing.assert_allclose(weights, expected * lengths, atol=1e-12)


def test_points_are_plotted(minigan: Command, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train = ["train", *POINTS, "--steps", 2, "--sample-every", 9, "--out", folder]
    assert minigan(*train).code == 0
    assert minigan("sample", folder, "--n", 9, "--out", tmp_path / "plot.png").code == 0
    with (
        Image.open(tmp_path / "plot.png") as plot,
        Image.open(folder / "samples/step_000002.png") as own,
    ):
        assert plot.size == own.size == (500, 500)
    assert minigan("sample", folder, "--n", 9, "--out", tmp_path / "x.npz").code == 0
    assert npz(tmp_path / "x.npz").shape == (9, 2)
    refused = minigan("sample", folder, "--columns", 3, "--out", tmp_path / "columns.png")
    assert "--columns arranges pictures, and this run makes points; leave it out" in refused.err
    refused = minigan("sample", folder, "--single", "--out", tmp_path / "pictures")
    assert refused.code == 1
    assert "--single writes pictures, this run makes points; use --out FILE.npz" in refused.err
    assert not (tmp_path / "pictures").exists()


# --- list, explain, gradcheck, doctor: what they print is in test_reports -------------------------


def test_list_names_everything(minigan: Command) -> None:
    result = minigan("list")
    assert result.code == 0
    for name, recipe in ALGORITHMS.items():
        assert re.search(rf"^ {name} +{re.escape(recipe.summary)}", result.out, re.M)
    for name, entry in DATASETS.items():
        assert re.search(rf"^ {name} +{re.escape(entry.description)}", result.out, re.M)


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["explain", "loss"], 0, "loss.minimax"),
        (["gradcheck", "Tanh"], 0, "1 of 1 within"),
        (["doctor"], 0, "blas threads"),
        (["--version"], 0, f"minigan, version {__version__}"),
    ],
)
def test_reports(minigan: Command, command: list[str], code: int, words: str) -> None:
    result = minigan(*command)
    assert (result.code, result.err) == (code, "")
    assert words in result.out


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_help(minigan: Command, words: tuple[str, ...]) -> None:
    command = commands()[words]
    long, short = minigan(*words, "--help"), minigan(*words, "-h")
    assert (long.code, long.err) == (0, "")
    assert long.out == short.out
    assert long.out.startswith(f"Usage: {' '.join(['minigan', *words])} ")
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(words)} {parameter.opts}"
            assert parameter.opts[0] in long.out
    for name in getattr(command, "commands", {}):
        assert re.search(rf"^  {name} +\S", long.out, re.M)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_field_of_the_options_can_be_set(name: str) -> None:
    flags = {flag for option in cli.commands["train"].commands[name].params for flag in option.opts}
    for cls in (RunOptions, ALGORITHMS[name].options):
        assert {"--" + f.name.replace("_", "-") for f in fields(cls)} <= flags


@pytest.mark.parametrize("words", [(), ("train",)], ids=["minigan", "minigan train"])
def test_without_a_command_there_is_help(minigan: Command, words: tuple[str, ...]) -> None:
    result = minigan(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err == minigan(*words, "--help").out


def test_the_module_and_the_script_are_one_command(tmp_path: Path) -> None:
    script = shutil.which("minigan", path=Path(sys.executable).parent)
    assert script, "the package is not installed beside this Python"
    for arguments in (["--version"], ["train", "dcgan", "--size", "7"], ["explain", "gan"]):
        module = run(*arguments, cwd=tmp_path)
        done = subprocess.run([script, *arguments], capture_output=True, text=True, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == module


def test_starting_loads_nothing_that_is_slow_and_seldom_used() -> None:
    """Each of these takes a good part of the time that all of minigan takes to load."""
    slow = ("scipy.signal", "scipy.stats", "scipy.optimize", "matplotlib", "onnxruntime", "torch")
    code = f"import sys, minigan.cli; print(*[name for name in {slow} if name in sys.modules])"
    call = [sys.executable, "-c", code]
    assert subprocess.run(call, capture_output=True, text=True, check=True).stdout.split() == []
