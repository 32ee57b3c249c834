"""A finite data set whose examples all lie in memory."""

from __future__ import annotations

import numpy as np

from minigan.data.base import Batch, Finite, LabelNames
from minigan.data.pictures import to_float
from minigan.errors import DataError


class InMemory(Finite):
    """Pictures as bytes or points as floats, with their labels.

    data    uint8 (N, H, W, C), turned into float32 in [-1, 1] batch by batch (a quarter of the
            memory of floats), or float32 (N, D)
    labels  int (N, L), or None

    Raises DataError for pictures of another type.
    """

    def __init__(
        self,
        name: str,
        data: np.ndarray,
        labels: np.ndarray | None = None,
        label_names: LabelNames | None = None,
    ) -> None:
        if data.ndim == 4 and data.dtype != np.uint8:
            raise DataError(f"pictures of dtype {data.dtype}: give uint8, 0 to 255")
        super().__init__(name, data.shape[1:], label_names)
        self._data = data
        self._labels = None if labels is None else labels.astype(np.int64)

    def __len__(self) -> int:
        return len(self._data)

    def take(self, indices: np.ndarray) -> Batch:
        x = self._data[indices]
        labels = None if self._labels is None else self._labels[indices]
        return Batch(to_float(x) if self.kind == "image" else x, labels)
