"""A long training of a sweep that goes on where it was killed, or where a shorter one ended."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from bench.errors import BenchError
from minigan.algorithms.gan import GAN
from minigan.data import Loader
from minigan.training import checkpoint
from minigan.training.files import write_atomically

EVERY = 5000  # steps between two checkpoints: about a minute of the paper's networks


def train(gan: GAN, loader: Loader, steps: int, workspace: Path | None) -> float:
    """Train `gan` up to `steps`; processor seconds, those before a kill included.

    workspace: where checkpoints are kept and looked for; None: no checkpoints. Raises what a step
    raises, CheckpointError for a damaged workspace, BenchError for one that is beyond `steps`.
    """
    first, seconds = 0, 0.0
    if workspace and checkpoint.steps(workspace):
        kept = checkpoint.load(workspace)
        if kept.step > steps:
            raise BenchError(f"{workspace} is at step {kept.step}; remove it to train {steps} anew")
        kept.restore(gan)
        first, seconds = kept.step, float(_seconds(workspace).read_text())
    began = time.process_time()
    with np.errstate(all="ignore"):
        for step in range(first, steps):
            gan.step(loader.batch(step).x)
            if workspace and (step + 1) % EVERY == 0:
                used = seconds + time.process_time() - began
                write_atomically(_seconds(workspace), f"{used:.3f}\n".encode())
                checkpoint.save(workspace, step + 1, gan, keep=1)
    return seconds + time.process_time() - began


def _seconds(workspace: Path) -> Path:
    return workspace / "seconds.txt"
