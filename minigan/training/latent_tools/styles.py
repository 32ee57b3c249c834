"""Style mixing: coarse styles of one z, fine ones of another (Karras et al. 2019, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from minigan.training.latent_tools.base import COLUMNS, Sheet, Source, Tool


@dataclass(frozen=True)
class StyleGrid(Tool):
    """n rows of a z each beside `columns` others: coarse styles of the row's, fine of the column's.

    The first row and the first column show both by themselves; the corner is empty (white).
    """

    flag: ClassVar[str] = "--mix-styles"
    layer: int
    columns: int | None = None

    def sheet(self, source: Source, n: int, rng: np.random.Generator) -> Sheet:
        columns = self.columns or COLUMNS
        a, b = source.prior.draw(n, rng), source.prior.draw(columns, rng)
        pairs = np.repeat(a, columns, axis=0), np.tile(b, (n, 1))
        mixed = source.mix(*pairs, self.layer, columns=columns)
        of_a, of_b = source.make(a), source.make(b)
        grid = np.ones((n + 1, columns + 1, *mixed.shape[1:]), mixed.dtype)
        grid[0, 1:], grid[1:, 0] = of_b, of_a
        grid[1:, 1:] = mixed.reshape(n, columns, *mixed.shape[1:])
        return Sheet(grid.reshape(-1, *mixed.shape[1:]), columns + 1)
