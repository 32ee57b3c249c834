r"""Thin-plate splines: a picture bent so that its landmarks lie where another's are.

The map T from the plane to the plane that takes p_i to q_i and bends least,

    T(p) = a + A p + sum_i w_i U(|p - p_i|),   U(r) = r^2 log r,
    sum_i w_i = 0,  sum_i w_i p_i^T = 0

is linear in its numbers: with K_ij = U(|p_i - p_j|) and rows (1, p_i) of P

    ( K    P ) ( w     )   ( q )
    ( P^T  0 ) ( a, A  ) = ( 0 )

Source: Bookstein 1989, "Principal warps: thin-plate splines and the decomposition of deformations",
IEEE Transactions on Pattern Analysis and Machine Intelligence 11(6).
"""

from __future__ import annotations

import numpy as np

from minigan.errors import DataError

LEAST = 3  # landmarks that an affine map is determined by


def warp(y: np.ndarray, landmarks: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, C) whose `landmarks` come to lie at `onto`, both (N, L, 2).

    A landmark is (x, y), x to the right and y down, as shares of the width and the height. Each
    place of the result is looked up where T, from `onto` to `landmarks`, takes it: bilinearly, and
    on the border where that is outside. Raises DataError for landmarks that determine no T.
    """
    n, h, w, _ = y.shape
    columns, rows = np.meshgrid((np.arange(w) + 0.5) / w, (np.arange(h) + 0.5) / h)
    places = np.stack([columns, rows], -1).reshape(1, -1, 2)
    found = spline(onto, landmarks, np.broadcast_to(places, (n, h * w, 2)))
    return _bilinear(y, found.reshape(n, h, w, 2))


def spline(p: np.ndarray, q: np.ndarray, places: np.ndarray) -> np.ndarray:
    """T(places), (N, P, 2), of the T that takes p to q, both (N, L, 2), example by example.

    Raises DataError for fewer than three points p, two in one place, or all on a line.
    """
    n, count, _ = p.shape
    if q.shape != p.shape or count < LEAST:
        raise DataError(
            f"landmarks {p.shape[1:]} and {q.shape[1:]}: a thin-plate spline wants as many of "
            f"either, {LEAST} or more"
        )
    p, q = p.astype(np.float64), q.astype(np.float64)
    ones = np.ones((n, count, 1))
    affine = np.concatenate([ones, p], -1)
    system = np.zeros((n, count + LEAST, count + LEAST))
    system[:, :count, :count] = _bending(p, p)
    system[:, :count, count:] = affine
    system[:, count:, :count] = affine.swapaxes(1, 2)
    wanted = np.concatenate([q, np.zeros((n, LEAST, 2))], 1)
    try:
        numbers = np.linalg.solve(system, wanted)
    except np.linalg.LinAlgError as error:
        raise DataError(
            "landmarks that lie on one another, or all on a line, determine no thin-plate spline"
        ) from error
    straight = np.concatenate([np.ones((n, places.shape[1], 1)), places], -1)
    return np.concatenate([_bending(places, p), straight], -1) @ numbers


def _bending(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """U of the distances between points (N, P, 2) and (N, L, 2); U(0) = 0."""
    squares = sum((a[:, :, None, i] - b[:, None, :, i]) ** 2 for i in range(2))
    return 0.5 * squares * np.log(np.where(squares > 0, squares, 1))


def _bilinear(y: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, C) at places (N, H', W', 2); a pixel's number stands in its middle."""
    n, h, w, _ = y.shape
    column = np.clip(places[..., 0] * w - 0.5, 0, w - 1)
    row = np.clip(places[..., 1] * h - 0.5, 0, h - 1)
    left, top = np.floor(column).astype(int), np.floor(row).astype(int)
    right, bottom = np.minimum(left + 1, w - 1), np.minimum(top + 1, h - 1)
    across = (column - left).astype(y.dtype)[..., None]
    down = (row - top).astype(y.dtype)[..., None]
    k = np.arange(n)[:, None, None]
    above = y[k, top, left] * (1 - across) + y[k, top, right] * across
    below = y[k, bottom, left] * (1 - across) + y[k, bottom, right] * across
    return above * (1 - down) + below * down
