"""Pictures inside a page, few enough that a browser opens it at once.

A run's part of a page stays below 24 MB: FRAME_BYTES and FILM_BYTES of pictures, a third more as
base64, and less than 2 MB of anything else.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np

from minigan.report.run import Frame

FRAMES = 60
FRAME_BYTES = 9_000_000  # of the files of all frames
FILM_BYTES = 6_000_000

Address = Callable[[Path], str]  # what a page calls a picture: its content, or where it is served


def data_uri(data: bytes, kind: str = "image/png") -> str:
    """The content of a picture as its address."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def embedded(path: Path) -> str:
    """A picture's file as its address."""
    kind = "image/gif" if path.suffix == ".gif" else "image/png"
    return data_uri(path.read_bytes(), kind)


def chosen(frames: list[Frame], *, limit: int = FRAMES, size: int = FRAME_BYTES) -> list[Frame]:
    """At most `limit` frames of at most `size` bytes, evenly spread, the last one always there."""
    sizes = [sum(p.stat().st_size for p in f.pictures.values()) for f in frames]
    for n in range(min(limit, len(frames)), 1, -1):
        spread = np.linspace(0, len(frames) - 1, n).round().astype(int)
        if sum(sizes[i] for i in spread) <= size:
            return [frames[i] for i in spread]
    return frames[-1:]
