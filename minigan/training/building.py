"""A run's data and its algorithm, built from its configuration."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path

import numpy as np

from minigan.algorithms import Algorithm, Streams, Task, recipe
from minigan.backend import Array, make_rng
from minigan.data import Batch, Dataset, Pairs, Sentences, Sounds, open_captions, open_data
from minigan.data.balanced import balanced
from minigan.data.options import Split
from minigan.errors import DataError, OptionError
from minigan.streams import Purpose
from minigan.training.config import Config
from minigan.training.labels import Conditions, conditions
from minigan.training.speech import sounds_of
from minigan.training.telling import sentences_of
from minigan.training.translating import pairs_of


def dataset_of(config: Config, split: Split = "train") -> Dataset:
    """The run's data set, or its test split. Raises OptionError, and DataError where it is gone or
    is none that the run's algorithm learns from."""
    opened = _opened(config, split)
    wants_bars = recipe(config.algorithm).takes == "bars"
    if wants_bars and opened.kind != "bars":
        raise DataError(
            f"{opened.name} holds no melodies in bars: give --data tunes, or what `minigan data "
            "make chorales` wrote"
        )
    if opened.kind == "bars" and not wants_bars:
        raise DataError(
            f"{opened.name} holds melodies in bars, which midinet learns from: `minigan train "
            "midinet`"
        )
    return opened


def _opened(config: Config, split: Split) -> Dataset:
    run = config.run
    if run.data is None:
        raise OptionError("the run's configuration names no data")
    if Path(run.data).is_absolute() and not Path(run.data).exists():
        raise DataError(
            f"the run was trained on {run.data}, which is not there any more; put it back"
        )
    if recipe(config.algorithm).translates:
        return pairs_of(config, run.data, split)
    if recipe(config.algorithm).takes == "sounds":
        return sounds_of(config, run.data, split)
    if recipe(config.algorithm).takes == "sentences":
        return sentences_of(config, run.data, split)
    of_name = open_captions if recipe(config.algorithm).takes == "captions" else open_data
    return of_name(
        run.data,
        size=run.picture_size,
        channels=run.channels,  # type: ignore[arg-type]  # checked by open_data
        split=split,
        strict=run.strict,
    )


class Recalled(Dataset):
    """The data of a run as its configuration remembers it: opened when an example is wanted.

    A trained generator needs the shape of its examples and the names of its classes, and seldom
    more, so that a run draws samples where its data is not.
    """

    def __init__(self, config: Config) -> None:
        assert config.shape is not None
        super().__init__(str(config.run.data), config.shape, config.classes)
        self._config = config

    @property
    def size(self) -> int | None:
        return self.opened.size

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        """As the data's own; of its labels those of the run. Raises what opening it raises."""
        batch, chosen = self.opened.draw(n, rng), conditions(self._config, self.opened)
        return batch._replace(labels=chosen.of(batch) if chosen else None)

    @cached_property
    def opened(self) -> Dataset:
        """The data itself. Raises what opening it raises."""
        return dataset_of(self._config)


def recalled(config: Config) -> Dataset:
    """What a stored run needs of its data to be built: unopened, where it remembers enough."""
    return dataset_of(config) if config.shape is None else Recalled(config)


def build_algorithm(config: Config, dataset: Dataset) -> Algorithm:
    """The run's algorithm, as new. Raises DataError for data that lacks the labels it needs."""
    run, chosen = config.run, conditions(config, dataset)
    task = Task(
        dataset.shape,
        dataset.kind,
        config.schedule_steps,
        batch=run.batch,
        examples=lambda n: dataset.draw(n, make_rng(run.seed, Purpose.REFERENCE)).x,
        channels=dataset.channels if isinstance(dataset, Pairs) else None,
        rate=dataset.rate if isinstance(dataset, Sounds) else None,
        words=dataset.words if isinstance(dataset, Sentences) else None,
        ends=isinstance(dataset, Sentences) and dataset.ends,
        label_names=chosen.label_names if chosen else {},
        labels=partial(chosen.draw, dataset) if chosen else None,
        balanced=partial(_balanced, dataset, chosen, run.seed) if chosen else None,
    )
    return recipe(config.algorithm).build(config.options, task, Streams(config.run.seed))


def _balanced(dataset: Dataset, chosen: Conditions, seed: int, n: int) -> tuple[Array, Array]:
    """n examples with their first label, as many of each class, always the same."""
    if isinstance(dataset, Recalled):
        dataset = dataset.opened
    found = balanced(dataset, next(iter(chosen.label_names)), n, make_rng(seed, Purpose.LABELLED))
    assert found.labels is not None
    return found.x, found.labels
