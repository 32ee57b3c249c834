"""Who looks on while a run trains: reports, event files, a page in the browser.

An observer changes nothing of the run: the run's files are the same with it and without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minigan.training.log import Record
    from minigan.training.trainer import Trainer


class Observer:
    """Is told of a run's moments, in this order; each may be left out."""

    def begin(self, trainer: Trainer) -> None:
        """Before the first step of this part of the run; its folder and configuration are there."""

    def logged(self, trainer: Trainer, record: Record) -> None:
        """After a line of the log was written, and the picture of its step if one was due."""

    def end(self, trainer: Trainer) -> None:
        """After the last step or a request to stop; everything of the run is written."""

    def failed(self, trainer: Trainer) -> None:
        """In place of `end`, where numbers ran away: the weights are lost, the folder is good."""
