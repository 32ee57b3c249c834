"""Reads pictures or points from a NumPy .npz archive.

The data is the array `x`, or the only array there is. Labels, if any, are whole numbers called
`labels` or `y`; where each example has several, `label_names` may say what these are called.
Pictures are kept as bytes, so floats are rounded to the nearest of 256 levels; points are kept as
float32. Nothing is ever unpickled.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from minigan.data.arrays import checked, classes_of, pixels, points
from minigan.data.base import LabelNames
from minigan.data.memory import InMemory
from minigan.data.options import Options
from minigan.data.pictures import fit_all
from minigan.errors import DataError

_LABELS = ("labels", "y")
_NAMES = "label_names"


def recognises(path: Path) -> bool:
    """Whether `path` is a file called *.npz."""
    return path.suffix == ".npz" and path.is_file()


def open(path: Path, options: Options) -> InMemory:
    """A data set from one archive.

    pictures  uint8, or float in [-1, 1]: (N, H, W, C) with C of 1 or 3, or (N, H, W) for grey
    points    float (N, D), finite
    labels    int (N,) from 0, become the label "class"; int (N, L) become L labels, such as
              attributes that are there (1) or not (0), called as `label_names`, L words, has them

    Raises DataError on anything else, and OptionError for a size or channels of points.
    """
    options.refuse_test_split(str(path), "keep test examples in a file of their own")
    arrays = _read(path)
    x = _main_array(path, arrays)
    labels, names = _labels(path, arrays, len(x))
    if x.ndim == 2:
        options.refuse_picture_options(str(path))
        return InMemory(str(path), points(str(path), x), labels, names)
    fitted = fit_all(pixels(str(path), x), options.size, options.channels)
    return InMemory(str(path), fitted, labels, names)


def _read(path: Path) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):  # np.load would take a lone array or try a pickle
        raise DataError(f"{path} is no npz archive; write it with numpy.savez")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: np.asarray(archive[key]) for key in archive.files}
    # Damaged, encrypted, holding Python objects, or with a header that claims terabytes.
    except (
        *(ValueError, EOFError, OSError, RuntimeError, MemoryError),
        *(zipfile.BadZipFile, zlib.error),
    ) as error:
        raise DataError(
            f"{path} cannot be read ({error}); write it again with numpy.savez, numbers only"
        ) from error


def _main_array(path: Path, arrays: dict[str, np.ndarray]) -> np.ndarray:
    candidates = [key for key in arrays if key not in (*_LABELS, _NAMES)]
    if "x" in candidates:
        candidates = ["x"]
    if len(candidates) != 1:
        raise DataError(
            f"{path} holds the arrays {', '.join(arrays) or 'none'}: call the examples x, and the "
            "labels, if there are any, labels"
        )
    return checked(str(path), arrays[candidates[0]])


def _labels(
    path: Path, arrays: dict[str, np.ndarray], examples: int
) -> tuple[np.ndarray | None, LabelNames]:
    """Labels (N, L) and the names of their classes, if the archive has any."""
    found = [key for key in _LABELS if key in arrays]
    if not found:
        return None, {}
    names = arrays[_NAMES].ravel().tolist() if _NAMES in arrays else None
    return classes_of(f"{path}, {found[0]}", arrays[found[0]], examples, names)
