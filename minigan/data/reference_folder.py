"""Reads pictures without a style and pictures in styles from a folder.

    DIR/A/NAME.png           without a style
    DIR/B/STYLE/NAME.png     in one
    DIR/landmarks.json       {"A/NAME.png": [[x, y], ...], ...}, shares of the width and the height

(or trainA, trainB and testA, testB, ...: see pair_folder.py). One NAME is one subject: where A/NAME
and B/STYLE/NAME are both there, the truth is known. Pictures straight in B are of styles of their
own. Without landmarks all pictures count as aligned, and a reference as its own warped one.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from minigan.data.base import Batch, DataWarning
from minigan.data.folder import decode, fitted, picture_files, stack
from minigan.data.makeup import Known, References, onto
from minigan.data.options import Options
from minigan.data.pair_folder import two_folders
from minigan.data.pairs import PairOptions
from minigan.data.pictures import to_float
from minigan.errors import DataError

LANDMARKS = "landmarks.json"


class Side:
    """One folder: its pictures, uint8 (N, H, W, C), their files, and landmarks (N, L, 2) if any."""

    def __init__(
        self, top: Path, folder: Path, options: Options, given: dict[str, Any] | None
    ) -> None:
        files = picture_files(folder)
        if not files:
            raise DataError(f"no pictures in {folder}: each of the two domains needs some")
        read, readable = decode(
            folder, files, lambda file: fitted(file, options.size, options.channels), options.strict
        )
        self.folder = folder
        self.pixels = stack(folder, [pixels for pixels, _ in read])
        named = [file.relative_to(folder).with_suffix("") for file in readable]
        self.names = [path.name for path in named]
        self.styles = [path.parent.as_posix() for path in named]
        self.landmarks = None
        if given is not None:
            points = np.array([_of(top, file, given) for file in readable])
            shown = np.array([shares for _, shares in read])[:, None]
            self.landmarks = (points - 0.5) / shown + 0.5


class FolderReferences(References):
    """Any picture of A beside any one of B.

    _rows  int (K, 4): rows of A and of B that show one subject, those of one style together, then
            the first row and the number of rows of that style
    """

    def __init__(self, name: str, a: Side, b: Side, options: PairOptions) -> None:
        channels = a.pixels.shape[3], b.pixels.shape[3]
        super().__init__(name, a.pixels.shape[1:3], channels, options)
        self._a, self._b = a, b
        self._rows = _same_subjects(a, b)

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        i = rng.integers(len(self._a.pixels), size=n)
        j = rng.integers(len(self._b.pixels), size=n)
        return Batch(np.concatenate(self._shown(i, j), -1), None)

    def known(self, n: int, rng: np.random.Generator) -> Known | None:
        if not len(self._rows):
            return None
        k = rng.integers(len(self._rows), size=n)
        start, count = self._rows[k, 2:].T
        other = start + (k - start + 1 + rng.integers(count - 1)) % count  # of the same style
        removed, j, *_ = self._rows[k].T
        i, applied, *_ = self._rows[other].T
        truth = to_float(self._b.pixels[applied]), to_float(self._a.pixels[removed])
        return Known(*self._shown(i, j), *truth)

    def _shown(self, i: np.ndarray, j: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        a, b = self._a, self._b
        x, y = to_float(a.pixels[i]), to_float(b.pixels[j])
        if a.landmarks is None or b.landmarks is None:
            return x, y, y
        return x, y, onto(x, y, b.landmarks[j], a.landmarks[i])


def open(path: Path, options: PairOptions) -> FolderReferences:
    """The references in `path`. Without a size all pictures must have one.

    Raises DataError as `pair_folder.open`, and for landmarks that are missing or wrong, naming the
    picture. A folder without any landmarks gives a DataWarning.
    """
    folders = two_folders(path, options.split) if path.is_dir() else None
    if folders is None:
        raise DataError(f"{path}: references are read from a folder that holds two folders A and B")
    file, given = path / LANDMARKS, None
    if file.exists():
        given = _landmarks(file)
    else:
        warnings.warn(
            f"{path} has no {LANDMARKS}: every picture counts as aligned with every other",
            DataWarning,
            stacklevel=2,
        )
    sides = zip(folders, options.of_sides, strict=True)
    a, b = (Side(path, folder, asked, given) for folder, asked in sides)
    if a.pixels.shape[1:3] != b.pixels.shape[1:3]:
        raise DataError(
            f"pictures of {a.folder} are {_size(a)}, those of {b.folder} {_size(b)}: give "
            "--size to crop and resize them"
        )
    return FolderReferences(str(path), a, b, options)


def _same_subjects(a: Side, b: Side) -> np.ndarray:
    """`known` of FolderReferences; styles of a single subject are left out."""
    bare = {name: i for i, name in enumerate(a.names)}
    styles: dict[str, list[tuple[int, int]]] = {}
    for j, (style, name) in enumerate(zip(b.styles, b.names, strict=True)):
        if style != "." and name in bare:
            styles.setdefault(style, []).append((bare[name], j))
    rows: list[tuple[int, ...]] = []
    for same in styles.values():
        if len(same) > 1:
            rows += [(i, j, len(rows), len(same)) for i, j in same]
    return np.array(rows, int).reshape(-1, 4)


def _landmarks(file: Path) -> dict[str, Any]:
    try:
        given = json.loads(file.read_text())
    except ValueError as error:
        raise DataError(f"{file} is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise DataError(f"{file}: wanted an object of pictures and their landmarks")
    return given


def _of(top: Path, file: Path, given: dict[str, Any]) -> np.ndarray:
    name = file.relative_to(top).as_posix()
    first: Any = next(iter(given.values()), [])
    try:
        points = np.array(given[name], float)
        if points.shape != np.shape(first) or points.shape[1:] != (2,):
            raise ValueError(f"{points.shape} numbers instead of {np.shape(first)}")
    except (KeyError, ValueError, TypeError) as error:
        what = "names no landmarks of" if isinstance(error, KeyError) else "has wrong landmarks of"
        raise DataError(
            f"{LANDMARKS} {what} {name}: wanted [[x, y], ...], as many of each"
        ) from error
    return points


def _size(side: Side) -> str:
    return f"{side.pixels.shape[2]}x{side.pixels.shape[1]}"
