"""`minigan translate`: pictures of a user through one generator of a stored run."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from minigan.algorithms.catalogue import ALGORITHMS
from minigan.algorithms.translation.base import translated
from minigan.algorithms.translation.options import TranslationOptions
from minigan.backend import Array, make_rng, overwrite, to_device
from minigan.cuda import set_precision
from minigan.data import DataWarning
from minigan.data.folder import open_upright, picture_files
from minigan.data.pictures import fit, to_float
from minigan.errors import CheckpointError, DataError, NonFiniteError, OptionError
from minigan.layers import Layer
from minigan.training import best
from minigan.training.config import Config, picture_size
from minigan.training.pictures import to_image, write_png

COLOURS = {1: "grey", 3: "colour"}


def translate_pictures(
    folder: Path,
    source: Path,
    out: Path,
    *,
    step: int | str | None = None,
    reverse: bool = False,
    size: str | None = None,
    convert: bool = False,
    seed: int = 0,
    device: str | None = None,
) -> str:
    """Translate the picture or folder `source` into the folder `out`; returns what was done.

    Each picture keeps its name, and the folders it lies in, as a PNG. It is cropped and resized to
    the run's size, or to `size`. `reverse` takes F, from y to x, in G's place. `convert` lets grey
    pictures be taken for colour and colour ones for grey. `seed` decides the noise.

    Raises CheckpointError for a run that does not translate, OptionError for a size that the
    network cannot halve, DataError for pictures that cannot be taken.
    """
    config = Config.load(folder / "config.json").on(device)
    options = config.options
    if not isinstance(options, TranslationOptions):
        able = [name for name, r in ALGORITHMS.items() if r.translates]
        raise CheckpointError(
            f"{folder} is a run of {config.algorithm}, which translates no pictures; runs of "
            f"{', '.join(able)} do"
        )
    if reverse and not options.both_ways:
        raise OptionError(
            f"{config.algorithm} has no generator from y to x; train it with --direction BtoA, "
            "or a cyclegan"
        )
    set_precision(config.run.precision)
    stored = best.load(folder / "checkpoints", step)
    if "sides" not in stored.arrays:
        raise CheckpointError(
            f"{stored.path} is no checkpoint of a translation; its config.json is"
        )
    name = "F" if reverse else "G"
    h, w, *channels = (int(side) for side in stored.arrays["sides"])
    cin, cout = reversed(channels) if reverse else channels
    shape = (h, w) if size is None else picture_size(size)
    options.check_size(shape, (h, w))
    net = options.build_generator((h, w), cin, cout, make_rng(0))
    _load(net, name, stored.arrays, stored.path)
    net.to(config.run.device)
    rng = make_rng(seed, 6)
    done = 0
    for file, target in _targets(source, out).items():
        x = _picture(file, shape, cin if convert else None, cin)
        if x is None:
            continue
        x = to_device(x, config.run.device)
        y = translated(net, x, rng, noisy=not options.running_statistics)
        if not np.isfinite(y).all():
            raise NonFiniteError(f"the translation of {file} is not finite; try another --from")
        write_png(to_image(y[0]), target)
        done += 1
    if not done:
        raise DataError(f"no picture of {source} can be read")
    return f"{done} pictures through {name} of step {stored.step} of {config.algorithm}: {out}"


def _load(net: Layer, name: str, arrays: Mapping[str, Array], path: Path) -> None:
    """Fill one network from the arrays of a whole algorithm. Raises CheckpointError."""
    wanted = {k: p.data for k, p in net.flat.params.items()} | net.buffers
    for key, array in wanted.items():
        stored = arrays.get(f"{name}.{key}")
        if stored is None or stored.shape != array.shape:
            found = "missing" if stored is None else f"{stored.shape}"
            raise CheckpointError(
                f"{path}: {name}.{key} is {found} in the checkpoint and {array.shape} here"
            )
        overwrite(array, stored)
    net.flat.touch()


def _targets(source: Path, out: Path) -> dict[Path, Path]:
    """Where each picture of `source` goes. Raises DataError for none, or two of one name."""
    if not source.exists():
        raise DataError(f"--input {source}: there is no such file or folder")
    if out.exists() and not out.is_dir():
        raise OptionError(f"--output {out} is a file; give a folder")
    files = picture_files(source) if source.is_dir() else [source]
    if not files:
        raise DataError(f"no pictures in {source}")
    top = source if source.is_dir() else source.parent
    targets: dict[Path, Path] = {}
    for file in files:
        target = (out / file.relative_to(top)).with_suffix(".png")
        if target.resolve() == file.resolve():
            raise OptionError(f"--output {out} would overwrite {file}; give another folder")
        if target in targets.values():
            raise DataError(f"two pictures of {source} would become {target}; rename {file}")
        targets[file] = target
    return targets


def _picture(file: Path, size: tuple[int, int], channels: int | None, wanted: int) -> Array | None:
    """One picture (1, H, W, wanted) in [-1, 1]; None, with a DataWarning, for a damaged one."""
    try:
        pixels = fit(open_upright(file), size, channels)
    except Exception as error:  # see data/folder.py: decode
        warnings.warn(f"{file} cannot be read and is left out: {error}", DataWarning, stacklevel=2)
        return None
    if pixels.shape[-1] != wanted:
        raise DataError(
            f"{file} is a {COLOURS[pixels.shape[-1]]} picture and the run was trained on "
            f"{COLOURS[wanted]} ones: convert it, or give --convert"
        )
    return to_float(pixels[None])
