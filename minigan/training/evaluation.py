"""`minigan eval`: metrics of a stored run, each with its protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from minigan.cuda import set_precision
from minigan.data import Dataset
from minigan.errors import OptionError
from minigan.metrics import METRICS, Result, Subject, checked, measure
from minigan.training import best
from minigan.training.config import Config
from minigan.training.files import write_atomically
from minigan.training.generation import drawing
from minigan.training.trainer import build_algorithm, dataset_of


def evaluate(
    folder: Path,
    metrics: Sequence[str] | None = None,
    *,
    n: int | None = None,
    split: str | None = None,
    extractor: str | None = None,
    step: int | str | None = None,
    seed: int = 0,
    device: str | None = None,
) -> Iterator[Result]:
    """The metrics of a run's checkpoint (the last, of a step, or "best"), one after another.

    Unless given: every metric that takes the run's data, its own number of samples, the test split
    where the data has one. Raises UnknownNameError, DataError and OptionError for what cannot be
    measured, before anything is; CheckpointError.
    """
    config = Config.load(folder / "config.json").on(device)
    held_out = None
    with suppress(OptionError):  # the user's own data may know no split
        held_out = dataset_of(config, split="test")
    data = dataset_of(config) if held_out is None or split == "train" else held_out
    if split == "test" and held_out is None:
        dataset_of(config, split="test")  # raises what it raised
    names = checked(metrics if metrics is not None else fitting(data, held_out), data)
    set_precision(config.run.precision)
    algorithm = build_algorithm(config, data).to(config.run.device)
    stored = best.load(folder / "checkpoints", step)
    stored.restore(algorithm)
    subject = Subject(
        drawing(algorithm),
        data,
        split="test" if data is held_out else "train",
        held_out=held_out,
        extractor=extractor,
        seed=seed,
    )
    return (measure(name, subject, n) for name in names)


def fitting(data: Dataset, held_out: Dataset | None) -> list[str]:
    """The metrics that take the data."""
    return [
        name
        for name, metric in METRICS.items()
        if metric.takes(data) and (held_out is not None or name != "parzen")
    ]


def write_json(results: Sequence[Result], folder: Path, path: Path) -> None:
    """A list of the results, whole or not at all."""
    listed = [{"run": str(folder), **result.to_json()} for result in results]
    write_atomically(path, (json.dumps(listed, indent=1) + "\n").encode())
