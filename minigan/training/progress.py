"""What a person sees while a run trains: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from minigan.training.audience import audience
from minigan.training.log import Record

SHOWN = (
    "ELBO",
    "reconstruction",
    "loss_D",
    "loss_G",
    "D(x)",
    "D(G(z))",
    "wasserstein",
    "bound",
    "convergence",
)
# Of algorithms with other names than these, several of each network: the first of their terms.
TERMS, AT_MOST = ("loss_", "GAN_", "cycle_"), 5
SECONDS_BETWEEN_LINES = 10.0


class ProgressReport:
    """Shows step, losses, mean D(x) and D(G(z)) and the time left, on standard error."""

    def __init__(self, done: int, total: int, console: Console | None = None) -> None:
        self.console = console or Console(
            file=sys.stderr and audience(sys.stderr), stderr=True, highlight=False
        )
        self._total = total
        self._first, self._started = done, time.monotonic()
        self._last_line = self._started
        self._bar = Progress(
            MofNCompleteColumn(),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[scalars]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            console=self.console,
            disable=not self.console.is_terminal,
            expand=True,
        )
        self._task = self._bar.add_task("", total=total, completed=done, scalars="")

    def __enter__(self) -> ProgressReport:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def update(self, step: int, record: Record | None) -> None:
        """After every step; `record` is what was logged at it, if anything."""
        if self.console.is_terminal:
            self._bar.update(self._task, completed=step)
            if record is not None:
                self._bar.update(self._task, scalars=scalars(record))
        elif record is not None and self._line_is_due(step):
            rate = (time.monotonic() - self._started) / max(step - self._first, 1)
            left = rate * (self._total - step)
            self.say(f"step {step}/{self._total}  {scalars(record)}  {left:.0f} s left")

    def say(self, line: str) -> None:
        """One line of text, above the bar."""
        self.console.print(line, soft_wrap=True, markup=False)

    def _line_is_due(self, step: int) -> bool:
        now = time.monotonic()
        due = step == self._total or now - self._last_line >= SECONDS_BETWEEN_LINES
        if due:
            self._last_line = now
        return due


def scalars(record: Record) -> str:
    """The losses and probabilities of a log line in a few characters."""
    names = [name for name in SHOWN if name in record]
    if not any(name.startswith("loss") for name in names):
        names += [name for name in record if name.startswith(TERMS) and name not in names]
    return "  ".join(f"{name} {record[name]:.3f}" for name in names[:AT_MOST])
