"""`minigan eval`: metrics of a stored run, each with its protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.conditional.base import Relabelling
from minigan.algorithms.latent import Classifying
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.shared_options import TranslatingOptions
from minigan.data import Dataset, References
from minigan.data.makeup import Applied
from minigan.data.options import Split
from minigan.data.relabelled import Relabelled
from minigan.errors import DataError, OptionError
from minigan.metrics import METRICS, Result, checked, measure
from minigan.metrics.extractors import OWN
from minigan.metrics.translations import EXTRACTORS, NO_WAY_BACK
from minigan.training import best
from minigan.training.building import build_algorithm, dataset_of, recalled
from minigan.training.config import Config
from minigan.training.files import write_atomically
from minigan.training.generation import asking, judging, made_by, subject_of
from minigan.training.translating import pairs_of


def evaluate(
    folder: str | Path,
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

    Unless given: every metric of the generator that takes the run's data, its own number of
    samples, the test split where the data has one. A run of two domains is scored on their hidden
    pairs where there are some; its training never sees them. Of one with references G(x, y) is
    measured. Raises UnknownNameError, DataError and OptionError for what cannot be measured, before
    anything is; CheckpointError.
    """
    folder = Path(folder)
    config = Config.load(folder / "config.json").on(device)
    _check_measured(folder, config)
    data, held_out = _splits(config, split)
    options = config.options
    cycles = isinstance(options, TranslatingOptions) and options.both_ways
    cycles = cycles and not isinstance(data, Applied)  # F does not give a reference back
    own = data if recipe(config.algorithm).translates else _of_run(config, data)
    build = partial(build_algorithm, config, own.references if isinstance(own, Applied) else own)
    algorithm = build()
    asked, of_split = asking(algorithm), "test" if data is held_out else "train"
    judge = judging(algorithm, build, partial(_scored, config, "train"))
    if isinstance(algorithm, Relabelling):  # its one G goes back too
        data, cycles = Relabelled(data, tuple(algorithm.label_names)), True
    translates = not isinstance(algorithm, Translating) or bool(algorithm.translators)
    classify = algorithm.classify if isinstance(algorithm, Classifying) else None
    if metrics is None:
        metrics = fitting(
            data,
            held_out,
            cycles=cycles,
            varies=isinstance(algorithm, Translating) and algorithm.varies,
            translates=translates,
            names=classify is not None,
            asks=asked is not None or isinstance(data, Relabelled),
            extractor=extractor,
        )
    names = checked(metrics, data)
    if not translates and (others := sorted({*names} - {"target-accuracy"})):
        raise OptionError(
            f"metric {others[0]!r} is of pictures that G made, and this run trained no G; measure "
            "target-accuracy"
        )
    if "cycle" in names and not cycles:
        raise OptionError(NO_WAY_BACK)
    config.in_force()
    algorithm.to(config.run.device)
    stored = best.load(folder / "checkpoints", step)
    stored.restore(algorithm)
    subject = subject_of(
        made_by(algorithm),
        data,
        split=of_split,
        held_out=held_out,
        extractor=extractor,
        seed=seed,
        asked=asked,
        judge=judge,
        classify=classify,
        training=partial(_scored, config, "train"),
    )
    return (measure(name, subject, n) for name in names)


def fitting(
    data: Dataset,
    held_out: Dataset | None,
    *,
    cycles: bool = False,
    varies: bool = False,
    translates: bool = True,
    names: bool = False,
    asks: bool = False,
    extractor: str | None = None,
) -> list[str]:
    """The metrics that take the data.

    cycles: whether there is a generator each way; varies: whether one picture has many
    translations; translates: whether there is a generator; names: whether classes of pictures are
    named; asks: whether samples are asked for by labels. Of pairs without an extractor no features
    are wanted. d-features measures D, and takes minutes: it must be asked for.
    """
    known = data.name in EXTRACTORS or data.name in OWN
    plain = data.kind == "pairs" and extractor is None and not known
    left_out = {
        "parzen": held_out is None,
        "cycle": not cycles,
        "diversity": not (varies and translates),
        "sharpness": not translates,
        "target-accuracy": not names,
        "label-accuracy": not asks,
        "caption-accuracy": not asks,
        "d-features": True,
        **{name: True for name, metric in METRICS.items() if metric.features and plain},
    }
    return [name for name, m in METRICS.items() if m.takes(data) and not left_out.get(name)]


def _check_measured(folder: Path, config: Config) -> None:
    """Raise DataError for what is made of pairs and is no translation."""
    translates = isinstance(config.options, TranslatingOptions)
    takes = recipe(config.algorithm).takes
    if takes in ("pairs", "domains") and not translates:
        raise DataError(
            f"{folder} is a run of {config.algorithm}, whose pairs no metric takes; look at its "
            "samples"
        )


def _splits(config: Config, split: str | None) -> tuple[Dataset, Dataset | None]:
    """The data to score against, and the test split, None where the data has none.

    Raises OptionError where that one was asked for, DataError.
    """
    held_out = None
    with suppress(OptionError):  # the user's own data may know no split
        held_out = _scored(config, "test")
    if split == "test" and held_out is None:
        dataset_of(config, split="test")  # raises what it raised
    if held_out is None or split == "train":
        return _scored(config, "train"), held_out
    return held_out, held_out


def _scored(config: Config, split: Split) -> Dataset:
    """The run's data, of two domains those pairs that are known."""
    if config.run.data is not None and recipe(config.algorithm).takes == "domains":
        with suppress(DataError):  # unequal domains
            return pairs_of(config, config.run.data, split, aligned=True)
    data = dataset_of(config, split)
    return Applied(data) if isinstance(data, References) else data


def _of_run(config: Config, data: Dataset) -> Dataset:
    """What the networks were built for. Raises DataError where the data scored is not alike."""
    own = recalled(config)
    if data.shape != own.shape:
        raise DataError(
            f"the run makes examples of shape {own.shape}, and those of the test split have shape "
            f"{data.shape}; measure against --split train"
        )
    if any(data.label_names.get(name) != classes for name, classes in config.classes.items()):
        raise DataError(
            f"the classes of {data.name!r} in the test split are not those of the run; measure "
            "against --split train"
        )
    return own


def write_json(results: Sequence[Result], folder: Path, path: Path) -> None:
    """A list of the results, whole or not at all."""
    listed = [{"run": str(folder), **result.to_json()} for result in results]
    write_atomically(path, (json.dumps(listed, indent=1) + "\n").encode())
