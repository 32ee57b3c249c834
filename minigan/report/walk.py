"""The latent walk of a report: each row goes in equal steps from one z to another."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from minigan.algorithms import Algorithm
from minigan.algorithms.conditional.base import Conditional
from minigan.algorithms.latent import Latent
from minigan.backend import make_rng
from minigan.errors import MiniganError
from minigan.report.run import Run
from minigan.streams import Purpose
from minigan.training import checkpoint
from minigan.training.building import build_algorithm, recalled
from minigan.training.config import Config
from minigan.training.labels import panel_labels
from minigan.training.latent_tools import Interpolation
from minigan.training.pictures import grid

ROWS, COLUMNS = 4, 10


def walk(algorithm: Algorithm, kind: str, *, seed: int) -> bytes | None:
    """The picture as PNG; None of points, and where there is no latent z to walk through.

    A conditional algorithm keeps one label along a row.
    """
    if kind != "image" or not isinstance(algorithm, Latent):
        return None
    way, rng = Interpolation(COLUMNS), make_rng(seed, Purpose.SAMPLES)
    if isinstance(algorithm, Conditional):
        labels = panel_labels(algorithm, seed=seed, rows=ROWS)
        z = way.points(algorithm.prior, len(labels), rng)
        x = algorithm.generate(z, np.repeat(labels, COLUMNS, axis=0))
    else:
        x = algorithm.generate(way.points(algorithm.prior, ROWS, rng))
    return png(grid(x, columns=COLUMNS))


def stored_walk(run: Run) -> tuple[bytes | None, str | None]:
    """The walk after a run's last checkpoint, or why there is none although there should be one."""
    if not checkpoint.steps(run.folder / "checkpoints"):
        return None, None
    try:
        config = Config.load(run.folder / "config.json").on("cpu").in_force()
        dataset = recalled(config)
        algorithm = build_algorithm(config, dataset)
        checkpoint.load(run.folder / "checkpoints").restore(algorithm)
    except MiniganError as error:
        return None, f"no walk through the latent space: {error}"
    return walk(algorithm, dataset.kind, seed=config.run.seed), None


def png(image: Image.Image) -> bytes:
    """An image as the bytes of a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
