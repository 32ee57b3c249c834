"""`bench translation`: the ablations of pix2pix and CycleGAN at small scale, on kittens of 32x32.

pix2pix: kittens in colour from their lines, aligned pairs. L1 alone, GAN and cGAN alone, and either
beside L1 (Isola et al. 2017, section 4.2 and table 1); receptive fields of 1, 16 and 34 under L1 +
cGAN (section 4.4 and table 2). A U-Net of four halvings and D of width 16 with instance norm,
dropout of 0.5 and lambda 100, 8 pairs in a batch.

CycleGAN: orange kittens become blue, two domains. GAN alone, forward and backward cycle alone, both
(Zhu et al. 2017, section 5.1.4 and tables 4 and 5). Patches of 16x16, least squares, lambda 10, a
pool of 50 and a rate that falls to 0 from half-way on are the paper's; for so short a training the
generators are U-Nets, of three halvings and width 8, and a batch holds 4 pictures of either domain.

The trainings are short, so Adam's rate is 1e-3, five times the papers'. All runs of one ablation
have the same data, budget and seeds. What is measured: 500 pictures of kittens that training never
shows, as `minigan eval` does it; CycleGAN's hidden pairs score only.
"""

from __future__ import annotations

import base64
import io
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from minigan.algorithms import Streams, Task, recipe
from minigan.algorithms.translation.base import Translating
from minigan.backend import Array, make_rng
from minigan.data import Loader, Pairs, open_pairs
from minigan.errors import MiniganError
from minigan.metrics import TranslationSubject, measure
from minigan.training.generation import translating
from minigan.training.pictures import grid

SIZE = 32
MEASURED = 500  # pictures
SHOWN = 8  # of them in the page
METRICS = {"l1": "error", "psnr": "decibels", "ssim": "similarity"}
ALSO = {"fid": "distance", "sharpness": "ratio"}


@dataclass(frozen=True)
class Ablation:
    """What the runs of one ablation share."""

    algorithm: str
    data: str
    aligned: bool
    steps: int
    batch: int
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What one run of an ablation sets besides, and what the page says of it."""

    ablation: str
    summary: str
    settings: dict[str, Any] = field(default_factory=dict)


ABLATIONS = {
    "pix2pix": Ablation(
        "pix2pix",
        "kittens-edges",
        True,
        500,
        8,
        {"width": 16, "patch": 16, "halvings": 4, "norm": "instance", "lr": 1e-3},
    ),
    "cyclegan": Ablation(
        "cyclegan",
        "kittens-recolour",
        False,
        500,
        4,
        {"width": 8, "patch": 16, "generator": "unet", "halvings": 3, "lr": 1e-3},
    ),
}

RUNS = {
    "l1": Run("pix2pix", "L1", {"judge": "none"}),
    "gan": Run("pix2pix", "GAN", {"judge": "picture", "weight_l1": 0.0}),
    "cgan": Run("pix2pix", "cGAN", {"weight_l1": 0.0}),
    "l1+gan": Run("pix2pix", "L1 + GAN", {"judge": "picture"}),
    "l1+cgan": Run("pix2pix", "L1 + cGAN, patches of 16x16"),
    "l1+cgan-1": Run("pix2pix", "L1 + cGAN, patches of 1x1", {"patch": 1}),
    "l1+cgan-34": Run("pix2pix", "L1 + cGAN, patches of 34x34", {"patch": 34}),
    "cycle-none": Run("cyclegan", "GAN alone", {"cycle": "none"}),
    "cycle-forward": Run("cyclegan", "GAN + forward cycle", {"cycle": "forward"}),
    "cycle-backward": Run("cyclegan", "GAN + backward cycle", {"cycle": "backward"}),
    "cycle-both": Run("cyclegan", "CycleGAN, both cycles"),
}


@dataclass(frozen=True)
class TranslationCase:
    """One training from one seed."""

    run: str
    seed: int
    steps: int

    @classmethod
    def of(cls, run: str, seed: int, steps: int | None = None) -> TranslationCase:
        return cls(run, seed, steps or ABLATIONS[RUNS[run].ablation].steps)

    @property
    def key(self) -> str:
        return f"{self.run}-{self.steps}-seed{self.seed}"

    def play(self) -> dict[str, Any]:
        """Train, measure and keep some pictures; a run that runs away has an `error` alone."""
        shared = ABLATIONS[RUNS[self.run].ablation]
        training, held_out = (_data(shared, split) for split in ("train", "test"))
        found: dict[str, Any] = {"run": self.run, "seed": self.seed, "steps": self.steps}
        before = time.process_time()
        try:
            model = _trained(self, shared, training)
            subject = TranslationSubject(translating(model), held_out, split="test", seed=self.seed)
            values = {name: measure(name, subject, MEASURED).values for name in (*METRICS, *ALSO)}
        except MiniganError as error:
            return found | {"error": str(error), "seconds": time.process_time() - before}
        x, y = held_out.split(held_out.draw(SHOWN, make_rng(9)).x)
        rows = {"x": x, "made": model.translate(x, make_rng(self.seed)), "y": y}
        return found | {
            "error": None,
            "seconds": time.process_time() - before,
            "measured": MEASURED,
            "values": values,
            "pictures": {name: encoded(row) for name, row in rows.items()},
        }


def _data(shared: Ablation, split: str) -> Pairs:
    """The training's pairs, or those known ones that score."""
    return open_pairs(
        shared.data,
        aligned=shared.aligned or split == "test",
        size=SIZE,
        split=split,  # type: ignore[arg-type]
    )


def _trained(case: TranslationCase, shared: Ablation, data: Pairs) -> Translating:
    chosen = recipe(shared.algorithm)
    options = chosen.options.of(**shared.settings | RUNS[case.run].settings)
    task = Task(data.shape, "pairs", case.steps, batch=shared.batch, channels=data.channels)
    model = chosen.build(options, task, Streams(case.seed))
    assert isinstance(model, Translating)
    with Loader(data, shared.batch, seed=case.seed) as loader, np.errstate(all="ignore"):
        for step in range(case.steps):
            model.step(loader.batch(step).x)
    return model


def encoded(row: Array) -> str:
    """Pictures in one row, as a PNG in letters."""
    file = io.BytesIO()
    grid(np.repeat(row, 3, -1) if row.shape[-1] == 1 else row, columns=SHOWN).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def decoded(letters: str) -> Image.Image:
    """The row that `play` kept."""
    return Image.open(io.BytesIO(base64.b64decode(letters))).convert("RGB")
