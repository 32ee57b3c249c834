"""Clips that are gone on with, one predicted frame after another: of the run's data, or a user's.

What is predicted is among the frames that tell the next one, so that mistakes add up.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from minigan.algorithms.sequence.next_frame import NextFrame, Options, predicted
from minigan.algorithms.settings import flag
from minigan.algorithms.translation.base import translated
from minigan.backend import Array, make_rng, to_device
from minigan.data import Clips, DataWarning
from minigan.data.clip_folder import read, sources
from minigan.data.clips import joined
from minigan.data.pairs import PairOptions
from minigan.data.pictures import to_float
from minigan.errors import DataError, NonFiniteError, OptionError
from minigan.streams import Purpose
from minigan.training import best
from minigan.training.building import build_algorithm, dataset_of
from minigan.training.config import Config, picture_size
from minigan.training.files import write_atomically
from minigan.training.pictures import beside, grid, to_image, write_png

FRAMES, CLIPS = 8, 4  # unless told
DURATION = 300  # milliseconds that a frame is shown


def write_predictions(
    folder: Path,
    out: Path,
    *,
    frames: int,
    n: int | None = None,
    seed: int = 0,
    step: int | str | None = None,
    device: str | None = None,
    **others: Any,
) -> str:
    """Go on with n clips of the run's test split, or of its data without one; says what was done.

    out: a .gif, which moves, or a .png with the frames in rows, the true ones above. n: 4 if None.
    Raises OptionError for another file, a run that predicts no frames and `others` that were
    given, CheckpointError, and DataError where no clip is long enough.
    """
    refuse_given(others, "--frames predicts clips")
    writers = {".gif": _film, ".png": _strips}
    if out.suffix.lower() not in writers:
        raise OptionError(f"--out {out}: wanted a .gif or .png file for predicted frames")
    config = Config.load(folder / "config.json").on(device).in_force()
    if not isinstance(config.options, Options):
        raise OptionError(
            f"--frames {frames}: {folder} is a run of {config.algorithm}, which predicts no "
            "frames; leave it out"
        )
    dataset = _held_out(config)
    algorithm = build_algorithm(config, dataset).to(config.run.device)
    assert isinstance(algorithm, NextFrame)
    stored = best.load(folder / "checkpoints", step)
    stored.restore(algorithm)
    n, m = CLIPS if n is None else n, dataset.frames
    true = dataset.sequences(n, m + frames, make_rng(seed, Purpose.SHOWN))
    made = algorithm.predict(joined(true[:, :m]), frames, make_rng(seed, Purpose.SAMPLES))
    writers[out.suffix.lower()](true, np.concatenate([true[:, :m], made], 1), out)
    return f"{n} clips of {m} frames and {frames} predicted after step {stored.step}: {out}"


def predict_clips(
    config: Config,
    folder: Path,
    source: Path,
    out: Path,
    *,
    frames: int | None = None,
    step: int | str | None = None,
    size: str | None = None,
    convert: bool = False,
    seed: int = 0,
    **others: Any,
) -> str:
    """Go on with a user's clips by `frames` frames, 8 if None; returns what was done.

    `source` is an animation, a folder of numbered frames, or a folder of these. For each clip there
    is a folder with the predicted frames, and a GIF of the last frames and them. Raises as
    `translate_pictures`, DataError also where no clip has as many frames as tell the next.
    """
    refuse_given(others, "a run of next-frame goes on with clips")
    options, length = config.options, FRAMES if frames is None else frames
    config.in_force()
    stored = best.load(folder / "checkpoints", step)
    trained, (x_channels, channels) = stored.sides
    taken = trained if size is None else picture_size(size)
    options.check_size(taken, trained)
    clips = _clips(source, taken, channels, options.frames, convert=convert)
    targets = {name: _places(out, name, length) for name in clips}
    _check_places(out, [place for places in targets.values() for place in places], source)
    net = options.build_generator(trained, (x_channels, channels), make_rng(0))
    stored.fill(net, "G")
    net.to(config.run.device)
    rng = make_rng(seed, Purpose.TRANSLATIONS)

    def next_frame(x: Array) -> Array:
        return translated(net, to_device(x, config.run.device), rng, noisy=False)

    for name, last in clips.items():
        made = predicted(next_frame, joined(last), length)
        if not np.isfinite(made).all():
            raise NonFiniteError(f"what comes after {name} is not finite; try another --from")
        film, *files = targets[name]
        for file, frame in zip(files, made[0], strict=True):
            write_png(to_image(frame), file)
        write_animation([to_image(x) for x in np.concatenate([last[0], made[0]])], film)
    return f"{length} frames after each of {len(clips)} clips, by G of step {stored.step}: {out}"


def refuse_given(others: Mapping[str, Any], what: str) -> None:
    """Raise OptionError for options that were given and would be passed over."""
    idle = [flag(name) for name, value in others.items() if value not in (None, False, ())]
    if idle:
        raise OptionError(f"{what}: leave {' and '.join(idle)} out")


def write_animation(images: Sequence[Image.Image], path: Path) -> None:
    """A looping GIF of images of one size, whole or not at all."""
    buffer = io.BytesIO()
    first, *rest = [image.convert("RGB").quantize(256) for image in images]
    first.save(buffer, "GIF", save_all=True, append_images=rest, duration=DURATION, loop=0)
    write_atomically(path, buffer.getvalue())


def _held_out(config: Config) -> Clips:
    """The test split of the run's clips; the training data where there is none."""
    try:
        dataset = dataset_of(config, "test")
    except OptionError:  # the user's own data may know no split
        dataset = dataset_of(config)
    assert isinstance(dataset, Clips)
    return dataset


def _film(true: Array, made: Array, out: Path) -> None:
    """True clips beside their predictions, moving."""
    images = []
    for t in range(true.shape[1]):
        columns = {"true": true[:, t], "predicted": made[:, t]}
        images.append(beside({k: grid(x, columns=1, factor=4) for k, x in columns.items()}))
    write_animation(images, out)


def _strips(true: Array, made: Array, out: Path) -> None:
    """Each true clip in a row above its prediction."""
    rows = np.stack([true, made], 1)
    write_png(grid(rows.reshape(-1, *rows.shape[3:]), columns=rows.shape[2]), out)


def _places(out: Path, name: str, length: int) -> list[Path]:
    """Where a clip's film goes, and each of the predicted frames."""
    return [out / f"{name}.gif", *(out / name / f"{t:04d}.png" for t in range(1, length + 1))]


def _check_places(out: Path, targets: Sequence[Path], source: Path) -> None:
    """Raise OptionError for an output that is no folder or lies on what is read."""
    if out.exists() and not out.is_dir():
        raise OptionError(f"--output {out} is a file; give a folder")
    read_from = {file.resolve() for files in sources(source).values() for file in files}
    for target in targets:
        if target.resolve() in read_from:
            raise OptionError(f"--output {out} would overwrite {target}; give another folder")


def _clips(
    source: Path, size: tuple[int, int], channels: int, m: int, *, convert: bool
) -> dict[str, Array]:
    """The last m frames (1, m, H, W, C) in [-1, 1] of each clip that has so many, by its name."""
    if not source.exists():
        raise DataError(f"--input {source}: there is no such file or folder")
    asked: Any = (channels, channels) if convert else (None, None)
    found = read(source, PairOptions(aligned=True, size=size, channels=asked))
    long = {clip.name: clip.frames for clip in found if len(clip.frames) >= m}
    if not long:
        raise DataError(f"no clip of {source} has the {m} frames that tell the next one")
    if short := [clip.name for clip in found if clip.name not in long]:
        warnings.warn(
            f"{source}: clips of less than {m} frames are left out: {', '.join(short)}",
            DataWarning,
            stacklevel=3,
        )
    given = next(iter(long.values())).shape[-1]
    if given != channels:
        kinds = {1: "grey", 3: "colour"}
        raise DataError(
            f"{source} holds {kinds[given]} frames and the run was trained on {kinds[channels]} "
            "ones: convert them, or give --convert"
        )
    return {name: to_float(frames[-m:])[None] for name, frames in long.items()}
