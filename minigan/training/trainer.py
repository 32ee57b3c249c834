"""The training loop: batches in, steps, and what a run leaves behind.

runs/NAME/
    config.json                    everything that decides the run
    log.jsonl                      a line per logged step
    samples/step_000300.png        G on one fixed z; of a translation, rows of x, G(x) and y; of a
                                   conditional one a label along each row, a z down each column;
                                   of bars tunes, bar after bar
    samples/step_000300.txt        of sentences, more than are in the picture
    samples/step_000300.wav        of speech, what is in the picture, with noisy.wav and clean.wav
    samples/reconstruction_step_*  examples above what comes back of them, where there is an encoder
    checkpoints/step_000300.*      to resume from
    checkpoints/best/              the best one by a metric, with --keep-best
    samples.gif  curves.png        at the end; report.html (minigan/report) unless --no-report

Everything after a checkpoint is a function of the checkpoint, so a run that was killed at any
moment and resumed leaves the same files as one that was not (but for the seconds in the log).
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minigan.algorithms import Algorithm, recipe
from minigan.algorithms.conditional.base import Relabelling
from minigan.backend import keep_freed_memory
from minigan.data import (
    NAMED,
    Dataset,
    DataWarning,
    Loader,
)
from minigan.data.options import place
from minigan.data.relabelled import Relabelled
from minigan.errors import CheckpointError, DataError, NonFiniteError, OptionError
from minigan.metrics import diversity
from minigan.training import best, checkpoint, log
from minigan.training.best import Best
from minigan.training.building import build_algorithm, dataset_of
from minigan.training.captioning import keep_words
from minigan.training.config import Config, RunOptions
from minigan.training.curves import write_curves
from minigan.training.files import (
    LOCK,
    UNFINISHED,
    locked,
    remove_unfinished,
)
from minigan.training.held_out import HeldOut
from minigan.training.labels import conditions, inputs
from minigan.training.observer import Observer
from minigan.training.pictures import write_film, write_sheet
from minigan.training.progress import ProgressReport
from minigan.training.sheets import sheet_of
from minigan.training.stepper import Stepper, read
from minigan.training.stop import StopRequest
from minigan.training.watch import Watch, calmer, small_data, young_average

# Options that say how many minibatches D learns from in a step; the first that there is counts.
STEPS_OF_D = {"d_steps": "--d-steps", "k": "--k"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call to `train` ended: after `step` steps, and by which signal if by one."""

    folder: Path
    step: int
    signal: int | None


class Trainer:
    """One run: its folder, data and algorithm, at some step.

    `Trainer.start` makes a new one, `Trainer.resume` opens one that was stopped, `train` trains it.
    """

    def __init__(self, folder: Path, config: Config) -> None:
        """Builds data and networks; nothing is written. Raises what these raise."""
        keep_freed_memory()
        self.folder, self.config = folder, config
        self.dataset = dataset_of(config)
        run = config.run
        config.in_force()
        self.algorithm = build_algorithm(config, self.dataset).to(run.device)
        self.conditions = conditions(config, self.dataset)
        self.held_out = HeldOut(partial(dataset_of, config, "test"), self.dataset, seed=run.seed)
        self._advance_once = Stepper(self.algorithm, graph=not run.no_graph)
        self.best = self._best(run.keep_best) if run.keep_best else None
        self.step = 0
        found = checkpoint.steps(self.checkpoints)
        self._latest = found[-1] if found else None  # what is on the disk
        flag = next((f for f in STEPS_OF_D if hasattr(config.options, f)), None)
        of = f"{STEPS_OF_D[flag]} {{}} steps of D" if flag else "{} minibatches of a step"
        _refuse_large_steps(self.dataset, run.batch, self.algorithm.minibatches, of)
        self.loader = Loader(
            self.dataset, run.batch * self.algorithm.minibatches, seed=run.seed, start=0
        )

    def _best(self, metric: str) -> Best:
        run, ways = self.config.run, [*getattr(self.algorithm, "translators", {})]
        samples = {"n": run.eval_samples, "seed": run.seed}
        if isinstance(self.algorithm, Relabelling):
            ways = ["G", "F"]  # one network goes both ways
        return Best(metric, self.checkpoints, self.measured, ways=ways, **samples)

    @property
    def measured(self) -> Dataset:
        """The data as it is measured: of a translation between labels, with what they shall be."""
        if isinstance(self.algorithm, Relabelling):
            return Relabelled(self.dataset, tuple(self.algorithm.label_names))
        return self.dataset

    @classmethod
    def start(cls, algorithm: str, options: Any, run: RunOptions, folder: str | Path) -> Trainer:
        """A new run in a folder that is empty or does not exist. Raises OptionError otherwise.

        Raises DataError where the path of its data is not there. Nothing is written before `train`;
        what a start that was killed left is no obstacle.
        """
        folder = Path(folder)
        if folder.exists() and not (folder.is_dir() and all(map(_is_debris, folder.iterdir()))):
            run_there = folder.is_dir() and (folder / "config.json").exists()
            go_on = f", or go on with `minigan resume {folder}`" if run_there else ""
            raise OptionError(f"{folder} exists already; choose another --out{go_on}")
        if run.data in NAMED and Path(run.data).exists():
            warnings.warn(
                f"--data {run.data} is minigan's own; your {run.data} here is --data ./{run.data}",
                DataWarning,
                stacklevel=2,
            )
        config = Config.create(algorithm, options, run)
        _refuse_missing_data(str(config.run.data))
        trainer = cls(folder, config)
        trainer.config = replace(trainer.config, **_remembered(trainer))
        trainer.loader.batch(0)  # one that cannot be made is met before there is a folder
        return trainer

    @classmethod
    def resume(
        cls,
        folder: str | Path,
        *,
        more: int = 0,
        step: int | str | None = None,
        device: str | None = None,
    ) -> Trainer:
        """A run as its last checkpoint (or that of `step`, or "best") left it, `more` steps longer.

        It goes on where it was, or on `device`; checkpoints are the same on all. A run that was
        stopped before its first checkpoint begins anew. Raises CheckpointError, also where the
        checkpoints were taken away, and OptionError for steps at a learning rate of 0.
        """
        folder = Path(folder)
        config = Config.load(folder / "config.json")
        if step is None:
            _refuse_lost_checkpoints(folder)
        trainer = cls(folder, config.prolonged(more).on(device))
        trainer.config = replace(trainer.config, **_remembered(trainer))
        if config.examples not in (None, trainer.config.examples):
            warnings.warn(
                f"{trainer.dataset.name} has {trainer.config.examples} examples now and had "
                f"{config.examples} before; the run goes on, on other batches than before",
                DataWarning,
                stacklevel=2,
            )
        if more:
            _refuse_idle_steps(trainer.algorithm, trainer.config)
        if step is not None or checkpoint.steps(trainer.checkpoints):
            stored = best.load(trainer.checkpoints, step)
            stored.restore(trainer.algorithm)
            trainer.step = trainer.loader.position = stored.step
        return trainer

    def _check_untouched(self) -> None:
        """Raise OptionError where another process has trained the run since this one opened it."""
        found = checkpoint.steps(self.checkpoints)
        if (found[-1] if found else None) != self._latest:
            raise OptionError(
                f"{self.folder} has been trained by another process meanwhile; go on with `minigan "
                f"resume {self.folder}`"
            )

    @property
    def checkpoints(self) -> Path:
        """The run's folder of checkpoints."""
        return self.folder / "checkpoints"

    @property
    def log_path(self) -> Path:
        """The run's log."""
        return self.folder / "log.jsonl"

    def train(self, observers: Sequence[Observer] = ()) -> Outcome:
        """Train to the configured number of steps, or until a signal; save; draw the curves.

        `observers` are told of every logged step (minigan/training/observer.py).

        Raises NonFiniteError naming the step, after drawing what there is, and OSError where
        something cannot be written; the last checkpoint stays good in both cases.
        """
        total = self.config.run.steps
        with (
            locked(self.folder),
            self.loader,
            StopRequest() as stop,
            ProgressReport(self.step, total) as report,
            np.errstate(over="ignore", divide="ignore", invalid="ignore"),  # NonFiniteError tells
        ):
            records = self._prepare()
            watch = Watch(records)
            clock = _Clock(records)
            for observer in observers:
                observer.begin(self)
            with self._leaving_pictures(observers):
                if self.step == 0:
                    self._begin(report)
                while self.step < total and stop.signal is None:
                    with self._naming_step(self.step + 1):
                        record = self._advance(clock)
                    if record:
                        for warning in watch.look(record):
                            self._warn(report, warning)
                        for observer in observers:
                            observer.logged(self, record)
                    report.update(self.step, record)
                    if self.step % self.config.run.checkpoint_every == 0:
                        self._save()
                if self.step not in checkpoint.steps(self.checkpoints):
                    self._save()
        return Outcome(self.folder, self.step, stop.signal)

    def _prepare(self) -> list[log.Record]:
        """Make the folder what it was at this step; returns what is logged until there.

        Raises OptionError where another process has trained the run meanwhile.
        """
        self._check_untouched()
        remove_unfinished(self.folder)
        keep_words(self.folder, self.dataset, self.algorithm, seed=self.config.run.seed)
        self.config.save(self.folder / "config.json")
        records = log.truncate(self.log_path, self.step)
        if self.step > 0 and self.step not in checkpoint.steps(self.checkpoints):
            self._save()  # it goes on from the best one, which lies elsewhere
        checkpoint.tidy(self.checkpoints, self.step, keep=self.config.run.keep)
        return records

    @contextmanager
    def _leaving_pictures(self, observers: Sequence[Observer]) -> Iterator[None]:
        """Draw the curves and the film after the block, also where it ends in a NonFiniteError,
        which becomes a warning in the log; then tell the observers."""
        try:
            yield
        except NonFiniteError as error:
            log.append(self.log_path, {"step": self.step, "warning": f"stopped: {error}"})
            self._draw_whole_run()
            for observer in observers:
                observer.failed(self)
            raise
        self._draw_whole_run()
        for observer in observers:
            observer.end(self)

    def _begin(self, report: ProgressReport) -> None:
        """What stands at step 0: a warning about the data, noise as a picture, a checkpoint."""
        for note in self.algorithm.notes():
            report.say(note)
        if warning := small_data(self.dataset, self.config.run.batch):
            self._warn(report, warning)
        for average in self.algorithm.averages.values():
            if warning := young_average(average.decay, self.config.run.steps):
                self._warn(report, warning)
        self._draw_samples()
        self._save()

    def _advance(self, clock: _Clock) -> log.Record | None:
        """One step of the algorithm, with its picture and its log line if they are due."""
        run, total = self.config.run, self.config.run.steps
        scalars = self._advance_once(*inputs(next(self.loader), self.conditions))
        self.step += 1
        drawn = self.step % run.sample_every == 0 or self.step == total
        measured = self.best is not None and self.step % run.eval_every == 0
        logged = self.step % run.log_every == 0 or self.step in (1, total) or drawn or measured
        if not logged:
            return None
        self.algorithm.check_health()
        record: log.Record = {"step": self.step, **read(scalars)}
        if drawn:
            record["diversity"] = self._draw_samples()
            record |= self.held_out.look(self.algorithm)
        if self.best and measured:
            record[self.best.name] = self.best.look(self.algorithm, self.step)
        log.append(self.log_path, {**record, "seconds": clock.seconds()})
        return record

    def _warn(self, report: ProgressReport, warning: str) -> None:
        log.append(self.log_path, {"step": self.step, "warning": warning})
        report.say(f"warning: {warning}")

    def _draw_samples(self) -> float:
        """Write the sheet of this step; returns the samples' diversity relative to the data's."""
        drawn = sheet_of(self.algorithm, self.dataset, seed=self.config.run.seed)
        write_sheet(drawn, self.folder / "samples" / f"step_{self.step:06d}.png")
        return _relative(diversity(drawn.made), diversity(drawn.real))

    def _draw_whole_run(self) -> None:
        write_curves(log.read(self.log_path), self.folder / "curves.png")
        found = (self.folder / "samples").glob("step_*.png")
        frames = sorted(found, key=lambda path: (len(path.name), path.name))  # by number
        write_film(frames, self.folder / "samples.gif")

    def _save(self) -> None:
        with self._naming_step(self.step):
            self.algorithm.check_health()
            checkpoint.save(self.checkpoints, self.step, self.algorithm, keep=self.config.run.keep)
            self._latest = self.step

    @contextmanager
    def _naming_step(self, step: int) -> Iterator[None]:
        """A NonFiniteError of the block says the step, and what to do."""
        try:
            yield
        except NonFiniteError as error:
            good = checkpoint.steps(self.checkpoints)
            raise NonFiniteError(
                f"step {step}: {error}; training stopped. "
                + (f"The checkpoint of step {good[-1]} is good: start" if good else "Start")
                + f" again with lower rates, such as {calmer(self.config.options)}"
            ) from error


def _refuse_missing_data(data: str) -> None:
    """Raise DataError for the path of a file or folder that is not there."""
    if data not in NAMED and place(data).is_absolute() and not place(data).exists():
        raise DataError(f"--data {data}: there is no such file or folder")


def _refuse_lost_checkpoints(folder: Path) -> None:
    """Raise CheckpointError for a run that has taken steps, and so had a checkpoint, and has none.

    To begin anew would write over its log and pictures.
    """
    if checkpoint.steps(folder / "checkpoints"):
        return
    taken = max((record["step"] for record in log.read(folder / "log.jsonl")), default=0)
    if taken:
        raise CheckpointError(
            f"{folder} has taken {taken} steps and its checkpoints/ is empty or gone: put a "
            "checkpoint back, or train anew in another folder"
        )


def _remembered(trainer: Trainer) -> dict[str, Any]:
    """What a run keeps in its configuration of its data: enough to draw samples without it."""
    known: dict[str, Any] = {"examples": trainer.dataset.size}
    if recipe(trainer.config.algorithm).takes not in ("examples", "labelled"):
        return known  # pairs are needed themselves, and the words of captions have their own file
    classes = dict(trainer.conditions.label_names) if trainer.conditions else {}
    return {**known, "shape": trainer.dataset.shape, "classes": classes}


def _refuse_large_steps(dataset: Dataset, batch: int, k: int, of: str) -> None:
    """Raise OptionError where a step of k minibatches takes more examples than there are.

    of: what takes them, with a place for k.
    """
    if k > 1 and dataset.size is not None and batch * k > dataset.size:
        flag = of.split()[0]
        lower = f"--batch or {flag}" if flag.startswith("--") else "--batch"
        raise OptionError(
            f"--batch {batch} for each of {of.format(k)}: {batch * k} examples, more than the "
            f"{dataset.size} examples of {dataset.name}; lower {lower}, "
            "or give more data"
        )


class _Clock:
    """Seconds of training, going on from what an earlier part of the run logged."""

    def __init__(self, records: list[log.Record]) -> None:
        before = max((r.get("seconds", 0.0) for r in records), default=0.0)
        self._start = time.monotonic() - before

    def seconds(self) -> float:
        return round(time.monotonic() - self._start, 3)


def _refuse_idle_steps(algorithm: Algorithm, config: Config) -> None:
    """Raise OptionError where no network would move any more at the end of a longer run."""
    total, planned = config.run.steps, config.schedule_steps
    rates = [optimizer.schedule for optimizer in algorithm.optimizers.values()]
    total *= algorithm.minibatches  # as many steps, or fewer, have the players taken by then
    if any(rate(0) > 0 for rate in rates) and not any(rate(total) > 0 for rate in rates):
        raise OptionError(
            f"the learning rates of this run fall to 0 until step {planned} (--schedule "
            f"{getattr(config.options, 'schedule', '')}), so that more steps would change nothing; "
            f"train anew with --steps {config.run.steps}, or go on from before the end without "
            "--steps"
        )


def _relative(a: float, b: float) -> float:
    return a / max(b, np.finfo(np.float64).tiny)


def _is_debris(path: Path) -> bool:
    """Whether a run that was killed before its first file was whole may have left this."""
    return path.name == LOCK or path.name.endswith(UNFINISHED)
