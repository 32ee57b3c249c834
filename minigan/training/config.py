"""config.json: everything that decides a run, written before its first step."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints

from minigan.algorithms import recipe
from minigan.algorithms.options import option
from minigan.backend import require_device
from minigan.cuda import PRECISIONS, set_precision
from minigan.data import NAMED
from minigan.data.options import place
from minigan.errors import CheckpointError, OptionError
from minigan.parallel import available_threads, use_threads
from minigan.training.files import write_atomically
from minigan.version import __version__

PACKAGES = ("numpy", "scipy", "pillow", "safetensors")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What every training run has, whatever the algorithm.

    Values are checked when a run starts, by `resolved`: OptionError says what can be.
    """

    data: str | None = option(None, "data set or path (default: the algorithm's own)")
    size: str | None = option(None, "picture size: N or HxW; pictures are cropped and resized")
    channels: int | None = option(None, "1 for grey, 3 for colour (default: the data's own)")
    strict: bool = option(False, "refuse data with damaged files instead of skipping them")
    batch: int = option(64, "examples in a minibatch (m)")
    steps: int = option(2000, "training iterations")
    seed: int = option(0, "seed of weights, noise and the order of the data")
    device: str = option("cpu", "where to compute: cpu, cuda or cuda:N")
    precision: str = option("tf32", "of products on a card", PRECISIONS)
    no_graph: bool = option(False, "on a card, run each step without capturing it as a graph")
    threads: int = option(0, "processors to compute on (0: all); the bits depend on it")
    log_every: int = option(10, "steps between lines of log.jsonl")
    sample_every: int = option(0, "steps between sample pictures (0: 20 pictures in all)")
    checkpoint_every: int = option(0, "steps between checkpoints (0: 10 in all)")
    keep: int = option(3, "how many of the last checkpoints stay")
    keep_best: str | None = option(
        None, "metric, such as fid or precision-recall.recall, whose best checkpoint stays too"
    )
    eval_every: int = option(0, "steps between measurements for --keep-best (0: 20 in all)")
    eval_samples: int = option(0, "samples to measure with (0: as the metric's protocol has it)")
    no_report: bool = option(False, "leave no report.html at the end")
    tensorboard: bool = option(False, "write event files for TensorBoard into the run's folder")

    def resolved(self, algorithm: str) -> Self:
        """Every default written out, so that a resumed run does not depend on them.

        Raises OptionError and DeviceError for values that cannot be.
        """
        for f in fields(self):
            value = getattr(self, f.name)
            least = 1 if f.name in ("batch", "channels", "log_every", "keep") else 0
            if isinstance(value, int) and not isinstance(value, bool) and value < least:
                name = f.name.replace("_", "-")
                raise OptionError(f"--{name} {value} must be at least {least}")
        if self.keep_best is None and (self.eval_every or self.eval_samples):
            raise OptionError(
                "--eval-every and --eval-samples say how --keep-best measures: give "
                "--keep-best METRIC too, or neither"
            )
        if self.eval_every > self.steps > 0:
            raise OptionError(
                f"--eval-every {self.eval_every} is beyond {self.steps} steps: nothing would "
                f"be measured; give {self.steps} or less"
            )
        require_device(self.device)
        data = recipe(algorithm).data if self.data is None else self.data
        if not data:
            raise OptionError("--data '' names no data: give a data set or a path, or leave it out")
        if data not in NAMED and os.path.exists(place(data)):
            data = str(place(data).absolute())  # a run resumes from any folder
        return replace(
            self,
            data=data,
            threads=self.threads or available_threads(),
            sample_every=self.sample_every or max(1, self.steps // 20),
            checkpoint_every=self.checkpoint_every or max(1, self.steps // 10),
            eval_every=self.eval_every or (max(1, self.steps // 20) if self.keep_best else 0),
        )

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """`size` as height and width. Raises OptionError."""
        return None if self.size is None else picture_size(self.size)


def picture_size(size: str) -> tuple[int, int]:
    """Height and width of N or HxW. Raises OptionError."""
    sides = size.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise OptionError(f"--size {size}: wanted N or HxW in pixels, 1 or more, e.g. 32 or 48x64")
    return int(sides[0]), int(sides[-1])


@dataclass(frozen=True)
class Config:
    """A run's algorithm with its options, the run's own, and the versions that it began with.

    schedule_steps is the length that learning-rate schedules were made for: it stays when a run is
    prolonged. classes: of each label that the run is conditioned on, in the data's order; shape: of
    an example, None where the data itself is needed; examples: how many the data has, None where it
    is endless.
    """

    algorithm: str
    options: Any
    run: RunOptions
    schedule_steps: int
    versions: dict[str, str]
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    examples: int | None = None

    @classmethod
    def create(cls, algorithm: str, options: Any, run: RunOptions) -> Self:
        """That of a new run, with the versions here. Raises what `RunOptions.resolved` raises."""
        run = run.resolved(algorithm)
        return cls(algorithm, options, run, run.steps, versions())

    def prolonged(self, more: int) -> Self:
        """The same run with `more` steps added; schedules keep their length."""
        return replace(self, run=replace(self.run, steps=self.run.steps + more))

    def on(self, device: str | None) -> Self:
        """The same run on another device, if one is given. Raises what `require_device` raises."""
        run = self.run if device is None else replace(self.run, device=require_device(device))
        return replace(self, run=run)

    def in_force(self) -> Self:
        """The same, with this process on the run's threads and a card at its precision."""
        use_threads(self.run.threads)
        set_precision(self.run.precision)
        return self

    def save(self, path: Path) -> None:
        """Write it to `path` as JSON, whole or not at all. Raises OSError."""
        write_atomically(path, json.dumps(asdict(self), indent=2).encode())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises CheckpointError where there is no configuration, or one of another version."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            options = recipe(stored["algorithm"]).options
            return cls(
                stored["algorithm"],
                _typed(options, stored["options"]),
                _typed(RunOptions, stored["run"]),
                int(stored["schedule_steps"]),
                stored["versions"],
                {name: tuple(found) for name, found in stored.get("classes", {}).items()},
                tuple(map(int, stored["shape"])) if stored.get("shape") else None,
                stored.get("examples"),
            )
        except FileNotFoundError:
            raise CheckpointError(
                f"{path.parent} holds no run (no config.json); `minigan train` starts one"
            ) from None
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{path} cannot be read as a run's configuration: {error}"
            ) from error


def versions() -> dict[str, str]:
    """minigan, Python and the packages that results depend on."""
    found = {"minigan": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # vendored or frozen
            found[package] = "unknown"
    return found


def _typed(cls: type, stored: dict[str, Any]) -> Any:
    """The options, each of its field's type. Raises TypeError naming one that is not.

    JSON has no tuples, and no option is a list; a whole number stands for a float too.
    """
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}
    for name, hint in get_type_hints(cls).items():
        wanted = (
            [get_origin(t) or t for t in get_args(hint)]
            if isinstance(hint, UnionType)
            else [get_origin(hint) or hint]
        )
        value = given.get(name)
        if name in given and type(value) not in (*wanted, *([int] if float in wanted else [])):
            raise TypeError(
                f"{name} is {value!r}, wanted {' or '.join(t.__name__ for t in wanted)}"
            )
    return cls(**given)
