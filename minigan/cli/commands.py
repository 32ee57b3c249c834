"""The command line: `minigan COMMAND`, also `python -m minigan COMMAND`.

Each command is a thin layer over the library. What a user can set is read off the options
dataclasses, so that the command line and Python offer the same.
"""

from __future__ import annotations

import signal
import sys
from contextlib import redirect_stderr
from dataclasses import fields
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from minigan.algorithms import ALGORITHMS
from minigan.algorithms.settings import refuse_idle
from minigan.cli.failures import guarded, warnings_as_lines
from minigan.cli.parameters import Commands, Numbers, Port, StepOrBest, options_of
from minigan.data.make import RECIPES
from minigan.data.make import make as make_data
from minigan.errors import OptionError
from minigan.training import Outcome, RunOptions, Trainer
from minigan.training.audience import audience, nowhere
from minigan.version import __version__
from minigan.wording import counted

# Reports and samples have their own modules, imported by the command that needs them.


class Algorithms(Commands):
    """The algorithms as commands of `train`."""

    kind = "algorithm"


class Recipes(Commands):
    """The data sets that `data make` knows."""

    kind = "recipe"


def _serve(what: str) -> click.Option:
    return click.Option(
        ["--serve"],
        type=Port(),
        is_flag=False,
        flag_value=8765,
        metavar="[PORT]",
        help=f"Show the report of {what} at http://127.0.0.1:8765, or PORT; 0: any free one.",
    )


_FROM = "Checkpoint to use: a step, or best (default: the last)."


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="minigan")
def cli(debug: bool) -> None:
    """Generative adversarial networks from scratch: train, look, and check every gradient.

    \b
    minigan train dcgan --data kittens --size 32 --width 32 --out runs/kittens
    minigan sample runs/kittens --n 64 --out kittens.png
    """


@cli.group(cls=Algorithms)
def train() -> None:
    """Train an algorithm on data; see `minigan list` for both."""


def _train_command(name: str) -> click.Command:
    recipe = ALGORITHMS[name]

    def run(out: Path | None, serve: int | None, **given: Any) -> int:
        own = {f.name for f in fields(recipe.options)}
        said = {k: v for k, v in given.items() if k in own and _is_said(k)}
        refuse_idle(recipe.options, said)
        options = recipe.options.of(**said)
        shared = RunOptions(**{k: v for k, v in given.items() if k not in own})
        folder = out or Path("runs") / f"{name}-{Path(shared.data or recipe.data).stem}"
        return _train(Trainer.start(name, options, shared, folder), serve)

    out = click.Option(
        ["--out"],
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of the run (default: runs/ALGORITHM-DATA).",
    )
    return click.Command(
        name,
        callback=run,
        params=[*options_of(RunOptions), out, _serve("the run"), *options_of(recipe.options)],
        context_settings={"default_map": {"batch": recipe.batch} if recipe.batch else {}},
        help=f"{recipe.summary} ({recipe.paper}). Data unless given: {recipe.data}.",
        short_help=recipe.summary,
    )


def _is_said(name: str) -> bool:
    """Whether an option was given, rather than left at its default."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not click.core.ParameterSource.DEFAULT


for _name in ALGORITHMS:
    train.add_command(_train_command(_name))


_DEVICE = click.option("--device", help="cpu, cuda or cuda:N (default: the run's own).")


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--steps", "more", type=click.IntRange(min=0), default=0, help="Steps to add.")
@click.option("--from", "step", type=StepOrBest(), help=_FROM)
@_DEVICE
def resume(
    folder: Path, more: int, step: int | str | None, device: str | None, serve: int | None
) -> int:
    """Go on with a run that was stopped, killed or finished, on any device."""
    trainer = Trainer.resume(folder, more=more, step=step, device=device)
    total = trainer.config.run.steps
    if trainer.step >= total:
        click.echo(f"the run has its {counted(total, 'step')} already; --steps N adds N more")
    else:
        click.echo(f"from step {trainer.step} to step {total}")
    return _train(trainer, serve)


resume.params.append(_serve("the run"))


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--n", type=click.IntRange(min=1), help="Samples (default: 64).")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of z.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A .png or .npz file; of tunes a .mid too, of sentences a .txt.",
)
@click.option("--from", "step", type=StepOrBest(), help=_FROM)
@_DEVICE
@click.option("--columns", type=click.IntRange(min=1), help="Columns of the grid.")
@click.option("--class", "class_name", metavar="NAME", help="Of a conditional run: the class.")
@click.option(
    "--attr",
    "attributes",
    metavar="LABEL=CLASS",
    multiple=True,
    help="Of a conditional run: the class of one of its labels, e.g. body=blue; again for others.",
)
@click.option(
    "--panels",
    is_flag=True,
    help="Of a conditional run: labels along rows and noise down columns; noise 0; label 0.",
)
@click.option(
    "--text",
    "texts",
    multiple=True,
    help="Of a run on captions: what the pictures shall show; several give a row each.",
)
@click.option("--bars", type=click.IntRange(min=1), help="Of midinet: bars of a tune (default: 8).")
@click.option(
    "--chords",
    metavar="NAMES",
    help="Of midinet: a triad for each bar, 'C Am F G' (default: those of a held-out tune).",
)
@click.option(
    "--tempo", type=click.IntRange(min=1), help="Of a .mid: quarters a minute (default: 96)."
)
@click.option(
    "--unprimed",
    is_flag=True,
    help="Of midinet: begin from silence, not with a held-out tune's first bar.",
)
@click.option("--single", is_flag=True, help="--out is a folder: one file for each sample.")
@click.option(
    "--interpolate",
    type=click.IntRange(min=2),
    metavar="K",
    help="Each row goes in K pictures from one z to another; --n counts the rows.",
)
@click.option(
    "--way",
    type=click.Choice(["linear", "spherical"]),
    help="Of --interpolate (default: spherical between normal z, linear between uniform ones).",
)
@click.option(
    "--traverse",
    metavar="PART",
    help="Each row moves one number of a z (0, 1, ...), or one code (c1, ...), from --low to "
    "--high in --columns pictures.",
)
@click.option(
    "--arithmetic",
    metavar="EXPRESSION",
    help="Mean z of attributes, added: 'accessory=black hat - accessory=none' moves each row's z "
    "along it; with one + more, rows show the terms and their sum.",
)
@click.option("--low", type=float, help="Where --traverse or --arithmetic starts.")
@click.option("--high", type=float, help="Where it ends.")
@click.option(
    "--truncate",
    type=Numbers(),
    help="Each row takes a z from the prior cut off at each of these thresholds: 0.2,0.5,1,2.",
)
@click.option(
    "--mix-styles",
    type=click.IntRange(min=0),
    metavar="LAYER",
    help="Styles of the row's z below this layer, of the column's from it on (stylegan).",
)
@click.option(
    "--frames",
    type=click.IntRange(min=1),
    help="Of next-frame: how many frames to predict of --n clips of its data, into a .gif or .png.",
)
def sample(folder: Path, out: Path, frames: int | None, **how: Any) -> None:
    """Draw from a trained generator: a grid of any number, single files, or ways through z."""
    if frames is not None:
        from minigan.training.predicting import write_predictions

        click.echo(write_predictions(folder, out, frames=frames, **how))
        return
    from minigan.training.composing import Score
    from minigan.training.latent_tools import OPTIONS, chosen
    from minigan.training.sampling import write_samples

    tool = chosen(**{name: how[name] for name in OPTIONS})
    score = Score(**{name: how.pop(name) for name in Score._fields})
    rest = {name: value for name, value in how.items() if name == "columns" or name not in OPTIONS}
    click.echo(write_samples(folder, out, tool=tool, score=score, **rest))


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--input", "source", type=click.Path(path_type=Path), required=True, help="File or folder."
)
@click.option(
    "--output", "out", type=click.Path(path_type=Path), required=True, help="Folder of results."
)
@click.option("--from", "step", type=StepOrBest(), help=_FROM)
@click.option("--reverse", is_flag=True, help="From y to x, where the run has learned that too.")
@click.option(
    "--reference",
    metavar="FILE|DIR",
    type=click.Path(path_type=Path),
    help="The picture whose style is put on (pairedcyclegan, munit); DIR: each one in it.",
)
@click.option(
    "--pose",
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    help="Of pg2: joints of the pose, or poses, that persons shall have, as in joints.csv.",
)
@click.option(
    "--to",
    metavar="[LABEL=]CLASS",
    multiple=True,
    help="Of stargan and age-cgan: the class that pictures shall have, e.g. blue or body=blue; "
    "again for more.",
)
@click.option("--size", help="N or HxW: crop and resize to it (default: the run's size).")
@click.option(
    "--tile",
    type=click.IntRange(min=1),
    help="Keep a picture's own size (or --size): translate it in tiles of N x N.",
)
@click.option(
    "--overlap",
    type=click.IntRange(min=0),
    help="Pixels over which a tile fades into the next (default: N / 4); of sounds samples "
    "over which a window does (default: half of it).",
)
@click.option("--convert", is_flag=True, help="Take grey pictures for colour, colour for grey.")
@click.option(
    "--n",
    type=click.IntRange(min=1),
    help="Answers to each picture, where G has many (bicyclegan, munit; dropout), in folders "
    "1, 2, ...",
)
@click.option(
    "--interpolate",
    type=click.IntRange(min=2),
    metavar="K",
    help="K answers on the way from one z to another (bicyclegan, munit).",
)
@click.option(
    "--frames",
    type=click.IntRange(min=1),
    help="Of next-frame, whose --input is clips: how many frames to predict (default: 8).",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of noise.")
@_DEVICE
def translate(folder: Path, source: Path, out: Path, **how: Any) -> None:
    """Translate pictures with a trained pix2pix, SRGAN, ..., sounds with SEGAN, by name."""
    from minigan.training.ways import translate_files

    click.echo(translate_files(folder, source, out, **how))


@cli.command("eval")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--metrics", help="Names with commas between (default: all of samples that take the data)."
)
@click.option("--n", type=click.IntRange(min=10), help="Samples (default: each metric's own).")
@click.option("--split", type=click.Choice(["train", "test"]), help="Data to compare with.")
@click.option("--extractor", metavar="NAME|FILE.onnx", help="Of features (default: the data's).")
@click.option("--from", "step", type=StepOrBest(), help=_FROM)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of z.")
@_DEVICE
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Also write this file.")
def eval_(folder: Path, metrics: str | None, json_path: Path | None, **how: Any) -> None:
    """Measure how good a run's samples are; each value with its protocol."""
    from minigan.training.evaluation import evaluate, write_json
    from minigan.training.files import check_place

    if json_path is not None:
        check_place(json_path)
    results = []
    for result in evaluate(folder, None if metrics is None else _names(metrics), **how):
        click.echo("\n".join(result.lines()))
        results.append(result)
    if json_path is not None:
        write_json(results, folder, json_path)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--onnx", "onnx_file", type=click.Path(path_type=Path), help="An .onnx file.")
@click.option(
    "--torch", "torch_file", type=click.Path(path_type=Path), help="A .safetensors state dict."
)
@click.option("--network", default="G", show_default=True, help="G, D, F, ...: the run's own.")
@click.option("--from", "step", type=StepOrBest(), help=_FROM)
@click.option("--any-size", is_flag=True, help="ONNX: pictures of any size, where G takes them.")
def export(folder: Path, **how: Any) -> None:
    """Write a trained network for onnxruntime or PyTorch; pictures have channels first there."""
    from minigan.training.exporting import export as write

    for line in write(folder, **how):
        click.echo(line)


@cli.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--torch", "file", type=click.Path(path_type=Path), required=True, help="A .safetensors file."
)
@click.option("--network", default="G", show_default=True, help="Which of the run's it fills.")
def import_(folder: Path, **how: Any) -> None:
    """Fill a network of an untrained run (train --steps 0) with weights from PyTorch."""
    from minigan.training.exporting import import_weights

    click.echo(import_weights(folder, **how))


@cli.command()
@click.argument(
    "folders", metavar="DIR [DIR]", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page (default: DIR/report.html; of two runs ./comparison.html).",
)
def report(folders: tuple[Path, ...], out: Path | None, serve: int | None) -> None:
    """Write one page that shows a run, or two side by side; it opens from disk."""
    from minigan.report import serve_report, write_report

    if serve is not None and out is not None:
        raise OptionError("--serve shows the page and writes none: leave out --out, or --serve")
    if serve is not None:
        serve_report(folders, serve)
    else:
        click.echo(f"look at {write_report(folders, out)}")


report.params.append(_serve("what there is now and from now on"))


@cli.group(cls=Commands)
def data() -> None:
    """Make data sets of pictures and sounds that other people's packages hold."""


@data.group(cls=Recipes)
def make() -> None:
    """Write a data set into a folder, with its licences' notice."""


def _make_command(name: str) -> click.Command:
    def run(out: Path | None, places: tuple[Path, ...], **sized: Any) -> None:
        click.echo(make_data(name, out or Path("data") / name, places=places, **sized))

    recipe = RECIPES[name]
    packages = ", ".join(map(str, recipe.packages))
    given = click.Option(
        ["--from", "places"],
        multiple=True,
        type=click.Path(path_type=Path),
        help=f"Archive or unpacked folder of {packages} (default: downloaded if not there).",
    )
    folder = click.Option(
        ["--out"],
        type=click.Path(path_type=Path),
        help=f"Folder to write (default: data/{name}).",
    )
    side = click.Option(["--size"], type=int, default=64, show_default=True, help="Side in pixels.")
    return click.Command(
        name,
        callback=run,
        params=[folder, *([side] if recipe.sized else []), given],
        help=f"{recipe.summary}, from {packages}.",
        short_help=recipe.summary,
    )


for _name in RECIPES:
    make.add_command(_make_command(_name))


@cli.command("list")
def list_() -> None:
    """Algorithms and data sets, a line each."""
    from minigan.reports import print_list

    print_list()


@cli.command()
@click.argument("name", required=False)
def explain(name: str | None) -> None:
    """A paper's equations beside the lines of code that compute them; without NAME, the names."""
    from minigan.reports import print_explanation, print_topics

    if name is None:
        print_topics()
    else:
        print_explanation(name)


@cli.command()
@click.argument("name", required=False)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of numbers checked."
)
def gradcheck(name: str | None, seed: int) -> int:
    """Check every layer, loss and network (or NAME) against finite differences."""
    from minigan.reports import print_gradcheck

    return print_gradcheck(name, seed)


@cli.command()
def doctor() -> None:
    """Versions, linear algebra and its threads, devices, and what is missing."""
    from minigan.reports import print_doctor

    print_doctor()


def _train(trainer: Trainer, port: int | None) -> int:
    """Train to the end, with whoever looks on; the exit code."""
    from minigan.report.watching import observers

    with observers(trainer, port=port) as watching:
        return _finish(trainer.train(watching), report=not trainer.config.run.no_report)


def _finish(outcome: Outcome, *, report: bool) -> int:
    """Say where the run is and how to go on; the exit code is the shell's for a signal."""
    if outcome.signal is None:
        shown = outcome.folder / ("report.html" if report else "samples.gif")
        click.echo(f"{counted(outcome.step, 'step')} done: look at {shown}")
        return 0
    name = signal.Signals(outcome.signal).name
    click.echo(
        f"stopped by {name} after step {outcome.step}, which is saved; "
        f"go on with: minigan resume {outcome.folder}",
        err=True,
    )
    return 128 + outcome.signal


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit. An error is one line on standard error and a code above 0."""
    # Closed by the caller: what is printed is not wanted.
    sys.stdout, sys.stderr = sys.stdout or nowhere(), sys.stderr or nowhere()
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may be no text
    given = sys.argv[1:] if arguments is None else arguments
    rest = [a for a in given if a != "--debug"]  # it may stand anywhere
    with redirect_stderr(audience(sys.stderr)), warnings_as_lines():
        code = guarded(lambda: cli.main(rest, "minigan", standalone_mode=False), rest != given)
    sys.exit(code)
