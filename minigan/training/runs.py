"""A stored run, opened for use from Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from minigan.algorithms import Algorithm
from minigan.data import Dataset
from minigan.training import best
from minigan.training.config import Config
from minigan.training.trainer import build_algorithm, dataset_of


@dataclass(frozen=True)
class Run:
    """A run after `step` steps: what it was configured to be, its data and its algorithm."""

    config: Config
    dataset: Dataset
    algorithm: Algorithm
    step: int


def open_run(
    folder: str | Path, *, step: int | str | None = None, device: str | None = None
) -> Run:
    """The run in `folder` as its last checkpoint left it, or that of a step, or of "best".

    `run.algorithm.sample(n, rng)` draws from it; `run.algorithm.networks["G"]` is its generator.
    It is where it was trained, or on `device`. Raises CheckpointError for a folder that holds no
    run, DeviceError, and what its data raises where that is gone.
    """
    folder = Path(folder)
    config = Config.load(folder / "config.json").on(device)
    config.in_force()
    dataset = dataset_of(config)
    algorithm = build_algorithm(config, dataset).to(config.run.device)
    stored = best.load(folder / "checkpoints", step)
    stored.restore(algorithm)
    return Run(config, dataset, algorithm, stored.step)
