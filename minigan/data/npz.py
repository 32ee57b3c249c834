"""Reads pictures or points from a NumPy .npz archive.

The data is the array `x`, or the only array there is. Labels, if any, are whole numbers called
`labels` or `y`. Pictures are kept as bytes, so floats are rounded to the nearest of 256 levels;
points are kept as float32. Nothing is ever unpickled.
"""

from __future__ import annotations

import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np

from minigan.data.base import DataWarning, LabelNames
from minigan.data.memory import InMemory
from minigan.data.options import Options
from minigan.data.pictures import fit_all
from minigan.errors import DataError

_LABELS = ("labels", "y")


def recognises(path: Path) -> bool:
    """Whether `path` is a file called *.npz."""
    return path.suffix == ".npz" and path.is_file()


def open(path: Path, options: Options) -> InMemory:
    """A data set from one archive.

    pictures  uint8, or float in [-1, 1]: (N, H, W, C) with C of 1 or 3, or (N, H, W) for grey
    points    float (N, D), finite
    labels    int (N,) from 0, become the label "class"

    Raises DataError on anything else, and OptionError for a size or channels of points.
    """
    options.refuse_test_split(str(path), "keep test examples in a file of their own")
    arrays = _read(path)
    x = _main_array(path, arrays)
    labels, names = _labels(path, arrays, len(x))
    if x.ndim == 2:
        options.refuse_picture_options(str(path))
        return InMemory(str(path), _points(path, x), labels, names)
    pixels = fit_all(_pixels(path, x), options.size, options.channels)
    return InMemory(str(path), pixels, labels, names)


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
    candidates = [key for key in arrays if key not in _LABELS]
    if "x" in candidates:
        candidates = ["x"]
    if len(candidates) != 1:
        raise DataError(
            f"{path} holds the arrays {', '.join(arrays) or 'none'}: call the examples x, and the "
            "labels, if there are any, labels"
        )
    x = arrays[candidates[0]]
    if x.ndim not in (2, 3, 4) or 0 in x.shape:
        raise DataError(
            f"{path}: the examples have shape {x.shape}; give points (N, D) or pictures "
            "(N, H, W) or (N, H, W, C), at least one"
        )
    if x.dtype != np.uint8 and not np.issubdtype(x.dtype, np.floating):
        raise DataError(f"{path}: the examples have dtype {x.dtype}; give uint8 or a float type")
    if x.dtype != np.uint8:
        with np.errstate(over="ignore"):  # what overflows float32 is refused just below
            x = x.astype(np.float32)
    if not np.isfinite(x).all():
        count = np.count_nonzero(~np.isfinite(x))
        raise DataError(
            f"{path}: {count} values are NaN or infinite as float32; remove those examples"
        )
    return x


def _points(path: Path, x: np.ndarray) -> np.ndarray:
    if x.dtype == np.uint8:
        raise DataError(f"{path}: points (N, D) of dtype uint8; give a float type")
    return x


def _pixels(path: Path, x: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W, C)."""
    x = x[..., None] if x.ndim == 3 else x
    if x.shape[3] not in (1, 3):
        hint = "; move the channels to the end" if x.shape[1] in (1, 3) else ""
        raise DataError(
            f"{path}: pictures of shape {x.shape} need 1 or 3 channels at the end{hint}"
        )
    if x.dtype == np.uint8:
        return x
    if x.min() < -1 or x.max() > 1:
        raise DataError(
            f"{path}: pictures run from {x.min():.4g} to {x.max():.4g}; give floats in [-1, 1], "
            "or uint8 for 0 to 255"
        )
    if x.min() >= 0:
        warnings.warn(
            f"{path}: pictures run from {x.min():.4g} to {x.max():.4g} and are taken as floats in "
            "[-1, 1], so that 0 is grey; if 0 is black, store 2 x - 1",
            DataWarning,
            stacklevel=2,
        )
    return np.rint((x + 1) * 127.5).astype(np.uint8)


def _labels(
    path: Path, arrays: dict[str, np.ndarray], examples: int
) -> tuple[np.ndarray | None, LabelNames]:
    """Labels (N, 1) and their names, if the archive has any."""
    found = [key for key in _LABELS if key in arrays]
    if not found:
        return None, {}
    y = arrays[found[0]]
    if y.shape != (examples,) or not np.issubdtype(y.dtype, np.integer) or y.min() < 0:
        raise DataError(
            f"{path}: {found[0]} has shape {y.shape} and dtype {y.dtype}; give one whole number, "
            f"0 or more, for each of the {examples} examples"
        )
    return y[:, None], {"class": tuple(map(str, range(int(y.max()) + 1)))}
