"""Who looks on at a run of the command line: its report, event files, a page in the browser."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from minigan.report.events import EventWriter
from minigan.report.make import NAME, write_report
from minigan.report.page import encoded, page
from minigan.report.run import read
from minigan.report.server import Server
from minigan.report.walk import walk
from minigan.training.files import write_atomically
from minigan.training.observer import Observer

if TYPE_CHECKING:
    from minigan.training import Trainer


class ReportWriter(Observer):
    """Leaves report.html at the end, the same as `minigan report` makes of the folder."""

    def end(self, trainer: Trainer) -> None:
        seed, kind = trainer.config.run.seed, trainer.dataset.kind
        picture = walk(trainer.algorithm, kind, seed=seed)
        html = page([read(trainer.folder)], walks=[picture])
        write_atomically(trainer.folder / NAME, encoded(html))

    def failed(self, trainer: Trainer) -> None:
        """The page of what there is, its walk from the last checkpoint's weights."""
        write_report([trainer.folder])


@contextmanager
def observers(trainer: Trainer, *, port: int | None = None) -> Iterator[list[Observer]]:
    """Those that the run's configuration asks for; with a port, the live page is served too.

    Raises OptionError, before anything is written, for a missing extra and a port that is taken.
    """
    run = trainer.config.run
    found: list[Observer] = [EventWriter()] if run.tensorboard else []
    found += [] if run.no_report else [ReportWriter()]
    if port is None:
        yield found
        return
    server = Server([trainer.folder], port)
    server.start()
    print(f"watch the run at {server.url}", file=sys.stderr)
    try:
        yield found
    finally:
        server.close()
