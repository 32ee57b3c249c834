"""minigan/ops/embedding.py on a card: the kernels of kernels/gather.cu for rows."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import flat, suffix


def take_rows(table: Array, index: Array) -> Array:
    xp = array_module(table)
    c = table.shape[1]
    y = xp.empty((*index.shape, c), table.dtype)
    extent = (np.int64(len(table)), np.int64(index.size), np.int32(c))
    launch(f"gather.take_rows{suffix(table)}", *flat(y.size), table, _int64(index), y, *extent)
    return y


def add_rows(total: Array, index: Array, rows: Array) -> None:
    rows = array_module(total).ascontiguousarray(rows)
    extent = (np.int64(total.size), np.int64(index.size), np.int32(total.shape[1]))
    kernel = f"gather.add_rows{suffix(total)}"
    launch(kernel, *flat(total.size), total, _int64(index), rows, *extent)


def _int64(index: Array) -> Array:
    return array_module(index).ascontiguousarray(index.astype(np.int64, copy=False))
