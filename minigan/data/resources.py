"""Reads what ships inside the package (see NOTICE for where they come from)."""

from __future__ import annotations

import io
from importlib import resources

import numpy as np


def load(name: str) -> dict[str, np.ndarray]:
    """The arrays of `embedded/NAME`, an npz file, by their names in the file."""
    stream = io.BytesIO(read(name))
    with np.load(stream, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def read(name: str) -> bytes:
    """The bytes of `embedded/NAME`."""
    return (resources.files("minigan.data") / "embedded" / name).read_bytes()
