"""The best checkpoint of a run by a named metric, kept beside the last ones and never tidied away.

checkpoints/best/
    best.json                 {"metric": "fid.distance", "value": 12.3, "step": 1500, ...}
    step_001500.*             the checkpoint, as any other

It is measured on samples and data that the run's seed alone decides, from streams of their own, so
looking changes nothing of the training. A run that was killed and goes on from an earlier step
finds the same values again: what is not better than the record leaves the record as it is, so it
ends with the files of a run without interruption.

Samples are compared with the training split: a test split that chose the checkpoint could not
judge it afterwards. For the same reason hidden pairs of two domains choose none.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minigan.algorithms import Algorithm
from minigan.backend import Array
from minigan.data import Dataset, Pairs, References, Sounds
from minigan.errors import CheckpointError, DataError, OptionError
from minigan.metrics import MetricWarning, Subject, checked, measure, metric, ranking
from minigan.metrics.extractors import NoExtractorError
from minigan.metrics.translations import NO_WAY_BACK, has_truth
from minigan.training import checkpoint
from minigan.training.checkpoint import Checkpoint
from minigan.training.files import write_atomically
from minigan.training.generation import made_by, subject_of

FOLDER = "best"
RECORD = "best.json"


@dataclass(frozen=True)
class Record:
    """The best value so far: of which metric, measured on how many samples, after which step."""

    metric: str
    samples: int
    value: float
    step: int


class Best:
    """Measures a run as it goes, and keeps its best checkpoint in `checkpoints`/best.

    wanted  METRIC or METRIC.VALUE
    n       samples to measure with; 0 for as many as the metric takes by itself
    ways    the generators of a translation, by their names

    Raises UnknownNameError, DataError and OptionError where that cannot be measured on the data.
    """

    def __init__(
        self,
        wanted: str,
        checkpoints: Path,
        dataset: Dataset,
        *,
        n: int,
        seed: int,
        ways: Sequence[str] = ("G",),
    ) -> None:
        self._metric, self._value, self._rank = ranking(wanted)
        self.name = f"{self._metric}.{self._value}"
        self.folder = checkpoints / FOLDER
        checked([self._metric], dataset)
        if isinstance(dataset, Pairs) and not ways:
            raise OptionError(
                f"--keep-best {wanted} is of pictures that G makes, and this run trains no G; "
                "leave it out"
            )
        if self._metric == "cycle" and "F" not in ways:
            raise OptionError(NO_WAY_BACK)
        _refuse_hidden_pairs(self._metric, dataset)
        self._n = n or metric(self._metric).n(dataset)
        self._subject = subject_of(_itself(dataset, ways), dataset, split="train", seed=seed)
        try:  # a trial: what is missing is met before the first step
            self._measure(self._subject, min(self._n, 20))
        except OptionError as error:
            raise OptionError(f"--keep-best {wanted} of {self._n} samples: {error}") from error
        except NoExtractorError as error:
            raise DataError(
                f"--keep-best {wanted} needs a network that minigan ships, and there is none for "
                f"{dataset.name}: keep several checkpoints (--keep) and measure them with `minigan "
                "eval --extractor FILE.onnx --from STEP`"
            ) from error

    def look(self, algorithm: Algorithm, step: int) -> float:
        """The value after `step` steps; the checkpoint is stored if it is the best so far."""
        value = self._measure(self._subject.redrawn(made_by(algorithm)), self._n)
        record = self._record()
        better = record is None or self._rank(value) > self._rank(record.value)
        if math.isfinite(value) and better:
            checkpoint.save(self.folder, step, algorithm, keep=1)
            new = Record(self.name, self._n, value, step)
            write_atomically(self.folder / RECORD, json.dumps(asdict(new), indent=1).encode())
        return value

    def _measure(self, subject: Subject, n: int) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MetricWarning)  # ranks do not need right values
            return measure(self._metric, subject, n).values[self._value]

    def _record(self) -> Record | None:
        """The stored record; None where there is none of this metric."""
        try:
            record = Record(**json.loads((self.folder / RECORD).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (AttributeError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{self.folder / RECORD} is damaged: {error}; remove {self.folder} to begin the "
                "record anew"
            ) from error
        return record if (record.metric, record.samples) == (self.name, self._n) else None


def _refuse_hidden_pairs(name: str, dataset: Dataset) -> None:
    """Raise DataError for a metric that would show a training without pairs its pairs."""
    if isinstance(dataset, References):
        raise DataError(
            f"--keep-best {name}: checkpoints of trainings with references are not chosen by a "
            "metric; keep several (--keep) and measure them with `minigan eval --from`"
        )
    if metric(name).takes is has_truth and isinstance(dataset, Pairs) and not dataset.aligned:
        raise DataError(
            f"--keep-best {name} would choose a checkpoint by pairs that the training must not "
            "see; use fid, cycle or sharpness, and `minigan eval` for the hidden pairs"
        )


def _itself(dataset: Dataset, ways: Sequence[str]) -> Any:
    """What a perfect generator would make, or of translations a picture without anything, or of
    noisy speech itself."""
    if isinstance(dataset, Sounds):
        return lambda noisy, rng: noisy
    if not isinstance(dataset, Pairs):
        return lambda n, rng: dataset.draw(n, rng).x
    channels = {"G": dataset.channels[1], "F": dataset.channels[0]}

    def empty(x: Array, rng: np.random.Generator, *, c: int) -> Array:
        return np.zeros_like(x, shape=(*x.shape[:-1], c))

    return {name: partial(empty, c=channels[name]) for name in ways}


def load(checkpoints: Path, step: int | str | None = None) -> Checkpoint:
    """The checkpoint of a step, the last, or with step="best" the best. Raises CheckpointError."""
    if step != FOLDER:
        return checkpoint.load(checkpoints, None if step is None else int(step))
    if not checkpoint.steps(checkpoints / FOLDER):
        raise CheckpointError(
            f"{checkpoints} holds no best checkpoint; train with --keep-best METRIC to have one"
        )
    return checkpoint.load(checkpoints / FOLDER)
