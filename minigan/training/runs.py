"""A stored run, opened for use from Python."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from minigan.algorithms import Algorithm
from minigan.data import Dataset
from minigan.training import best
from minigan.training.building import build_algorithm, dataset_of, recalled
from minigan.training.config import Config


@dataclass(frozen=True)
class Run:
    """A run after `step` steps: what it was configured to be, and its algorithm."""

    config: Config
    algorithm: Algorithm
    step: int

    @cached_property
    def dataset(self) -> Dataset:
        """What it was trained on. Raises what opening it raises, DataError where it is gone."""
        return dataset_of(self.config)


def open_run(
    folder: str | Path, *, step: int | str | None = None, device: str | None = None
) -> Run:
    """The run in `folder` as its last checkpoint left it, or that of a step, or of "best".

    `run.algorithm.sample(n, rng)` draws from it; `run.algorithm.networks["G"]` is its generator.
    It is where it was trained, or on `device`. Raises CheckpointError for a folder that holds no
    run, and DeviceError. Its data is opened when it is needed, and may be gone otherwise.
    """
    folder = Path(folder)
    config = Config.load(folder / "config.json").on(device)
    config.in_force()
    algorithm = build_algorithm(config, recalled(config)).to(config.run.device)
    stored = best.load(folder / "checkpoints", step)
    stored.restore(algorithm)
    return Run(config, algorithm, stored.step)
