"""The tables of `bench translation`: what each ablation measures, and the papers' orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

from PIL import Image, ImageDraw

from bench.commands import sweep_commands
from bench.tables import table
from bench.translation import ABLATIONS, ALSO, METRICS, RUNS, decoded

Result = dict[str, Any]
Means = dict[str, dict[str, float]]  # by run and metric

ALLOWED = 1.0  # dB that L1 + cGAN may have less than L1 alone
LABEL = 150  # pixels beside a row of pictures


class Values(NamedTuple):
    """Of one run, the means over its seeds, and the deviations where there are several."""

    means: dict[str, float]
    deviations: dict[str, float]
    seconds: float
    seeds: int


class Claim(NamedTuple):
    """An order of the papers: `holds` says of the runs' means whether it came out here."""

    says: str
    needs: Sequence[str]
    holds: Callable[[Means], tuple[bool, str]]


def section(results: Iterable[Result], out: Path) -> str:
    """The section of RESULTS.md at `out`, its pictures beside it in results/."""
    results = list(results)
    text = _INTRODUCTION
    found: dict[str, Values] = {}
    baseline: Means = {}
    for name, shared in ABLATIONS.items():
        runs = [r for r in results if RUNS[r["run"]].ablation == name]
        steps = {r["steps"] for r in runs}
        for budget in sorted(steps):
            at = [r for r in runs if r["steps"] == budget]
            values = {run: v for run in RUNS if (v := values_of(run, at)) is not None}
            if budget == shared.steps or len(steps) == 1:
                found |= values
                baseline |= {"untranslated": own} if (own := untranslated(at)) else {}
            title = f"### {name} on {shared.data}, {budget:,} steps"
            made = sweep_commands("translation", at, RUNS)
            text += f"\n\n{title}\n\n{made}\n\n{_table(values, at)}"
            if picture := _picture(name, budget, at, out):
                text += f"\n\n{picture}"
    return f"{text}\n\n### The papers' orders\n\n{_orders(found, baseline)}"


_INTRODUCTION = f"""## Translations

Protocol: the docstring of `bench/translation.py`. Pictures in [-1, 1]; l1, PSNR and SSIM against
the known truth, sharpness is the gradient energy of what was made over that of the truth, the
Fréchet distance is of the kittens classifier's features. Means over the seeds, their standard
deviation where there are several. PSNR may be {ALLOWED:g} dB lower for the sharper pictures of L1 +
cGAN. Of CycleGAN's table the first line is what leaving the pictures as they are
would give."""


def values_of(run: str, results: Iterable[Result]) -> Values | None:
    """None where no seed of the run came to an end."""
    ended = [r for r in results if r["run"] == run and r["error"] is None]
    if not ended:
        return None
    columns = {
        metric: [r["values"][metric][key] for r in ended]
        for metric, key in (METRICS | ALSO).items()
    }
    return Values(
        {metric: mean(column) for metric, column in columns.items()},
        {m: stdev(column) if len(column) > 1 else 0.0 for m, column in columns.items()},
        mean(r["seconds"] for r in ended),
        len(ended),
    )


def untranslated(results: Iterable[Result]) -> dict[str, float] | None:
    """The measures of the identity; None where x and y have other channels."""
    known = [r["values"] for r in results if r["error"] is None]
    known = [values for values in known if "untranslated" in values["l1"]]
    if not known:
        return None
    return {metric: mean(values[metric]["untranslated"] for values in known) for metric in METRICS}


FORMS = {"l1": ".3f", "psnr": ".2f", "ssim": ".3f", "fid": ",.0f", "sharpness": ".2f"}
HEAD = ["run", "l1", "PSNR dB", "SSIM", "Fréchet distance", "sharpness", "seconds", "seeds"]


def _table(values: dict[str, Values], results: list[Result]) -> str:
    lines = []
    if baseline := untranslated(results):
        cells = [f"{baseline[metric]:{FORMS[metric]}}" for metric in METRICS]
        lines.append(["the pictures as they are", *cells, *[""] * (len(HEAD) - 1 - len(cells))])
    for run, v in values.items():
        cells = [_cell(v, metric) for metric in (*METRICS, *ALSO)]
        lines.append([RUNS[run].summary, *cells, f"{v.seconds:.0f}", str(v.seeds)])
    for run in RUNS:
        failed = [r for r in results if r["run"] == run and r["error"] is not None]
        if failed:
            said = f"{len(failed)} failed: {failed[0]['error']}"
            lines.append([RUNS[run].summary, said, *[""] * (len(HEAD) - 2)])
    return table(HEAD, lines)


def _cell(v: Values, metric: str) -> str:
    form = FORMS[metric]
    spread = f" ± {v.deviations[metric]:{form}}" if v.seeds > 1 else ""
    return f"{v.means[metric]:{form}}{spread}"


# --- the orders -----------------------------------------------------------------------------------


def _sharper(m: Means) -> tuple[bool, str]:
    both, alone = m["l1+cgan"], m["l1"]
    lost = alone["psnr"] - both["psnr"]
    holds = (
        both["sharpness"] > alone["sharpness"] and both["fid"] < alone["fid"] and lost <= ALLOWED
    )
    return holds, (
        f"sharpness {both['sharpness']:.2f} against {alone['sharpness']:.2f}, Fréchet distance "
        f"{both['fid']:,.0f} against {alone['fid']:,.0f}, {lost:.2f} dB of PSNR less"
    )


def _patches(m: Means) -> tuple[bool, str]:
    pixels, *larger = (m[run]["fid"] for run in ("l1+cgan-1", "l1+cgan", "l1+cgan-34"))
    said = ", ".join(f"{value:,.0f}" for value in larger)
    return pixels > max(larger), f"Fréchet distance {pixels:,.0f} against {said}"


def _shown(m: Means) -> tuple[bool, str]:
    pair, alone = m["cgan"]["l1"], m["gan"]["l1"]
    return pair < alone, f"l1 {pair:.3f} against {alone:.3f}"


def _steadied(m: Means) -> tuple[bool, str]:
    both, alone = m["l1+cgan"]["l1"], m["cgan"]["l1"]
    return both < alone, f"l1 {both:.3f} against {alone:.3f}"


def _below(*runs: str) -> Callable[[Means], tuple[bool, str]]:
    """The first run's l1 is the least of them."""

    def holds(m: Means) -> tuple[bool, str]:
        first, *others = (m[run]["l1"] for run in runs)
        return first < min(others), f"l1 {first:.3f} against " + ", ".join(
            f"{other:.3f}" for other in others
        )

    return holds


CLAIMS = [
    Claim(
        f"L1 + cGAN is sharper than L1 alone, at no more than {ALLOWED:g} dB of PSNR",
        ("l1", "l1+cgan"),
        _sharper,
    ),
    Claim(
        "patches of 1x1 are worse than larger ones",
        ("l1+cgan-1", "l1+cgan", "l1+cgan-34"),
        _patches,
    ),
    Claim(
        "a D that is shown x is nearer to the truth than one that is not", ("cgan", "gan"), _shown
    ),
    Claim("L1 + cGAN is nearer to the truth than cGAN alone", ("l1+cgan", "cgan"), _steadied),
    Claim(
        "both cycles beat GAN alone on the hidden pairs",
        ("cycle-both", "cycle-none"),
        _below("cycle-both", "cycle-none"),
    ),
    Claim(
        "both cycles beat one of them",
        ("cycle-both", "cycle-forward", "cycle-backward"),
        _below("cycle-both", "cycle-forward", "cycle-backward"),
    ),
    Claim(
        "CycleGAN beats leaving pictures as they are",
        ("cycle-both", "untranslated"),
        _below("cycle-both", "untranslated"),
    ),
]


def _orders(found: dict[str, Values], baseline: Means) -> str:
    means = {run: values.means for run, values in found.items()} | baseline
    lines = []
    for claim in CLAIMS:
        if all(run in means for run in claim.needs):
            holds, said = claim.holds(means)
            seeds = min(found[run].seeds for run in claim.needs if run in found)
            word = "as the papers say" if holds else "differs"
            lines.append([claim.says, said, str(seeds), word])
    few = "An order that rests on one or two seeds may turn with the next."
    return f"{few}\n\n{table(['order', 'here', 'seeds', ''], lines)}"


# --- the pictures ---------------------------------------------------------------------------------


def _picture(name: str, steps: int, results: list[Result], out: Path) -> str:
    """Inputs, what each run's first seed makes of them, and truths, beside the page."""
    first = {}
    for run in RUNS:
        ended = [r for r in results if r["run"] == run and r["error"] is None]
        if ended:
            first[run] = min(ended, key=lambda r: r["seed"])
    if not first:
        return ""
    some = next(iter(first.values()))["pictures"]
    rows = [("x", some["x"])]
    rows += [(RUNS[run].summary, result["pictures"]["made"]) for run, result in first.items()]
    rows.append(("y, the truth", some["y"]))
    file = f"translation-{name}-{steps}.png"
    (out.parent / "results").mkdir(exist_ok=True)
    _labelled([(label, decoded(row)) for label, row in rows]).save(out.parent / "results" / file)
    return f"![pictures of kittens never shown, a run in each row](results/{file})"


def _labelled(rows: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Rows of pictures under one another, each with its name to the left."""
    width, height = rows[0][1].size
    sheet = Image.new("RGB", (LABEL + width, len(rows) * (height + 2) - 2), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (label, row) in enumerate(rows):
        top = i * (height + 2)
        draw.multiline_text((2, top + height // 2 - 12), label.replace(", ", ",\n"), "black")
        sheet.paste(row, (LABEL, top))
    return sheet
