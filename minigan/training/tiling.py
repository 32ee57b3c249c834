"""Pictures larger than a network is made for, translated tile by tile.

Tiles of one size cover a picture, neighbours overlap, and where they do one fades into the other:
along each axis a tile's weight rises in a straight line over the overlap, and the weights of all
tiles sum to 1 at every pixel. No more than one tile is in the network at a time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError

Translate = Callable[[Array], Array]


def tiled(translate: Translate, x: Array, *, tile: int, overlap: int, scale: int = 1) -> Array:
    """A picture (1, H, W, C) as `translate` makes it of tiles (1, tile, tile, C).

    A picture smaller than a tile is mirrored at its border, and cut again. What looks at each pixel
    alone gives what it gives for the whole picture. `translate` makes tiles `scale` times larger,
    and so is the picture. Raises OptionError for an overlap that is none.
    """
    _, h, w, _ = x.shape
    missing = [(0, max(0, tile - side)) for side in (h, w)]
    x = np.pad(x, [(0, 0), *missing, (0, 0)], mode="symmetric")
    rows, columns = (_enlarged(side, tile, overlap, scale) for side in x.shape[1:3])
    y: Array | None = None
    for top, row, row_weights in rows:
        for left, column, column_weights in columns:
            part = translate(x[:, top : top + tile, left : left + tile])
            if y is None:
                sides = (scale * side for side in x.shape[1:3])
                y = np.zeros_like(part, shape=(1, *sides, part.shape[-1]))
            weights = np.multiply.outer(row_weights, column_weights)[..., None]
            end = row + scale * tile, column + scale * tile
            y[:, row : end[0], column : end[1]] += part * weights.astype(part.dtype)
    assert y is not None
    return y[:, : scale * h, : scale * w]


def _enlarged(side: int, tile: int, overlap: int, scale: int) -> list[tuple[int, int, Array]]:
    """Where the tiles along an axis begin, where they do in the result, and their weights there."""
    starts = [start for start, _ in placed(side, tile, overlap)]
    larger = placed(scale * side, scale * tile, scale * overlap)
    return [(start, *there) for start, there in zip(starts, larger, strict=True)]


def placed(side: int, tile: int, overlap: int) -> list[tuple[int, Array]]:
    """Where the tiles along an axis begin, and each one's weights (tile,): they sum to 1.

    The last tile ends with the picture, so it may overlap further. Raises OptionError.
    """
    if not 0 <= overlap < tile:
        raise OptionError(f"--overlap {overlap}: wanted from 0 to {tile - 1}, below --tile {tile}")
    starts = [*range(0, side - tile, tile - overlap), side - tile]
    edge = np.arange(1, tile + 1)
    ramp = np.minimum(np.minimum(edge, edge[::-1]), overlap + 1) / (overlap + 1)
    total = np.zeros(side)
    for start in starts:
        total[start : start + tile] += ramp
    return [(start, ramp / total[start : start + tile]) for start in starts]
