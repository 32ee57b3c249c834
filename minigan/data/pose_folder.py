"""Reads persons in several poses from a folder, and poses alone from a file.

    DIR/PERSON/NAME.png    pictures of one person in each folder
    DIR/joints.csv         where their joints are, a line each

    picture,joint,x,y
    anna/walking.png,nose,0.52,0.11
    anna/walking.png,neck,0.51,0.19
    ...

x and y are shares of the width and the height, from the left and from the top. Joints are those of
joints.py, by their names; one that nobody sees has no line. An example is any picture of a person
beside any other of the same one; a person with one picture is left out. A folder that holds folders
called train and test, each with its joints.csv, is read as the one that the split names.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import get_args

import numpy as np

from minigan.data.base import Batch, DataWarning, Finite
from minigan.data.folder import decode, fitted, picture_files, stack
from minigan.data.joints import INDEX, JOINTS, NAMES
from minigan.data.options import Split
from minigan.data.pairs import PairOptions
from minigan.data.pictures import to_float
from minigan.data.poses import Poses
from minigan.errors import DataError, OptionError

FILE = "joints.csv"
COLUMNS = ["picture", "joint", "x", "y"]
FORMAT = f"a first line {','.join(COLUMNS)}, then a line for each joint"
SHOWN = 3  # names in a message


class FolderPoses(Poses, Finite):
    """Every picture of a person beside every other one of the same person.

    pixels: uint8 (N, H, W, C), with their joints (N, 18, 2) and the persons' names.
    """

    def __init__(
        self,
        name: str,
        pixels: np.ndarray,
        joints: np.ndarray,
        persons: list[str],
        options: PairOptions,
    ) -> None:
        super().__init__(name, pixels.shape[1:3], pixels.shape[3], options)
        self._pixels, self._joints = pixels, joints
        rows: dict[str, list[int]] = {}
        for i, person in enumerate(persons):
            rows.setdefault(person, []).append(i)
        alone = [person for person, own in rows.items() if len(own) == 1]
        if len(alone) == len(rows):
            raise DataError(
                f"no person of {name} has two pictures: put all pictures of one person into a "
                "folder of its own"
            )
        if alone:
            warnings.warn(
                f"{name}: {len(alone)} of {len(rows)} persons have one picture and are left out: "
                f"{_some(alone)}",
                DataWarning,
                stacklevel=3,
            )
        self._pairs = np.array(
            [(a, b) for own in rows.values() for a in own for b in own if a != b], int
        )

    def __len__(self) -> int:
        return len(self._pairs)

    def take(self, indices: np.ndarray) -> Batch:
        a, b = self._pairs[indices].T
        return self.joined(to_float(self._pixels[a]), self._joints[b], to_float(self._pixels[b]))


def open(path: Path, options: PairOptions) -> FolderPoses:
    """The persons in `path`. Without a size all pictures must have one.

    Raises DataError where there are no pictures or no joints, for joints that are wrong, and for a
    picture without any; OptionError for a test split that is not there.
    """
    if not path.is_dir():
        raise DataError(f"{path} is a file: give a folder that holds persons and {FILE}")
    if all((path / split).is_dir() for split in get_args(Split)):
        path = path / options.split
    elif options.split == "test":
        raise OptionError(
            f"{path} holds no separate test split; put persons into folders called train and test, "
            f"each with its {FILE}"
        )
    if not (path / FILE).is_file():
        raise DataError(f"{path} holds no {FILE}: {FORMAT}")
    files = picture_files(path)
    if not files:
        raise DataError(f"no pictures in {path}: put those of each person into a folder of its own")
    given = read(path / FILE)
    size, channels = options.size, options.channels[1]
    decoded, readable = decode(
        path, files, lambda file: fitted(file, size, channels), options.strict
    )
    pixels = stack(path, [picture for picture, _ in decoded])
    names = [file.relative_to(path).as_posix() for file in readable]
    without = [name for name in names if name not in given]
    if without:
        raise DataError(
            f"{path / FILE} has no joints of {len(without)} of {len(names)} pictures: "
            f"{_some(without)}"
        )
    shown = np.array([shares for _, shares in decoded])[:, None]
    joints = (np.stack([given[name] for name in names]) - 0.5) / shown + 0.5
    persons = [PurePosixPath(name).parent.as_posix() for name in names]
    return FolderPoses(str(path), pixels, joints, persons, options)


def read(file: Path) -> dict[str, np.ndarray]:
    """Joints (18, 2) of each picture that a file names, in shares, NaN where it names none.

    Raises DataError with the line for what is no joint, for a place outside of the picture, and for
    a joint that a picture has twice.
    """
    found: dict[str, np.ndarray] = {}
    for number, row in _lines(file):
        where = f"{file}, line {number}"
        if len(row) != len(COLUMNS):
            raise DataError(f"{where}: {','.join(row)!r} is not {','.join(COLUMNS)}")
        picture, joint, *place = (word.strip() for word in row)
        if joint not in INDEX:
            raise DataError(f"{where}: joint {joint!r}; known: {', '.join(NAMES)}")
        try:
            x, y = map(float, place)
        except ValueError:
            raise DataError(f"{where}: {','.join(place)!r} are no numbers") from None
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise DataError(
                f"{where}: {x:g},{y:g} lies outside of the picture; x and y are shares of the "
                "width and the height, from 0 to 1"
            )
        joints = found.setdefault(picture, np.full((JOINTS, 2), np.nan))
        if not np.isnan(joints[INDEX[joint], 0]):
            raise DataError(f"{where}: {picture} has two places for {joint}")
        joints[INDEX[joint]] = x, y
    if not found:
        raise DataError(f"{file} names no joints: {FORMAT}")
    return found


def _lines(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows behind the first line with their numbers, without empty ones. Raises DataError."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            rows = list(csv.reader(text))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} cannot be read: {error}") from error
    if not rows or [word.strip() for word in rows[0]] != COLUMNS:
        raise DataError(f"{file} begins otherwise: wanted {FORMAT}")
    return ((n, row) for n, row in enumerate(rows[1:], 2) if any(word.strip() for word in row))


def _some(names: list[str]) -> str:
    """The first of them."""
    return ", ".join(names[:SHOWN]) + ", ..." * (len(names) > SHOWN)
