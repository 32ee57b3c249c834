"""`bench report`: RESULTS.md and its plots, from stored rows alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from bench import (
    card_pages,
    conditioning,
    makeup,
    mode_tables,
    robustness,
    translation_tables,
)
from bench.card_pages import work_of as _work
from bench.card_targets import card_verdicts
from bench.commands import ops_commands, profile_commands, step_commands
from bench.errors import BenchError
from bench.machine import slug
from bench.measure import BUSY
from bench.memory import FLAT
from bench.peers import PEERS
from bench.plots import draw_scaling
from bench.rows import Row, newest, read
from bench.scaling import AXES, fit
from bench.sweep import read as read_sweep
from bench.tables import table
from bench.targets import Verdict, convolution_sums, verdicts

HERE = Path(__file__).parent
RESULTS = HERE / "results"
TRIED = HERE / "TRIED.md"


def write_report(files: Sequence[Path], out: Path, tried: Path = TRIED) -> list[Row]:
    """RESULTS.md at `out`, its plots beside it in results/; the rows that it shows.

    Raises BenchError where there is nothing to report.
    """
    rows = newest(row for file in files for row in read(file))
    sweeps = _sweeps(out)
    if not rows and not sweeps:
        raise BenchError("no stored results; run `python -m bench all` first")
    parts = [_INTRODUCTION]
    counts = [r for r in rows if r.bench == "counts"]
    for title, own in settings(rows):
        parts.append(f"## {title}")
        parts += _machine(own, out)
    cards = [title for title, own in settings(rows) if own[0].device != "cpu"]
    parts.append(card_pages.counted(counts, cards))
    parts += [section(read_sweep(files), out) for files, section in sweeps]
    if tried.exists():
        parts.append(tried.read_text().strip())
    out.write_text("\n\n".join(parts) + "\n")
    return rows


def settings(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """The timed rows of each machine, those of a card by precision, under their title."""

    def title(row: Row) -> str:
        return row.machine if row.device == "cpu" else f"{row.machine}, {row.precision}"

    return _grouped((r for r in rows if r.bench != "counts"), title)


def verdicts_of(rows: Sequence[Row]) -> list[Verdict]:
    """The verdicts on the rows of one setting."""
    return verdicts(rows) if rows[0].device == "cpu" else card_verdicts(rows)


def _sweeps(out: Path) -> list[tuple[list[Path], Callable[[list[Any], Path], str]]]:
    """The stored results of each sweep beside the page, and what makes a section of them."""
    sections = {
        "modes": mode_tables.section,
        "robustness": robustness.section,
        "translation": translation_tables.section,
        "makeup": makeup.section,
        "conditioning": conditioning.section,
    }
    found = {name: sorted((out.parent / "results" / name).glob("*.json")) for name in sections}
    return [(found[name], section) for name, section in sections.items() if found[name]]


_INTRODUCTION = """# Results

Written by `python -m bench report` from the files in `bench/results/`; do not edit. How each number
is measured is in the docstrings of `bench/`. A ratio is ours / peer: below 1, minigan is faster.
Each side runs in its own process, with the same number of threads, in float32 on the CPU and in the
precision of the section's title on a card; samples alternate (A B, B A, ...), the ratio is the
median of the pairs' ratios, its smallest and largest beside it.
Before anything is timed, both sides are checked to compute the same.

`python -m bench all` measures a machine's whole section (`--device cuda` a card's); the commands
above its tables measure a part of it again. The commands above the other tables train everything
that their rows show, unless it is stored already.

On the CPU, PyTorch's memory format and optimiser (fused or foreach) are those that a measurement
just before found the fastest for that work. The peers:

""" + "\n".join(f"- `{name}`: {peer.says}." for name, peer in PEERS.items())


def _machine(rows: list[Row], out: Path) -> list[str]:
    by = {bench: [r for r in rows if r.bench == bench] for bench in {r.bench for r in rows}}
    parts = [_setting(rows), _targets(rows)]
    sections = (
        ("step", _steps),
        ("ops", _ops),
        ("roofline", _roofline),
        ("memory", _memory),
        ("profile", _profile),
    )
    parts += [section(by[bench]) for bench, section in sections if bench in by]
    if "scaling" in by:
        parts.append(_scaling(by["scaling"], out))
    return parts


def _setting(rows: list[Row]) -> str:
    dates = sorted({r.date[:10] for r in rows})
    span = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    latest = max(rows, key=lambda r: r.date)
    found = ", ".join(f"{name} {version}" for name, version in latest.versions.items())
    text = f"Measured {span}. Versions: {found}."
    most = max((r.detail.get("busy", 0.0) for r in rows), default=0.0)
    if most > BUSY:
        text += (
            f"\n\n**Not on a quiet machine**: other programs used up to {most:.0%} of the "
            "processors, which slows PyTorch's and our threads unequally."
        )
    return text


def _targets(rows: list[Row]) -> str:
    lines = [[v.what, f"`{v.peer}`", v.limit, v.measured, v.word] for v in verdicts_of(rows)]
    return "### Targets\n\n" + table(["target", "against", "limit", "measured", ""], lines)


def _steps(rows: list[Row]) -> str:
    head = ["step", "threads", "peer", "ours ms", "peer ms", "ratio", "min to max"]
    head += ["first call ms, ours", "peer", "PyTorch's form"]
    lines = [
        [
            _work(r),
            str(r.threads),
            f"`{r.peer}`",
            _number(r.ours_ms),
            _number(r.peer_ms),
            f"**{r.ratio:.3f}**",
            _spread(r),
            _number(r.detail["ours_first_ms"]),
            _number(r.detail["peer_first_ms"]),
            ", ".join(r.detail["choices"].values()),
        ]
        for r in rows
    ]
    return (
        f"### Training steps\n\n{step_commands(rows)}\n\n"
        "The first call is apart: it fills caches, and compiles where the peer does.\n\n"
        + table(head, lines)
    )


def _ops(rows: list[Row]) -> str:
    text = f"### Operations\n\n{ops_commands(rows)}\n"
    if sums := convolution_sums(rows):
        text += (
            f"\nAll convolutions of size 64, width 64, batch 64 together: ours {sums[0]:.0f} ms, "
            f"PyTorch {sums[1]:.0f} ms, ratio {sums[0] / sums[1]:.3f}.\n"
        )
    head = ["operation", "pass", "ours ms", "PyTorch ms", "ratio", "min to max", "its form"]
    for work, own in _grouped([r for r in rows if r.peer == "torch"], _work):
        lines = [
            [
                r.detail["op"],
                r.detail["pass"],
                _number(r.ours_ms),
                _number(r.peer_ms),
                f"{r.ratio:.3f}",
                _spread(r),
                ", ".join(r.detail["choices"].values()),
            ]
            for r in own
        ]
        text += f"\n#### {work}, {own[0].threads} threads\n\n{table(head, lines)}\n"
    return text.rstrip()


def _roofline(rows: list[Row]) -> str:
    rates = max(rows, key=lambda r: r.date).detail["rates"]
    text = (
        "### Roofline\n\n`python -m bench all`; of one network, `python -m bench roofline --size S "
        "--width W --batch B`.\n\n"
        f"The best {rows[0].precision} matrix product here does {rates['flops'] / 1e9:.0f} "
        f"Gflop/s, a large copy moves {rates['bytes'] / 1e9:.1f} GB/s (read and written). The "
        "floor is the larger of the two least times; the share is floor / ours. Operations on "
        "arrays that fit into the caches can be above 100 % of a floor by memory."
    )
    if rows[0].device == "cpu":
        text += (
            " Floors and rates count the multiplications of the plain formulas; wide convolutions "
            "do 9/16 of them."
        )
    head = ["operation", "pass", "ours ms", "floor ms", "bound by", "share", "of product rate"]
    for work, own in _grouped(rows, _work):
        lines = [
            [
                r.detail["op"],
                r.detail["pass"],
                _number(r.ours_ms),
                _number(r.peer_ms),
                r.detail["bound"],
                f"{r.detail['share']:.0%}",
                f"{r.detail['product_share']:.0%}" if r.detail["flops"] else "",
            ]
            for r in own
        ]
        text += f"\n\n#### {work}, {own[0].threads} threads\n\n{table(head, lines)}"
    return text


_MEMORY_OF_CARD = (
    "The most bytes of the card in use at once: weights, gradients, optimiser state, activations. "
    "Reserved: what the allocator took for that, a captured step's own memory in it. Growth: of "
    "all that is taken, the last tenth of the steps against the second."
)


def _memory(rows: list[Row]) -> str:
    kind = "process" if rows[0].device == "cpu" else "reserved"
    head = ["step", "peer", "ours MB", "peer MB", "ratio", "min to max"]
    head += [f"{kind} MB, ours", "peer"]
    head += ["steps", "growth, ours", "peer", ""]
    lines = []
    for r in rows:
        d, long = r.detail, "steps" in r.detail
        lines.append(
            [
                _work(r),
                f"`{r.peer}`",
                _number(d["ours_mb"]),
                _number(d["peer_mb"]),
                f"**{r.ratio:.3f}**",
                _spread(r) if d.get("repeats", 1) > 1 else "",
                f"{d[f'ours_{kind}_mb']:.0f}",
                f"{d[f'peer_{kind}_mb']:.0f}",
                f"{d['steps']:,}" if long else "",
                f"{d['ours_growth']:+.2%}" if long else "",
                f"{d['peer_growth']:+.2%}" if long else "",
                ("flat" if d["ours_growth"] <= FLAT else "not flat") if long else "",
            ]
        )
    how = (
        "### Memory\n\n`python -m bench memory`; growth: "
        "`python -m bench memory --size 16 --width 16 --batch 16 --steps 1000`\n\n"
    )
    if kind == "reserved":
        return f"{how}{_MEMORY_OF_CARD}\n\n{table(head, lines)}"
    return (
        how
        + "The peak of resident memory over what the process had after loading its libraries and "
        "one tiny step: weights, gradients, optimiser state, activations and what the allocator "
        "keeps, of the pair of processes with the median ratio. Growth: the last tenth of the "
        "steps against the second.\n\n" + table(head, lines)
    )


def _profile(rows: list[Row]) -> str:
    text = (
        f"### Where our time goes\n\n{profile_commands(rows)}\n\n"
        "Milliseconds of one step by family, each without what is called inside it; the wrappers "
        "that count cost a little themselves."
    )
    for r in rows:
        families: dict[str, float] = r.detail["families"]
        total = sum(families.values())
        lines = [[name, _number(ms), f"{ms / total:.1%}"] for name, ms in families.items()]
        title = f"{_work(r)}, {r.threads} threads"
        text += f"\n\n#### {title}\n\n{table(['family', 'ms', 'share'], lines)}"
    return text


def _scaling(rows: list[Row], out: Path) -> str:
    text = (
        "### Scaling\n\n`python -m bench scaling`\n\nTime per step with one thread and with two; "
        "the fits are least squares of relative errors, with the largest deviation of a point."
    )
    for axis in AXES:
        own = [r for r in rows if r.detail["axis"] == axis]
        if not own:
            continue
        plot = f"scaling-{axis}-{slug(own[0].machine)}.svg"
        (out.parent / "results").mkdir(exist_ok=True)
        draw_scaling(own, axis, out.parent / "results" / plot)
        text += f"\n\n#### Against {axis}\n\n![time per step against {axis}](results/{plot})"
        fits, lines = [], []
        for threads, points in _grouped(own, lambda r: r.threads):
            for side in ("ours", "torch"):
                ms = [(r.ours_ms if side == "ours" else r.peer_ms) or 0.0 for r in points]
                found = fit(axis, [getattr(r, axis) for r in points], ms)
                fits.append([side, str(threads), str(found), f"{found.worst:.0%}"])
            for r in points:
                cells = [
                    _work(r),
                    str(threads),
                    _number(r.ours_ms),
                    _number(r.peer_ms),
                    f"{r.ratio:.3f}",
                ]
                lines.append([*cells, _spread(r)])
        text += "\n\n" + table(["side", "threads", "fit", "worst"], fits)
        head = ["step", "threads", "ours ms", "PyTorch ms", "ratio", "min to max"]
        text += "\n\n" + table(head, lines)
    return text


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _spread(row: Row) -> str:
    d = row.detail
    return f"{d['ratio_min']:.2f} to {d['ratio_max']:.2f}, {d['repeats']} pairs"


def _grouped(rows: Iterable[Row], key: Any) -> list[tuple[Any, list[Row]]]:
    """Groups in the order in which their keys first came."""
    rows = list(rows)
    order = {k: i for i, k in enumerate(dict.fromkeys(key(r) for r in rows))}
    ordered = sorted(rows, key=lambda r: order[key(r)])
    return [(k, list(group)) for k, group in groupby(ordered, key)]
