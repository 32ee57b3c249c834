r"""How far two pictures are apart, up to a shift of all numbers (Bousmalis et al. 2017, eq. 5).

    d = (y - x) o m        loss = 1/k |d|^2 - 1/k^2 (sum d)^2        of pictures of k numbers

With m = 1 that is the variance of y - x, or half the mean squared difference of (y_i - y_j) and
(x_i - x_j) over all pairs of numbers i, j (Eigen et al. 2014, arXiv:1406.2283): y may be
brighter than x everywhere, and what is brighter than what has to stay. A mask m of zeros and ones
leaves out what is free to change; k counts it nevertheless.

The gradient with respect to y is 2/k d - 2/k^2 (sum d) m, over the number of pictures, whose mean
the loss is.
"""

from __future__ import annotations

import math

from minigan.backend import Array, scalar
from minigan.errors import ShapeError
from minigan.losses.objective import Value

PAPER = "Bousmalis et al. 2017, arXiv:1612.05424, section 3"


def masked_pairwise_error(y: Array, x: Array, mask: Array) -> tuple[Value, Array]:
    """The loss above of pictures (N, H, W, C), and its gradient with respect to y.

    mask: (N, H, W, 1), 1 where pictures shall be alike and 0 elsewhere. Raises ShapeError.
    """
    if y.shape != x.shape or mask.shape != (*y.shape[:-1], 1):
        raise ShapeError(
            f"pictures {y.shape} and {x.shape} and a mask {mask.shape}: give pictures of one shape "
            "and a mask of one number for each place"
        )
    n, k = len(y), math.prod(y.shape[1:])
    places = tuple(range(1, y.ndim))
    apart = (y - x) * mask
    shift = apart.sum(places, keepdims=True) / k
    loss = ((apart * apart).sum() / k - (shift * shift).sum()) / n
    return scalar(loss), (apart - shift * mask) * (2 / (k * n))
