"""Reads the arrays that ship inside the package (see NOTICE for where they come from)."""

from __future__ import annotations

from importlib import resources

import numpy as np


def load(name: str) -> dict[str, np.ndarray]:
    """The arrays of `embedded/NAME`, an npz file, by their names in the file."""
    file = resources.files("minigan.data") / "embedded" / name
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}
