"""`minigan translate`: pictures of a user through one generator of a stored run.

A generator of pairs or of two domains is told nothing else, but for a reference where it takes one.
MUNIT's can have the style of one, or draws it. StarGAN and Age-cGAN are told the classes that
pictures shall have; of labels that nobody names, those that they take them for stay.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from minigan.algorithms.catalogue import ALGORITHMS, recipe
from minigan.algorithms.conditional import age_cgan
from minigan.algorithms.conditional.base import Relabelling
from minigan.algorithms.translation import stargan
from minigan.algorithms.translation.base import has_dropout, translated
from minigan.algorithms.translation.shared_options import TranslatingOptions
from minigan.backend import Array, make_rng, to_device, to_host
from minigan.data import DataWarning
from minigan.data.folder import open_upright, picture_files, transparent
from minigan.data.joints import maps
from minigan.data.pictures import fit, to_float
from minigan.data.pose_folder import read as joints_of
from minigan.errors import CheckpointError, DataError, NonFiniteError, OptionError
from minigan.layers import Layer
from minigan.prior import Prior
from minigan.streams import Purpose
from minigan.training import best
from minigan.training.asking import target_classes
from minigan.training.building import build_algorithm, recalled
from minigan.training.checkpoint import Checkpoint
from minigan.training.config import Config, picture_size
from minigan.training.latent_tools.walks import spherical
from minigan.training.pictures import to_image, write_png
from minigan.training.predicting import predict_clips
from minigan.training.tiling import Translate, placed, tiled
from minigan.wording import counted

TOLD = (stargan.Options, age_cgan.Options)  # runs that --to is for
NO_POSE = "--pose {}: only G of pg2 takes one; leave it out"
COLOURS = {1: "grey", 3: "colour"}


def translate_pictures(
    folder: Path,
    source: Path,
    out: Path,
    *,
    step: int | str | None = None,
    reverse: bool = False,
    reference: Path | None = None,
    pose: Path | None = None,
    to: Sequence[str] = (),
    size: str | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    convert: bool = False,
    n: int | None = None,
    interpolate: int | None = None,
    seed: int = 0,
    frames: int | None = None,
    device: str | None = None,
) -> str:
    """Translate the picture or folder `source` into the folder `out`; returns what was done.

    Each picture keeps its name, and the folders it lies in, as a PNG. It is cropped and resized to
    the run's size, or to `size`; where a network takes pictures of any size (super-resolution), it
    keeps its own unless `size` is given. With `tile` it keeps its own size, or has `size`, and goes
    through the network in overlapping tiles of that side (tiling.py). `reverse` takes F, from y to
    x, in G's place. `reference` is a picture whose style G puts onto each of them, where the run
    has learned that, or whose style takes the place of one that MUNIT would draw; or a folder: each
    picture then goes, for each of these, into a folder of its name. `pose` is a file of joints, as
    data/pose_folder.py reads them, where G puts persons into poses: of several poses each has a
    folder of its name. `to` says which classes pictures shall have, "blue" or "body=blue", where
    the run is one of stargan or age-cgan. `convert` lets grey pictures be taken for colour and
    colour ones for grey. `seed` decides the noise: of a generator that takes a z, one z for all
    pictures. With `n` each picture is translated so often, into the folders 1, 2, ..., which have a
    z of their own each; with `interpolate` so many z go from one to another. Of a run on clips,
    `source` is clips, and `frames` how many frames are predicted (predicting.py).

    Raises CheckpointError for a run that does not translate, OptionError for a size that the
    network cannot halve, for many answers of a network that has one, and for a checkpoint from
    before all of G was trained, DataError for pictures that cannot be taken.
    """
    config = Config.load(folder / "config.json").on(device)
    if recipe(config.algorithm).takes == "clips":
        own: dict[str, Any] = {"reverse": reverse, "reference": reference, "pose": pose, "to": to}
        own |= {"tile": tile, "overlap": overlap, "n": n, "interpolate": interpolate}
        how: dict[str, Any] = {"step": step, "size": size, "convert": convert, "seed": seed}
        return predict_clips(config, folder, source, out, frames=frames, **how, **own)
    files = _Files(source, out, convert)
    if isinstance(config.options, TOLD):
        _refuse_ways(config.algorithm, reverse, reference, pose, n=n, interpolate=interpolate)
        stored = best.load(folder / "checkpoints", step)
        return _relabelled(config.in_force(), stored, files, to, size, tile, overlap)
    if to:
        told = " and ".join(n for n, r in ALGORITHMS.items() if issubclass(r.options, TOLD))
        raise OptionError(f"--to {to[0]}: only {told} are told where pictures go; leave it out")
    options = _translating(config, folder, reverse=reverse)
    if frames is not None:
        raise OptionError(
            f"--frames {frames}: {config.algorithm} predicts no frames, as next-frame does; leave "
            "it out"
        )
    config.in_force()
    stored = best.load(folder / "checkpoints", step)
    options.check_step(stored.step, config.run.steps)
    trained, both = stored.sides
    wanted = None if size is None else picture_size(size)
    if tile is not None:
        options.check_tiles()
    check = partial(options.check_size, trained=trained)
    taken = _taken(check, trained, wanted, tile, keeps_size=options.keeps_size)
    name = "F" if reverse else "G"
    channels = options.picture_channels(both, name)
    parts, net = _generator(options, name, stored, config.run.device)
    rng, noisy = make_rng(seed, Purpose.TRANSLATIONS), options.noisy
    varies = options.prior is not None or has_dropout(net, noisy=noisy)
    answers = _answers(options.prior, n, interpolate, rng, f"{name} of {config.algorithm}", varies)
    reader = options.reader(parts, name)
    if reader is not None and reference is not None:
        _refuse_drawn(reference, n=n, interpolate=interpolate)
        made = options.picture_channels(both, "G" if reverse else "F")
        answers = {
            place: to_host(reader.forward(to_device(x, config.run.device), train=False)[0])
            for place, x in _pictured(reference, trained, made, convert=convert)
        }
        reference = None
    styles = _references(reference, config.algorithm, options.with_reference and not reverse)
    poses = _poses(pose, config.algorithm, trained, wanted=options.with_pose)

    def of_z(z: Array | None) -> Translate:
        def forward(x: Array) -> Array:
            return translated(net, to_device(x, config.run.device), rng, z=z, noisy=noisy)

        at_once = partial(options.through, forward)
        return _whole_or_tiled(at_once, tile, overlap, options.enlarges)

    translators = {place: of_z(z) for place, z in answers.items()}
    done = 0
    for file, target, picture in files.pictures(taken, channels):
        x = _given(file, picture, options, taken)
        for folder_of, shown in _accompanied(x, styles, poses, both[1], convert=convert):
            for place, translate in translators.items():
                y = translate(shown)
                if not np.isfinite(y).all():
                    raise NonFiniteError(
                        f"the translation of {file} is not finite; try another --from"
                    )
                write_png(to_image(y[0]), out / folder_of / place / target.relative_to(out))
                done += 1
    through = f"{name} of step {stored.step} of {config.algorithm}"
    return f"{counted(done, 'picture')} through {through}: {out}"


def _relabelled(
    config: Config,
    stored: Checkpoint,
    files: _Files,
    to: Sequence[str],
    size: str | None,
    tile: int | None,
    overlap: int | None,
) -> str:
    """What `translate_pictures` does of a run that is told classes."""
    algorithm = build_algorithm(config, recalled(config)).to(config.run.device)
    assert isinstance(algorithm, Relabelling)
    assert config.shape is not None
    chosen = target_classes(algorithm.label_names, to)
    (h, w, channels), wanted = config.shape, None if size is None else picture_size(size)
    taken = _taken(algorithm.check_size, (h, w), wanted, tile)
    left = [label for i, label in enumerate(algorithm.label_names) if i not in chosen]
    if left and taken != (h, w):
        raise OptionError(
            f"D, which names the labels that stay ({', '.join(left)}), takes pictures of {h}x{w} "
            "alone: give --to for each label, or leave --size and --tile out"
        )
    stored.restore(algorithm)
    done = 0
    for _, target, x in files.pictures(taken, channels):
        labels = algorithm.named(x) if left else np.zeros((1, len(chosen)), np.int64)
        labels[:, list(chosen)] = list(chosen.values())
        translate = _whole_or_tiled(partial(algorithm.relabel, labels=labels), tile, overlap)
        write_png(to_image(translate(x)[0]), target)
        done += 1
    labels_of = list(algorithm.label_names.items())
    asked = [f"{labels_of[i][0]} {labels_of[i][1][number]!r}" for i, number in chosen.items()]
    through = f"G of step {stored.step} of {config.algorithm}"
    return f"{counted(done, 'picture')} with {', '.join(asked)} through {through}: {files.out}"


def _refuse_ways(
    name: str, reverse: bool, reference: Path | None, pose: Path | None, **answers: int | None
) -> None:
    """Raise OptionError for what a run whose one G goes to every class is not told."""
    if pose is not None:
        raise OptionError(NO_POSE.format(pose))
    if reverse:
        raise OptionError(f"{name} has one generator for all ways; say with --to where to go")
    if reference is not None:
        raise OptionError(
            f"--reference {reference}: only G of pairedcyclegan, and munit, take one; leave it out"
        )
    for option, number in answers.items():
        if number is not None:
            raise OptionError(
                f"--{option} {number}: {name} has one answer to a picture and a class; leave it out"
            )


class _Files(NamedTuple):
    """A user's pictures: the file or folder they are in, the folder that results go to."""

    source: Path
    out: Path
    convert: bool

    def pictures(
        self, size: tuple[int, int] | None, channels: int
    ) -> Iterator[tuple[Path, Path, Array]]:
        """Each file that can be read, the file of its result, and the picture (1, H, W, channels).

        Raises DataError where there is none.
        """
        done = False
        for file, target in targets(self.source, self.out).items():
            x = _picture(file, size, channels, convert=self.convert)
            if x is not None:
                done = True
                yield file, target, x
        if not done:
            raise DataError(f"no picture of {self.source} can be read")


def _taken(
    check: Callable[[tuple[int, int]], None],
    trained: tuple[int, int],
    wanted: tuple[int, int] | None,
    tile: int | None,
    *,
    keeps_size: bool = False,
) -> tuple[int, int] | None:
    """The size that pictures are brought to; None: each keeps its own.

    That is so in tiles, and where G `keeps_size` and none is `wanted`. Raises OptionError for a
    size, or a tile, that `check` refuses.
    """
    if tile is None:
        check(wanted or trained)
        return wanted or (None if keeps_size else trained)
    try:
        check((tile, tile))
    except OptionError as error:
        raise OptionError(f"--tile {tile}: {error}") from None
    return wanted


def _translating(config: Config, folder: Path, *, reverse: bool) -> TranslatingOptions:
    """The options of a run that translates, the other way too if `reverse`.

    Raises CheckpointError for another run, OptionError for one that has no F.
    """
    options = config.options
    if not isinstance(options, TranslatingOptions):
        kinds = (TranslatingOptions, *TOLD)
        able = [name for name, r in ALGORITHMS.items() if issubclass(r.options, kinds)]
        raise CheckpointError(
            f"{folder} is a run of {config.algorithm}, which translates no pictures; runs of "
            f"{', '.join(able)} do"
        )
    if reverse and not options.both_ways:
        raise OptionError(f"{config.algorithm} has no generator from y to x; {options.way_back}")
    return options


def _whole_or_tiled(
    translate: Translate, tile: int | None, overlap: int | None, scale: int = 1
) -> Translate:
    """A picture at once, or in tiles that overlap by a quarter unless told. Raises OptionError."""
    if tile is None:
        if overlap is not None:
            raise OptionError(f"--overlap {overlap} is of tiles; give --tile too")
        return translate
    apart = tile // 4 if overlap is None else overlap
    placed(tile, tile, apart)
    return partial(tiled, translate, tile=tile, overlap=apart, scale=scale)


def _answers(
    prior: Prior | None,
    n: int | None,
    interpolate: int | None,
    rng: np.random.Generator,
    network: str,
    varies: bool,
) -> dict[str, Array | None]:
    """The z (1, numbers) of each folder of answers, "" of one alone; None for a G without z.

    Raises OptionError for many answers of a network that gives one, for a way between z where there
    are none, and for both together.
    """
    if n is not None and interpolate is not None:
        raise OptionError(f"--n {n} and --interpolate {interpolate}: give one of them")
    if interpolate is not None:
        if prior is None:
            raise OptionError(
                f"--interpolate {interpolate} goes from one z to another, and {network} takes "
                "none; bicyclegan and munit do"
            )
        a, b = prior.draw(1, rng), prior.draw(1, rng)
        ts = np.linspace(0, 1, interpolate)
        return {str(k): spherical(a, b, t) for k, t in enumerate(ts, 1)}
    if n is not None and not varies:
        raise OptionError(f"--n {n}: {network} has one answer to a picture; leave it out")
    places = [""] if n is None else [str(k) for k in range(1, n + 1)]
    return {place: None if prior is None else prior.draw(1, rng) for place in places}


def _generator(
    options: TranslatingOptions, name: str, stored: Checkpoint, device: str
) -> tuple[dict[str, Layer], Layer]:
    """G or F as it was stored, behind the networks it is made of. Raises CheckpointError."""
    parts, net = options.build_translator(*stored.sides, name, make_rng(0))
    for part, layer in parts.items():
        stored.fill(layer, part)
        layer.to(device)
    return parts, net


def _refuse_drawn(reference: Path, **drawn: int | None) -> None:
    """Raise OptionError where z shall be drawn although pictures tell it."""
    for option, number in drawn.items():
        if number is not None:
            raise OptionError(
                f"--{option} {number} draws styles, and --reference {reference} tells them; give "
                "one of them"
            )


def _pictured(
    given: Path, size: tuple[int, int], channels: int, *, convert: bool
) -> Iterator[tuple[str, Array]]:
    """References (1, H, W, channels) of that size, by the folders of their results.

    Raises DataError for one that cannot be read, or of other channels.
    """
    for place, file in _found(given).items():
        yield place, _reference(file, size, channels, convert=convert)


def _references(given: Path | None, algorithm: str, wanted: bool) -> dict[str, Path | None]:
    """References by the folders of their results; of a single one, or where G takes none, "".

    Raises OptionError for one that is not wanted or not given, DataError as `_found`.
    """
    if not wanted:
        if given is not None:
            raise OptionError(
                f"--reference {given}: only G of pairedcyclegan, and munit, take one; leave it out"
            )
        return {"": None}
    if given is None:
        raise OptionError(
            f"G of {algorithm} puts the style of a reference onto pictures: give --reference "
            "FILE|DIR, or --reverse to take a style off"
        )
    return dict(_found(given))


def _found(given: Path) -> dict[str, Path]:
    """Pictures by the folders of their results; of a single one "".

    Raises DataError for none that is there.
    """
    if not given.exists():
        raise DataError(f"--reference {given}: there is no such file or folder")
    if not given.is_dir():
        return {"": given}
    found: dict[str, Path] = {}
    for file in picture_files(given):
        name = file.relative_to(given).with_suffix("").as_posix()
        if name in found:
            raise DataError(f"two pictures of --reference {given} are called {name}; rename {file}")
        found[name] = file
    if not found:
        raise DataError(f"no pictures in --reference {given}")
    return found


def targets(
    source: Path,
    out: Path,
    *,
    found: Callable[[Path], list[Path]] = picture_files,
    suffix: str = ".png",
    what: str = "pictures",
) -> dict[Path, Path]:
    """Where each file of `source` goes, as one with that suffix in `out`.

    found: those of a folder; what: how messages call them. Raises DataError for none, or two of one
    name, OptionError for an `out` that is a file or would overwrite one of them.
    """
    if not source.exists():
        raise DataError(f"--input {source}: there is no such file or folder")
    if out.exists() and not out.is_dir():
        raise OptionError(f"--output {out} is a file; give a folder")
    files = found(source) if source.is_dir() else [source]
    if not files:
        raise DataError(f"no {what} in {source}")
    top = source if source.is_dir() else source.parent
    places: dict[Path, Path] = {}
    for file in files:
        target = (out / file.relative_to(top)).with_suffix(suffix)
        if target.resolve() == file.resolve():
            raise OptionError(f"--output {out} would overwrite {file}; give another folder")
        if target in places.values():
            raise DataError(f"two {what} of {source} would become {target}; rename {file}")
        places[file] = target
    return places


def _picture(
    file: Path, size: tuple[int, int] | None, channels: int, *, convert: bool
) -> Array | None:
    """One picture (1, H, W, channels) in [-1, 1]; None, with a DataWarning, for a damaged one."""
    try:
        pixels = fit(open_upright(file), size, channels if convert else None)
    except Exception as error:  # see data/folder.py: decode
        warnings.warn(f"{file} cannot be read and is left out: {error}", DataWarning, stacklevel=2)
        return None
    if pixels.shape[-1] != channels:
        raise DataError(
            f"{file} is a {COLOURS[pixels.shape[-1]]} picture and the run was trained on "
            f"{COLOURS[channels]} ones: convert it, or give --convert"
        )
    return to_float(pixels[None])


def _given(
    file: Path, x: Array, options: TranslatingOptions, size: tuple[int, int] | None
) -> Array:
    """What the generator is given of a picture. Raises DataError, naming the file."""
    missing = transparent(file, size) if options.fills else None
    try:
        return options.given(x, missing)
    except DataError as error:
        raise DataError(f"{file}: {error}") from None


def _poses(
    given: Path | None, algorithm: str, size: tuple[int, int], *, wanted: bool
) -> dict[str, Array | None]:
    """Heat maps (1, H, W, 18) by the folders of their results; of a single pose, or of none, "".

    Raises OptionError for a pose that is not wanted or not given, DataError as `joints_of`.
    """
    if not wanted:
        if given is not None:
            raise OptionError(NO_POSE.format(given))
        return {"": None}
    if given is None:
        raise OptionError(
            f"G of {algorithm} puts persons into poses: give --pose FILE.csv, whose lines are "
            "picture,joint,x,y"
        )
    if not given.is_file():
        raise DataError(f"--pose {given}: there is no such file")
    found = joints_of(given)
    places: dict[str, Array | None] = {}
    for name, joints in found.items():
        path = PurePosixPath(name)
        if not path.name or path.is_absolute() or ".." in path.parts:
            raise DataError(f"--pose {given} names {name!r}, which is no name of a folder here")
        place = path.with_suffix("").as_posix() if len(found) > 1 else ""
        if place in places:
            raise DataError(f"--pose {given}: two poses are called {place}; rename {name}")
        places[place] = maps(joints[None], size)
    return places


def _accompanied(
    x: Array,
    styles: Mapping[str, Path | None],
    poses: Mapping[str, Array | None],
    channels: int,
    *,
    convert: bool,
) -> Iterator[tuple[str, Array]]:
    """x beside each style or pose that G takes with it, by the folders of the results."""
    for folder, style in styles.items():
        shown = x if style is None else _beside(x, style, channels, convert=convert)
        for place, heat in poses.items():
            yield folder + place, shown if heat is None else np.concatenate([shown, heat], -1)


def _beside(x: Array, style: Path, channels: int, *, convert: bool) -> Array:
    """x and a reference of its size, joined as G takes them. Raises DataError."""
    reference = _reference(style, (x.shape[1], x.shape[2]), channels, convert=convert)
    return np.concatenate([x, reference], -1)


def _reference(file: Path, size: tuple[int, int], channels: int, *, convert: bool) -> Array:
    """A reference (1, H, W, channels). Raises DataError."""
    picture = _picture(file, size, channels, convert=convert)
    if picture is None:
        raise DataError(f"--reference {file} cannot be read")
    return picture
