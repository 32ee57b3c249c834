"""Samples from a stored run: a grid, single files, numbers, or walks through the latent space."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minigan.algorithms import Algorithm, recipe
from minigan.algorithms.conditional.base import Conditional, Relabelling, VectorConditional
from minigan.backend import Array, make_rng
from minigan.data import Dataset
from minigan.errors import DataError, OptionError
from minigan.streams import Purpose
from minigan.training import best
from minigan.training.asking import Wish, asked_labels, check_wish, three_panels
from minigan.training.building import build_algorithm, dataset_of, recalled
from minigan.training.captioning import check_texts, list_captions, read_words, rows_of
from minigan.training.composing import NO_SCORE, Score, write_tunes
from minigan.training.config import Config
from minigan.training.files import write_atomically
from minigan.training.latent_tools import Arithmetic, Source, Tool, chosen, source_of
from minigan.training.pictures import to_image, write_png
from minigan.training.telling import write_sentences
from minigan.training.translating import picture_of
from minigan.wording import counted

SAMPLES = 64  # unless told
# Of runs that make no pictures and no points: what they make, and the options that are for it.
OWN_WAYS = {
    "bars": "tunes, which --n, --bars, --chords and --tempo are for",
    "sentences": "sentences, which --n is for",
}


def write_samples(
    folder: Path,
    out: Path,
    *,
    n: int | None = None,
    seed: int = 0,
    step: int | str | None = None,
    columns: int | None = None,
    single: bool = False,
    interpolate: int | None = None,
    tool: Tool | None = None,
    class_name: str | None = None,
    attributes: Sequence[str] = (),
    panels: bool = False,
    texts: Sequence[str] = (),
    score: Score = NO_SCORE,
    device: str | None = None,
) -> str:
    """Write n samples of the run in `folder` to `out`; returns a line that says what was written.

    `out` is a .png (a grid or a plot), an .npz (array `x`), or with `single` a folder. n: 64 if
    None; rows, where a tool makes them; panels and several texts have none. The same seed gives the
    same samples. `interpolate` is short for a tool. Of a conditional run, `class_name` and
    `attributes` ("body=blue") ask for labels, and `panels` draws those of training/asking.py; of a
    run on captions, `texts` ask for pictures of them (training/captioning.py); of a run on bars,
    `score` says what the tunes are (training/composing.py). Of a run on sentences `out` may be a
    .txt (training/telling.py).

    Raises OptionError for what cannot be asked at once, or of this run, UnknownNameError for a
    label or a class that is not there, CaptionError for a text that the run cannot read,
    CheckpointError for a run or a checkpoint that is missing or damaged.
    """
    tuneful, told = (out.suffix.lower() == suffix for suffix in (".mid", ".txt"))
    if not (single or tuneful or told or out.suffix.lower() in (".png", ".npz")):
        raise OptionError(
            f"--out {out}: wanted a .png or .npz file (of tunes a .mid, of sentences a .txt too), "
            "or a folder with --single"
        )
    wish = Wish(class_name, attributes, panels)
    if interpolate is not None:
        walk = chosen(interpolate=interpolate, columns=columns)
        if tool is not None:
            raise OptionError(f"--interpolate and {tool.flag} are ways of their own: give one")
        tool = walk
    _check_together(out, n=n, columns=columns, single=single, tool=tool, wish=wish, texts=texts)
    config = Config.load(folder / "config.json").on(device)
    takes = recipe(config.algorithm).takes
    if takes in OWN_WAYS:
        _refuse_beside(
            takes,
            columns=columns is not None,
            single=single,
            walk=tool is not None,
            wish=wish,
            texts=texts,
        )
    if takes == "bars":
        return write_tunes(folder, out, n=n, seed=seed, step=step, device=device, score=score)
    if tuneful or score.flag is not None:
        raise OptionError(
            f"{score.flag or f'--out {out}'} asks for tunes, and this run of {config.algorithm} "
            "makes none; leave it out, or train midinet"
        )
    if takes == "sentences":
        return write_sentences(config, folder, out, n=n, seed=seed, step=step)
    if told:
        raise OptionError(
            f"--out {out} asks for sentences, and this run of {config.algorithm} makes none; give "
            "a .png or .npz file, or train seqgan"
        )
    n = SAMPLES if n is None else n
    config = config.in_force()
    name = config.algorithm
    check_texts(texts, wish.flag, name, recipe(name).takes)
    words = read_words(folder) if texts else None
    opened = dataset_of if isinstance(tool, Arithmetic) else recalled
    dataset = words or opened(config)
    algorithm = build_algorithm(config, dataset).to(config.run.device)
    stored = best.load(folder / "checkpoints", step)
    stored.restore(algorithm)
    check_wish(wish, algorithm, name)
    if panels:
        return write_panels(algorithm, dataset, out, seed=seed, columns=columns, step=stored.step)
    if columns is not None and tool is None and dataset.kind == "points":
        raise OptionError("--columns arranges pictures, and this run makes points; leave it out")
    labels = None if words is None else words.vocabulary.encode(texts)
    if isinstance(algorithm, Conditional) and words is None:
        labels = asked_labels(algorithm, wish, n, make_rng(seed, Purpose.LABELS))
    source = _source(algorithm, name, dataset, labels, n, seed)
    rng = make_rng(seed, Purpose.SAMPLES)
    if tool is not None:
        x, columns = tool.sheet(source, n, rng)
    elif len(texts) > 1:
        x, columns = rows_of(source, columns, rng)
    else:
        x = source.make(source.prior.draw(n, rng))
    if single:
        _write_each(x, dataset, out)
    elif out.suffix.lower() == ".npz":
        _write_numbers(x, out)
    else:
        real = (
            dataset.draw(len(x), make_rng(seed, Purpose.SHOWN)).x if dataset.kind == "points" else x
        )
        write_png(picture_of(dataset, x, real, columns=columns), out)
        list_captions(dataset, source.labels, out.with_suffix(".txt"))
    return f"{counted(len(x), 'sample')} after step {stored.step}: {out}"


def _check_together(
    out: Path,
    *,
    n: int | None,
    columns: int | None,
    single: bool,
    tool: Tool | None,
    wish: Wish,
    texts: Sequence[str],
) -> None:
    """Raise OptionError for what one request cannot ask at once; None is what was left out."""
    if wish.panels:
        said = {
            "--n": n is not None,
            "--class": wish.name is not None,
            "--attr": wish.attributes,
            "--text": texts,
            "--single": single,
        }
        idle = [flag for flag, given in said.items() if given]
        idle += [] if tool is None else _flags(tool)
        if idle:
            left = " and ".join(idle)
            raise OptionError(f"--panels shows every class, in --columns draws: leave {left} out")
    rows = tool is not None or len(texts) > 1  # of --columns samples
    if tool is None and rows and n is not None:
        raise OptionError("several --text give a row of --columns pictures each: leave --n out")
    suffix = out.suffix.lower()
    if single and suffix in (".png", ".npz"):
        raise OptionError(f"--single writes a folder of pictures, and --out {out} names a file")
    if single and out.is_dir() and any(out.iterdir()):
        raise OptionError(
            f"--single: {out} holds files already, and old samples would stay among the new ones; "
            "empty it or choose another --out"
        )
    if not rows and columns is not None and (single or suffix == ".npz"):
        raise OptionError("--columns arranges a grid in one .png: leave it out")


def _refuse_beside(
    takes: str, *, columns: bool, single: bool, walk: bool, wish: Wish, texts: Sequence[str]
) -> None:
    """Raise OptionError for what is asked of pictures where a run makes something else."""
    said = {
        "--columns": columns,
        "--single": single,
        "a way through z": walk,
        wish.flag: wish.flag is not None,
        "--text": texts,
    }
    asked = next((flag for flag, given in said.items() if given), None)
    if asked is not None:
        raise OptionError(
            f"{asked} is for runs that make pictures; this one makes {OWN_WAYS[takes]}"
        )


def _flags(tool: Tool) -> list[str]:
    """The options that ask for a tool and for its settings."""
    settings = ("way", "low", "high")
    return [tool.flag, *(f"--{s}" for s in settings if getattr(tool, s, None) is not None)]


def _source(
    algorithm: Algorithm, name: str, dataset: Dataset, labels: Array | None, n: int, seed: int
) -> Source:
    """The generator, with labels of n rows. Raises OptionError where it has no latent z."""
    try:
        source = source_of(algorithm, dataset, labels, n, make_rng(seed, Purpose.LABELS))
    except DataError as error:
        raise DataError(f"{error}, or ask for labels with --class or --attr") from error
    if source is None:
        other = recipe(name).translates or isinstance(algorithm, Relabelling)
        advice = "; `minigan translate` takes pictures through it" if other else ""
        if recipe(name).takes == "clips":
            advice = "; --frames N predicts as many frames of clips of its data"
        raise OptionError(f"{name} has no latent z to sample from{advice}")
    return source


def _write_each(x: Array, dataset: Dataset, folder: Path) -> None:
    """A .png for each picture. Raises OptionError for points."""
    if dataset.kind != "image":
        raise OptionError("--single writes pictures, this run makes points; use --out FILE.npz")
    digits = len(str(len(x) - 1))
    for i, picture in enumerate(x):
        write_png(to_image(picture), folder / f"{i:0{digits}d}.png")


def _write_numbers(x: Array, file: Path) -> None:
    """An .npz with the array `x`, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=x)
    write_atomically(file, buffer.getvalue())


def write_panels(
    algorithm: Algorithm, dataset: Dataset, out: Path, *, seed: int, columns: int | None, step: int
) -> str:
    """Write the three panels to a .png; returns a line that says so. Raises OptionError."""
    assert isinstance(algorithm, VectorConditional)  # check_wish has seen to it
    if dataset.kind != "image":
        raise OptionError("--panels are grids of pictures, and this run makes points; leave it out")
    if out.suffix.lower() != ".png":
        raise OptionError(f"--panels are three grids of pictures in one .png; got --out {out}")
    write_png(three_panels(algorithm, seed=seed, columns=columns), out)
    return f"noise and label, label alone, noise alone after step {step}: {out}"
