"""Checkpoints: step_000300.safetensors with the arrays, step_000300.json with the state beside it.

The JSON is written last and holds the SHA-256 of the arrays: a checkpoint exists when its JSON
does, and a damaged one is known. No pickle anywhere.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from minigan.algorithms import Algorithm
from minigan.backend import restore_rng, rng_state
from minigan.errors import CheckpointError
from minigan.training.files import write_atomically
from minigan.version import __version__


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is stored of a run after `step` steps."""

    step: int
    arrays: dict[str, np.ndarray]
    rng: dict[str, Any]

    def restore(self, algorithm: Algorithm) -> None:
        """Make `algorithm` what it was. Raises CheckpointError if it is another architecture."""
        algorithm.load_state_dict(self.arrays)
        restore_rng(algorithm.rng, self.rng)


def save(folder: Path, step: int, algorithm: Algorithm, *, keep: int) -> None:
    """Store a checkpoint, then remove all but the `keep` last."""
    arrays = {k: np.ascontiguousarray(a) for k, a in algorithm.state_dict().items()}
    data = save_tensors(arrays)
    state = {
        "step": step,
        "sha256": hashlib.sha256(data).hexdigest(),
        "rng": rng_state(algorithm.rng),
        "minigan": __version__,
    }
    write_atomically(_arrays_path(folder, step), data)
    write_atomically(_state_path(folder, step), json.dumps(state, indent=1).encode())
    for old in steps(folder)[:-keep]:
        _remove(folder, old)


def remove_after(folder: Path, step: int) -> None:
    """Remove the checkpoints later than `step`, which a run resumed from there will write again."""
    for later in steps(folder):
        if later > step:
            _remove(folder, later)


def steps(folder: Path) -> list[int]:
    """The steps that have a checkpoint, in order."""
    return sorted(int(path.stem.removeprefix("step_")) for path in folder.glob("step_*.json"))


def load(folder: Path, step: int | None = None) -> Checkpoint:
    """The checkpoint of that step, or the last. Raises CheckpointError naming the file and what
    other checkpoints there are, if it is missing or damaged."""
    known = steps(folder)
    others = f"checkpoints in {folder}: {', '.join(map(str, known)) or 'none'} (--from STEP)"
    if not known or step not in (None, *known):
        raise CheckpointError(f"no checkpoint of step {step or 'any'}; {others}")
    step = known[-1] if step is None else step
    try:
        state = json.loads(_state_path(folder, step).read_text(encoding="utf-8"))
        data = _arrays_path(folder, step).read_bytes()
        if hashlib.sha256(data).hexdigest() != state["sha256"]:
            raise ValueError("its content has changed or is cut short")
        return Checkpoint(int(state["step"]), load_tensors(data), state["rng"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{_arrays_path(folder, step)} or its .json is damaged: {error}; {others}"
        ) from error


def _remove(folder: Path, step: int) -> None:
    _state_path(folder, step).unlink()  # first, for it is what makes a checkpoint one
    _arrays_path(folder, step).unlink(missing_ok=True)


def _arrays_path(folder: Path, step: int) -> Path:
    return folder / f"step_{step:06d}.safetensors"


def _state_path(folder: Path, step: int) -> Path:
    return folder / f"step_{step:06d}.json"
