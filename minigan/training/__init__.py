"""Training: the loop, its checkpoints, logs and pictures."""

from minigan.training.config import Config, RunOptions
from minigan.training.trainer import Outcome, Trainer

__all__ = ["Config", "Outcome", "RunOptions", "Trainer"]
