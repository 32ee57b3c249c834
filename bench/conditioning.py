"""`bench conditioning`: every way for D and for G to see the condition, on the same digits.

All runs have the same data, batches, number of steps, optimiser and seeds. Those that differ in
what D sees have one generator, joined at the input; those that differ in what G sees have one
discriminator, the projection. Networks are DCGAN's of width 16, but for CGAN's perceptrons, which
are narrower than the paper's.

What is measured, of 1,000 samples as `minigan eval` does it: the share that the shipped classifier
puts into the class that was asked for, beside its share on as many real digits of the test split;
and of 2,000 samples the Fréchet distance to the test split.
"""

from __future__ import annotations

import base64
import io
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
from minigan.algorithms import Streams, Task, recipe
from minigan.algorithms.conditional.game import ConditionalGAN
from minigan.backend import keep_freed_memory
from minigan.data import Loader, open_data
from minigan.errors import MiniganError
from minigan.metrics import Subject, measure
from minigan.training.generation import asking, drawing
from minigan.training.labels import panel
from minigan.training.pictures import beside, grid

DATA = "digits"
STEPS, BATCH = 5000, 32
SHARED = {"lr": 1e-3, "schedule": "linear", "ema": 0.99, "z_dim": 16}
CONVOLUTIONS = {"width": 16}
SHOWN = 5  # columns of the panel that is stored
WANTED = 0.95  # label accuracy
# What is asked for: AC-GAN, projection and the three-term CGAN, each in one of its runs.
REQUIRED = (
    ("auxiliary", "auxiliary-weight-4", "auxiliary-real"),
    ("projection",),
    ("input", "two-scores", "late"),
)


@dataclass(frozen=True)
class Run:
    """What a run sets besides, and what the page says of it."""

    summary: str
    settings: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "cdcgan"


RUNS: dict[str, Run] = {
    "cgan": Run(
        "perceptrons, joined; three terms",
        {"hidden_G": (200, 100, 256), "hidden_D": (64, 16, 64)},
        algorithm="cgan",
    ),
    "input-two-terms": Run(
        "D: joined at the input; no wrong pairs", {"d_sees": "input", "wrong_pairs": "none"}
    ),
    "input": Run("D: joined at the input; three terms", {"d_sees": "input"}),
    "first": Run("D: joined after the first convolution; three terms", {"d_sees": "first"}),
    "late": Run("D: joined late; three terms", {"d_sees": "late"}),
    "two-scores": Run("D: realness, and match in three terms", {"d_sees": "two-scores"}),
    "auxiliary": Run("D: names the class (AC-GAN)", {"d_sees": "auxiliary"}),
    "auxiliary-weight-4": Run(
        "D: names the class, which weighs 4", {"d_sees": "auxiliary", "class_weight": 4.0}
    ),
    "auxiliary-real": Run(
        "D: names the class, learned of real digits alone",
        {"d_sees": "auxiliary", "real_classes": True},
    ),
    "projection": Run("D: projection", {"d_sees": "projection"}),
    "g-norm": Run("G: conditional batch norm", {"d_sees": "projection", "g_sees": "norm"}),
    "g-adain": Run("G: AdaIN", {"d_sees": "projection", "g_sees": "adain"}),
}


@dataclass(frozen=True)
class ConditioningCase:
    """One run from one seed."""

    run: str
    seed: int
    steps: int = STEPS

    @property
    def key(self) -> str:
        return f"{self.run}-{self.steps}-seed{self.seed}"

    def play(self) -> dict[str, Any]:
        """Train and measure; a run whose numbers run away has an `error` and no values."""
        keep_freed_memory()
        train, test = open_data(DATA), open_data(DATA, split="test")
        found: dict[str, Any] = {"run": self.run, "seed": self.seed, "steps": self.steps}
        game = build(RUNS[self.run], self.seed, self.steps)
        before = time.process_time()
        try:
            with Loader(train, BATCH, seed=self.seed) as loader, np.errstate(all="ignore"):
                for step in range(self.steps):
                    batch = loader.batch(step)
                    assert batch.labels is not None  # digits have labels
                    game.step(batch.x, batch.labels)
        except MiniganError as error:
            return found | {"error": str(error), "seconds": time.process_time() - before}
        seconds = time.process_time() - before
        subject = Subject(drawing(game), test, split="test", seed=self.seed, asked=asking(game))
        accuracy = measure("label-accuracy", subject).values
        return found | {
            "error": None,
            "seconds": seconds,
            "accuracy": accuracy["accuracy"],
            "real": accuracy["real"],
            "fid": measure("fid", subject, test.size).values["distance"],
            "panel": _encoded(grid(panel(game, seed=self.seed, columns=SHOWN), columns=SHOWN)),
        }


def build(run: Run, seed: int, steps: int) -> ConditionalGAN:
    """The game of a run."""
    data = open_data(DATA)
    chosen = recipe(run.algorithm)
    own = CONVOLUTIONS if run.algorithm == "cdcgan" else {}
    options = chosen.options.of(**SHARED | own | run.settings)
    task = Task(data.shape, data.kind, steps, batch=BATCH, label_names=data.label_names)
    game = chosen.build(options, task, Streams(seed))
    assert isinstance(game, ConditionalGAN)
    return game


# --- the page -------------------------------------------------------------------------------------


def section(results: Iterable[dict[str, Any]], out: Path) -> str:
    """The section of RESULTS.md at `out`, its picture beside it in results/."""
    text = _INTRODUCTION
    results = list(results)
    for steps in sorted({r["steps"] for r in results}):
        own = [r for r in results if r["steps"] == steps]
        text += f"\n\n{sweep_commands('conditioning', own, RUNS)}\n\n{_setting(own, steps)}"
        text += f"\n\n{_table(own)}\n\n{_verdict(own)}"
        picture = out.parent / "results" / f"conditioning-{steps}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        _panels(own).save(picture)
        text += (
            f"\n\nA class along each row, one noise down each column, seed "
            f"{min(r['seed'] for r in own)}:\n\n![samples](results/{picture.name})"
        )
    return text


_INTRODUCTION = f"""## How D and G see the condition

Digits of 28x28, batch {BATCH}, Adam at {SHARED["lr"]:g} falling to 0 from half-way on, samples from
a moving average of G (decay {SHARED["ema"]}), networks of width {CONVOLUTIONS["width"]}. Label
accuracy is the share of 1,000 samples that the shipped classifier puts into the class asked for;
the Fréchet distance is that of its features, to the test split. Means over the seeds."""


def _setting(own: list[dict[str, Any]], steps: int) -> str:
    real = mean(r["real"] for r in own if r["error"] is None)
    where = sorted({f"{r['machine']}" for r in own if "machine" in r})
    dates = sorted({r["date"][:10] for r in own if "date" in r})
    measured = f" Measured on {', '.join(where)}, {' and '.join(dates)}." if dates else ""
    return (
        f"{steps:,} steps on one core. On real digits of the test split the classifier is right in "
        f"{real:.1%} of cases.{measured}"
    )


def _table(own: list[dict[str, Any]]) -> str:
    lines = []
    for name in RUNS:
        runs = [r for r in own if r["run"] == name]
        good = [r for r in runs if r["error"] is None]
        if not good:
            if runs:
                lines.append([f"`{name}`", RUNS[name].summary, "failed", "", "", f"{len(runs)}"])
            continue
        each = [r["accuracy"] for r in good]
        lines.append(
            [
                f"`{name}`",
                RUNS[name].summary,
                f"{mean(each):.1%}"
                + (f" ({min(each):.1%} to {max(each):.1%})" if len(each) > 1 else ""),
                f"{mean(r['fid'] for r in good):.2f}",
                f"{mean(r['seconds'] for r in good) / 60:.1f}",
                f"{len(good)}"
                + (f", {len(runs) - len(good)} failed" if len(runs) > len(good) else ""),
            ]
        )
    head = ["run", "", "label accuracy", "Fréchet distance", "CPU minutes", "seeds"]
    return table(head, lines)


def _verdict(own: list[dict[str, Any]]) -> str:
    """What is asked for, and whether it came out."""
    lines = []
    for names in REQUIRED:
        good = [r for r in own if r["run"] in names and r["error"] is None]
        worst = {r["run"]: min(a["accuracy"] for a in good if a["run"] == r["run"]) for r in good}
        if worst:
            name = max(worst, key=lambda run: worst[run])
            word = "reached" if worst[name] > WANTED else "**not reached**"
            lines.append(f"`{name}` {worst[name]:.1%}: {word}")
    return f"Asked for: above {WANTED:.0%} in the worst seed; " + "; ".join(lines) + "."


def _panels(own: list[dict[str, Any]]) -> Image.Image:
    first = min(r["seed"] for r in own)
    shown = {r["run"]: r["panel"] for r in own if r["seed"] == first and r["error"] is None}
    return beside({name: _decoded(shown[name]) for name in RUNS if name in shown})


def _encoded(image: Image.Image) -> str:
    """A grid of digits without its enlargement, as a PNG in text."""
    buffer = io.BytesIO()
    image.convert("L").save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _decoded(text: str) -> Image.Image:
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        return image.convert("L")
