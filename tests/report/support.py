"""Runs made up for the purpose: their files as minigan writes them, without a training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from minigan.algorithms import recipe
from minigan.training import Config, RunOptions


def write_run(
    folder: Path,
    *,
    algorithm: str = "dcgan",
    drawn: Sequence[int] = (0, 10, 20, 30, 40),
    steps: int = 40,
    warnings: Sequence[tuple[int, str]] = ((20, "D is saturated; try a lower --lr"),),
    reconstructions: bool = False,
    options: dict[str, Any] | None = None,
    **run: Any,
) -> Path:
    """A run of `steps` steps with a line of the log for each fifth; returns its folder."""
    (folder / "samples").mkdir(parents=True)
    own = recipe(algorithm).options(**options or {})
    config = Config.create(algorithm, own, RunOptions(steps=steps, threads=1, **run))
    config.save(folder / "config.json")
    lines: list[dict[str, Any]] = []
    for step in range(5, steps + 1, 5):
        drawn_then = {"diversity": step / 50} if step in drawn else {}
        losses = {"loss_D": 1.4 - step / 100, "loss_G": 0.7 + step / 100}
        means = {"D(x)": 0.5 + step / 200, "D(G(z))": 0.5 - step / 200}
        norms = {"grad_norm_D": 10.0**-step, "grad_norm_G": 2.0}
        lines.append({"step": step, **losses, **means, **norms, **drawn_then, "seconds": step / 7})
        lines += [{"step": s, "warning": text} for s, text in warnings if s == step]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for i, step in enumerate(drawn):
        write_picture(folder / f"samples/step_{step:06d}.png", shade=40 * i)
        if reconstructions:
            write_picture(folder / f"samples/reconstruction_step_{step:06d}.png", shade=250 - i)
    write_picture(folder / "samples.gif", shade=9)
    return folder


def write_picture(path: Path, *, shade: int, size: int = 24) -> Path:
    """A picture of one grey with a corner of another."""
    pixels = np.full((size, size, 3), shade, np.uint8)
    pixels[:5, :5] = 255 - shade
    Image.fromarray(pixels).save(path)
    return path
