"""Sounds of a user through SEGAN's generator: files of any length, window by window.

A file is pre-emphasised as a whole, cut into windows that overlap, enhanced, put together with one
window fading into the next, and de-emphasised as a whole: no window's border can be heard.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minigan.algorithms.options import Streams, Task
from minigan.algorithms.sequence.emphasis import deemphasized, emphasized
from minigan.algorithms.sequence.segan import CHUNK, SEGAN, Options, build
from minigan.backend import Array, make_rng
from minigan.data.wav import read_wav, wav_bytes, wav_files
from minigan.errors import CheckpointError, DataError, OptionError
from minigan.streams import Purpose
from minigan.training import best
from minigan.training.checkpoint import Checkpoint
from minigan.training.config import Config
from minigan.training.files import write_atomically
from minigan.training.tiling import placed
from minigan.training.translate import targets


def enhance_files(
    folder: Path,
    source: Path,
    out: Path,
    *,
    step: int | str | None = None,
    overlap: int | None = None,
    seed: int = 0,
    device: str | None = None,
) -> str:
    """Enhance the WAV file or folder `source` into the folder `out`; returns what was done.

    Each file keeps its name, the folders that it lies in, its rate and its length; 16 bits are
    written. `overlap` is the samples over which a window fades into the next, half a window unless
    given; `seed` decides z. Raises DataError for files that cannot be taken, of another rate than
    the run's too, OptionError for an overlap that is none, CheckpointError.
    """
    config = Config.load(folder / "config.json").on(device).in_force()
    stored = best.load(folder / "checkpoints", step)
    algorithm = _restored(config, stored)
    window, rate = algorithm.window, algorithm.rate
    fade = window // 2 if overlap is None else overlap
    if not 0 <= fade < window:
        raise OptionError(
            f"--overlap {fade}: wanted from 0 to {window - 1}, below the run's --window"
        )
    files = targets(source, out, found=wav_files, suffix=".wav", what="WAV files")
    rng = make_rng(seed, Purpose.TRANSLATIONS)
    for file, target in files.items():
        made = enhanced(algorithm, _read(file, rate), rng, overlap=fade)
        write_atomically(target, wav_bytes(made, rate))
    count = f"{len(files)} sound{'s' if len(files) > 1 else ''}"
    return f"{count} through G of step {stored.step} of {config.algorithm}: {out}"


def enhanced(algorithm: SEGAN, x: Array, rng: np.random.Generator, *, overlap: int) -> Array:
    """A sound (T,) of the host without its noise, (T,)."""
    window = algorithm.window
    emphatic = emphasized(x[None, :, None], algorithm.preemphasis)[0, :, 0]
    padded = np.pad(emphatic, (0, max(0, window - len(x))))
    places = placed(len(padded), window, overlap)
    y = np.zeros(len(padded))
    for i in range(0, len(places), CHUNK):
        part = places[i : i + CHUNK]
        windows = np.stack([padded[start : start + window] for start, _ in part])
        made = algorithm.emphatic(windows[..., None], rng)[..., 0]
        for (start, weights), one in zip(part, made, strict=True):
            y[start : start + window] += weights * one
    return deemphasized(y[None, : len(x), None], algorithm.preemphasis)[0, :, 0]


def _restored(config: Config, stored: Checkpoint) -> SEGAN:
    """The run's algorithm from its checkpoint alone: its data may be gone. Raises CheckpointError.

    D's reference batch is in the checkpoint too, so any examples make the same network.
    """
    options = config.options
    assert isinstance(options, Options)
    if "format" not in stored.arrays:
        raise CheckpointError(f"{stored.path} is no checkpoint of segan; its config.json is")
    shape = (options.window, 2)
    task = Task(
        shape,
        "sounds",
        config.schedule_steps,
        examples=lambda n: np.zeros((n, *shape), np.float32),
        rate=int(stored.arrays["format"][1]),
    )
    algorithm = build(options, task, Streams(config.run.seed)).to(config.run.device)
    stored.restore(algorithm)
    return algorithm


def _read(file: Path, rate: int) -> Array:
    """The samples of a file of that rate. Raises DataError."""
    found, x = read_wav(file)
    if found != rate:
        raise DataError(
            f"{file} has {found} samples a second, and the run was trained at {rate}: resample it "
            f"with `sox {file.name} -r {rate} OUT.wav`"
        )
    return x
