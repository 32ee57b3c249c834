"""Reads the binary version of CIFAR-10: 32 x 32 colour pictures of ten classes.

A file is a row of records of 3,073 bytes: the class, then the red, the green and the blue plane of
32 x 32 bytes, each row by row.

Source: Krizhevsky, "The CIFAR-10 dataset", section "Binary version". Everything is kept as bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minigan.data.memory import InMemory
from minigan.data.options import Options
from minigan.data.pictures import fit_all
from minigan.errors import DataError

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
RECORD = 1 + 3 * 32 * 32
_FILES = {"train": "data_batch_*.bin", "test": "test_batch.bin"}


def recognises(path: Path) -> bool:
    """A .bin file, or a folder with CIFAR-10's files in it."""
    if path.is_dir():
        return any(next(path.glob(files), None) for files in _FILES.values())
    return path.suffix == ".bin"


def open(path: Path, options: Options) -> InMemory:
    """Pictures with the label "class"; in a folder `options.split` chooses the files.

    Raises DataError on a missing file, one whose length is no multiple of a record or one with a
    class above 9.
    """
    if path.is_dir():
        files = sorted(path.glob(_FILES[options.split]))
        if not files:
            raise DataError(
                f"{path} holds no {_FILES[options.split]}, the pictures of split "
                f"{options.split!r}; add that file or choose the other split"
            )
    else:
        options.refuse_test_split(str(path), "give test_batch.bin or the folder that holds it")
        files = [path]
    records = np.concatenate([_read(file) for file in files])
    planes = records[:, 1:].reshape(-1, 3, 32, 32)
    pixels = fit_all(
        np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), options.size, options.channels
    )
    return InMemory(str(path), pixels, records[:, :1], {"class": CLASSES})


def _read(file: Path) -> np.ndarray:
    """The records of one file, uint8 (N, RECORD)."""
    data = file.read_bytes()
    if not data or len(data) % RECORD:
        raise DataError(
            f"{file} has {len(data):,} bytes; a CIFAR-10 file has a multiple of {RECORD:,}: "
            "fetch it again, and make sure that it is the binary version"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
    highest = records[:, 0].max()
    if highest >= len(CLASSES):
        raise DataError(f"{file} holds the class {highest}; CIFAR-10's are 0 to {len(CLASSES) - 1}")
    return records
