"""`bench makeup`: PairedCycleGAN's terms one by one, a U-Net, and CycleGAN, on drawn faces.

Faces of 32x32 without and with makeup (data/faces.py). Of 256 faces and styles that training never
shows, what x becomes in the makeup of a reference is known, and so is the bare face of the
reference. Runs have one budget: dilated generators of width 16 that make what is added to a picture
(CycleGAN's too), patches of 16x16, 4 examples in a batch, Adam at 1e-3, falling to 0 from half-way
on. Otherwise options are the defaults: PairedCycleGAN's lambdas, CycleGAN's least squares, lambda
10 and pool.

CycleGAN's G takes no reference: it gives each face the makeup that it gives it. `told apart` is the
share of faces that are nearer to the truth with their own reference than with another face's:
half for what does not look at it. The warped references, which D_S takes for the truth, have a row
of their own: no G that D_S is content with needs to be nearer.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from PIL import Image

from bench.commands import sweep_commands
from bench.tables import table
from bench.translation import decoded, encoded
from minigan.algorithms import Streams, Task, recipe
from minigan.algorithms.translation import cyclegan
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.options import Rng, Size
from minigan.algorithms.translation.pairedcyclegan import PairedCycleGAN, adding, beside
from minigan.backend import Array, make_rng
from minigan.data import Loader, Pairs, open_pairs, open_references
from minigan.data.makeup import Known
from minigan.errors import MiniganError
from minigan.layers import Layer
from minigan.metrics.similarity import l1, psnr, ssim

DATA, SIZE = "faces-makeup", 32
STEPS, BATCH = 1000, 4
MEASURED, SHOWN = 256, 8
CHANGED = 0.1  # of 2, that a channel of a pixel differs by where makeup is
SHARED = {"generator": "dilated", "width": 16, "patch": 16, "lr": 1e-3, "schedule": "linear"}


@dataclass(frozen=True, kw_only=True)
class AddingCycle(cyclegan.Options):
    """CycleGAN whose generators make what is added to a picture, as PairedCycleGAN's do here."""

    def build_generators(self, size: Size, channels: tuple[int, int], rng: Rng) -> dict[str, Layer]:
        nets = super().build_generators(size, channels, rng)
        return {name: adding(net, *channels) for name, net in nets.items()}


@dataclass(frozen=True)
class Run:
    """What a run sets beside `SHARED`, and what the page says of it."""

    summary: str
    settings: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "pairedcyclegan"


RUNS = {
    "full": Run("PairedCycleGAN, all terms"),
    "cyclegan": Run("CycleGAN, which takes no reference", {}, "cyclegan"),
    "no-L_P": Run("without L_P", {"lambda_P": 0.0}),
    "no-L_S": Run("without L_S", {"lambda_S": 0.0}),
    "no-L_I": Run("without L_I", {"lambda_I": 0.0}),
    "no-L_G": Run("without L_G", {"lambda_G": 0.0}),
    "no-L_F": Run("without L_F", {"lambda_F": 0.0}),
    "unet": Run("a U-Net for the dilated network", {"generator": "unet"}),
}
NOTHING, WARPED = "nothing done", "the warped references themselves"


@dataclass(frozen=True)
class MakeupCase:
    """One training from one seed."""

    run: str
    seed: int
    steps: int = STEPS

    @property
    def key(self) -> str:
        return f"{self.run}-{self.steps}-seed{self.seed}"

    def play(self) -> dict[str, Any]:
        """Train, measure and keep some pictures; a run that runs away has an `error` alone."""
        found: dict[str, Any] = {"run": self.run, "seed": self.seed, "steps": self.steps}
        held_out = open_references(DATA, size=SIZE, split="test")
        known = held_out.known(MEASURED, make_rng(9))
        assert known is not None
        before = time.process_time()
        try:
            model = trained(self)
            made = put_on(model, known.x, known.y)
            other = put_on(model, known.x, np.roll(known.y, 1, 0))
            bare = model.translate(known.y, make_rng(self.seed), name="F")
        except MiniganError as error:
            return found | {"error": str(error), "seconds": time.process_time() - before}
        shown = {"x": known.x, "y": known.y, "made": made, "true": known.applied}
        shown |= {"bare": bare, "true bare": known.removed}
        return found | {
            "error": None,
            "seconds": time.process_time() - before,
            "measured": MEASURED,
            "values": measured(known, made, other, bare),
            "nothing": measured(known, known.x, known.x, known.y),
            "pictures": {name: encoded(rows[:SHOWN]) for name, rows in shown.items()},
        }


def trained(case: MakeupCase) -> Translating:
    """The model of a case after its steps."""
    run = RUNS[case.run]
    chosen = recipe(run.algorithm)
    references = chosen.takes == "references"
    data: Pairs = (
        open_references(DATA, size=SIZE)
        if references
        else open_pairs(DATA, aligned=False, size=SIZE)
    )
    options = (chosen.options if references else AddingCycle).of(**SHARED | run.settings)
    task = Task(data.shape, "pairs", case.steps, batch=BATCH, channels=data.channels)
    model = chosen.build(options, task, Streams(case.seed))
    assert isinstance(model, Translating)
    with Loader(data, BATCH, seed=case.seed) as loader, np.errstate(all="ignore"):
        for step in range(case.steps):
            model.step(loader.batch(step).x)
    return model


def put_on(model: Translating, x: Array, y: Array) -> Array:
    """x in the makeup of y, or of CycleGAN in whatever it gives x."""
    taken = beside(x, y) if isinstance(model, PairedCycleGAN) else x
    return model.translate(taken, make_rng(0))


def measured(known: Known, made: Array, other: Array, bare: Array) -> dict[str, float]:
    """Of makeup put on and taken off: mean absolute errors (0 to 2), decibels and SSIM.

    other: the same faces with other references.
    """
    put, taken = _changed(known.x, known.applied), _changed(known.y, known.removed)
    errors, others = (_within(put, a, known.applied) for a in (made, other))
    apart = np.where(errors < others, 1.0, np.where(errors > others, 0.0, 0.5))
    return {
        "error": float(l1(made, known.applied).mean()),
        "where": float(errors.mean()),
        "decibels": float(psnr(made, known.applied).mean()),
        "similarity": float(ssim(made, known.applied).mean()),
        "told apart": float(apart.mean()),
        "error bare": float(l1(bare, known.removed).mean()),
        "where bare": float(_within(taken, bare, known.removed).mean()),
    }


def _changed(bare: Array, styled: Array) -> Array:
    """1 where makeup is, (N, H, W)."""
    return (np.abs(styled - bare).max(-1) > CHANGED).astype(np.float64)


def _within(there: Array, made: Array, true: Array) -> Array:
    """Mean absolute error of each picture where `there` is 1."""
    error = np.abs(made - true).mean(-1)
    return (error * there).sum((1, 2)) / np.maximum(there.sum((1, 2)), 1)


# --- the page -------------------------------------------------------------------------------------

HEADS = {
    "error": "error",
    "where": "where makeup is",
    "decibels": "PSNR",
    "similarity": "SSIM",
    "told apart": "told apart",
    "error bare": "bare: error",
    "where bare": "where makeup was",
}
INTRODUCTION = """## Makeup put on and taken off

Protocol: the docstring of `bench/makeup.py`. Means over the seeds of mean absolute errors (of 2)
against the known truth of faces, styles and references that no training saw. An error is over all
pixels of a picture unless its column says where."""


def section(results: Iterable[dict[str, Any]], out: Path) -> str:
    """The section of RESULTS.md at `out`, its pictures beside it in results/."""
    results, text = list(results), [INTRODUCTION]
    for steps in sorted({r["steps"] for r in results}):
        own = [r for r in results if r["steps"] == steps]
        text.append(f"### {steps:,} steps of {BATCH} examples")
        text.append(sweep_commands("makeup", own, RUNS))
        text += _budget(own, out)
    return "\n\n".join(text)


def _budget(results: list[dict[str, Any]], out: Path) -> list[str]:
    """What the runs of one number of steps show."""
    ended = {run: [r for r in results if r["run"] == run and r["error"] is None] for run in RUNS}
    rows = [
        [RUNS[run].summary, *_cells(own, "values"), str(len(own))]
        for run, own in ended.items()
        if own
    ]
    if not rows:
        return ["No run came to an end."]
    nothing = [r for own in ended.values() for r in own]
    rows += [[NOTHING, *_cells(nothing, "nothing"), ""], [*_warped(), ""]]
    text = [table(["", *HEADS.values(), "seeds"], rows), *verdicts(ended)]
    return [*text, _pictures(ended["full"][0], out)] if ended["full"] else text


def verdicts(ended: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What the paper claims, and whether it came out."""
    said = []
    for claim, value in (
        ("PairedCycleGAN transfers a reference's makeup better than CycleGAN", "where"),
        ("PairedCycleGAN recovers the bare face better than CycleGAN", "where bare"),
        ("Over all pixels, PairedCycleGAN's made-up face is nearer to the truth", "error"),
    ):
        if ended["full"] and ended["cyclegan"]:
            own, other = (_mean(ended[run], value) for run in ("full", "cyclegan"))
            word = "as claimed" if own < other else "not as claimed"
            seeds = " and ".join(str(len(ended[run])) for run in ("full", "cyclegan"))
            said.append(
                f"{claim}: {own:.3f} against {other:.3f} ({HEADS[value]}; {seeds} seeds), {word}."
            )
    return said


def _mean(results: list[dict[str, Any]], value: str, of: str = "values") -> float:
    return mean(r[of][value] for r in results)


def _cells(results: list[dict[str, Any]], of: str) -> list[str]:
    digits = {"decibels": 1, "told apart": 2}
    return [f"{_mean(results, value, of):.{digits.get(value, 3)}f}" for value in HEADS]


def _warped() -> list[str]:
    """The row of W(x, y), which needs no training, takes no makeup off and is of one reference."""
    known = open_references(DATA, size=SIZE, split="test").known(MEASURED, make_rng(9))
    assert known is not None
    values = measured(known, known.warped, known.warped, known.removed)
    cells = zip(HEADS, _cells([{"values": values}], "values"), strict=True)
    unsaid = ("told apart", "error bare", "where bare")
    return [WARPED, *("" if name in unsaid else cell for name, cell in cells)]


def _pictures(result: dict[str, Any], out: Path) -> str:
    """Rows of faces, as the run kept them, above one another in one PNG."""
    rows = [decoded(letters) for letters in result["pictures"].values()]
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    path = out.parent / "results" / f"makeup-{result['steps']}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    names = ", ".join(result["pictures"])
    return f"![{names}](results/{path.name})\n\nFrom above: {names}."
