"""Reads IDX, the format of MNIST and Fashion-MNIST, plain or gzipped.

An IDX file of unsigned bytes is
    2 zero bytes, 0x08 (unsigned byte), number of dimensions d, d sizes as big-endian 32-bit, data
Pictures have d = 3 (count, height, width), labels d = 1.

Source: LeCun, "The MNIST database", section "File formats". Everything is kept as bytes.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from minigan.data.memory import InMemory
from minigan.data.options import Options
from minigan.data.pictures import fit_all
from minigan.errors import DataError

_PREFIX = {"train": "train", "test": "t10k"}


def recognises(path: Path) -> bool:
    """An IDX file, or a folder that holds pictures under MNIST's file names."""
    if path.is_dir():
        return any(_pictures_in(path, prefix) for prefix in _PREFIX.values())
    return path.name.removesuffix(".gz").endswith("ubyte")


def open(path: Path, options: Options) -> InMemory:
    """Pictures and, from the file beside them, labels "class".

    In a folder `options.split` chooses between the files that begin with train and with t10k.
    Raises DataError on a missing, truncated or wrong file.
    """
    if path.is_dir():
        prefix = _PREFIX[options.split]
        file = _pictures_in(path, prefix)
        if file is None:
            raise DataError(
                f"{path} holds no {prefix}-images-idx3-ubyte, the pictures of split "
                f"{options.split!r}; add that file or choose the other split"
            )
    else:
        options.refuse_test_split(str(path), "give the t10k file or the folder that holds it")
        file = path
    pixels = _read(file, dimensions=3, content="pictures (idx3)")[..., None]
    if not pixels.size:
        raise DataError(f"{file} holds no pixels, its sizes are {pixels.shape[:3]}; fetch it again")
    labels_file = _labels_of(file)
    if labels_file is None:
        labels, names = None, {}
    else:
        labels = _read(labels_file, dimensions=1, content="labels (idx1)")
        if len(labels) != len(pixels):
            raise DataError(
                f"{file} holds {len(pixels)} pictures but {labels_file} {len(labels)} labels; "
                "these files do not belong together"
            )
        labels = labels[:, None]
        names = {"class": tuple(map(str, range(int(labels.max()) + 1)))}
    return InMemory(str(path), fit_all(pixels, options.size, options.channels), labels, names)


def _pictures_in(folder: Path, prefix: str) -> Path | None:
    return _first(folder, (f"{prefix}-images{mark}idx3-ubyte" for mark in "-."))


def _labels_of(pictures: Path) -> Path | None:
    """The labels beside MNIST-named pictures: images-idx3 becomes labels-idx1."""
    name = pictures.name.removesuffix(".gz")
    labels = name.replace("images", "labels").replace("idx3", "idx1")
    return None if labels == name else _first(pictures.parent, [labels])


def _first(folder: Path, names: Iterable[str]) -> Path | None:
    files = (folder / f"{name}{suffix}" for name in names for suffix in ("", ".gz"))
    return next((file for file in files if file.is_file()), None)


def _read(file: Path, dimensions: int, content: str) -> np.ndarray:
    """The uint8 array in an IDX file, which must have that many dimensions."""
    try:
        if file.suffix == ".gz":
            with gzip.open(file) as stream:
                data = stream.read()
        else:
            data = file.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{file} is a damaged gzip file ({error}); fetch it again") from error
    magic, header = data[:4], 4 + 4 * dimensions
    if magic != bytes([0, 0, 8, dimensions]):
        raise DataError(
            f"{file} begins with the bytes {magic.hex(' ') or 'of an empty file'}; an IDX file of "
            f"{content} begins with 00 00 08 {dimensions:02d}: give such a file"
        )
    if len(data) < header:
        raise DataError(f"{file} ends within its header, after {len(data)} bytes; fetch it again")
    sizes = struct.unpack(f">{dimensions}I", data[4:header])
    if len(data) - header != math.prod(sizes):
        raise DataError(
            f"{file} holds {len(data) - header} bytes of data but its header says "
            f"{' x '.join(map(str, sizes))} = {math.prod(sizes)}; fetch it again"
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(sizes)
