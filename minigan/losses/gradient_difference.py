r"""The image gradient difference loss: edges of a prediction as strong as those of the truth.

Differences of neighbouring pixels are compared by their size, down and right, so that an edge that
was smoothed costs something wherever it lies (Mathieu, Couprie and LeCun 2016, section 3.3). The
paper sums over the pixels; here each of both directions is a mean over its differences, as in the
authors' code, so that the value means the same for every size of picture.

With a = Y_i - Y_{i-1} of the truth, b = Yhat_i - Yhat_{i-1} of the prediction and e = |a| - |b|, a
term |e|^alpha changes with b by -alpha |e|^(alpha - 1) sign(e) sign(b), and b with both its pixels.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, scalar
from minigan.errors import OptionError, ShapeError

PAPER = (
    "Mathieu, Couprie and LeCun 2016, Deep multi-scale video prediction beyond mean square error,"
    " arXiv:1511.05440, section 3.3"
)

EQUATIONS = {
    "gdl.loss": r"\mathcal{L}_{gdl}(\hat Y, Y) = \sum_{i,j}"
    r" ||Y_{i,j} - Y_{i-1,j}| - |\hat Y_{i,j} - \hat Y_{i-1,j}||^\alpha"
    r" + ||Y_{i,j-1} - Y_{i,j}| - |\hat Y_{i,j-1} - \hat Y_{i,j}||^\alpha"
}

ALPHAS = (1, 2)


def gradient_difference(y: Array, x: Array, *, alpha: int = 1) -> tuple[float, Array]:
    """The loss of predictions y before truths x, (N, H, W, C), and its gradient in y.

    Where an edge is as strong as it should be, or y is flat, the gradient is 0. Raises ShapeError
    for unlike shapes and pictures of a single row or column, OptionError for an alpha but 1 and 2.
    """
    if y.shape != x.shape or y.ndim != 4 or min(y.shape[1:3]) < 2:
        raise ShapeError(
            f"edges of {y.shape} and {x.shape} cannot be compared: give pictures (N, H, W, C) of "
            "one shape, 2x2 at least"
        )
    if alpha not in ALPHAS:
        raise OptionError(f"alpha {alpha}: give {' or '.join(map(str, ALPHAS))}")
    total, dy = 0.0, np.zeros_like(y)
    for after, before in (
        ((slice(None), slice(1, None)), (slice(None), slice(-1))),
        ((slice(None), slice(None), slice(1, None)), (slice(None), slice(None), slice(-1))),
    ):
        edge = y[after] - y[before]
        short = np.abs(x[after] - x[before]) - np.abs(edge)
        apart = np.abs(short)
        total = total + (apart if alpha == 1 else apart * apart).mean()  # eq: gdl.loss
        slope = np.sign(short) if alpha == 1 else 2 * short
        dedge = slope * np.sign(edge) * (-1 / edge.size)
        dy[after] += dedge
        dy[before] -= dedge
    return scalar(total), dy
