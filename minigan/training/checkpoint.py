"""Checkpoints: step_000300.safetensors with the arrays, step_000300.json with the state beside it.

The JSON is written last and holds the SHA-256 of the arrays: a checkpoint exists when its JSON
does, and a damaged one is known. No pickle anywhere.

Where there is a checkpoint of that step already, as when weights are imported, the new JSON is
written before the arrays too, with the old one in it as "before": whichever arrays are there, one
of both belongs to them.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from minigan.algorithms import Algorithm
from minigan.backend import overwrite, to_host
from minigan.errors import CheckpointError, NonFiniteError
from minigan.layers import Layer
from minigan.noise import Stream, restore_rng, rng_state
from minigan.training.files import write_atomically
from minigan.version import __version__


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is stored of a run after `step` steps, read from `path`."""

    path: Path
    step: int
    arrays: dict[str, np.ndarray]
    rng: dict[str, Any]

    @property
    def sides(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Size of the pictures that a translation was trained on, and channels of x and of y.

        Raises CheckpointError for another run.
        """
        if "sides" not in self.arrays:
            raise CheckpointError(
                f"{self.path} is no checkpoint of a translation; its config.json is"
            )
        h, w, x, y = (int(side) for side in self.arrays["sides"])
        return (h, w), (x, y)

    def fill(self, net: Layer, name: str) -> None:
        """Make `net` what network `name` was. Raises CheckpointError."""
        wanted = {k: p.data for k, p in net.flat.params.items()} | net.buffers
        for key, array in wanted.items():
            stored = self.arrays.get(f"{name}.{key}")
            if stored is None or stored.shape != array.shape:
                found = "missing" if stored is None else f"{stored.shape}"
                raise CheckpointError(
                    f"{self.path}: {name}.{key} is {found} in the checkpoint and {array.shape} here"
                )
            overwrite(array, stored)
        net.flat.touch()

    def restore(self, algorithm: Algorithm) -> None:
        """Make `algorithm` what it was. Raises CheckpointError if it is another architecture."""
        try:
            algorithm.load_state_dict(self.arrays)
        except CheckpointError as error:
            raise CheckpointError(f"{self.path}: {error}") from error
        restore_rng(algorithm.rng, self.rng)


def save(folder: Path, step: int, algorithm: Algorithm, *, keep: int) -> None:
    """Store a checkpoint, then remove all but the `keep` last.

    Raises NonFiniteError, with nothing stored, for weights or state that a run cannot go on from.
    """
    found = algorithm.state_dict()
    arrays = {k: np.ascontiguousarray(to_host(a)) for k, a in found.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise NonFiniteError(f"{name} is not finite")
    data = save_tensors(arrays)
    state = {
        "step": step,
        "sha256": hashlib.sha256(data).hexdigest(),
        "rng": rng_state(algorithm.rng),
        "minigan": __version__,
    }
    before = _replaced(folder, step)
    if before not in (None, state):
        _write_state(folder, step, state | {"before": before})
    write_atomically(_arrays_path(folder, step), data)
    _write_state(folder, step, state)
    tidy(folder, step, keep=keep)


def tidy(folder: Path, step: int, *, keep: int) -> None:
    """Leave the `keep` last checkpoints up to `step` alone.

    Later ones will be written again by a run that goes on from there. Arrays without their JSON,
    which a kill between the two left, go too.
    """
    stay = [s for s in steps(folder) if s <= step][-keep:]
    for suffix in (".json", ".safetensors"):  # the JSON first: it is what makes a checkpoint one
        for old in _numbers(folder, suffix):
            if old not in stay:
                (folder / f"step_{old:06d}{suffix}").unlink()


def steps(folder: Path) -> list[int]:
    """The steps that have a checkpoint, in order."""
    return _numbers(folder, ".json")


def load(folder: Path, step: int | None = None) -> Checkpoint:
    """The checkpoint of that step, or the last. Raises CheckpointError naming the file and what
    other checkpoints there are, if it is missing or damaged."""
    known = steps(folder)
    if not known:
        raise CheckpointError(f"{folder} holds no checkpoint; `minigan resume` trains the run")
    others = f"checkpoints in {folder}: {', '.join(map(str, known))} (--from STEP)"
    step = known[-1] if step is None else step
    if step not in known:
        raise CheckpointError(f"no checkpoint of step {step}; {others}")
    path = _arrays_path(folder, step)
    try:
        data = path.read_bytes()
        state = _state_of(folder, step, data)
        restore_rng(Stream(0), state["rng"])  # a trial
        return Checkpoint(path, int(state["step"]), load_tensors(data), state["rng"])
    except (OSError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else error
        raise CheckpointError(f"{path} or its .json is damaged: {what}; {others}") from error


def _state_of(folder: Path, step: int, data: bytes) -> dict[str, Any]:
    """The stored state that belongs to the arrays `data`. Raises ValueError where none does."""
    state = json.loads(_state_path(folder, step).read_text(encoding="utf-8"))
    digest = hashlib.sha256(data).hexdigest()
    for found in (state, state.get("before")):
        if found is not None and found["sha256"] == digest:
            return {key: value for key, value in found.items() if key != "before"}
    raise ValueError("its content has changed or is cut short")


def _replaced(folder: Path, step: int) -> dict[str, Any] | None:
    """The state of the whole checkpoint that is there; None where there is none."""
    try:
        return _state_of(folder, step, _arrays_path(folder, step).read_bytes())
    except (OSError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _write_state(folder: Path, step: int, state: dict[str, Any]) -> None:
    write_atomically(_state_path(folder, step), json.dumps(state, indent=1).encode())


def _numbers(folder: Path, suffix: str) -> list[int]:
    names = (re.fullmatch(r"step_(\d{6,})", path.stem) for path in folder.glob(f"*{suffix}"))
    return sorted(int(match[1]) for match in names if match)


def _arrays_path(folder: Path, step: int) -> Path:
    return folder / f"step_{step:06d}.safetensors"


def _state_path(folder: Path, step: int) -> Path:
    return folder / f"step_{step:06d}.json"
