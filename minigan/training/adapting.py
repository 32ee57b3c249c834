"""The picture of an adaptation: source pictures, what they are for some z, and the target.

A row for each source picture. True pictures of the target stand beside the adapted ones; none of
them belongs to a source picture. Where nothing is adapted there are only source and target.
"""

from __future__ import annotations

import numpy as np

from minigan.algorithms.translation.pixelda import PixelDA
from minigan.backend import make_rng
from minigan.data import Pairs
from minigan.streams import Purpose
from minigan.training.pictures import Sheet, beside, grid

ROWS, ZS, TARGETS = 8, 5, 5
ZOOM = 2


def sheet(algorithm: PixelDA, pairs: Pairs, *, seed: int) -> Sheet:
    """The sheet above, always of the same pictures."""
    n = ROWS * TARGETS
    x, y = pairs.split(pairs.draw(n, make_rng(seed, Purpose.SHOWN)).x)
    source = x[:ROWS]
    columns = {"source": grid(source, columns=1, factor=ZOOM)}
    made = source
    if algorithm.prior is not None:
        rng = make_rng(seed, Purpose.PICTURES)
        zs = np.repeat(algorithm.prior.draw(ZS, rng)[:, None], ROWS, 1)
        rows = np.stack([algorithm.translate(source, rng, z=z) for z in zs], 1)
        made = rows.reshape(-1, *rows.shape[2:])
        columns["adapted, a z each column"] = grid(made, columns=ZS, factor=ZOOM)
    columns["target"] = grid(y, columns=TARGETS, factor=ZOOM)
    return Sheet(beside(columns), made, y)
