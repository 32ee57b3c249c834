"""The command line: `python -m bench COMMAND`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from bench import report as reporting
from bench.card_standard import MINUTES, run_card
from bench.counts import count
from bench.errors import BenchError
from bench.machine import cores
from bench.measure import Session, known_peers, measure_alone, measure_step
from bench.memory import measure_memory
from bench.ops import measure_ops
from bench.profiling import measure_profile
from bench.roofline import best_rates, shares
from bench.rows import Row, append
from bench.scaling import SWEEPS, Sweep, measure_scaling
from bench.standard import file_for, run_all
from bench.targets import Verdict
from bench.timing import SAMPLE_SECONDS, WARM_SECONDS
from bench.trainings import conditioning, makeup, modes, robustness, translation
from bench.where import Where
from bench.work import ARCHS, Work

Command = Callable[..., Any]

_JSON = click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Add the rows to this file.",
)


def _options(command: Command) -> Command:
    """What every measurement has."""
    for option in (
        click.option("--device", default="cpu", show_default=True, help="cpu or cuda."),
        click.option("--precision", help="Of products on a card: tf32 (default), fp32 or bf16."),
        click.option(
            "--no-graph", is_flag=True, help="On a card: our step one operation at a time."
        ),
        click.option(
            "--threads", type=click.IntRange(min=1), help="Of both sides (default: all cores)."
        ),
        click.option("--repeats", type=click.IntRange(min=1), default=7, show_default=True),
        click.option(
            "--sample",
            type=click.FloatRange(min=0, min_open=True),
            default=SAMPLE_SECONDS,
            show_default=True,
            help="Seconds that a sample lasts at least.",
        ),
        _JSON,
    ):
        command = option(command)
    return command


def _work_options(command: Command) -> Command:
    for option in (
        click.option("--arch", type=click.Choice([*ARCHS]), default="dcgan", show_default=True),
        click.option("--size", type=int, help="Side of a picture (dcgan: 64, mlp: 28)."),
        click.option("--width", type=int, help="Channels or units (dcgan: 64, mlp: 1200)."),
        click.option("--batch", type=int, default=64, show_default=True),
    ):
        command = option(command)
    return command


def _peers(default: str) -> Callable[[Command], Command]:
    return click.option(
        "--peers",
        default=default,
        show_default=True,
        help="Of torch, torch-frozen, torch-compile; on a card torch, torch-tuned, torch-graph, "
        "torch-compile; commas between.",
    )


def _session(
    device: str,
    precision: str | None,
    no_graph: bool,
    threads: int | None,
    repeats: int,
    sample: float,
    *,
    cards: bool = True,
) -> Session:
    """Raises BenchError for what cannot be measured."""
    where = Where.of(device, precision, not no_graph)
    if where.on_card and not cards:
        raise BenchError(f"--device {device}: this command measures on the CPU only")
    session = Session(
        where=where,
        threads=threads or cores(),
        repeats=repeats,
        sample=sample,
        warm=min(WARM_SECONDS, 2.5 * sample),
        say=click.echo,
    )
    if session.threads > cores():
        raise BenchError(f"--threads {threads}: this process may use {cores()} cores")
    if where.on_card:
        session.look_at_card()
    return session


def _some(rows: list[Row]) -> list[Row]:
    if not rows:
        raise BenchError("no peer could run: nothing was measured")
    return rows


def _store(rows: Iterable[Row], path: Path | None) -> None:
    rows = list(rows)
    if path is not None:
        append(path, rows)
        click.echo(f"{len(rows)} rows added to {path}")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """The same work here and in PyTorch, side by side. Ratios are ours / PyTorch's."""


for _command in (conditioning, makeup, modes, robustness, translation):
    cli.add_command(_command)


@cli.command()
@_work_options
@_peers("torch")
@_options
def step(
    arch: str,
    size: int | None,
    width: int | None,
    batch: int,
    peers: str,
    json_path: Path | None,
    **how: Any,
) -> None:
    """Whole training steps against each peer."""
    work, session = Work.of(arch, size, width, batch), _session(**how)
    names = known_peers(peers.split(","), session.where)
    _store(_some(measure_step(session, work, names)), json_path)


@cli.command()
@click.option("--size", "sizes", type=int, multiple=True, default=(32, 64, 128), show_default=True)
@click.option("--width", type=int, default=64, show_default=True)
@click.option("--batch", type=int, default=64, show_default=True)
@_options
def ops(sizes: tuple[int, ...], width: int, batch: int, json_path: Path | None, **how: Any) -> None:
    """Every operation of DCGAN alone: forward, dx and dw apart."""
    works = [Work.of("dcgan", size, width, batch) for size in sizes]
    _store(measure_ops(_session(**how), works), json_path)


@cli.command()
@click.option("--size", type=int, default=64, show_default=True)
@click.option("--width", type=int, default=64, show_default=True)
@click.option("--batch", type=int, default=64, show_default=True)
@_options
def roofline(size: int, width: int, batch: int, json_path: Path | None, **how: Any) -> None:
    """This machine's best rates, and each operation's and the step's share of the larger floor."""
    session, work = _session(**how), Work.of("dcgan", size, width, batch)
    rates = best_rates(session)
    alone = [*measure_ops(session, [work], peer=False), measure_alone(session, work)]
    rows = shares(alone, rates)
    for row in rows:
        d = row.detail
        click.echo(
            f"{d['op']} {d['pass']}: {row.ours_ms:.4g} ms, floor {row.peer_ms:.4g} ms by "
            f"{d['bound']}: {d['share']:.0%}"
        )
    _store(rows, json_path)


@cli.command()
@_work_options
@_peers("torch")
@click.option("--steps", type=click.IntRange(min=0), default=0, help="Also: does it stay flat?")
@_options
def memory(
    arch: str,
    size: int | None,
    width: int | None,
    batch: int,
    peers: str,
    steps: int,
    json_path: Path | None,
    **how: Any,
) -> None:
    """Peak memory of a step against each peer's, and its growth over --steps steps."""
    if 0 < steps < 100:
        raise BenchError(f"--steps {steps}: growth shows in 100 steps or more")
    work, session = Work.of(arch, size, width, batch), _session(**how)
    names = known_peers(peers.split(","), session.where)
    _store(_some(measure_memory(session, work, names, steps)), json_path)


@cli.command()
@click.option("--axis", "axes", type=click.Choice(["batch", "size", "width"]), multiple=True)
@click.option("--counts", default="1,2", show_default=True, help="Numbers of threads.")
@click.option("--at", type=int, multiple=True, help="Values of the axis instead of the usual.")
@_options
def scaling(
    axes: tuple[str, ...], counts: str, at: tuple[int, ...], json_path: Path | None, **how: Any
) -> None:
    """Time per step against batch, size and width, with each number of threads."""
    if at and len(axes) != 1:
        raise BenchError("--at needs one --axis")
    try:
        threads = [int(count) for count in counts.split(",")]
    except ValueError:
        raise BenchError(f"--counts {counts!r}: numbers of threads, such as 1,2") from None
    if max(threads) > cores():
        raise BenchError(f"--counts {counts}: this process may use {cores()} cores")
    sweeps: list[Sweep] = [s for s in SWEEPS if not axes or s.axis in axes]
    if at:
        sweeps = [s._replace(values=at) for s in sweeps]
    _store(measure_scaling(_session(**how, cards=False), sweeps, threads), json_path)


@cli.command()
@_work_options
@click.option("--calls", type=click.IntRange(min=1), default=5, show_default=True)
@_options
def profile(
    arch: str,
    size: int | None,
    width: int | None,
    batch: int,
    calls: int,
    json_path: Path | None,
    **how: Any,
) -> None:
    """Where the time of our step goes, by family of operation."""
    row = measure_profile(_session(**how, cards=False), Work.of(arch, size, width, batch), calls)
    families = row.detail["families"]
    total = sum(families.values())
    for name, ms in families.items():
        click.echo(f"{ms:10.3f} ms {ms / total:6.1%}  {name}")
    _store([row], json_path)


@cli.command("counts")
@_work_options
@click.option("--precision", help="Of products: tf32 (default), fp32 or bf16.")
@_JSON
def counts_(
    arch: str,
    size: int | None,
    width: int | None,
    batch: int,
    precision: str | None,
    json_path: Path | None,
) -> None:
    """Launches, operations and bytes of a step on a card; needs none."""
    row = count(Work.of(arch, size, width, batch), Where.of("cuda", precision))
    d = row.detail
    click.echo(
        f"{d['launches']} launches a step, {d['flops'] / 1e9:.4g} Gflop in products, at least "
        f"{d['bytes'] / 1e6:.4g} MB"
    )
    for name, n in d["kernels"].items():
        click.echo(f"{n:6}  {name}")
    _store([row], json_path)


@cli.command()
@click.argument("files", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=reporting.HERE / "RESULTS.md",
    help="The page; its plots go into results/ beside it.",
)
def report(files: tuple[Path, ...], out: Path) -> None:
    """RESULTS.md and its plots, from FILES (default: everything in bench/results/)."""
    _report(files or sorted(reporting.RESULTS.glob("*.json")), out)


@cli.command("all")
@_options
@click.option("--compile/--no-compile", "compiled", default=True, help="With torch-compile.")
@click.option("--tests", is_flag=True, help="On a card: the parity tests first, in the same time.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=MINUTES,
    show_default=True,
    help="On a card: when to stop.",
)
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=reporting.RESULTS,
    help="Where the results go, unless --json says it.  [default: bench/results]",
)
def all_(
    json_path: Path | None, compiled: bool, tests: bool, minutes: float, folder: Path, **how: Any
) -> None:
    """The standard set, about ten minutes on two quiet cores; then the report.

    On a card, in every precision unless one is given, as much of the set as --minutes allow.
    """
    session = _session(**how)
    path = json_path or file_for(session, folder)
    if session.where.on_card:
        precision = how["precision"]
        missing = run_card(session, path, minutes=minutes, tests=tests, precision=precision)
        _finish(path, missing)
        return
    run_all(session, path, compiled=compiled)
    files = sorted(reporting.RESULTS.glob("*.json"))
    if path.resolve() not in [f.resolve() for f in files]:
        files = [path]
    _report(files, reporting.HERE / "RESULTS.md")


def _finish(path: Path, missing: list[str]) -> None:
    """The report where the rows are among its own; BenchError with what is missing."""
    if path.exists() and path.resolve().parent == reporting.RESULTS.resolve():
        _report(sorted(reporting.RESULTS.glob("*.json")), reporting.HERE / "RESULTS.md")
    if path.exists():
        click.echo(f"rows are in {path}")
    if missing:
        raise BenchError("not all was measured:\n" + "\n".join(missing))


def _report(files: Iterable[Path], out: Path) -> None:
    rows = reporting.write_report(list(files), out)
    click.echo()
    for title, own in reporting.settings(rows):
        click.echo(title)
        for verdict in reporting.verdicts_of(own):
            click.echo(_spoken(verdict))
    click.echo(f"\n{out} written from {len(rows)} rows")


def _spoken(verdict: Verdict) -> str:
    return (
        f"{verdict.word:12} {verdict.what}, against {verdict.peer}: "
        f"{verdict.measured or '-'} ({verdict.limit})"
    )
