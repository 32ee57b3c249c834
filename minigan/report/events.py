"""Event files for TensorBoard: `--tensorboard` writes a run's scalars and sample pictures.

They lie in the run's folder, in tensorboard/: `tensorboard --logdir runs`. A run that goes on from
an earlier step says so in its new file, and TensorBoard drops what the old one has beyond it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from minigan.errors import OptionError
from minigan.report.run import frames_in
from minigan.training.log import Record
from minigan.training.observer import Observer

if TYPE_CHECKING:
    from minigan.training import Trainer

FOLDER = "tensorboard"


class EventWriter(Observer):
    """Writes each logged line and each picture. Raises OptionError without the extra."""

    def __init__(self) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise OptionError(
                "--tensorboard needs tensorboardX, which is not installed: "
                "pip install 'minigan[tensorboard]'"
            ) from error
        self._open = SummaryWriter

    def begin(self, trainer: Trainer) -> None:
        folder = trainer.folder / FOLDER
        again = folder.exists()
        self._drawn = trainer.step if trainer.step else -1
        self._writer = self._open(str(folder), purge_step=trainer.step + 1 if again else None)

    def logged(self, trainer: Trainer, record: Record) -> None:
        for name, value in record.items():
            if name != "step":
                self._writer.add_scalar(name, value, record["step"])
        self._draw(trainer)

    def end(self, trainer: Trainer) -> None:
        self._draw(trainer)
        self._writer.close()

    def failed(self, trainer: Trainer) -> None:
        self.end(trainer)

    def _draw(self, trainer: Trainer) -> None:
        """The pictures since the last time."""
        for frame in frames_in(trainer.folder):
            if self._drawn < frame.step <= trainer.step:
                self._drawn = frame.step
                for name, path in frame.pictures.items():
                    with Image.open(path) as image:
                        pixels = np.asarray(image.convert("RGB"))
                    self._writer.add_image(name, pixels, frame.step, dataformats="HWC")
