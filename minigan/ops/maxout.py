"""The largest of each run of neighbours along the last axis, and its derivatives."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.dispatch import op


@op
def maxout(x: Array, num_pieces: int) -> tuple[Array, Array]:
    """(..., C * num_pieces) -> (..., C), and which of the pieces won: small integers, the first if
    tied.

    Pieces are taken one after another over all units: argmax along so short an axis is slow.
    """
    pieces = _pieces(x, num_pieces)
    y = pieces[..., 0].copy()
    winner = np.zeros(y.shape, np.uint8)
    for j in range(1, num_pieces):
        larger = (pieces[..., j] > y).view(np.uint8)
        np.maximum(winner, larger * np.uint8(j), out=winner)
        np.maximum(y, pieces[..., j], out=y)
    return y, winner


@op
def maxout_dx(dy: Array, winner: Array, num_pieces: int) -> Array:
    """dy (..., C) sent to the piece that won: (..., C * num_pieces)."""
    dx = np.empty((*dy.shape, num_pieces), dy.dtype)
    for j in range(num_pieces):
        np.multiply(dy, winner == j, out=dx[..., j])
    return dx.reshape(*dy.shape[:-1], dy.shape[-1] * num_pieces)


@op
def maxout_gather(v: Array, winner: Array, num_pieces: int) -> Array:
    """The adjoint of `maxout_dx`: v (..., C * num_pieces) read at the pieces that won."""
    pieces = _pieces(v, num_pieces)
    y = pieces[..., 0] * (winner == 0)
    for j in range(1, num_pieces):
        y += pieces[..., j] * (winner == j)
    return y


def _pieces(x: Array, num_pieces: int) -> Array:
    return x.reshape(*x.shape[:-1], x.shape[-1] // num_pieces, num_pieces)
