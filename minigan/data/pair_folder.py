"""Reads pairs of pictures, or two domains of them, from a folder.

    DIR/*.png                      side by side: the left half is A, the right half B
    DIR/A/*.png, DIR/B/*.png       two folders: pictures of one name belong together
    DIR/trainA, DIR/trainB         the same (also testA, testB)

A folder that holds folders called train and test is read as the one that the split names, and so
are A and B. Two domains need no common names; those there are tell the hidden pairs.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import numpy as np

from minigan.data.base import DataWarning
from minigan.data.folder import decode, open_upright, picture_files, stack
from minigan.data.options import Split
from minigan.data.pairs import AlignedPictures, PairOptions, Pairs, TwoDomains
from minigan.data.pictures import fit
from minigan.errors import DataError, OptionError

LEAST_WIDTH = 1.5  # heights, of a picture that is likely two side by side
SHOWN = 3  # names in a message

Pixels = np.ndarray


def open(path: Path, options: PairOptions) -> Pairs:
    """The pairs in `path`. Without a size all pictures must have one.

    Raises DataError for a folder without pictures, for aligned pictures without a counterpart or
    of unlike sizes, each named; a pair with an unreadable picture is left out with a DataWarning,
    or refused with `options.strict`. OptionError for a test split that is not there.
    """
    if not path.is_dir():
        raise DataError(
            f"{path} is no folder; pairs are read from a folder of pictures side by side, or from "
            "one that holds two folders A and B"
        )
    folders = two_folders(path, options.split)
    if folders is None:
        return _side_by_side(path, options)
    files = [picture_files(folder) for folder in folders]
    for folder, found in zip(folders, files, strict=True):
        if not found:
            raise DataError(f"no pictures in {folder}: each of the two domains needs some")
    if options.aligned:
        return _aligned(path, folders, files, options)
    return _domains(path, folders, files, options)


def two_folders(path: Path, split: Split) -> tuple[Path, Path] | None:
    """The folders of A and B for the split; None where there are none."""
    for a, b in (
        (path / split / "A", path / split / "B"),
        (path / f"{split}A", path / f"{split}B"),
        (path / "A" / split, path / "B" / split),
        (path / "A", path / "B"),
    ):
        if a.is_dir() != b.is_dir():
            there, missing = (a, b) if a.is_dir() else (b, a)
            raise DataError(f"{there} has no counterpart {missing}: two domains are two folders")
        if a.is_dir():
            whole = a == path / "A"
            if whole and split == "test":
                raise _no_test_split(path)
            return a, b
    other = next(s for s in get_args(Split) if s != split)
    if (path / f"{other}A").is_dir() or (path / other / "A").is_dir():
        raise OptionError(f"{path} holds pictures to {other} with but none of the split {split!r}")
    return None


def _side_by_side(path: Path, options: PairOptions) -> Pairs:
    folder = path
    if all((path / split).is_dir() for split in get_args(Split)):
        folder = path / options.split
    elif options.split == "test":
        raise _no_test_split(path)
    files = picture_files(folder)
    if not files:
        raise DataError(
            f"no pictures in {folder}: put pairs side by side into it, or two folders A and B"
        )

    narrow: list[str] = []

    def halves(file: Path) -> tuple[Pixels, Pixels]:
        image = open_upright(file)
        w, h = image.size
        if w % 2:
            raise DataError(f"{w}x{h} pixels do not split into two halves of one width")
        if w < LEAST_WIDTH * h:
            narrow.append(f"{file.name} of {w}x{h}")
        a, b = image.crop((0, 0, w // 2, h)), image.crop((w // 2, 0, w, h))
        of_a, of_b = options.of_sides
        return fit(a, of_a.size, of_a.channels), fit(b, of_b.size, of_b.channels)

    pairs, _ = decode(folder, files, halves, options.strict)
    if pairs and len(narrow) == len(pairs):
        warnings.warn(
            f"pictures in {folder} are read as pairs, the left half A and the right half B, but "
            f"none is wide enough for two, such as {narrow[0]}; two folders A and B hold pictures "
            "that stand alone",
            DataWarning,
            stacklevel=2,
        )
    return _made(path, *_stacked(folder, pairs), options)


def _aligned(
    path: Path, folders: tuple[Path, Path], files: list[list[Path]], options: PairOptions
) -> Pairs:
    a, b = (_by_name(folder, found) for folder, found in zip(folders, files, strict=True))
    for folder, alone in ((folders[0], a.keys() - b.keys()), (folders[1], b.keys() - a.keys())):
        if alone:
            other = folders[1] if folder == folders[0] else folders[0]
            raise DataError(
                f"{len(alone)} pictures in {folder} have no counterpart in {other}: "
                f"{_some(alone)}; pictures of a pair have one name, whatever their format"
            )
    names = {file: name for name, file in a.items()}

    def both(file: Path) -> tuple[Pixels, Pixels]:
        of_a, of_b = options.of_sides
        pixels = fit(open_upright(file), of_a.size, of_a.channels)
        counterpart = b[names[file]]
        try:
            other = fit(open_upright(counterpart), of_b.size, of_b.channels)
        except Exception as error:  # see folder.decode
            raise DataError(f"its counterpart {counterpart}: {error}") from error
        return pixels, other

    pairs, readable = decode(folders[0], list(a.values()), both, options.strict)
    for file, (x, y) in zip(readable, pairs, strict=True):
        if x.shape[:2] != y.shape[:2]:
            raise DataError(
                f"the pair {names[file]!r} has unlike sizes, {_size(x)} in {folders[0]} and "
                f"{_size(y)} in {folders[1]}: give --size to crop and resize all pictures"
            )
    return _made(path, *_stacked(path, pairs), options)


def _domains(
    path: Path, folders: tuple[Path, Path], files: list[list[Path]], options: PairOptions
) -> Pairs:
    stacks, named = [], []
    for folder, found, of_side in zip(folders, files, options.of_sides, strict=True):
        pictures, readable = decode(
            folder,
            found,
            lambda file, o=of_side: fit(open_upright(file), o.size, o.channels),  # type: ignore[misc]
            options.strict,
        )
        stacks.append(stack(folder, pictures))
        named.append([_name(folder, file) for file in readable])
    a, b = stacks
    if a.shape[1:3] != b.shape[1:3]:
        raise DataError(
            f"pictures of {folders[0]} are {_size(a[0])}, those of {folders[1]} {_size(b[0])}: "
            "give --size to crop and resize them"
        )
    rows = {name: j for j, name in enumerate(named[1])}
    partners = [(i, rows[name]) for i, name in enumerate(named[0]) if name in rows]
    known = np.array(partners, int).reshape(-1, 2)
    x, y = options.in_order(a, b)
    return TwoDomains(str(path), x, y, options, np.stack(options.in_order(*known.T), 1))


def _made(path: Path, a: Pixels, b: Pixels, options: PairOptions) -> Pairs:
    """Stacks whose rows belong together as the options want them."""
    x, y = options.in_order(a, b)
    if options.aligned:
        return AlignedPictures(str(path), x, y, options)
    rows = np.arange(len(x))
    return TwoDomains(str(path), x, y, options, np.stack([rows, rows], 1))


def _stacked(folder: Path, pairs: list[tuple[Pixels, Pixels]]) -> tuple[Pixels, Pixels]:
    return stack(folder, [a for a, _ in pairs]), stack(folder, [b for _, b in pairs])


def _by_name(folder: Path, files: list[Path]) -> dict[str, Path]:
    """Files by their path without its suffix. Raises DataError for one name twice."""
    named: dict[str, Path] = {}
    for file in files:
        name = _name(folder, file)
        if name in named:
            raise DataError(f"{named[name]} and {file} have one name: which is of the pair?")
        named[name] = file
    return named


def _name(folder: Path, file: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _some(names: Iterable[str]) -> str:
    first = sorted(names)
    return ", ".join(first[:SHOWN]) + ", ..." * (len(first) > SHOWN)


def _size(x: Pixels) -> str:
    return f"{x.shape[1]}x{x.shape[0]}"


def _no_test_split(path: Path) -> OptionError:
    return OptionError(
        f"{path} holds no separate test split; put pictures into folders called train and test"
    )
